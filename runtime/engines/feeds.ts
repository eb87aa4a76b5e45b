// What every engine asks of the values it is fed, and how values pass between an engine's tensors and the core's arrays.
import { bindSizes, FeedError } from '../../compiler/evaluate.js';
import { isLeaf, leafName, type Graph, type Node } from '../../compiler/ir/graph.js';
import { ndarray, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';
import type { Feeds, Tensor, TensorData } from './engine.js';

/** The leaves that a run must feed, each once, in the order of the graph. */
export function fedLeaves(graph: Graph): readonly Node[] {
  const leaves = new Map<string, Node>();
  for (const node of graph.nodes.values()) if (isLeaf(node.op) && node.op !== 'constant' && !leaves.has(leafName(node))) leaves.set(leafName(node), node);
  return [...leaves.values()];
}

/** Throws FeedError where a value is missing, or of another dtype, shape or length than the graph says. Values that the graph does not read are ignored. */
export function checkFeeds(graph: Graph, leaves: readonly Node[], feeds: Feeds): void {
  for (const leaf of leaves) {
    const tensor = feeds[leafName(leaf)];
    if (tensor === undefined) continue;
    if (tensor.dtype !== leaf.type.dtype) throw new FeedError(`${leafName(leaf)} is fed with ${tensor.dtype}; the graph says ${leaf.type.dtype}`);
    if (tensor.data.length !== sizeOf(tensor.shape)) throw new FeedError(`${leafName(leaf)} is fed with ${tensor.data.length} values for shape [${tensor.shape.join(', ')}]`);
  }
  bindSizes(graph, (name) => feeds[name]?.shape);
}

export const toArray = (tensor: Tensor): NdArray => ndarray(tensor.shape, Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number));

export const toTensor = (value: NdArray, dtype: Tensor['dtype']): Tensor => ({ dtype, shape: value.shape, data: dataOf(value.data, dtype) });

function dataOf(data: Float64Array, dtype: Tensor['dtype']): TensorData {
  switch (dtype) {
    case 'f32': return Float32Array.from(data);
    case 'i64': return BigInt64Array.from([...data], BigInt);
    case 'bool': return Uint8Array.from(data);
    default: return dtype satisfies never;
  }
}
