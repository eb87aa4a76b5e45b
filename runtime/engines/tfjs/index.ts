// TensorFlow.js as an engine: a graph becomes a program of kernel calls, whose parameters stay on the device while they do not change.
import { bindSizes } from '../../../compiler/evaluate.js';
import { leafName, type Graph } from '../../../compiler/ir/graph.js';
import { tfjsDType } from '../../../compiler/ops/shared/tfjs.js';
import { toTfjs } from '../../../compiler/targets/tfjs/index.js';
import type { CompiledFunction, Engine, Tensor, TensorData } from '../engine.js';
import { checkFeeds, fedLeaves } from '../feeds.js';
import { openTfjs, TFJS_BACKENDS, type DeviceTensor, type Tfjs, type TfjsBackend } from './backend.js';
import { fromTfjs, Runner, tfjsData } from './run.js';

export interface TfjsOptions {
  /** Of wasm; default: all processors. */
  readonly threads?: number;
  readonly device: 'cpu' | 'cuda';
  /** To take this one or none; else the best that starts. */
  readonly backend?: TfjsBackend;
}

export interface TfjsEngine extends Engine {
  readonly name: 'tfjs';
  readonly tfjs: Tfjs;
  /** The most bytes of tensors that were held at once since the last call of it. */
  takePeakBytes(): number;
}

/** Throws UserError where no backend starts. */
export async function createTfjsEngine(options: TfjsOptions): Promise<TfjsEngine> {
  const wanted: readonly TfjsBackend[] = options.backend !== undefined ? [options.backend] : options.device === 'cuda' ? ['node-gpu'] : TFJS_BACKENDS;
  const tf = await openTfjs(wanted, options.threads === undefined ? {} : { threads: options.threads });
  const peak = { bytes: 0 };
  return {
    name: 'tfjs',
    version: tf.version,
    device: tf.backend,
    threads: tf.threads,
    tfjs: tf,
    compile: async (graph) => compile(graph, tf, (bytes) => { peak.bytes = Math.max(peak.bytes, bytes); }),
    takePeakBytes: () => {
      const { bytes } = peak;
      peak.bytes = 0;
      return bytes;
    },
  };
}

/** Leaves whose values live from run to run. */
const KEPT: ReadonlySet<string> = new Set(['param', 'state']);

function compile(graph: Graph, tf: Tfjs, onPeak: (bytes: number) => void): CompiledFunction {
  const leaves = fedLeaves(graph), names = leaves.map(leafName);
  const kept = new Set(leaves.filter((leaf) => KEPT.has(leaf.op)).map(leafName));
  const program = toTfjs(graph), runner = new Runner(tf, program);
  const cache = new Map<string, { readonly data: TensorData; readonly tensor: DeviceTensor }>();
  const upload = (tensor: Tensor): DeviceTensor => tf.make(tfjsData(tensor.data, tensor.dtype), tensor.shape, tfjsDType(tensor.dtype));
  const keptOf = (name: string, tensor: Tensor): DeviceTensor => {
    const old = cache.get(name);
    if (old?.data === tensor.data) return old.tensor;
    old?.tensor.dispose();
    const made = upload(tensor);
    cache.set(name, { data: tensor.data, tensor: made });
    return made;
  };
  return {
    inputs: names,
    outputs: graph.outputs.map((o) => o.name),
    run: async (feeds) => {
      checkFeeds(graph, leaves, feeds);
      const own: DeviceTensor[] = [], inputs = new Map<number, DeviceTensor>();
      try {
        for (const { name, slot } of program.inputs) {
          const tensor = feeds[name];
          if (tensor === undefined) continue;
          const made = kept.has(name) ? keptOf(name, tensor) : upload(tensor);
          if (!kept.has(name)) own.push(made);
          inputs.set(slot, made);
        }
        const results = await runner.run(inputs, bindSizes(graph, (name) => feeds[name]?.shape), onPeak);
        return Object.fromEntries(program.outputs.map(({ name, type }, i) => [name, take(results[i], type.dtype)]));
      } finally {
        for (const tensor of own) tensor.dispose();
      }
    },
    dispose: async () => {
      runner.dispose();
      for (const { tensor } of cache.values()) tensor.dispose();
      cache.clear();
    },
  };
}

function take(tensor: DeviceTensor | undefined, dtype: Tensor['dtype']): Tensor {
  if (tensor === undefined) throw new Error('a tfjs program gave no result');
  const result = fromTfjs(tensor.dataSync(), tensor.shape, dtype);
  tensor.dispose();
  return result;
}
