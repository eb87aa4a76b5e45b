// From changes of nodes to changes of modules: a module that is gone or new is one thing, and what changed in the same way is told once.
import type { Instance, Program } from '../program.js';
import { isLeaf } from '../ir/graph.js';
import type { AttrChange, Mode, ModuleChange, OpCounts, ShapeChange } from './diff.js';
import { isInside, type Moves } from './moves.js';
import type { NodeChange } from './nodes.js';
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
    for (let i = 1; i <= steps.length; i++) {
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

interface Open { readonly unit: Unit; readonly mode: Mode; readonly added: Map<string, number>; readonly removed: Map<string, number>; readonly changed: Map<string, AttrChange>; readonly rewired: Map<string, number>; readonly from: Set<string>; readonly to: Set<string> }

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
    const key = `${mode} ${unit.change} ${unit.path}`;
    let entry = open.get(key);
    if (entry === undefined) open.set(key, entry = { unit, mode, added: new Map(), removed: new Map(), changed: new Map(), rewired: new Map(), from: new Set(), to: new Set() });
    return entry;
  };
  const seen = new Set<string>();
  for (const { change: c, mode } of changes) {
    if (c.kind === 'shape') continue;
    const unit = units.of(c.kind === 'added' ? 'b' : 'a', c.module);
    seen.add(`${unit.change} ${unit.path}`);
    const entry = at(unit, mode);
    if (c.kind === 'changed') {
      const key = JSON.stringify([c.op, c.attr, c.a, c.b]);
      entry.changed.set(key, { op: c.op, attr: c.attr, a: c.a, b: c.b, count: (entry.changed.get(key)?.count ?? 0) + 1 });
    } else if (c.kind === 'rewired') {
      more(entry.rewired, c.op);
      for (const from of c.a) entry.from.add(from);
      for (const to of c.b) entry.to.add(to);
    } else more(c.kind === 'added' ? entry.added : entry.removed, c.op);
  }
  for (const unit of units.whole()) if (!seen.has(`${unit.change} ${unit.path}`)) at(unit, 'both');
  return grouped([...open.values()]);
}

const nodeText = (nodes: readonly (Instance['at'])[]): ModuleChange['at'] => {
  const [first] = nodes;
  return first === undefined ? null : { place: first.place, node: pathsText(nodes.flatMap((n) => (n === undefined ? [] : [n.node]))).join(', ') };
};

const RANK = { removed: 0, added: 1, replaced: 2, moved: 3, changed: 4 } as const;

function grouped(entries: readonly Open[]): readonly ModuleChange[] {
  const items = entries.map((e) => ({
    path: e.unit.path,
    key: JSON.stringify([e.mode, e.unit.change, e.unit.a?.block, e.unit.b?.block, e.unit.to === undefined ? null : pattern(e.unit.to), (e.unit.a ?? e.unit.b)?.at?.place, computing(e.added), computing(e.removed), [...e.changed.keys()], counts(e.rewired)]),
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
      added: total(all.map((e) => e.added)), removed: total(all.map((e) => e.removed)), changed: [...first.changed.values()],
      rewired: first.rewired.size === 0 ? null : { ops: total(all.map((e) => e.rewired)), a: pathsText(all.flatMap((e) => [...e.from])), b: pathsText(all.flatMap((e) => [...e.to])) },
    };
  }).sort((x, y) => RANK[x.change] - RANK[y.change]);
}
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
