// A comparison as sections of rows, the same for every format: what is said is here, how it looks is in `text.ts`, `markdown.ts`, `html.ts`.
import type { DeclarationChange, FieldChange, Mode, ModuleChange, OpCounts, Side } from '../../../compiler/diff/index.js';
import { pathsText } from '../../../compiler/diff/ranges.js';
import { isLeaf } from '../../../compiler/ir/graph.js';
import { bytes, grouped, plural, short } from '../numbers.js';
import type { Comparison } from './compare.js';

/** `+` only in B, `-` only in A, `~` in both and different, `>` elsewhere. */
export type Mark = '+' | '-' | '~' | '>';
export interface Row {
  readonly mark: Mark;
  readonly what: string;
  readonly detail: string;
  /** As A and B say it: told in place of `what`. */
  readonly texts?: readonly { readonly mark: '+' | '-'; readonly text: string }[];
}
export interface Table { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
export interface Section { readonly title: string; readonly note?: string; readonly rows: readonly Row[]; readonly table?: Table }

export const sideName = (s: Side, showPath: (path: string) => string): string =>
  `${showPath(s.file)}${s.variant === null ? '' : `#${s.variant}`}${s.label === null ? '' : ` "${s.label}"`}`;

// ---------------------------------------------------------------- rows

const MARKS = { added: '+', removed: '-', changed: '~', replaced: '~', moved: '>' } as const;

function declarationRow(d: DeclarationChange): Row {
  const texts = [...(d.a === null ? [] : [{ mark: '-' as const, text: d.a }]), ...(d.b === null ? [] : [{ mark: '+' as const, text: d.b }])];
  const detail = texts.length === 0 && d.change === 'changed' ? 'another text' : '';
  return { mark: MARKS[d.change], what: `${d.kind} ${d.name}`.trimEnd(), detail, ...(texts.length === 0 ? {} : { texts }) };
}

export const fieldRow = (f: FieldChange): Row => {
  if (f.a === null) return { mark: '+', what: f.key, detail: f.b ?? '' };
  return f.b === null ? { mark: '-', what: f.key, detail: f.a } : { mark: '~', what: f.key, detail: `${f.a} -> ${f.b}` };
};

const MODES: Readonly<Record<Mode, string>> = { both: '', use: ', in use', training: ', in training' };

const sum = (ops: OpCounts): number => Object.entries(ops).reduce((n, [op, k]) => n + (isLeaf(op) ? 0 : k), 0);

/** Ops of one of `n` modules. */
function opsText(sign: '+' | '-', ops: OpCounts, n: number): string {
  const each = (k: number): string => (k % n === 0 ? String(k / n) : `${k} of all`);
  return Object.entries(ops).map(([op, k]) => `${sign}${each(k)} ${op}`).join(' ');
}

/** `-24 ops, +3 ops` of one of the modules; use and training apart where they differ. */
function sizes(m: ModuleChange): string {
  const n = m.paths.length;
  const each = n > 1 ? ' each' : '';
  const of = (modes: readonly Mode[]): string => {
    const count = (side: 'added' | 'removed'): number => modes.reduce((k, mode) => k + sum(m.ops[mode][side]), 0);
    const part = (sign: string, k: number): readonly string[] => (k === 0 ? [] : [`${sign}${plural(Math.round(k / n), 'op')}`]);
    return [...part('-', count('removed')), ...part('+', count('added'))].join(' ');
  };
  const [use, training] = [of(['both', 'use']), of(['both', 'training'])];
  if (use === training) return use === '' ? '' : ` (${use}${each})`;
  const parts = [...(use === '' ? [] : [`${use}${each} in use`]), ...(training === '' ? [] : [`${training}${each} in training`])];
  return ` (${parts.join('; ')})`;
}

/** A module where people look for it: an adapter at the node that it stands at. */
export function moduleName(m: ModuleChange): string {
  if (m.path === '') return '(model)';
  if (m.at === null) return m.path;
  const own = m.path.replace(/\[[^\]]*\]/g, '').split('.').at(-1) ?? m.path;
  return m.at.node.includes(', ') && !m.at.node.includes('[') ? m.path : `${m.at.node}.${own}`;
}

