// From changes of nodes to changes of modules: a module that is gone or new is one thing, and what changed in the same way is told once.
import type { Instance, Program } from '../program.js';
import { isLeaf } from '../ir/graph.js';
import type { AttrChange, Mode, ModuleChange, OpCounts, OpDelta, ShapeChange } from './diff.js';
import { isInside, type Moves } from './moves.js';
import type { NodeChange, Source } from './nodes.js';
import { groupPaths, pathsText } from './ranges.js';

/** Node changes of both functions, each with where it holds. */
export interface Moded { readonly change: NodeChange; readonly mode: Mode }

const keyOf = (c: NodeChange): string => JSON.stringify([c.kind, c.module, c.op, ...(c.kind === 'changed' ? [c.attr, c.a, c.b] : c.kind === 'shape' ? [c.a, c.b] : [])]);

/** Changes that use and training share are told once. */
export function both(use: readonly NodeChange[], training: readonly NodeChange[] | undefined): readonly Moded[] {
  if (training === undefined) return use.map((change) => ({ change, mode: 'both' }));
  const left = new Map<string, NodeChange[]>();
  for (const c of training) left.set(keyOf(c), [...left.get(keyOf(c)) ?? [], c]);
  const first = use.map((change): Moded => ({ change, mode: left.get(keyOf(change))?.shift() === undefined ? 'use' : 'both' }));
  return [...first, ...[...left.values()].flat().map((change): Moded => ({ change, mode: 'training' }))];
}

// ---------------------------------------------------------------- where a change belongs

/** Every path at which something stands, and those above it. */
function placesOf(p: Program): ReadonlySet<string> {
  const found = new Set<string>(['']);
  const add = (path: string): void => {
    for (let at = path; at !== '' && !found.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) found.add(at);
  };
  for (const i of p.instances ?? []) add(i.path);
  for (const graph of [p.infer, p.train]) for (const n of graph?.nodes.values() ?? []) add(n.path);
  for (const t of p.tensors) add(t.path.slice(0, Math.max(0, t.path.lastIndexOf('.'))));
  return found;
}

interface Unit { readonly path: string; readonly change: ModuleChange['change']; readonly a?: Instance; readonly b?: Instance; readonly to?: string }

/** Finds the module that a change is told at: the outermost that is new, gone, or of another block; else its own. */
export class Units {
  private readonly a: ReadonlyMap<string, Instance>;
  private readonly b: ReadonlyMap<string, Instance>;
  private readonly inA: ReadonlySet<string>;
  private readonly inB: ReadonlySet<string>;
  private readonly known = new Map<string, Unit>();
  private readonly origin: ReadonlyMap<string, string>;

  constructor(a: Program, b: Program, private readonly moves: Moves) {
    this.a = new Map((a.instances ?? []).map((i) => [i.path, i]));
    this.b = new Map((b.instances ?? []).map((i) => [i.path, i]));
    this.inA = placesOf(a);
    this.inB = placesOf(b);
    this.origin = new Map([...moves.roots].map(([from, to]) => [to, from]));
  }

  /** Whether another block stands under a path of B than A has there. */
  replaced = (path: string): boolean => {
    const [a, b] = [this.a.get(this.back(path))?.block, this.b.get(path)?.block];
    return a !== undefined && b !== undefined && a !== b;
  };

  /** Path of A for one of B. */
  private back(path: string): string {
    for (let p = path; p !== ''; p = p.slice(0, Math.max(0, p.lastIndexOf('.')))) {
      const from = this.origin.get(p);
      if (from !== undefined) return from + path.slice(p.length);
    }
    return path;
  }

  of(side: 'a' | 'b', path: string): Unit {
    const key = `${side} ${path}`;
    let unit = this.known.get(key);
    if (unit === undefined) this.known.set(key, unit = this.find(side, path));
    return unit;
  }

