// The thread of a loader: a cache, and answers to what it is asked. A batch's arrays move to the thread that asked; a pair is copied, for the cache keeps it.
import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../errors.js';
import { makeCache, type CacheOptions } from './cache.js';
import type { Answer, Question } from './loader-messages.js';

const cache = makeCache(workerData as CacheOptions);

async function answer({ id, request }: Question): Promise<void> {
  const send = (message: Answer, moved: readonly ArrayBuffer[] = []): void => parentPort?.postMessage(message, moved);
  try {
    switch (request.kind) {
      case 'pair': return send({ id, value: await cache.pair(request.root, request.item, request.size) });
      case 'pixels': {
        const value = await cache.pixels(request.request);
        return send({ id, value }, [value.image.buffer, value.truth.buffer]);
      }
      // the thread ends by itself when the last decoding has
      case 'close': return void parentPort?.unref();
      default: return request satisfies never;
    }
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ id, user: error instanceof UserError, message, stack, ...(error instanceof UserError ? { help: error.help } : {}) });
  }
}

parentPort?.on('message', (question: Question) => void answer(question));