const FEW = 4;
const listed = (items: readonly string[]): string => (items.length <= FEW ? items.join(', ') : `${items.slice(0, FEW).join(', ')} and ${items.length - FEW} more`);

function rewiredText(r: NonNullable<ModuleChange['rewired']>, n: number): string {
  const ops = Object.entries(r.ops).map(([op, k]) => (k === n ? op : `${k % n === 0 ? k / n : k} ${op}`)).join(', ');
  const [from, to] = [listed(r.a), listed(r.b)];
  return from === to ? `${ops} rewired within ${to}` : `${ops} reads ${to === '' ? 'less' : to} in place of ${from === '' ? 'nothing' : from}`;
}

/** Leaves alone came or went. */
const isQuiet = (m: ModuleChange): boolean => m.change === 'changed' && m.changed.length === 0 && m.rewired === null && [...Object.keys(m.ops[m.mode].added), ...Object.keys(m.ops[m.mode].removed)].every(isLeaf);

function moduleRow(m: ModuleChange): Row {
  const mark = MARKS[m.change];
  const n = m.paths.length;
  const what = moduleName(m);
  const tensors = m.at === null || what === m.path ? '' : `, ${m.at.place} it; tensors under ${m.path}`;
  if (m.change === 'removed' || m.change === 'added') {
    const block = m.block.a ?? m.block.b;
    return { mark, what, detail: `${mark}1 ${block ?? 'part'}${sizes(m)}${tensors}` };
  }
  if (m.change === 'moved') return { mark, what, detail: `to ${m.to ?? ''}` };
  if (m.change === 'replaced') return { mark, what, detail: `${m.block.a ?? ''} -> ${m.block.b ?? ''}${sizes(m)}${tensors}` };
  const alone = isQuiet(m);
  const shown = (ops: OpCounts): OpCounts => (alone ? ops : Object.fromEntries(Object.entries(ops).filter(([op]) => !isLeaf(op))));
  const parts = [
    opsText('-', shown(m.ops[m.mode].removed), n), opsText('+', shown(m.ops[m.mode].added), n),
    ...m.changed.map((c) => `${c.op === 'constant' ? 'constant' : `${c.op} ${c.attr}`} ${c.a} -> ${c.b}${c.count > 1 ? ` (${c.count} times)` : ''}`),
    m.rewired === null ? '' : rewiredText(m.rewired, n),
  ].filter((text) => text !== '');
  return { mark, what, detail: `${parts.join('; ')}${MODES[m.mode]}` };
}

/** Leaves come and go with what reads them; a module of which nothing else can be told is left out where others are told. */
function toldModules(modules: readonly ModuleChange[]): readonly ModuleChange[] {
  const loud = modules.filter((m) => !isQuiet(m));
  return loud.length > 0 ? loud : modules;
}

/** Results by name; that a state is written where it is new needs no word. */
function outputRows(c: Comparison): readonly Row[] {
  return c.outputs.filter((o) => !o.name.startsWith('state:') || o.change === 'rewired').map((o): Row => ({
    mark: o.change === 'rewired' || o.change === 'moved' ? '~' : MARKS[o.change],
    what: o.name.startsWith('state:') ? `update of ${o.name.slice('state:'.length)}` : `result ${o.name}`,
    detail: `${o.change === 'rewired' ? 'comes from another op' : o.change === 'moved' ? 'stands at another place' : ''}${MODES[o.mode]}`.replace(/^, /, ''),
  }));
}

// ---------------------------------------------------------------- tables

const signed = (n: number, text: (n: number) => string): string => (n === 0 ? '0' : `${n > 0 ? '+' : '-'}${text(Math.abs(n))}`);

