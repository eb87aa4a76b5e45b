// TensorFlow.js as an engine: a graph becomes a program of kernel calls. Parameters stay on the device while they do not change.
import { bindSizes } from '../../../compiler/evaluate.js';
import { leafName, type Graph, type Node } from '../../../compiler/ir/graph.js';
import { sizeOf } from '../../../compiler/ir/ndarray.js';
import { tfjsDType } from '../../../compiler/ops/shared/tfjs.js';
import { toTfjs } from '../../../compiler/targets/tfjs/index.js';
import { isValue, ResidentTensor, type DeviceEngine, type DeviceFunction, type DeviceValue } from '../device.js';
import type { CompiledFunction, Tensor, TensorData } from '../engine.js';
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

export interface TfjsEngine extends DeviceEngine {
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
  const onPeak = (bytes: number): void => { peak.bytes = Math.max(peak.bytes, bytes); };
  return {
    name: 'tfjs',
    version: tf.version,
    device: tf.backend,
    threads: tf.threads,
    note: tf.refused.length === 0 ? undefined : `TensorFlow.js on ${tf.backend}: ${tf.refused.join('; ')}`,
    tfjs: tf,
    compile: async (graph) => compile(graph, tf, onPeak),
    memory: {
      compile: async (graph) => new ProgramOnDevice(graph, tf, onPeak),
      put: (tensor) => upload(tf, tensor),
    },
    takePeakBytes: () => {
      const { bytes } = peak;
      peak.bytes = 0;
      return bytes;
    },
  };
}

class TfjsValue implements DeviceValue {
  constructor(readonly tensor: DeviceTensor, readonly dtype: Tensor['dtype']) {}
  get shape(): readonly number[] { return this.tensor.shape; }
  read(): TensorData { return fromTfjs(this.tensor.dataSync(), this.dtype); }
  dispose(): void { this.tensor.dispose(); }
}

const upload = (tf: Tfjs, { data, shape, dtype }: Tensor): TfjsValue => new TfjsValue(tf.make(tfjsData(data, dtype), shape, tfjsDType(dtype)), dtype);

class ProgramOnDevice implements DeviceFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  private readonly leaves: readonly Node[];
  private readonly runner: Runner;

  constructor(private readonly graph: Graph, private readonly tf: Tfjs, private readonly onPeak: (bytes: number) => void) {
    this.leaves = fedLeaves(graph);
    this.inputs = this.leaves.map(leafName);
    this.outputs = graph.outputs.map((o) => o.name);
    this.runner = new Runner(tf, toTfjs(graph));
  }

  async run(feeds: Readonly<Record<string, DeviceValue | Tensor>>): Promise<Readonly<Record<string, DeviceValue>>> {
    checkFeeds(this.graph, this.leaves, Object.fromEntries(Object.entries(feeds).map(([name, x]) => [name, unread(x)])));
    const { program } = this.runner, own: DeviceValue[] = [], inputs = new Map<number, DeviceTensor>();
    try {
      for (const { name, slot } of program.inputs) {
        const fed = feeds[name];
        if (fed === undefined) continue;
        const value = isValue(fed) ? fed : upload(this.tf, fed);
        if (value !== fed) own.push(value);
        inputs.set(slot, (value as TfjsValue).tensor);
      }
      const results = await this.runner.run(inputs, bindSizes(this.graph, (leaf) => feeds[leafName(leaf)]?.shape), this.onPeak);
      return Object.fromEntries(program.outputs.flatMap(({ name, type }, i) => {
        const tensor = results[i];
        return tensor === undefined ? [] : [[name, new TfjsValue(tensor, type.dtype)]];
      }));
    } finally {
      for (const value of own) value.dispose();
    }
  }

  async dispose(): Promise<void> { this.runner.dispose(); }
}

/** A tensor of the same type for checks, which must not look at numbers that are on the device. */
function unread(x: DeviceValue | Tensor): Tensor {
  if (!isValue(x) && !(x instanceof ResidentTensor)) return x;
  return { dtype: x.dtype, shape: x.shape, data: { length: sizeOf(x.shape) } as TensorData };
}

/** Leaves whose values live from run to run. */
const KEPT: ReadonlySet<string> = new Set(['param', 'state']);

/** Arrays that were written over since they were uploaded, and how often. */
const writes = new WeakMap<TensorData, number>();
const writesTo = (data: TensorData): number => writes.get(data) ?? 0;

interface Kept { readonly data: TensorData; readonly writes: number; readonly value: DeviceValue }

function compile(graph: Graph, tf: Tfjs, onPeak: (bytes: number) => void): CompiledFunction {
  const fn = new ProgramOnDevice(graph, tf, onPeak);
  const kept = new Set(fedLeaves(graph).filter((leaf) => KEPT.has(leaf.op)).map(leafName));
  const cache = new Map<string, Kept>();
  const onDevice = (name: string, tensor: Tensor): DeviceValue | Tensor => {
    if (tensor instanceof ResidentTensor && tensor.held && tensor.value instanceof TfjsValue) return tensor.value;
    if (!kept.has(name)) return tensor;
    const old = cache.get(name);
    if (old?.data === tensor.data && old.writes === writesTo(tensor.data)) return old.value;
    old?.value.dispose();
    cache.delete(name);
    const value = upload(tf, tensor);
    cache.set(name, { data: tensor.data, writes: writesTo(tensor.data), value });
    return value;
  };
  return {
    inputs: fn.inputs,
    outputs: fn.outputs,
    run: async (feeds, options) => {
      checkFeeds(graph, fedLeaves(graph), Object.fromEntries(Object.entries(feeds).map(([name, x]) => [name, unread(x)])));
      const results = await fn.run(Object.fromEntries(fn.inputs.flatMap((name) => {
        const tensor = feeds[name];
        return tensor === undefined ? [] : [[name, onDevice(name, tensor)]];
      })));
      return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, take(value, options?.into?.[name])]));
    },
    dispose: async () => {
      await fn.dispose();
      for (const { value } of cache.values()) value.dispose();
      cache.clear();
    },
  };
}

function take(value: DeviceValue, into: Tensor | undefined): Tensor {
  const { dtype, shape } = value, data = value.read();
  value.dispose();
  if (into === undefined) return { dtype, shape, data };
  if (into.dtype !== dtype || into.data.length !== data.length) throw new Error('a tensor to write a result into has another type than the result');
  (into.data as { set(from: TensorData): void }).set(data);
  writes.set(into.data, writesTo(into.data) + 1);
  return into;
}
