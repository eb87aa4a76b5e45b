// Starts TensorFlow.js's wasm backend in Node, with threads where they start. It was written for browsers: while it starts, Node gets the
// few things that it asks a browser for.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { leanKernels } from './wasm-kernels.js';

/** Of its own worker pool. */
const MOST_THREADS = 8;

/** Gives the number of threads. Throws where the backend does not start at all. */
export async function startWasm(threads = availableParallelism()): Promise<number> {
  const core = await import('@tensorflow/tfjs-core');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const wanted = Math.min(threads, MOST_THREADS);
  if (core.getBackend() !== 'wasm' || !core.engine().registry.wasm) {
    if (wanted > 1) {
      wasm.setThreadsCount(wanted);
      const restore = browserLike(wanted);
      core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
      const started = await core.setBackend('wasm').catch(() => false);
      restore();
      if (!started) {
        core.removeBackend('wasm');
        throw new Error('its threads do not start; --threads 1 needs none');
      }
    } else if (!(await core.setBackend('wasm'))) throw new Error('it does not start');
    leanKernels(core);
  }
  await core.ready();
  return wasm.getThreadsCount();
}

type BlobParts = ConstructorParameters<typeof Blob>[0];

/**
 * Workers by `blob:` address, which Node does not open: their scripts become files. The backend takes half the processors at most: it is told
 * of twice as many as are wanted. Workers do not keep the process alive. The result undoes all of it.
 */
function browserLike(threads: number): () => void {
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
    const [mainText = ''] = texts, workerText = texts.at(-1) ?? '';
    writeFileSync(main, mainText);
    // the worker asks for the address of the main script in the same way
    writeFileSync(worker, `URL.createObjectURL = () => ${JSON.stringify(main)}; URL.revokeObjectURL = () => {};\n${workerText.replaceAll('\\n', '\n')}`);
    return worker;
  };
  os.cpus = () => Array.from({ length: 2 * threads });
  const started: Worker[] = [];
  workers.Worker = class extends before.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  };
  return () => {
    globalThis.Blob = before.Blob;
    URL.createObjectURL = before.createObjectURL;
    os.cpus = before.cpus;
    workers.Worker = before.Worker;
    for (const one of started) one.unref();
    rmSync(folder, { recursive: true, force: true });
  };
}
