// What is backward in a graph of gradients: which values depend on the seed, and how far from it they come.
import { isLeaf, leafName, type Graph, type Node, type NodeId } from '../ir/graph.js';

export interface Backward {
  /** The leaf from which all gradients come. */
  readonly seed: string;
  readonly isGradient: (output: string) => boolean;
}

const isSeed = (node: Node, seed: string): boolean => isLeaf(node.op) && node.op !== 'constant' && leafName(node) === seed;

/** Of each value that depends on the seed, the length of the longest way to it from there. What has a longer one comes later. */
export function depths(graph: Graph, seed: string): ReadonlyMap<NodeId, number> {
  const depth = new Map<NodeId, number>();
  for (const node of graph.nodes.values()) {
    const before = node.inputs.flatMap((i) => depth.get(i) ?? []);
    if (isSeed(node, seed)) depth.set(node.id, 0);
    else if (before.length > 0) depth.set(node.id, 1 + Math.max(...before));
  }
  return depth;
}

/** The values that are made of the seed. What is computed again only waits for one of them (`after`), and is none. */
export function madeOf(graph: Graph, seed: string): ReadonlySet<NodeId> {
  const made = new Set<NodeId>();
  for (const node of graph.nodes.values()) {
    const from = node.op === 'after' ? node.inputs.slice(0, 1) : node.inputs;
    if (from.some((i) => made.has(i)) || isSeed(node, seed)) made.add(node.id);
  }
  return made;
}
