// Problems of a data set for people: grouped by what is wrong, so that a thousand equal ones are one paragraph.
import type { DataProblem } from '../data/index.js';
import { paint } from './colour.js';

/** Problems under one heading. */
interface Group { readonly first: DataProblem; readonly members: DataProblem[] }

function grouped(problems: readonly DataProblem[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const problem of problems) {
    const key = `${problem.severity} ${problem.code}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: problem, members: [problem] });
    else group.members.push(problem);
  }
  return [...groups.values()].sort((a, b) => Number(a.first.severity === 'warning') - Number(b.first.severity === 'warning'));
}

/** Errors first; of each kind its files (`listed` of them) and once what to do. '' where there are none. */
export function renderProblems(problems: readonly DataProblem[], options: { readonly colour: boolean; readonly listed: number }): string {
  const p = paint(options.colour);
  return grouped(problems).map(({ first, members }) => {
    const severity = first.severity === 'error' ? p.red : p.yellow;
    const count = members.length === 1 ? '' : ` ${p.dim(`(${members.length} files)`)}`;
    const oneHelp = members.every((m) => m.help === first.help);
    const files = members.slice(0, options.listed).flatMap((m) =>
      [`  ${m.file}: ${m.message}`, ...(oneHelp ? [] : [`    ${p.blue('=')} ${p.bold('help')}: ${m.help}`])]);
    return [
      `${severity(`${first.severity}[${first.code}]`)}${count}`, ...files,
      ...(members.length > options.listed ? [`  … and ${members.length - options.listed} more (--all lists them)`] : []),
      ...(oneHelp ? [`  ${p.blue('=')} ${p.bold('help')}: ${first.help}`] : []), '', '',
    ].join('\n');
  }).join('');
}
