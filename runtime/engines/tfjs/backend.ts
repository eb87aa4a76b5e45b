// Finds TensorFlow.js: node-gpu, then node, then wasm, then cpu; and says why the better ones were not taken. The rest of the tool sees `Tfjs`.
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../errors.js';

/** A tensor of TensorFlow.js. */
export interface DeviceTensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array | Int32Array | Uint8Array;
  dispose(): void;
}
type Values = Float32Array | Int32Array | Uint8Array;
export type KernelInputs = Readonly<Record<string, DeviceTensor>> | readonly DeviceTensor[];

/** What a program needs of TensorFlow.js. */
export interface Tfjs {
  readonly backend: TfjsBackend;
  /** The `tf` object of the package that was taken. */
  readonly tf: unknown;
  readonly version: string;
  readonly threads: number;
  /** Backends that were tried before, and why they were not taken. */
  readonly refused: readonly string[];
  runKernel(kernel: string, inputs: KernelInputs, attributes: Readonly<Record<string, unknown>>): DeviceTensor;
  make(values: Values, shape: readonly number[], dtype: 'float32' | 'int32' | 'bool'): DeviceTensor;
  /** Of all tensors that are not disposed. */
  bytes(): number;
  tensors(): number;
  /** Begins to time kernels; what it gives ends that, and tells. On a GPU a kernel is only begun when it returns. */
  profile(): () => ReadonlyMap<string, KernelTime>;
}
export interface KernelTime { readonly milliseconds: number; readonly calls: number }

export const TFJS_BACKENDS = ['node-gpu', 'node', 'wasm', 'cpu'] as const;
export type TfjsBackend = (typeof TFJS_BACKENDS)[number];

/** The part of @tensorflow/tfjs-core that is used, so that every package of it serves. */
interface Core {
  engine(): {
    runKernel(kernel: string, inputs: unknown, attributes: unknown): unknown;
    makeTensor(values: Values, shape: readonly number[], dtype: string): unknown;
    memory(): { readonly numBytes: number; readonly numTensors: number };
  };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  env(): { set(flag: string, value: unknown): void };
  readonly version_core?: string;
  /** Of the union package. */
  readonly version?: Readonly<Record<string, string>>;
}

/** Names the folder of a tfjs-node that was built elsewhere: see tools/tfjs-node.mjs. */
const BUILT = 'TPSC_TFJS_NODE';
const entryOf = (folder: string): string => pathToFileURL(createRequire(join(resolve(folder), 'package.json')).resolve(resolve(folder))).href;

interface Options { readonly threads?: number }

const OPENERS: Readonly<Record<TfjsBackend, (options: Options) => Promise<{ readonly core: Core; readonly threads: number }>>> = {
  'node-gpu': () => native('@tensorflow/tfjs-node-gpu'),
  node: () => native(process.env[BUILT] === undefined ? '@tensorflow/tfjs-node' : entryOf(process.env[BUILT])),
  wasm: async (options) => {
    const core = await coreOf('@tensorflow/tfjs-core');
    const { startWasm } = await import('./wasm.js');
    return { core, threads: await startWasm(options.threads) };
  },
  cpu: async () => {
    const core = await coreOf('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-cpu');
    await use(core, 'cpu');
    return { core, threads: 1 };
  },
};

/** The first of `wanted` that opens. Throws UserError where none does. */
export async function openTfjs(wanted: readonly TfjsBackend[], options: Options = {}): Promise<Tfjs> {
  const refused: string[] = [];
  for (const backend of wanted) {
    try {
      const { core, threads } = await OPENERS[backend](options);
      return wrap(core, backend, threads, refused);
    } catch (error) {
      refused.push(`${backend}: ${reasonOf(error)}`);
    }
  }
  throw new UserError(`no backend of TensorFlow.js starts: ${refused.join('; ')}`, wanted.includes('wasm')
    ? 'install the packages anew with `npm ci`, or use --engine ort'
    : 'npm install @tensorflow/tfjs-node-gpu@4.22.0 (needs CUDA), or use --device cpu');
}

function wrap(core: Core, backend: TfjsBackend, threads: number, refused: readonly string[]): Tfjs {
  const engine = core.engine();
  let times: Map<string, KernelTime> | undefined;
  return {
    backend, tf: core, threads, refused, version: core.version_core ?? core.version?.['tfjs-core'] ?? '',
    runKernel: (kernel, inputs, attributes) => {
      if (times === undefined) return engine.runKernel(kernel, inputs, attributes) as DeviceTensor;
      const began = performance.now(), result = engine.runKernel(kernel, inputs, attributes) as DeviceTensor;
      const { milliseconds, calls } = times.get(kernel) ?? { milliseconds: 0, calls: 0 };
      times.set(kernel, { milliseconds: milliseconds + performance.now() - began, calls: calls + 1 });
      return result;
    },
    profile: () => {
      const mine = times = new Map<string, KernelTime>();
      return () => {
        times = undefined;
        return mine;
      };
    },
    make: (values, shape, dtype) => engine.makeTensor(values, [...shape], dtype) as DeviceTensor,
    bytes: () => engine.memory().numBytes,
    tensors: () => engine.memory().numTensors,
  };
}

/** tfjs-node registers its backend when it is loaded, and runs as many threads as TensorFlow finds processors. */
async function native(name: string): Promise<{ readonly core: Core; readonly threads: number }> {
  const core = await coreOf(name);
  await use(core, 'tensorflow');
  return { core, threads: availableParallelism() };
}

async function use(core: Core, name: string): Promise<void> {
  if (!(await core.setBackend(name))) throw new Error('it does not start');
  await core.ready();
}

/** The name is a variable: optional packages must not be looked for when this file is compiled. */
async function coreOf(name: string): Promise<Core> {
  const module = (await import(name)) as Core & { readonly default?: Core };
  const core = typeof module.engine === 'function' ? module : module.default ?? module;
  // no banner that advertises other packages
  core.env().set('PROD', true);
  return core;
}

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return 'not installed';
  return error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error);
}
