// Which node of one graph is which of another: tensors and inputs by name, nodes by their module and then by what they compute.
import type { Graph, Node, NodeId } from '../ir/graph.js';
import { isLeaf, leafName } from '../ir/graph.js';
import { formatType } from '../ir/graph.js';
import { printAttr } from '../ir/print.js';

/** Attributes that only say what size comes of it. */
export const SIZES = new Set(['shape', 'size']);

/** What a node is compared by, each weaker than the one before. */
interface Keys {
  /** All that it is computed from; equal for equal values, in both graphs. */
  readonly content: number;
  readonly exact: string;
  readonly loose: string;
  readonly op: string;
}

export interface Matching {
  readonly toB: ReadonlyMap<NodeId, NodeId>;
  readonly toA: ReadonlyMap<NodeId, NodeId>;
  /** Whether a node of A and one of B are the same value by all that they are computed from. */
  readonly sameValue: (a: NodeId, b: NodeId) => boolean;
}

export interface MatchOptions {
  /** Path of B for a path of A. */
  readonly path: (a: string) => string;
  /** Under this path of B stands another block than A has there: its own nodes have no partners. */
  readonly replaced: (b: string) => boolean;
}

/** Attributes as text, paths of A as B has them. */
export function attrTexts(node: Node, path: (a: string) => string = (p) => p): ReadonlyMap<string, string> {
  return new Map(Object.entries(node.attrs).sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([name, value]) => [name, isLeaf(node.op) && name === 'path' ? printAttr(path(String(value))) : printAttr(value)]));
}

function keysOf(graph: Graph, interned: Map<string, number>, path: (p: string) => string): ReadonlyMap<NodeId, Keys> {
  const found = new Map<NodeId, Keys>();
  for (const node of graph.nodes.values()) {
    const attrs = [...attrTexts(node, path)];
    const text = (kept: (name: string) => boolean): string => attrs.flatMap(([name, value]) => (kept(name) ? [`${name}=${value}`] : [])).join(' ');
    const exact = `${node.op} ${text(() => true)} : ${formatType(node.type)}`;
    const key = `${exact} ${node.inputs.map((i) => found.get(i)?.content ?? -1).join(',')}`;
    let content = interned.get(key);
    if (content === undefined) interned.set(key, content = interned.size);
    const loose = `${node.op} ${text((name) => !SIZES.has(name))}`;
    // a leaf is its name; a constant, which all that read its value share, is its value
    found.set(node.id, { content, exact, loose, op: !isLeaf(node.op) ? node.op : node.op === 'constant' ? exact : `${node.op} ${path(leafName(node))}` });
  }
  return found;
}

/** Pairs of a longest common subsequence of two lists of keys. */
function commonSubsequence(a: readonly (string | number)[], b: readonly (string | number)[]): readonly (readonly [number, number])[] {
  const [n, m] = [a.length, b.length];
  let head = 0;
  while (head < n && head < m && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < n - head && tail < m - head && a[n - 1 - tail] === b[m - 1 - tail]) tail++;
  const [rows, columns] = [n - head - tail, m - head - tail];
  const lengths = new Int32Array((rows + 1) * (columns + 1));
  const at = (i: number, j: number): number => lengths[i * (columns + 1) + j] ?? 0;
  for (let i = rows - 1; i >= 0; i--) for (let j = columns - 1; j >= 0; j--) {
    lengths[i * (columns + 1) + j] = a[head + i] === b[head + j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const pairs: (readonly [number, number])[] = Array.from({ length: head }, (_, i) => [i, i] as const);
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (a[head + i] === b[head + j]) pairs.push([head + i++, head + j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  for (let k = tail; k > 0; k--) pairs.push([n - k, m - k]);
  return pairs;
}

const LEVELS = ['content', 'exact', 'loose', 'op'] as const;

export function matchNodes(a: Graph, b: Graph, { path, replaced }: MatchOptions): Matching {
  const interned = new Map<string, number>();
  const [keysA, keysB] = [keysOf(a, interned, path), keysOf(b, interned, (p) => p)];
  const keyOf = (keys: ReadonlyMap<NodeId, Keys>, id: NodeId, level: (typeof LEVELS)[number]): string | number => keys.get(id)?.[level] ?? -1;
  const [toB, toA] = [new Map<NodeId, NodeId>(), new Map<NodeId, NodeId>()];
  const pair = (x: NodeId, y: NodeId): void => {
    toB.set(x, y);
    toA.set(y, x);
  };
  /** In order, level after level, each within the gaps that the one before left. */
  const align = (xs: readonly NodeId[], ys: readonly NodeId[], levels: readonly (typeof LEVELS)[number][]): void => {
    const [level, ...weaker] = levels;
    if (level === undefined || xs.length === 0 || ys.length === 0) return;
    let [i, j] = [0, 0];
    const gaps: [readonly NodeId[], readonly NodeId[]][] = [];
    for (const [x, y] of commonSubsequence(xs.map((id) => keyOf(keysA, id, level)), ys.map((id) => keyOf(keysB, id, level)))) {
      gaps.push([xs.slice(i, x), ys.slice(j, y)]);
      pair(xs[x] as NodeId, ys[y] as NodeId);
      [i, j] = [x + 1, y + 1];
    }
    gaps.push([xs.slice(i), ys.slice(j)]);
    for (const [gapX, gapY] of gaps) align(gapX, gapY, weaker);
  };
  /** In any order. */
  const pickUp = (xs: readonly NodeId[], ys: readonly NodeId[], level: (typeof LEVELS)[number]): void => {
    const open = new Map<string | number, NodeId[]>();
    for (const y of ys) if (!toA.has(y)) open.set(keyOf(keysB, y, level), [...open.get(keyOf(keysB, y, level)) ?? [], y]);
    for (const x of xs) {
      const y = toB.has(x) ? undefined : open.get(keyOf(keysA, x, level))?.shift();
      if (y !== undefined) pair(x, y);
    }
  };
  const leaves = (graph: Graph): NodeId[] => [...graph.nodes.values()].filter((n) => isLeaf(n.op)).map((n) => n.id);
  pickUp(leaves(a), leaves(b), 'op');
  const byModule = (graph: Graph, moved: (p: string) => string): ReadonlyMap<string, NodeId[]> => {
    const found = new Map<string, NodeId[]>();
    for (const n of graph.nodes.values()) if (!isLeaf(n.op)) {
      const at = moved(n.path);
      const list = found.get(at);
      if (list === undefined) found.set(at, [n.id]);
      else list.push(n.id);
    }
    return found;
  };
  const [modulesA, modulesB] = [byModule(a, path), byModule(b, (p) => p)];
  for (const [module, xs] of modulesA) {
    const ys = modulesB.get(module) ?? [];
    if (replaced(module)) continue;
    align(xs, ys, LEVELS);
    pickUp(xs, ys, 'content');
    pickUp(xs, ys, 'exact');
  }
  const elsewhere = (graph: Graph, moved: (p: string) => string): NodeId[] => [...graph.nodes.values()].filter((n) => !isLeaf(n.op) && !replaced(moved(n.path))).map((n) => n.id);
  pickUp(elsewhere(a, path), elsewhere(b, (p) => p), 'content');
  return { toB, toA, sameValue: (x, y) => keysA.get(x)?.content === keysB.get(y)?.content };
}
