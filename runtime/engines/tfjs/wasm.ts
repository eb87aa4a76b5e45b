// Starts TensorFlow.js's wasm backend in Node, with threads where they start. It was written for browsers: while it starts, Node gets the
// few things that it asks a browser for.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type * as tfjs from '@tensorflow/tfjs-core';
import { leanKernels } from './wasm-kernels.js';

/** Of its own pool of workers. */
const MOST_THREADS = 8;

let started: Promise<number> | undefined;

/**
 * Gives the number of threads: those of the first call, for a process has one such backend. By default one processor is left free: the threads
 * wait for each other in loops, and one that has no processor holds up all. Throws where it does not start at all.
 */
export function startWasm(threads = Math.max(1, availableParallelism() - 1)): Promise<number> {
  started ??= start(Math.min(threads, MOST_THREADS));
  return started;
}

async function start(threads: number): Promise<number> {
  const core = await import('@tensorflow/tfjs-core');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (threads > 1) wasm.setThreadsCount(threads);
  if (!(threads > 1 && await startThreads(core, threads))) {
    core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    if (!(await core.setBackend('wasm'))) throw new Error('it does not start');
  }
  leanKernels(core);
  return Math.max(1, wasm.getThreadsCount());
}

/** Whether the backend runs with threads. */
async function startThreads(core: typeof tfjs, threads: number): Promise<boolean> {
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  const { failed, restore } = browserLike(threads);
  const begun = await Promise.race([core.setBackend('wasm').catch(() => false), failed.then(() => false)]);
  restore();
  return begun;
}

type BlobParts = ConstructorParameters<typeof Blob>[0];

/** What the main script of a worker takes from the bundle around it. */
const BUNDLE = "Object.assign(globalThis, { commonjsGlobal: globalThis, require$$0: require('fs'), require$$1: require('path'), require$$3: require('perf_hooks'), require$$4: require('os') });";

/**
 * Workers by `blob:` address, which Node does not open: their scripts become files. The backend takes half the processors at most: it is told
 * of twice as many as are wanted. Workers do not keep the process alive; one that fails does not end it, but settles `failed`.
 */
function browserLike(threads: number): { readonly failed: Promise<void>; readonly restore: () => void } {
  const require = createRequire(import.meta.url);
  const os = require('node:os') as { cpus: () => readonly unknown[] };
  const workers = require('node:worker_threads') as { Worker: typeof Worker };
  const before = { Blob: globalThis.Blob, createObjectURL: URL.createObjectURL, cpus: os.cpus, Worker: workers.Worker };
  const folder = mkdtempSync(join(tmpdir(), 'tpsc-tfjs-'));
  const texts: string[] = [];
  globalThis.Blob = class extends before.Blob {
    constructor(parts: BlobParts, options?: ConstructorParameters<typeof Blob>[1]) {
      super(parts, options);
      texts.push(String(parts?.[0]));
    }
  };
  const main = join(folder, 'main.js'), worker = join(folder, 'worker.cjs');
  URL.createObjectURL = () => {
    writeFileSync(main, texts[0] ?? '');
    // the worker asks for the address of the main script in the same way
    writeFileSync(worker, `${BUNDLE} URL.createObjectURL = () => ${JSON.stringify(main)}; URL.revokeObjectURL = () => {};\n${texts.at(-1) ?? ''}`);
    return worker;
  };
  os.cpus = () => Array.from({ length: 2 * threads });
  const all: Worker[] = [];
  let fail: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => { fail = resolve; });
  workers.Worker = class extends before.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      all.push(this);
    }
    override on(event: string, listener: (...args: never[]) => void): this {
      return super.on(event, event === 'error' ? fail : listener as (...args: unknown[]) => void);
    }
  };
  return {
    failed,
    restore: () => {
      globalThis.Blob = before.Blob;
      URL.createObjectURL = before.createObjectURL;
      os.cpus = before.cpus;
      workers.Worker = before.Worker;
      for (const one of all) one.unref();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
