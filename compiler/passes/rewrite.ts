// The rewriting engine: rules look at one node whose inputs are already rewritten, and may put another value in its place.
import { GraphBuilder } from '../ir/builder.js';
import { isLeaf, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { isNdArray, type NdArray } from '../ir/ndarray.js';

/**
 * Gives the value that takes the node's place (of the same type), or undefined where the rule does not apply. The node is not in `b` yet.
 * `shared` says of a value whether several nodes, or an output, read it: it will be computed even if this node does without.
 */
export type Rule = (b: GraphBuilder, node: Node, shared: (id: NodeId) => boolean) => NodeId | undefined;

/** A rule that need not know who else reads a value. */
export type Law = (b: GraphBuilder, node: Node) => NodeId | undefined;

export interface Rewritten { readonly graph: Graph; readonly changed: boolean }

/** One sweep in topological order; the first rule that applies to a node wins. Nodes that no output reads any more are gone. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Rewritten {
  const b = new GraphBuilder();
  const moved = new Map<NodeId, NodeId>();
  const target = (id: NodeId): NodeId => {
    const to = moved.get(id);
    if (to === undefined) throw new Error(`node ${id} is used before it is made`);
    return to;
  };
  const readers = countReaders(graph);
  const read = new Map<NodeId, number>();
  const shared = (id: NodeId): boolean => (read.get(id) ?? 0) > 1;
  let changed = false;
  for (const old of graph.nodes.values()) {
    const node: Node = { ...old, inputs: old.inputs.map(target) };
    b.place = { path: node.path, ...(node.range ? { range: node.range } : {}) };
    const replacement = firstOf(rules, b, node, shared);
    changed ||= replacement !== undefined;
    const to = replacement ?? b.leaf(node.op, node.attrs, node.type, node.inputs);
    moved.set(old.id, to);
    read.set(to, (read.get(to) ?? 0) + (readers.get(old.id) ?? 0));
  }
  return { graph: b.finish(graph.outputs.map(({ name, id }) => ({ name, id: target(id) }))), changed };
}

function countReaders(graph: Graph): ReadonlyMap<NodeId, number> {
  const readers = new Map<NodeId, number>();
  const ids = [...[...graph.nodes.values()].flatMap((n) => n.inputs), ...graph.outputs.map((o) => o.id)];
  for (const id of ids) readers.set(id, (readers.get(id) ?? 0) + 1);
  return readers;
}

function firstOf(rules: readonly Rule[], b: GraphBuilder, node: Node, shared: (id: NodeId) => boolean): NodeId | undefined {
  if (isLeaf(node.op)) return undefined;
  for (const rule of rules) {
    const found = rule(b, node, shared);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The node that makes input i. */
export function inputOf(b: GraphBuilder, node: Node, i: number): Node {
  const id = node.inputs[i];
  if (id === undefined) throw new Error(`${node.op} has no input ${i}`);
  return b.node(id);
}

export function constantOf(node: Node): NdArray | undefined {
  return node.op === 'constant' && isNdArray(node.attrs.value) ? node.attrs.value : undefined;
}

/** The number that fills a constant, if it is one number throughout. */
export function uniformValue(node: Node): number | undefined {
  const data = constantOf(node)?.data;
  const first = data?.[0];
  return first !== undefined && data?.every((v) => v === first) === true ? first : undefined;
}
