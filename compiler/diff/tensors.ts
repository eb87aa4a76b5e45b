// Tensors of two programs: what came, went, moved or changed, how many elements that is, and what of A's checkpoint B would take.
import { initIdentity } from '../identity.js';
import { sizeOf } from '../ir/ndarray.js';
import { hashText } from '../ir/print.js';
import { storedPaths, taskCodes, type Init, type Program, type TensorInfo } from '../program.js';
import type { FieldChange, Load, LoadGroup, LoadKind, TensorChange } from './diff.js';
import { groupPaths } from './ranges.js';

const yesNo = (x: boolean): string => (x ? 'yes' : 'no');
const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

function initText(init: Init): string {
  switch (init.kind) {
    case 'constant': return String(init.value);
    case 'values': return `${init.value.data.length} values #${hashText(JSON.stringify(initIdentity(init))).slice(0, 8)}`;
    case 'normal': case 'truncated_normal': return `${init.kind}(${init.mean}, ${init.std})`;
    case 'uniform': return `uniform(${init.low}, ${init.high})`;
    case 'graph': return `computed #${hashText(JSON.stringify(initIdentity(init))).slice(0, 8)}`;
    default: return init satisfies never;
  }
}

function fieldsOf(a: TensorInfo, b: TensorInfo): readonly FieldChange[] {
  const texts = (t: TensorInfo): Readonly<Record<string, string>> =>
    ({ kind: t.kind, shape: shapeText(t.shape), 'per task': yesNo(t.perTask), frozen: yesNo(t.frozen), init: initText(t.init) });
  const [before, after] = [texts(a), texts(b)];
  return Object.keys(before).flatMap((key) => (before[key] === after[key] ? [] : [{ key, a: before[key] ?? null, b: after[key] ?? null }]));
}

/** `move`: path of B for a path of A. */
export function tensorsOf(a: Program, b: Program, move: (path: string) => string): { readonly tensors: readonly TensorChange[]; readonly order: boolean } {
  const inB = new Map(b.tensors.map((t) => [t.path, t]));
  const reached = new Set<string>();
  const tensors: TensorChange[] = [];
  for (const t of a.tensors) {
    const to = move(t.path);
    const other = inB.get(to);
    if (other === undefined) {
      tensors.push({ path: t.path, change: 'removed', kind: t.kind, to: null, fields: [] });
      continue;
    }
    reached.add(to);
    const fields = fieldsOf(t, other);
    if (to !== t.path) tensors.push({ path: t.path, change: 'moved', kind: t.kind, to, fields });
    else if (fields.length > 0) tensors.push({ path: t.path, change: 'changed', kind: t.kind, to: null, fields });
  }
  for (const t of b.tensors) if (!reached.has(t.path)) tensors.push({ path: t.path, change: 'added', kind: t.kind, to: null, fields: [] });
  const common = new Set(a.tensors.map((t) => t.path).filter((p) => inB.has(p)));
  const order = (p: Program): string => p.tensors.map((t) => t.path).filter((path) => common.has(path)).join('\n');
  return { tensors, order: order(a) !== order(b) };
}

// ---------------------------------------------------------------- a checkpoint of A in B

interface Fate { readonly path: string; readonly kind: LoadKind; readonly tensors: number; readonly elements: number }
const sameShape = (a: TensorInfo, b: TensorInfo): boolean => shapeText(a.shape) === shapeText(b.shape);

/** One for a tensor whose copies share their fate, else one a copy. */
function fatesOf(tensor: TensorInfo, tasks: readonly string[], kindOf: (path: string) => LoadKind | undefined): readonly Fate[] {
  const copies = storedPaths(tensor, tasks).flatMap((path) => {
    const kind = kindOf(path);
    return kind === undefined ? [] : [{ path, kind, tensors: 1, elements: sizeOf(tensor.shape) }];
  });
  const [first] = copies;
  if (first === undefined || copies.length !== (tensor.perTask ? tasks.length : 1) || copies.some((c) => c.kind !== first.kind)) return copies;
  return [{ path: tensor.path, kind: first.kind, tensors: copies.length, elements: copies.length * first.elements }];
}

/** Tensors are loaded by path; each task's copy has one of its own. */
export function loadOf(a: Program, b: Program, move: (path: string) => string): Load {
  const stored = (p: Program): ReadonlyMap<string, TensorInfo> => new Map(p.tensors.flatMap((t) => storedPaths(t, taskCodes(p)).map((path) => [path, t] as const)));
  const [inA, inB] = [stored(a), stored(b)];
  const fates = [
    ...b.tensors.flatMap((t) => fatesOf(t, taskCodes(b), (path) => {
      const old = inA.get(path);
      return old === undefined ? 'new' : sameShape(old, t) ? 'same' : 'reshaped';
    })),
    ...a.tensors.flatMap((t) => fatesOf(t, taskCodes(a), (path) => (inB.has(path) ? undefined : 'dropped'))),
  ];
  const count = (kind: LoadKind): number => fates.reduce((n, f) => n + (f.kind === kind ? f.tensors : 0), 0);
  const declared = new Map(b.tensors.map((t) => [t.path, t]));
  const moved = a.tensors.flatMap((t) => {
    const to = declared.get(move(t.path));
    return to !== undefined && to.path !== t.path && sameShape(t, to) ? storedPaths(to, taskCodes(b)) : [];
  }).length;
  return { same: count('same'), reshaped: count('reshaped'), new: count('new'), dropped: count('dropped'), moved, groups: groupsOf(fates) };
}

/** The outermost paths under which all have one fate, told together where they differ in numbers alone. */
function groupsOf(all: readonly Fate[]): readonly LoadGroup[] {
  const fates = new Map<string, Set<LoadKind>>();
  const above = function* (path: string): Generator<string> { for (let p = path; p !== ''; p = p.slice(0, Math.max(0, p.lastIndexOf('.')))) yield p; };
  for (const t of all) for (const p of above(t.path)) {
    const known = fates.get(p);
    if (known === undefined) fates.set(p, new Set([t.kind]));
    else known.add(t.kind);
  }
  const roots = new Map<string, { readonly kind: LoadKind; tensors: number; elements: number }>();
  for (const t of all) {
    if (t.kind === 'same') continue;
    const root = [...above(t.path)].filter((p) => fates.get(p)?.size === 1).at(-1) ?? t.path;
    const entry = roots.get(root) ?? { kind: t.kind, tensors: 0, elements: 0 };
    entry.tensors += t.tensors;
    entry.elements += t.elements;
    roots.set(root, entry);
  }
  const items = [...roots];
  return groupPaths(items.map(([path, r]) => ({ path, key: r.kind }))).map(({ path, members }) => {
    const group = members.flatMap((i) => (items[i] === undefined ? [] : [items[i][1]]));
    return { path, kind: group[0]?.kind ?? 'new', tensors: group.reduce((n, g) => n + g.tensors, 0), elements: group.reduce((n, g) => n + g.elements, 0) };
  });
}
