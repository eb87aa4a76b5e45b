// A diff in a few words, for a cell of a table: `− adapter tca, − gate split; −30.4 M parameters`.
import type { DeclarationChange, Diff } from '../../../compiler/diff/index.js';
import { short } from '../numbers.js';

/** Statements that are parts of a network; others are told only where none of these changed. */
const PARTS = new Set(['encoder', 'adapter', 'gate', 'prototypes', 'state', 'decoder', 'layer', 'param']);
/** More parts than these are a number. */
const MOST = 6;

/** What stands to the right of `=`: `route(…)` of `adapter tca before enc.blocks[*] = route(…)`. */
const right = (text: string | null): string => text?.replace(/^\w+ [^=]*?= /, '') ?? '';
/** The block that it calls. */
const callee = (text: string | null): string | undefined => /^(?:per \w+ )?(\w+)\(/.exec(right(text))?.[1];

/** Longer right sides than this are told by the block that they call. */
const LONGEST = 60;

/** Names that changed in one way, told together: `d1, d2, d3: attended → plain`; one alone with what it is now. */
function changedWords(changes: readonly DeclarationChange[]): readonly string[] {
  const found = new Map<string, DeclarationChange[]>();
  for (const c of changes) {
    const [from, to] = [callee(c.a), callee(c.b)];
    const how = from !== undefined && to !== undefined && from !== to ? `: ${from} → ${to}` : ' changed';
    found.set(how, [...found.get(how) ?? [], c]);
  }
  return [...found].map(([how, group]) => {
    const names = group.map((c) => (c.name === '' ? c.kind : c.name)).sort().join(', ');
    const now = right(group[0]?.b ?? null);
    return group.length === 1 && how !== ' changed' && now.length <= LONGEST ? `${names}: ${callee(group[0]?.a ?? null) ?? ''} → ${now}` : `${names}${how}`;
  });
}

/** `− decoder d1, d2, d3`. */
function byKind(sign: string, changes: readonly DeclarationChange[]): readonly string[] {
  return [...new Set(changes.map((c) => c.kind))].map((kind) => {
    const names = changes.filter((c) => c.kind === kind).map((c) => c.name).sort();
    return `${sign} ${kind} ${names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST - 1).join(', ')} and ${names.length - MOST + 1} more`}`.trimEnd();
  });
}

function statements(diff: Diff): readonly string[] {
  const told = diff.declarations.some((c) => PARTS.has(c.kind)) ? diff.declarations.filter((c) => PARTS.has(c.kind)) : diff.declarations.filter((c) => c.kind !== 'return');
  const of = (change: DeclarationChange['change']): readonly DeclarationChange[] => told.filter((c) => c.change === change);
  const all = [...byKind('−', of('removed')), ...byKind('+', of('added')), ...changedWords(of('changed'))];
  return all.length <= MOST ? all : [...all.slice(0, MOST), `${all.length - MOST} more`];
}

function parameters(diff: Diff): string {
  const by = diff.elements.b.parameters - diff.elements.a.parameters;
  return by === 0 ? '' : `${by < 0 ? '−' : '+'}${short(Math.abs(by))} parameters`;
}

/** What B is to A. `–` where they are the same network, trained in the same way. */
export function deltaInWords(diff: Diff): string {
  if (diff.equal) return '–';
  const settings = diff.settings.map((f) => (f.a === null ? `+ setting ${f.key}` : f.b === null ? `− setting ${f.key}` : `${f.key} ${f.a} → ${f.b}`));
  const tasks = diff.tasks.map((f) => (f.a === null ? `+ task ${f.b ?? ''}` : f.b === null ? `− task ${f.a}` : 'tasks in another order'));
  const training = diff.training.map((f) => `${f.key} ${f.a ?? 'none'} → ${f.b ?? 'none'}`);
  const first = [...statements(diff), ...settings.slice(0, MOST), ...tasks];
  const shown = first.length > 0 ? first : training.length > 0 ? training.slice(0, 3) : ['other ops'];
  return [shown.join(', '), parameters(diff)].filter((text) => text !== '').join('; ');
}
