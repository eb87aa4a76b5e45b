// A cache of images on a thread of its own: files are decoded and batches filled there, while this thread and the engine go on.
// What is done with a request is fill.ts's and cache.ts's matter; here are only the messages.
import { Worker } from 'node:worker_threads';
import { UserError } from '../errors.js';
// sharp's libraries have to be loaded by the main thread first, or they are unloaded under the thread that uses them
import './decode.js';
import type { CacheOptions } from './cache.js';
import type { Answer, Question, Request } from './loader-messages.js';
import type { BatchPixels, DecodedPair, ImageCache, Size } from './types.js';

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void };

/** From source the thread first needs tsx, to read TypeScript. */
const FROM_SOURCE = "const { tsx, code } = require('node:worker_threads').workerData; import(tsx).then(({ register }) => { register(); return import(code); })";

function startThread(options: CacheOptions): Worker {
  const code = (ending: string): URL => new URL(`./loader-thread.${ending}`, import.meta.url);
  if (!import.meta.url.endsWith('.ts')) return new Worker(code('js'), { workerData: options, execArgv: [] });
  return new Worker(FROM_SOURCE, { eval: true, workerData: { ...options, tsx: import.meta.resolve('tsx/esm/api'), code: code('ts').href }, execArgv: [] });
}

/** The same pixels as `makeCache` gives, from a thread that starts now and ends by `close`. An idle one does not keep the process. */
export function startLoader(options: CacheOptions = {}): ImageCache {
  const thread = startThread(options), waiting = new Map<number, Waiting>();
  let last = 0, gone: Error | undefined;
  thread.unref();
  const settle = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    waiting.delete(id);
    // a process whose last wish is that the thread ends waits for that
    if (waiting.size === 0 && gone === undefined) thread.unref();
    return one;
  };
  const fail = (error: Error): void => {
    gone ??= error;
    for (const id of [...waiting.keys()]) settle(id)?.reject(error);
  };
  thread.on('message', (answer: Answer) => {
    const one = settle(answer.id);
    if ('value' in answer) one?.resolve(answer.value as never);
    else one?.reject(errorOf(answer));
  });
  thread.on('error', (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))));
  const ended = new Promise<void>((done) => {
    thread.once('exit', () => {
      fail(new Error('the thread that loads images has ended'));
      done();
    });
  });
  const ask = <T>(request: Request): Promise<T> => new Promise((resolve, reject) => {
    if (gone !== undefined) return reject(gone);
    waiting.set(++last, { resolve, reject });
    thread.ref();
    thread.postMessage({ id: last, request } satisfies Question);
  });
  return {
    pair: (root, { image, mask }, size) => ask<DecodedPair & Size>({ kind: 'pair', root, item: { image, mask }, size }),
    pixels: (request) => ask<BatchPixels>({ kind: 'pixels', request }),
    close: () => {
      if (gone === undefined) {
        gone = new Error('images are asked of a loader that is closed');
        thread.ref();
        thread.postMessage({ id: ++last, request: { kind: 'close' } } satisfies Question);
      }
      return ended;
    },
  };
}

/** A user's mistake stays one on its way through the thread; another error keeps the stack of where it happened. */
function errorOf({ message, help, user, stack }: Extract<Answer, { readonly message: string }>): Error {
  return user ? new UserError(message, help) : Object.assign(new Error(message), { stack });
}
