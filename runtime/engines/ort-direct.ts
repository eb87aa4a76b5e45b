// Graphs on ONNX Runtime's C API: runs leave the JavaScript thread free, and results are written where they are to be.
import { leafName, type DType, type Graph } from '../../compiler/ir/graph.js';
import { toOnnx } from '../../compiler/targets/onnx/index.js';
import type { CompiledFunction, CompileOptions, Feeds, RunOptions, Tensor, TensorData } from './engine.js';
import { checkFeeds, copyData, fedLeaves, resultTensors } from './feeds.js';
import { mayOverwrite } from './in-place.js';
import type { Handle, OrtLibrary } from './ort-library.js';
import { CONFIG, ONNX_OPTIONS } from './ort-settings.js';

export interface DirectContext {
  readonly library: OrtLibrary;
  readonly environment: Handle;
  readonly memory: Handle;
}

/** ONNXTensorElementDataType. */
const ELEMENT: Readonly<Record<DType, number>> = { f32: 1, i64: 7, bool: 9 };
const SEVERITY_ERROR = 3, ALL_OPTIMISATIONS = 99, ARENA = 1, DEFAULT_MEMORY = 0, SAME_AS_REQUESTED = 1n;

let shared: DirectContext | undefined;

/** One for the process, as the environment of ONNX Runtime is. */
export const directContext = (library: OrtLibrary): DirectContext => (shared ??= makeContext(library));

function makeContext(library: OrtLibrary): DirectContext {
  const environment = library.make('createEnv', SEVERITY_ERROR, 'tpsc'), memory = library.make('createCpuMemoryInfo', ARENA, DEFAULT_MEMORY);
  // One arena for all sessions: what the gradient's run has left is there for the update and the validation. It grows by what is asked for, not in powers of two.
  const settings = library.make('createArenaCfgV2', nameTable(library, ['arena_extend_strategy']), BigUint64Array.of(SAME_AS_REQUESTED), 1);
  library.call('createAndRegisterAllocator', environment, memory, settings);
  library.call('releaseArenaCfg', settings);
  return { library, environment, memory };
}

/** Sessions that nobody can reach any more are released, though `dispose` is the way. */
const forgotten = new FinalizationRegistry<() => void>((release) => { release(); });

export async function compileDirect(graph: Graph, context: DirectContext, threads: number, how: CompileOptions = {}): Promise<CompiledFunction> {
  const { library } = context;
  const leaves = fedLeaves(graph, how), names = leaves.map(leafName);
  const { session, outputValues } = await createSession(graph, context, threads, how);
  const inputNames = nameTable(library, names), outputNames = nameTable(library, outputValues);
  const overwriting = new Map<string, boolean>();
  const overwrites = (output: { readonly name: string; readonly id: number }, leaf: string): boolean => {
    const key = `${output.id} ${leaf}`, known = overwriting.get(key) ?? mayOverwrite(graph, output.id, leaf);
    overwriting.set(key, known);
    return known;
  };

  const runs = new Set<Promise<unknown>>();
  const compute = async (feeds: Feeds, { into }: RunOptions): Promise<Readonly<Record<string, Tensor>>> => {
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
      await library.callAside('run', [session.handle, 0, inputNames, inputs, names.length, outputNames, written.length, outputs]);
    } finally {
      values.release();
    }
    for (const [i, { name }] of graph.outputs.entries()) {
      const from = written[i]?.data, to = results[name]?.data;
      if (from !== undefined && to !== undefined && from !== to) copyData(from, to);
    }
    return results;
  };
  return {
    inputs: names,
    outputs: graph.outputs.map((o) => o.name),
    run: async (feeds, options = {}) => {
      const run = compute(feeds, options);
      runs.add(run);
      try { return await run; } finally { runs.delete(run); }
    },
    dispose: async () => {
      await Promise.allSettled(runs);
      session.release();
    },
  };
}

interface Session { readonly handle: Handle; readonly release: () => void }

/** The file's bytes are not kept. */
async function createSession(graph: Graph, { library, environment }: DirectContext, threads: number, how: CompileOptions): Promise<{ readonly session: Session; readonly outputValues: readonly string[] }> {
  const { bytes, outputs } = toOnnx(graph, { ...ONNX_OPTIONS, ...how });
  const options = library.make('createSessionOptions');
  try {
    library.call('disableMemPattern', options);
    library.call('addSessionConfigEntry', options, 'session.use_env_allocators', '1');
    library.call('setGraphOptimizationLevel', options, ALL_OPTIMISATIONS);
    library.call('setIntraOpNumThreads', options, threads);
    library.call('setInterOpNumThreads', options, 1);
    library.call('setLogSeverityLevel', options, SEVERITY_ERROR);
    for (const [key, value] of Object.entries(CONFIG)) library.call('addSessionConfigEntry', options, key, value);
    const place = new BigUint64Array(1);
    await library.callAside('createSessionFromArray', [environment, bytes, bytes.byteLength, options, place]);
    let handle = place[0];
    const release = (): void => {
      if (handle !== undefined) library.call('releaseSession', handle);
      handle = undefined;
    };
    const session = { handle: handle ?? 0n, release };
    forgotten.register(session, release);
    return { session, outputValues: outputs.map((o) => o.value) };
  } finally {
    library.call('releaseSessionOptions', options);
  }
}

/** A `const char *const *`: pointers, and behind them in the same memory the names that they lead to. */
function nameTable(library: OrtLibrary, names: readonly string[]): BigUint64Array {
  const encoded = names.map((name) => new TextEncoder().encode(`${name}\0`)), space = 8 * Math.max(1, names.length);
  const bytes = new Uint8Array(encoded.reduce((sum, e) => sum + e.length, space)), pointers = new BigUint64Array(bytes.buffer, 0, space / 8);
  const start = library.addressOf(bytes);
  let at = space;
  for (const [i, e] of encoded.entries()) {
    bytes.set(e, at);
    pointers[i] = start + BigInt(at);
    at += e.length;
  }
  return pointers;
}

/** OrtValues over our own arrays, for one run. */
class ValueTable {
  private readonly values: Handle[] = [];
  /** What ONNX Runtime reads and writes by address until the run is over. */
  private readonly kept: ArrayBufferView[] = [];

  constructor(private readonly context: DirectContext) {}

  /** An `OrtValue *[]` of these tensors. */
  add(tensors: readonly Tensor[]): BigUint64Array {
    const pointers = new BigUint64Array(Math.max(1, tensors.length));
    for (const [i, tensor] of tensors.entries()) {
      const value = this.value(tensor);
      this.values.push(value);
      pointers[i] = value;
    }
    return pointers;
  }

  private value({ dtype, shape, data }: Tensor): Handle {
    const { library, memory } = this.context;
    const sizes = BigInt64Array.from(shape.length === 0 ? [0n] : shape.map(BigInt)), filled = data.length === 0 ? new Uint8Array(8) : data;
    this.kept.push(filled);
    return library.make('createTensorWithData', memory, filled, data.byteLength, sizes, shape.length, ELEMENT[dtype]);
  }

  release(): void {
    for (const value of this.values.splice(0)) this.context.library.call('releaseValue', value);
    this.kept.length = 0;
  }
}

const sameMemory = (a: TensorData | undefined, b: TensorData): boolean => a?.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;

const overlap = (a: TensorData | undefined, b: TensorData): boolean =>
  a?.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
