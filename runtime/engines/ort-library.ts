// ONNX Runtime's C API, by the library that the package onnxruntime-node brings: what the engine needs of it and no more.
// Addresses go in and out; what is kept alive, and for how long, is the caller's matter.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { nativeThread, type NativeThread } from './native-thread.js';

export type Handle = bigint;
/** An array goes by its address and is alive during the call: an address alone keeps nothing. */
type Argument = bigint | number | string | null | ArrayBufferView;

/** Place in `OrtApi` (onnxruntime_c_api.h: entries are only ever added at the end) and parameters. Those without `void` give a status: null is success. */
const API = {
  getErrorMessage: [2, 'str', ['void *']],
  createEnv: [3, 'void *', ['int', 'str', 'void *']],
  createSessionFromArray: [8, 'void *', ['void *', 'void *', 'size_t', 'void *', 'void *']],
  run: [9, 'void *', ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']],
  createSessionOptions: [10, 'void *', ['void *']],
  disableMemPattern: [17, 'void *', ['void *']],
  setGraphOptimizationLevel: [23, 'void *', ['void *', 'int']],
  setIntraOpNumThreads: [24, 'void *', ['void *', 'int']],
  setInterOpNumThreads: [25, 'void *', ['void *', 'int']],
  setLogSeverityLevel: [22, 'void *', ['void *', 'int']],
  createTensorWithData: [49, 'void *', ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']],
  createCpuMemoryInfo: [69, 'void *', ['int', 'int', 'void *']],
  releaseStatus: [93, 'void', ['void *']],
  releaseSession: [95, 'void', ['void *']],
  releaseValue: [96, 'void', ['void *']],
  releaseSessionOptions: [100, 'void', ['void *']],
  releaseArenaCfg: [157, 'void', ['void *']],
  createAndRegisterAllocator: [144, 'void *', ['void *', 'void *', 'void *']],
  createArenaCfgV2: [164, 'void *', ['void *', 'void *', 'size_t', 'void *']],
  addSessionConfigEntry: [130, 'void *', ['void *', 'str', 'str']],
} as const satisfies Record<string, readonly [number, string, readonly string[]]>;

/** Of the oldest API that has all of these; newer libraries still give it. */
const API_VERSION = 14;

export interface OrtLibrary {
  readonly version: string;
  /** Good as long as `data` is held. */
  addressOf(data: ArrayBufferView): Handle;
  /** Calls that are over at once. Throws what ONNX Runtime says. */
  call(name: keyof typeof API, ...args: readonly Argument[]): void;
  /** As `call`, of a function whose last parameter is where its result goes. */
  make(name: keyof typeof API, ...args: readonly Argument[]): Handle;
  /** On the library's own thread. */
  callAside(name: 'createSessionFromArray' | 'run', args: readonly (bigint | number | ArrayBufferView)[]): Promise<void>;
}

let library: Promise<OrtLibrary> | undefined;
/** koffi unloads a library that nobody holds, although functions of it are held. */
let loaded: LibraryHandle | undefined;

/** One for the process. Rejects where koffi, the file or its symbols are not there. */
export const ortLibrary = (): Promise<OrtLibrary> => (library ??= open());

const FILE: Readonly<Record<string, string>> = { linux: 'libonnxruntime.so.1', darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' };

async function open(): Promise<OrtLibrary> {
  const { default: koffi } = await import('koffi');
  const root = dirname(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));
  const file = join(root, 'bin', 'napi-v6', process.platform, process.arch, FILE[process.platform] ?? '');
  if (!existsSync(file)) throw new Error(`no ${file}`);
  loaded = koffi.load(file);
  const base = loaded.func('OrtGetApiBase', 'void *', [])() as Handle;
  const [getApi, getVersion] = koffi.decode(base, 'void *', 2) as [Handle, Handle];
  const api = koffi.call(getApi, koffi.proto('void *', ['uint32_t']), API_VERSION) as Handle | null;
  if (api === null) throw new Error(`${file} has no API of version ${API_VERSION}`);
  const addresses = koffi.decode(api, 'void *', 1 + Math.max(...Object.values(API).map(([at]) => at))) as readonly Handle[];
  const address = (name: keyof typeof API): Handle => addresses[API[name][0]] ?? 0n;
  const functions = Object.fromEntries(Object.entries(API).map(([name, [, result, parameters]]) =>
    [name, koffi.decode(address(name as keyof typeof API), koffi.proto(result, [...parameters])) as (...args: readonly Argument[]) => unknown]));
  const expectSuccess = (status: unknown): void => {
    if (typeof status !== 'bigint' || status === 0n) return;
    const message = String(functions['getErrorMessage']?.(status));
    functions['releaseStatus']?.(status);
    throw new Error(`ONNX Runtime: ${message}`);
  };
  const call: OrtLibrary['call'] = (name, ...args) => expectSuccess(functions[name]?.(...args));
  let thread: NativeThread | undefined;
  const aside = (): NativeThread => (thread ??= nativeThread(Object.fromEntries((['createSessionFromArray', 'run'] as const)
    .map((name) => [name, { address: address(name), result: API[name][1], parameters: API[name][2] }])), koffi.address));
  return {
    version: String(koffi.call(getVersion, koffi.proto('str', []))),
    addressOf: (data) => koffi.address(data),
    call,
    make: (name, ...args) => {
      const place = new BigUint64Array(1);
      call(name, ...args, place);
      return place[0] ?? 0n;
    },
    callAside: async (name, args) => expectSuccess(await aside().call(name, args)),
  };
}
