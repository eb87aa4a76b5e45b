// A study of a spec, found and checked, and the programs of its rows. What is done with them is the command's matter.
import { compileSpec, studiesOf, type ParsedTexts } from '../compiler/index.js';
import { suggestion } from '../compiler/check/suggest.js';
import type { Study } from '../compiler/study.js';
import { UserError, MisuseError } from '../runtime/errors.js';
import { plural } from '../runtime/report/numbers.js';
import { readPublished, type Published } from '../runtime/report/published.js';
import type { ProgramOf } from '../runtime/report/study.js';
import { parseSet, parseSpecRef, parseTasks } from './flags.js';
import { diskHost } from './host.js';
import type { Io } from './io.js';
import { SpecFaults, specFile, tellDiagnostics, type ProgramArgs } from './program.js';

export interface OpenStudy {
  readonly file: string;
  readonly study: Study;
  /** Codes of the spec's tasks; those of `--tasks` where it is given. */
  readonly codes: readonly string[];
  /** Absent where the study names no file. */
  readonly published?: Published;
  /** Compiles each time that it is asked. Tells mistakes and throws SpecFaults. */
  readonly programOf: ProgramOf;
  /** One line about the warnings of all rows compiled so far, to standard error. */
  readonly tellWarnings: () => void;
  readonly texts: ReadonlyMap<string, string>;
}

/** Throws MisuseError for `FILE#VARIANT`, UserError where there is no such study or published file; tells mistakes of studies and throws SpecFaults. */
export function openStudy(args: ProgramArgs, name: string, io: Io, json: boolean): OpenStudy {
  const { file, variant } = parseSpecRef(args.spec);
  if (variant !== undefined) throw new MisuseError('a study has rows of its own: --study goes with a file, not with FILE#VARIANT', `write ${file} --study ${name}`);
  specFile(args.spec, json);
  const host = diskHost();
  const parsed: ParsedTexts = new Map();
  const read = studiesOf(file, host, parsed);
  if (read.diagnostics.some((d) => d.severity === 'error')) {
    tellDiagnostics(read, json, io);
    throw new SpecFaults();
  }
  const study = read.studies.find((s) => s.name === name);
  if (study === undefined) throw new UserError(`${file} has no study ${name}`, suggestion(name, read.studies.map((s) => s.name), 'a study is declared by `study NAME of TRAIN_BLOCK { rows = […] }`'));
  const all = read.tasksOf(study.of);
  const codes = parseTasks(args.tasks) ?? all;
  const unknown = codes.find((code) => !all.includes(code));
  if (unknown !== undefined) throw new UserError(`--tasks: the spec has no task ${unknown}`, suggestion(unknown, all, 'the spec has no tasks'));
  const published = study.published === undefined ? undefined : readPublished(host.resolve(file, study.published.path));
  const overrides = parseSet(args.set);
  let warnings = new Set<string>();
  const programOf: ProgramOf = (row, tasks) => {
    const result = compileSpec({
      file, set: { ...overrides, ...row.set }, knownVariant: true, block: row.block,
      ...(row.same === row.block ? {} : { variant: row.same }),
      ...(tasks.length === all.length ? {} : { tasks }), ...(study.budget.epochs === undefined ? {} : { epochs: study.budget.epochs }),
    }, host, parsed);
    if (result.program === undefined) {
      tellDiagnostics(result, json, io);
      throw new SpecFaults();
    }
    warnings = new Set([...warnings, ...result.diagnostics.map((d) => `${d.code} ${d.range.file} ${d.range.start.offset}`)]);
    return result.program;
  };
  const tellWarnings = (): void => { if (warnings.size > 0) io.err(`${plural(warnings.size, 'warning')} about the spec: \`tpsc check ${file}\` tells them\n`); };
  return { file, study, codes: all.filter((code) => codes.includes(code)), ...(published === undefined ? {} : { published }), programOf, tellWarnings, texts: read.texts };
}
