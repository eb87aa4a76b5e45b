// What runs a graph. An engine compiles a graph once and runs it many times; it knows nothing of training.
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import type { Int8Product } from '../../compiler/targets/onnx/index.js';

export type TensorData = Float32Array | BigInt64Array | Uint8Array;
/** Row-major. dtype f32 has Float32Array, i64 BigInt64Array, bool Uint8Array. */
export interface Tensor { readonly dtype: 'f32' | 'i64' | 'bool'; readonly shape: readonly number[]; readonly data: TensorData }

export type Feeds = Readonly<Record<string, Tensor>>;

export interface RunOptions {
  /**
   * By output name: tensors whose data the results are written into, and which are then the results. One may be a tensor that is fed in the same run
   * (an update in place): what is read of it is what it held before. After a run that fails they hold anything.
   */
  readonly into?: Feeds;
}

export interface CompiledFunction {
  /** Leaf names that a run must feed (see `leafName`). */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Throws where a feed is missing or of another shape than the graph says, or a tensor of `into` does not fit. Results belong to the caller.
   * Until the promise settles, what is fed must not change.
   */
  run(feeds: Feeds, options?: RunOptions): Promise<Readonly<Record<string, Tensor>>>;
  dispose(): Promise<void>;
}

export interface CompileOptions {
  /** Products that are computed in int8, with the weights given here; what else reads those leaves is fed with them. Only where the engine says `int8`. */
  readonly int8?: ReadonlyMap<NodeId, Int8Product>;
}

export interface Engine {
  /** `ort`, `reference`, … */
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly threads: number;
  /** What the user should know of how it runs here. */
  readonly note?: string;
  /** `compile` takes products in int8. */
  readonly int8?: boolean;
  compile(graph: Graph, options?: CompileOptions): Promise<CompiledFunction>;
}

export const f32 = (shape: readonly number[], data: Float32Array | readonly number[]): Tensor =>
  ({ dtype: 'f32', shape, data: data instanceof Float32Array ? data : Float32Array.from(data) });
export const i64 = (value: number): Tensor => ({ dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(value)) });
