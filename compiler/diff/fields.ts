// Values by name, compared: settings, tasks, the training block, schedules.
import { configIdentity } from '../identity.js';
import { taskCodes, type Program, type Schedule } from '../program.js';
import type { FieldChange } from './diff.js';

type Flat = ReadonlyMap<string, string>;

/** `optimizer.lr.from` -> `0.001`. Lists of plain values are one value. */
function flat(value: unknown, key: string, into: Map<string, string>): Map<string, string> {
  const join = (k: string): string => (key === '' ? k : `${key}.${k}`);
  const isPlain = (x: unknown): boolean => typeof x !== 'object' || x === null;
  if (value === undefined) return into;
  if (Array.isArray(value) && !value.every(isPlain)) value.forEach((x: unknown, i) => { flat(x, join(stepName(x, i)), into); });
  else if (isPlain(value) || Array.isArray(value)) into.set(key, Array.isArray(value) ? `[${value.join(', ')}]` : String(value));
  else for (const [k, x] of Object.entries(value as object)) flat(x, join(k), into);
  return into;
}
/** An item of a list is called by its place and its kind. */
const stepName = (x: unknown, i: number): string => (typeof x === 'object' && x !== null && 'kind' in x ? `${i + 1} ${String(x.kind)}` : String(i + 1));

export function fieldChanges(a: Flat, b: Flat): readonly FieldChange[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => (a.get(key) === b.get(key) ? [] : [{ key, a: a.get(key) ?? null, b: b.get(key) ?? null }]));
}

const ofSettings = (p: Program): Flat => new Map(Object.entries(p.settings).map(([k, v]) => [k, String(v)]));
export const settingsOf = (a: Program, b: Program): readonly FieldChange[] => fieldChanges(ofSettings(a), ofSettings(b));

export function trainingOf(a: Program, b: Program): readonly FieldChange[] {
  const [before, after] = [configIdentity(a.training), configIdentity(b.training)];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return fieldChanges(flat(before ?? {}, '', new Map()), flat(after ?? {}, '', new Map()));
}

export function schedulesOf(a: Program, b: Program): readonly FieldChange[] {
  if (JSON.stringify(a.schedules) === JSON.stringify(b.schedules)) return [];
  const text = ({ name: _, kind, ...rest }: Schedule): string => [kind, ...Object.entries(rest).map(([key, value]) => `${key} ${value}`)].join(' ');
  const named = (p: Program): Flat => new Map(p.schedules.map((s) => [s.name, text(s)]));
  const changes = fieldChanges(named(a), named(b));
  const order = (p: Program): string => p.schedules.map((s) => s.name).join(', ');
  return changes.length > 0 ? changes : [{ key: 'order', a: order(a), b: order(b) }];
}

export function tasksOf(a: Program, b: Program): readonly FieldChange[] {
  const [before, after] = [taskCodes(a), taskCodes(b)];
  const changes = [
    ...before.filter((code) => !after.includes(code)).map((key): FieldChange => ({ key, a: key, b: null })),
    ...after.filter((code) => !before.includes(code)).map((key): FieldChange => ({ key, a: null, b: key })),
  ];
  if (changes.length > 0 || before.join() === after.join()) return changes;
  return [{ key: 'order', a: before.join(', '), b: after.join(', ') }];
}
