// Graphs on ONNX Runtime's C API: runs leave the JavaScript thread free, and results are written where they are to be.
import { leafName, type DType, type Graph } from '../../compiler/ir/graph.js';
import { toOnnx } from '../../compiler/targets/onnx/index.js';
import type { CompiledFunction, Feeds, RunOptions, Tensor, TensorData } from './engine.js';
import { checkFeeds, copyData, fedLeaves, resultTensors } from './feeds.js';
import { mayOverwrite } from './in-place.js';
import type { Handle, OrtLibrary } from './ort-library.js';
import { CONFIG, ONNX_OPTIONS } from './ort-settings.js';

export interface DirectContext {
  readonly library: OrtLibrary;
  readonly environment: Handle;
  readonly memory: Handle;
  readonly threads: number;
}

/** ONNXTensorElementDataType. */
const ELEMENT: Readonly<Record<DType, number>> = { f32: 1, i64: 7, bool: 9 };
const SEVERITY_ERROR = 3, ALL_OPTIMISATIONS = 99, ARENA = 1, DEFAULT_MEMORY = 0;

export function directContext(library: OrtLibrary, threads: number): DirectContext {
  return {
    library, threads,
    environment: library.make('createEnv', SEVERITY_ERROR, 'tpsc'),
    memory: library.make('createCpuMemoryInfo', ARENA, DEFAULT_MEMORY),
  };
}

/** Sessions that nobody can reach any more are released, though `dispose` is the way. */
const forgotten = new FinalizationRegistry<() => void>((release) => { release(); });

export async function compileDirect(graph: Graph, context: DirectContext): Promise<CompiledFunction> {
  const { library } = context;
  const leaves = fedLeaves(graph), names = leaves.map(leafName);
  const model = toOnnx(graph, ONNX_OPTIONS);
  const session = await createSession(model.bytes, context);
  const inputNames = new NameTable(library, names), outputNames = new NameTable(library, model.outputs.map((o) => o.value));
  const overwriting = new Map<string, boolean>();
  const overwrites = (output: { readonly name: string; readonly id: number }, leaf: string): boolean => {
    const key = `${output.id} ${leaf}`, known = overwriting.get(key) ?? mayOverwrite(graph, output.id, leaf);
    overwriting.set(key, known);
    return known;
  };

  const run = async (feeds: Feeds, { into }: RunOptions = {}): Promise<Readonly<Record<string, Tensor>>> => {
    const results = resultTensors(graph, checkFeeds(graph, leaves, feeds), into);
    const fed = new Map<ArrayBufferLike, string[]>();
    if (into !== undefined) for (const name of names) {
      const buffer = feeds[name]?.data.buffer;
      if (buffer !== undefined) fed.set(buffer, [...(fed.get(buffer) ?? []), name]);
    }
    // What cannot be written over while it is read gets memory of its own, and is copied at the end.
    const written = graph.outputs.map((output): Tensor => {
      const result = results[output.name] as Tensor;
      const clash = (fed.get(result.data.buffer) ?? []).some((leaf) => overlap(feeds[leaf]?.data, result.data) && !(sameMemory(feeds[leaf]?.data, result.data) && overwrites(output, leaf)));
      return clash ? { ...result, data: result.data.slice() } : result;
    });
    const values = new ValueTable(context);
    try {
      const inputs = values.add(names.map((name) => feeds[name] as Tensor)), outputs = values.add(written);
      await library.callAside('run', [session.handle, 0, inputNames.address, inputs, names.length, outputNames.address, written.length, outputs]);
    } finally {
      values.release();
    }
    for (const [i, { name }] of graph.outputs.entries()) {
      const from = written[i]?.data, to = results[name]?.data;
      if (from !== undefined && to !== undefined && from !== to) copyData(from, to);
    }
    return results;
  };
  return { inputs: names, outputs: graph.outputs.map((o) => o.name), run, dispose: async () => { session.release(); } };
}

interface Session { readonly handle: Handle; readonly release: () => void }

async function createSession(bytes: Uint8Array, { library, environment, threads }: DirectContext): Promise<Session> {
  const options = library.make('createSessionOptions');
  try {
    library.call('setGraphOptimizationLevel', options, ALL_OPTIMISATIONS);
    library.call('setIntraOpNumThreads', options, threads);
    library.call('setInterOpNumThreads', options, 1);
    library.call('setLogSeverityLevel', options, SEVERITY_ERROR);
    for (const [key, value] of Object.entries(CONFIG)) library.call('addSessionConfigEntry', options, key, value);
    const place = new BigUint64Array(1);
    await library.callAside('createSessionFromArray', [environment, library.addressOf(bytes), bytes.byteLength, options, library.addressOf(place)]);
    let handle = place[0];
    const release = (): void => {
      if (handle !== undefined) library.call('releaseSession', handle);
      handle = undefined;
    };
    const session = { handle: handle ?? 0n, release };
    forgotten.register(session, release);
    return session;
  } finally {
    library.call('releaseSessionOptions', options);
  }
}

/** A `const char *const *`. */
class NameTable {
  readonly address: Handle;
  /** What the address leads to. */
  private readonly kept: readonly ArrayBufferView[];

  constructor(library: OrtLibrary, names: readonly string[]) {
    const encoded = names.map((name) => new TextEncoder().encode(`${name}\0`)), text = new Uint8Array(encoded.reduce((sum, e) => sum + e.length, 0));
    const pointers = new BigUint64Array(Math.max(1, names.length)), start = text.length === 0 ? 0n : library.addressOf(text);
    let at = 0;
    for (const [i, e] of encoded.entries()) {
      text.set(e, at);
      pointers[i] = start + BigInt(at);
      at += e.length;
    }
    this.kept = [text, pointers];
    this.address = library.addressOf(pointers);
  }
}

/** OrtValues over our own arrays, for one run. */
class ValueTable {
  private readonly values: Handle[] = [];
  /** What ONNX Runtime reads and writes by address until the run is over. */
  private readonly kept: ArrayBufferView[] = [];

  constructor(private readonly context: DirectContext) {}

  /** Address of an `OrtValue *[]` of these tensors. */
  add(tensors: readonly Tensor[]): Handle {
    const { library } = this.context, pointers = new BigUint64Array(Math.max(1, tensors.length));
    for (const [i, tensor] of tensors.entries()) {
      const value = this.value(tensor);
      this.values.push(value);
      pointers[i] = value;
    }
    this.kept.push(pointers);
    return library.addressOf(pointers);
  }

  private value({ dtype, shape, data }: Tensor): Handle {
    const { library, memory } = this.context;
    const sizes = BigInt64Array.from(shape.length === 0 ? [0n] : shape.map(BigInt)), filled = data.length === 0 ? new Uint8Array(8) : data;
    this.kept.push(filled);
    return library.make('createTensorWithData', memory, library.addressOf(filled), data.byteLength, library.addressOf(sizes), shape.length, ELEMENT[dtype]);
  }

  release(): void {
    for (const value of this.values.splice(0)) this.context.library.call('releaseValue', value);
    this.kept.length = 0;
  }
}

const sameMemory = (a: TensorData | undefined, b: TensorData): boolean => a?.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;

const overlap = (a: TensorData | undefined, b: TensorData): boolean =>
  a?.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
