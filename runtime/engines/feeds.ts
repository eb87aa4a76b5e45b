// What every engine asks of the values it is fed and writes into, and how values pass between an engine's tensors and the core's arrays.
import { bindSizes, FeedError, type Sizes } from '../../compiler/evaluate.js';
import { evaluateDim, isStatic } from '../../compiler/ir/dim.js';
import { isLeaf, leafName, nodeOf, type Graph, type Node, type NodeId } from '../../compiler/ir/graph.js';
import { ndarray, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';
import { onlyRead } from '../../compiler/targets/onnx/index.js';
import type { CompileOptions, Feeds, RunOptions, Tensor, TensorData } from './engine.js';

/** The leaves that a run must feed, each once, in the order of the graph; those that only `int8` products read are in their session. */
export function fedLeaves(graph: Graph, { int8 }: CompileOptions = {}): readonly Node[] {
  const leaves = new Map<string, Node>(), within = int8 === undefined ? new Set<NodeId>() : onlyRead(graph, int8);
  for (const node of graph.nodes.values()) if (isLeaf(node.op) && node.op !== 'constant' && !within.has(node.id) && !leaves.has(leafName(node))) leaves.set(leafName(node), node);
  return [...leaves.values()];
}

/** Gives the sizes of the symbols. Throws FeedError where a value is missing, or of another dtype, shape or length than the graph says. Values that the graph does not read are ignored. */
export function checkFeeds(graph: Graph, leaves: readonly Node[], feeds: Feeds): Sizes {
  for (const leaf of leaves) {
    const tensor = feeds[leafName(leaf)];
    if (tensor === undefined) continue;
    if (tensor.dtype !== leaf.type.dtype) throw new FeedError(`${leafName(leaf)} is fed with ${tensor.dtype}; the graph says ${leaf.type.dtype}`);
    if (tensor.data.length !== sizeOf(tensor.shape)) throw new FeedError(`${leafName(leaf)} is fed with ${tensor.data.length} values for shape [${tensor.shape.join(', ')}]`);
  }
  const fed = new Set(leaves.map(leafName));
  return bindSizes(graph, (leaf) => feeds[leafName(leaf)]?.shape ?? (fed.has(leafName(leaf)) ? undefined : leaf.type.shape.filter(isStatic)));
}

/** For each output the tensor that its result goes into: the caller's, or a new one of the output's shape. Throws FeedError where the caller's does not fit. */
export function resultTensors(graph: Graph, sizes: Sizes, into: RunOptions['into'] = {}): Record<string, Tensor> {
  return Object.fromEntries(graph.outputs.map(({ name, id }) => {
    const { dtype, shape: dims } = nodeOf(graph, id).type;
    const shape = dims.map((d) => evaluateDim(d, sizes)), given = into[name];
    if (given === undefined) return [name, { dtype, shape, data: emptyData(dtype, sizeOf(shape)) }];
    if (given.dtype !== dtype || given.data.length !== sizeOf(shape) || given.shape.length !== shape.length || given.shape.some((d, i) => d !== shape[i])) {
      throw new FeedError(`${name} is to be written into ${given.dtype}[${given.shape.join(', ')}] of ${given.data.length} values; it is ${dtype}[${shape.join(', ')}]`);
    }
    return [name, given];
  }));
}

/** For engines that make their results themselves: copies those that the caller wants elsewhere. */
export function deliver(graph: Graph, sizes: Sizes, results: Readonly<Record<string, Tensor>>, into: RunOptions['into']): Readonly<Record<string, Tensor>> {
  if (into === undefined || Object.keys(into).length === 0) return results;
  const wanted = resultTensors(graph, sizes, { ...results, ...into });
  land(results, wanted);
  return wanted;
}

/** Results that were made elsewhere come to where they were to be. */
export function land(results: Feeds, into: Feeds): void {
  for (const [name, { data }] of Object.entries(into)) {
    const result = results[name]?.data;
    if (result !== undefined && result !== data) copyData(result, data);
  }
}

export function copyData(from: TensorData, to: TensorData): void {
  (to as { set(from: TensorData): void }).set(from);
}

function emptyData(dtype: Tensor['dtype'], length: number): TensorData {
  switch (dtype) {
    case 'f32': return new Float32Array(length);
    case 'i64': return new BigInt64Array(length);
    case 'bool': return new Uint8Array(length);
    default: return dtype satisfies never;
  }
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