  private find(side: 'a' | 'b', path: string): Unit {
    const steps = path === '' ? [] : path.split('.');
    const [own, other] = side === 'a' ? [this.a, this.inB] : [this.b, this.inA];
    const across = side === 'a' ? this.moves.path : (p: string): string => this.back(p);
    for (let i = this.movedDepth(side, path); i <= steps.length; i++) {
      const at = steps.slice(0, i).join('.');
      const there = across(at);
      const [a, b] = side === 'a' ? [this.a.get(at), this.b.get(there)] : [this.a.get(there), this.b.get(at)];
      const sides = { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
      if (a !== undefined && b !== undefined && a.block !== b.block) return { path: a.path, change: 'replaced', ...sides };
      // a list (`tca`) is no module: its items are
      if (!other.has(there) && (own.has(at) || i === steps.length)) return { path: at, change: side === 'a' ? 'removed' : 'added', ...sides };
    }
    const there = across(path);
    const [a, b] = side === 'a' ? [path, there] : [there, path];
    const [x, y] = [this.a.get(a), this.b.get(b)];
    return { path: a, change: 'changed', ...(x === undefined ? {} : { a: x }), ...(y === undefined ? {} : { b: y }) };
  }

  /** How many steps of a path name the module that moved with it; 1 where none did. */
  private movedDepth(side: 'a' | 'b', path: string): number {
    const roots: ReadonlyMap<string, string> = side === 'a' ? this.moves.roots : this.origin;
    for (let p = path; p !== ''; p = p.slice(0, Math.max(0, p.lastIndexOf('.')))) if (roots.has(p)) return p.split('.').length;
    return 1;
  }

  /** Whether all these values are of modules that are told as a whole, and the same in A and B: their readers have not changed. */
  readStill(reads: readonly { readonly a: Source; readonly b: Source }[]): boolean {
    return reads.every(({ a, b }) => {
      if (a.module === undefined || b.module === undefined) return false;
      const [x, y] = [this.of('a', a.module), this.of('b', b.module)];
      return x.path === y.path && x.change === 'replaced' && y.change === 'replaced';
    });
  }

  /** Instances that are there in one only, though no node says so (their tensors do), or that moved. */
  *whole(): Generator<Unit> {
    for (const [from, to] of this.moves.roots) {
      const [a, b] = [this.a.get(from), this.b.get(to)];
      if (a !== undefined && b !== undefined) yield { path: from, change: 'moved', a, b, to };
    }
    for (const path of this.a.keys()) if (!this.inB.has(this.moves.path(path))) yield this.of('a', path);
    for (const path of this.b.keys()) if (!this.inA.has(this.back(path))) yield this.of('b', path);
    for (const [path, a] of this.a) {
      const b = this.b.get(this.moves.path(path));
      if (b !== undefined && b.block !== a.block) yield this.of('a', path);
    }
  }
}

// ---------------------------------------------------------------- modules

interface Ops { readonly added: Map<string, number>; readonly removed: Map<string, number> }
interface Open {
  readonly unit: Unit;
  readonly mode: Mode;
  readonly ops: Readonly<Record<Mode, Ops>>;
  readonly changed: Map<string, AttrChange>;
  readonly rewired: Map<string, number>;
  readonly from: Set<string>;
  readonly to: Set<string>;
}
const opened = (unit: Unit, mode: Mode): Open => {
  const ops = (): Ops => ({ added: new Map(), removed: new Map() });
  return { unit, mode, ops: { both: ops(), use: ops(), training: ops() }, changed: new Map(), rewired: new Map(), from: new Set(), to: new Set() };
};

const counts = (map: ReadonlyMap<string, number>): OpCounts => Object.fromEntries([...map].sort(([x], [y]) => (x < y ? -1 : 1)));
/** Without leaves: a constant that many read is made by the first of them. */
const computing = (map: ReadonlyMap<string, number>): OpCounts => counts(new Map([...map].filter(([op]) => !isLeaf(op))));
const total = (maps: readonly ReadonlyMap<string, number>[]): OpCounts => {
  const sum = new Map<string, number>();
  for (const map of maps) for (const [op, n] of map) sum.set(op, (sum.get(op) ?? 0) + n);
  return counts(sum);
};
const more = (map: Map<string, number>, key: string): void => { map.set(key, (map.get(key) ?? 0) + 1); };

export function modulesOf(changes: readonly Moded[], units: Units): readonly ModuleChange[] {
  const open = new Map<string, Open>();
  const at = (unit: Unit, mode: Mode): Open => {
    const isWhole = unit.change !== 'changed';
    const key = `${isWhole ? '' : mode} ${unit.change} ${unit.path}`;
    let entry = open.get(key);
    if (entry === undefined) open.set(key, entry = opened(unit, isWhole ? 'both' : mode));
    return entry;
  };
  for (const { change: c, mode } of changes) {
    if (c.kind === 'shape' || (c.kind === 'rewired' && units.readStill(c.reads))) continue;
    const entry = at(units.of(c.kind === 'added' ? 'b' : 'a', c.module), mode);
    if (c.kind === 'changed') {
      const key = JSON.stringify([c.op, c.attr, c.a, c.b]);
      entry.changed.set(key, { op: c.op, attr: c.attr, a: c.a, b: c.b, count: (entry.changed.get(key)?.count ?? 0) + 1 });
    } else if (c.kind === 'rewired') {
      more(entry.rewired, c.op);
      for (const { a, b } of c.reads) {
        if (a.text !== '') entry.from.add(a.text);
        if (b.text !== '') entry.to.add(b.text);
      }
    } else more(entry.ops[mode][c.kind], c.op);
  }
  for (const unit of units.whole()) at(unit, 'both');
  return grouped([...open.values()]);
}

const MODES = ['both', 'use', 'training'] as const;
const deltas = (all: readonly Open[]): ModuleChange['ops'] => {
  const delta = (mode: Mode): OpDelta => ({ added: total(all.map((e) => e.ops[mode].added)), removed: total(all.map((e) => e.ops[mode].removed)) });
  return { both: delta('both'), use: delta('use'), training: delta('training') };
};

const nodeText = (nodes: readonly (Instance['at'])[]): ModuleChange['at'] => {
  const [first] = nodes;
  return first === undefined ? null : { place: first.place, node: pathsText(nodes.flatMap((n) => (n === undefined ? [] : [n.node]))).join(', ') };
};

const RANK = { removed: 0, added: 1, replaced: 2, moved: 3, changed: 4 } as const;

function grouped(entries: readonly Open[]): readonly ModuleChange[] {
  const items = entries.map((e) => ({
    path: e.unit.path,
    key: JSON.stringify([e.mode, e.unit.change, e.unit.a?.block, e.unit.b?.block, e.unit.to === undefined ? null : pattern(e.unit.to), (e.unit.a ?? e.unit.b)?.at?.place, MODES.map((m) => [computing(e.ops[m].added), computing(e.ops[m].removed)]), [...e.changed.keys()], counts(e.rewired)]),
  }));
  return groupPaths(items).map(({ path, members }): ModuleChange => {
    const all = members.flatMap((i) => entries[i] ?? []);
    const first = all[0] as Open;
    const { unit } = first;
    return {
      path, paths: all.map((e) => e.unit.path), change: unit.change, mode: first.mode,
      block: { a: unit.a?.block ?? null, b: unit.b?.block ?? null },
      at: unit.change === 'changed' ? null : nodeText(all.map((e) => (e.unit.a ?? e.unit.b)?.at)),
      to: unit.to === undefined ? null : pathsText(all.flatMap((e) => e.unit.to ?? [])).join(', '),
      ops: deltas(all), changed: [...first.changed.values()],
      rewired: first.rewired.size === 0 ? null : { ops: total(all.map((e) => e.rewired)), a: sourcesText(all.flatMap((e) => [...e.from])), b: sourcesText(all.flatMap((e) => [...e.to])) },
    };
  }).sort((x, y) => RANK[x.change] - RANK[y.change]);
}
/** Constants are told by their values, as they are. */
const sourcesText = (texts: readonly string[]): readonly string[] =>
  [...pathsText(texts.filter((t) => !t.startsWith('constant '))), ...new Set(texts.filter((t) => t.startsWith('constant ')))];
const pattern = (path: string): string => path.replace(/\d+/g, '#');

// ---------------------------------------------------------------- shapes

/** Weights have no batch: their shapes are those of tensors. */
const perImage = (type: string): boolean => /\[.*[A-Za-z]/.test(type);

/** The last value of each module that is made as before and has another type. A module inside one that gives the same is not told beside it. */
export function shapesOf(changes: readonly Moded[]): readonly ShapeChange[] {
  const last = new Map<string, { readonly a: string; readonly b: string }>();
  for (const { change: c } of changes) if (c.kind === 'shape' && !isLeaf(c.op) && (perImage(c.a) || perImage(c.b))) last.set(c.module, { a: c.a, b: c.b });
  const items = [...last].filter(([path, { a, b }]) => ![...last].some(([outer, o]) => outer !== path && outer !== '' && isInside(path, outer) && o.a === a && o.b === b));
  return groupPaths(items.map(([path, { a, b }]) => ({ path, key: `${a} ${b}` }))).map(({ path, members }) => {
    const all = members.flatMap((i) => (items[i] === undefined ? [] : [items[i]]));
    return { path, paths: all.map(([p]) => p), a: all[0]?.[1].a ?? '', b: all[0]?.[1].b ?? '' };
  });
}
