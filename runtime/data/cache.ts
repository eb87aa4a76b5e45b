// Decoded pairs kept in memory, so that an epoch after the first decodes nothing that fitted.
import { join } from 'node:path';
import { decodePair } from './decode.js';
import { fillPixels } from './fill.js';
import type { DecodedPair, ImageCache, ImageFiles, Sampling, Size } from './types.js';

const DEFAULT_CACHE_BYTES = 1 << 30;

/** `bytes` is what may be held. */
export interface CacheOptions { readonly bytes?: number }

/** A cache that says how it does. */
export interface CountingCache extends ImageCache { readonly bytes: number; readonly hits: number; readonly misses: number }

/** On the caller's thread (716 pairs at 128 x 128 are 47 MB). What comes first stays; what no longer fits is decoded at each use. */
export function makeCache({ bytes: limit = DEFAULT_CACHE_BYTES }: CacheOptions = {}): CountingCache {
  const kept = new Map<string, DecodedPair & Size>(), underway = new Map<string, Promise<DecodedPair & Size>>();
  let bytes = 0, hits = 0, misses = 0;
  const decode = async (key: string, root: string, item: ImageFiles, size: Sampling | undefined): Promise<DecodedPair & Size> => {
    try {
      const pair = await decodePair(join(root, item.image), join(root, item.mask), size);
      const cost = pair.image.length + pair.mask.length;
      if (bytes + cost <= limit) { bytes += cost; kept.set(key, pair); }
      return pair;
    } finally { underway.delete(key); }
  };
  const cache: CountingCache = {
    get bytes() { return bytes; }, get hits() { return hits; }, get misses() { return misses; },
    pair(root, item, size) {
      const key = JSON.stringify([root, item.image, item.mask, size?.height, size?.width, size?.masks, size?.soft]);
      const held = kept.get(key), pending = underway.get(key);
      if (held || pending) { hits++; return held ? Promise.resolve(held) : (pending as Promise<DecodedPair & Size>); }
      misses++;
      const started = decode(key, root, item, size);
      underway.set(key, started);
      return started;
    },
    pixels: (request) => fillPixels(request, cache),
    close: async () => { await Promise.allSettled(underway.values()); },
  };
  return cache;
}
