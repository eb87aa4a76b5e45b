// When a result may be written over a value that was fed, as an optimiser's update is over the parameter.
import { equalDim } from '../../compiler/ir/dim.js';
import { leafName, nodeOf, type Graph, type Node, type NodeId } from '../../compiler/ir/graph.js';

/** Ops whose results at a place read their inputs at that place only, where the shapes are equal. */
const POINTWISE = new Set(['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'where', 'identity']);

/**
 * Whether output `id` may land in the memory of the leaf `name`: every other reader of the leaf is needed for the output, and so has run when it is
 * written; the node that writes it reads the leaf, if at all, place by place.
 */
export function mayOverwrite(graph: Graph, id: NodeId, name: string): boolean {
  const target = nodeOf(graph, id), needed = ancestors(graph, id);
  const leaves = new Set([...graph.nodes.values()].filter((n) => n.inputs.length === 0 && n.op !== 'constant' && leafName(n) === name).map((n) => n.id));
  if (leaves.has(id)) return true;
  // A leaf that is an output as well would be given away changed.
  if (graph.outputs.some((o) => leaves.has(o.id))) return false;
  const readers = [...graph.nodes.values()].filter((n) => n.inputs.some((i) => leaves.has(i)));
  return readers.every((reader) => (reader.id === id ? POINTWISE.has(target.op) && reader.inputs.every((i) => !leaves.has(i) || sameShape(target, nodeOf(graph, i))) : needed.has(reader.id)));
}

const sameShape = (a: Node, b: Node): boolean => a.type.shape.length === b.type.shape.length && a.type.shape.every((d, i) => equalDim(d, b.type.shape[i] ?? 0));

/** All that `id` is computed from, without itself. */
function ancestors(graph: Graph, id: NodeId): ReadonlySet<NodeId> {
  const found = new Set<NodeId>(), left = [...nodeOf(graph, id).inputs];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    left.push(...nodeOf(graph, next).inputs);
  }
  return found;
}
