// A thread of its own for calls into a native library that take long: JavaScript goes on meanwhile. It knows nothing of ONNX Runtime.
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** Where the function lies, and its type as koffi writes it. */
export interface NativeFunction { readonly address: bigint; readonly result: string; readonly parameters: readonly string[] }

export interface NativeThread {
  /** Calls one after the other. Arrays go by their addresses, and are held until the call is over; what addresses in them lead to is the caller's to hold. */
  call(name: string, args: readonly (bigint | number | ArrayBufferView)[]): Promise<bigint>;
}

/**
 * Code of the thread, as text, so that it needs no file of its own beside a bundle. A fresh thread, not one of libuv's pool, because denormals are flushed
 * to zero by a register of the thread (0x8040 of MXCSR: FTZ and DAZ): a session sets it for its own workers, but the caller computes too.
 */
const CODE = `
  const { parentPort, workerData } = require('node:worker_threads');
  const koffi = require(workerData.koffi);
  koffi.config({ sync_stack_size: 8 << 20 });
  if (process.platform === 'linux' && process.arch === 'x64') try {
    const libm = koffi.load('libm.so.6'), environment = Buffer.alloc(32);
    libm.func('fegetenv', 'int', ['void *'])(environment);
    environment.writeUInt32LE(environment.readUInt32LE(28) | 0x8040, 28);
    libm.func('fesetenv', 'int', ['void *'])(environment);
  } catch {} // another libc: sessions still flush in their own threads
  const functions = new Map(Object.entries(workerData.functions).map(([name, f]) => [name, koffi.decode(f.address, koffi.proto(f.result, f.parameters))]));
  parentPort.on('message', ({ id, name, args }) => parentPort.postMessage({ id, result: BigInt(functions.get(name)(...args) ?? 0) }));
`;

/** The process ends although the thread is there; not while a call is under way. */
export function nativeThread(functions: Readonly<Record<string, NativeFunction>>, addressOf: (data: ArrayBufferView) => bigint): NativeThread {
  const waiting = new Map<number, { readonly resolve: (result: bigint) => void; readonly reject: (error: Error) => void; readonly held: readonly unknown[] }>();
  const worker = new Worker(CODE, { eval: true, execArgv: [], workerData: { koffi: createRequire(import.meta.url).resolve('koffi'), functions } });
  worker.unref();
  const settle = (id: number): ReturnType<typeof waiting.get> => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return call;
  };
  worker.on('message', ({ id, result }: { readonly id: number; readonly result: bigint }) => settle(id)?.resolve(result));
  worker.on('error', (error) => { for (const id of [...waiting.keys()]) settle(id)?.reject(error instanceof Error ? error : new Error(String(error))); });
  let next = 0;
  return {
    call: (name, args) => new Promise((resolve, reject) => {
      waiting.set(++next, { resolve, reject, held: args });
      worker.ref();
      worker.postMessage({ id: next, name, args: args.map((arg) => (typeof arg === 'object' ? addressOf(arg) : arg)) });
    }),
  };
}