function costTable({ elements, costs, a, b }: Comparison): Table {
  const row = (title: string, x: number | null, y: number | null, text: (n: number) => string): readonly string[] =>
    [title, x === null ? '' : text(x), y === null ? '' : text(y), x === null || y === null ? '' : signed(y - x, text)];
  const count = (title: string, key: keyof typeof elements.a): readonly string[] => row(title, elements.a[key], elements.b[key], grouped);
  const several = Math.max(a.tasks.length, b.tasks.length) > 1;
  return {
    columns: ['', 'A', 'B', 'difference'],
    rows: [
      count('parameters', 'parameters'), count('  trainable', 'trainable'), count('  frozen', 'frozen'),
      ...(several ? [count('  each task\'s own', 'task'), count('  of all tasks\' own', 'tasks')] : []), count('state', 'buffers'),
      row('MACs, one task', costs.a.macs, costs.b.macs, short), ...(several ? [row('MACs, all tasks', costs.a.macsAllTasks, costs.b.macsAllTasks, short)] : []),
      row('peak activations', costs.a.activationBytes, costs.b.activationBytes, bytes), row('all tensors', costs.a.weightBytes, costs.b.weightBytes, bytes),
      row('training step', costs.a.trainingBytes, costs.b.trainingBytes, bytes),
    ],
  };
}

// ---------------------------------------------------------------- all

const LOAD_MARK = { new: '+', dropped: '-', reshaped: '~', same: '>' } as const;

function checkpointSection({ load }: Comparison): Section {
  const isAre = (n: number): string => (n === 1 ? 'is' : 'are');
  const parts = [
    `${load.groups.length === 0 ? 'all ' : ''}${plural(load.same, 'tensor')} of A's checkpoint ${load.same === 1 ? 'loads' : 'load'} into B`,
    ...(load.reshaped === 0 ? [] : [`${grouped(load.reshaped)} ${load.reshaped === 1 ? 'has' : 'have'} another shape`]),
    ...(load.new === 0 ? [] : [`${grouped(load.new)} of B ${isAre(load.new)} new`]), ...(load.dropped === 0 ? [] : [`${grouped(load.dropped)} of A ${isAre(load.dropped)} dropped`]),
  ];
  const moved = load.moved === 0 ? '' : `\n${plural(load.moved, 'new one')} ${isAre(load.moved)} in A under another path: a map of weights could bring ${load.moved === 1 ? 'it' : 'them'} over`;
  const word = { new: 'new', dropped: 'dropped', reshaped: 'reshaped', same: 'same' };
  return {
    title: 'checkpoint', note: `${parts.join(', ')}${moved}`,
    rows: load.groups.map((g) => ({ mark: LOAD_MARK[g.kind], what: g.path, detail: `${word[g.kind]}: ${plural(g.tensors, 'tensor')}, ${plural(g.elements, 'element')}` })),
  };
}

/** Changes of a tensor that neither a module nor its shape tells: frozen, initial values. */
function tensorRows(c: Comparison): readonly Row[] {
  const rows = new Map<string, { readonly detail: string; readonly paths: string[] }>();
  for (const t of c.tensors) {
    const fields = t.fields.filter((f) => t.change === 'changed' || f.key !== 'init');
    if (fields.length === 0) continue;
    const detail = fields.map((f) => `${f.key} ${f.a ?? ''} -> ${f.b ?? ''}`).join(', ');
    const entry = rows.get(detail) ?? { detail, paths: [] };
    entry.paths.push(t.path);
    rows.set(detail, entry);
  }
  return [...rows.values()].map(({ detail, paths }) => ({ mark: '~', what: listed(pathsText(paths)), detail }));
}

/** In the order of their weight; empty ones are left out. */
export function sectionsOf(c: Comparison): readonly Section[] {
  const all: readonly Section[] = [
    { title: 'declarations', rows: c.declarations.map(declarationRow) },
    { title: 'settings', rows: c.settings.map(fieldRow) },
    { title: 'tasks', rows: c.tasks.map(fieldRow) },
    { title: 'network', rows: [...toldModules(c.modules).map(moduleRow), ...outputRows(c)] },
    { title: 'shapes', rows: c.shapes.map((s) => ({ mark: '~' as const, what: s.path === '' ? '(model)' : s.path, detail: `${s.a} -> ${s.b}` })) },
    { title: 'tensors', rows: [...tensorRows(c), ...(c.tensorOrder ? [{ mark: '~' as const, what: 'order', detail: 'they stand in another order, and sums over them are made in it' }] : [])] },
    { title: 'training', rows: c.training.map(fieldRow) },
    { title: 'schedules', rows: c.schedules.map(fieldRow) },
    { title: 'counts', rows: [], table: costTable(c) },
    checkpointSection(c),
  ];
  return all.filter((s) => s.rows.length > 0 || s.table !== undefined || s.note !== undefined);
}
