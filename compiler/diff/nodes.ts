// What differs between two graphs, node by node. Nothing is reported where the canonical texts agree, and something is where they do not.
import { isNdArray } from '../ir/ndarray.js';
import { formatType, isLeaf, nodeOf, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { printGraph } from '../ir/print.js';
import { attrTexts, matchNodes, SIZES, type Matching, type MatchOptions } from './match.js';

interface At { /** of the node that it speaks of; where both have it, in A */ readonly module: string; readonly op: string }
export type NodeChange =
  | (At & { readonly kind: 'added' | 'removed' })
  | (At & { readonly kind: 'changed'; readonly attr: string; readonly a: string; readonly b: string })
  /** The values that it read and reads in their place. */
  | (At & { readonly kind: 'rewired'; readonly reads: readonly { readonly a: Source; readonly b: Source }[] })
  | (At & { readonly kind: 'shape'; readonly a: string; readonly b: string });

/** `module`: the instance that made the value; absent for leaves. `text`: that, or the leaf's name; '' where there is none. */
export interface Source { readonly text: string; readonly module?: string }
export interface ResultChange { readonly name: string; readonly change: 'added' | 'removed' | 'rewired' | 'moved' }
export interface GraphDiff { readonly nodes: readonly NodeChange[]; readonly outputs: readonly ResultChange[] }

const NOTHING: Graph = { nodes: new Map(), outputs: [] };

export function diffGraphs(before: Graph | undefined, after: Graph | undefined, options: MatchOptions): GraphDiff {
  const [a, b] = [before ?? NOTHING, after ?? NOTHING];
  if (printGraph(a, { canonical: true }) === printGraph(b, { canonical: true })) return { nodes: [], outputs: [] };
  const matching = matchNodes(a, b, options);
  const stead = substitutes(a, b, matching, options);
  const found = compare(a, b, matching, options, (x, y) => matching.toB.get(x) === y || matching.sameValue(x, y) || stead.get(x) === y);
  // equal values that are computed a different number of times, or shared in another way
  return found.nodes.length + found.outputs.length > 0 ? found : compare(a, b, matching, options, (x, y) => matching.toB.get(x) === y);
}

/** An op that is gone and one that is new in the same module, where what read the one reads the other: its readers have not changed. */
function substitutes(a: Graph, b: Graph, { toA, toB }: Matching, { path }: MatchOptions): ReadonlyMap<NodeId, NodeId> {
  const [stead, taken] = [new Map<NodeId, NodeId>(), new Set<NodeId>()];
  for (const [x, y] of toB) {
    const after = nodeOf(b, y).inputs;
    for (const [i, from] of nodeOf(a, x).inputs.entries()) {
      const to = after[i];
      if (to === undefined || toB.has(from) || toA.has(to) || stead.has(from) || taken.has(to)) continue;
      const [gone, fresh] = [nodeOf(a, from), nodeOf(b, to)];
      if (isLeaf(gone.op) || isLeaf(fresh.op) || path(gone.path) !== fresh.path) continue;
      stead.set(from, to);
      taken.add(to);
    }
  }
  return stead;
}

function compare(a: Graph, b: Graph, matching: Matching, { path }: MatchOptions, same: (x: NodeId, y: NodeId) => boolean): GraphDiff {
  const nodes: NodeChange[] = [];
  for (const node of a.nodes.values()) {
    const partner = matching.toB.get(node.id);
    if (partner === undefined) {
      nodes.push({ kind: 'removed', module: node.path, op: node.op });
      continue;
    }
    nodes.push(...changesOf({ module: node.path, op: node.op }, node, nodeOf(b, partner), a, b, path, same));
  }
  for (const node of b.nodes.values()) if (!matching.toA.has(node.id)) nodes.push({ kind: 'added', module: node.path, op: node.op });
  return { nodes, outputs: outputsOf(a, b, same) };
}

function changesOf(at: At, x: Node, y: Node, a: Graph, b: Graph, path: (p: string) => string, same: (x: NodeId, y: NodeId) => boolean): readonly NodeChange[] {
  const changes: NodeChange[] = [];
  const [before, after] = [attrTexts(x, path), attrTexts(y)];
  let resized = formatType(x.type) !== formatType(y.type);
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(name) === after.get(name)) continue;
    if (SIZES.has(name)) resized = true;
    else changes.push({ kind: 'changed', ...at, attr: name, a: valueText(x, name), b: valueText(y, name) });
  }
  const reads: { readonly a: Source; readonly b: Source }[] = [];
  for (let i = 0; i < Math.max(x.inputs.length, y.inputs.length); i++) {
    const [from, to] = [x.inputs[i], y.inputs[i]];
    if (from !== undefined && to !== undefined && same(from, to)) continue;
    const [c, d] = [from === undefined ? undefined : a.nodes.get(from), to === undefined ? undefined : b.nodes.get(to)];
    // a constant is made where its value is first met, and matters where it is read
    if (c?.op === 'constant' && d?.op === 'constant' && valueText(c, 'value') !== valueText(d, 'value')) changes.push({ kind: 'changed', module: at.module, op: 'constant', attr: 'value', a: valueText(c, 'value'), b: valueText(d, 'value') });
    else reads.push({ a: source(a, from), b: source(b, to) });
  }
  if (reads.length > 0) changes.push({ kind: 'rewired', ...at, reads });
  if (resized) changes.push({ kind: 'shape', ...at, a: formatType(x.type), b: formatType(y.type) });
  return changes;
}

function source(graph: Graph, id: NodeId | undefined): Source {
  if (id === undefined) return { text: '' };
  const node = nodeOf(graph, id);
  if (!isLeaf(node.op)) return { text: node.path === '' ? '(model)' : node.path, module: node.path };
  return { text: node.op === 'constant' ? `constant ${valueText(node, 'value')}` : String(node.attrs['path'] ?? node.attrs['name']) };
}

/** An attribute as people read it. */
function valueText(node: Node, name: string): string {
  const value = node.attrs[name];
  if (value === undefined) return '';
  if (!isNdArray(value)) return attrTexts(node).get(name) ?? '';
  if (value.data.length === 1) return String(value.data[0]);
  return value.data.length <= 6 ? `[${[...value.data].join(', ')}]` : `${value.data.length} values`;
}

function outputsOf(a: Graph, b: Graph, same: (x: NodeId, y: NodeId) => boolean): readonly ResultChange[] {
  const [before, after] = [new Map(a.outputs.map((o) => [o.name, o.id])), new Map(b.outputs.map((o) => [o.name, o.id]))];
  const changes: ResultChange[] = [];
  for (const [name, id] of before) {
    const other = after.get(name);
    if (other === undefined) changes.push({ name, change: 'removed' });
    else if (!same(id, other)) changes.push({ name, change: 'rewired' });
  }
  for (const name of after.keys()) if (!before.has(name)) changes.push({ name, change: 'added' });
  const common = (names: Iterable<string>): string => [...names].filter((n) => before.has(n) && after.has(n)).join('\n');
  if (common(before.keys()) !== common(after.keys())) for (const name of before.keys()) if (after.has(name)) changes.push({ name, change: 'moved' });
  return changes;
}
