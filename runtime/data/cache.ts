// Decoded pairs kept in memory, so that an epoch after the first decodes nothing that fitted.
import { join } from 'node:path';
import { decodePair } from './decode.js';
import type { DataItem, DecodedPair, ImageCache, Sampling, Size } from './types.js';

const DEFAULT_CACHE_BYTES = 1 << 30;

/** `bytes` is what may be held (716 pairs at 128 x 128 are 47 MB). What comes first stays; what no longer fits is decoded at each use. */
export function makeCache(options: { readonly bytes?: number } = {}): ImageCache {
  const limit = options.bytes ?? DEFAULT_CACHE_BYTES;
  const kept = new Map<string, DecodedPair & Size>(), underway = new Map<string, Promise<DecodedPair & Size>>();
  let bytes = 0, hits = 0, misses = 0;
  const decode = async (key: string, root: string, item: DataItem, size: Sampling | undefined): Promise<DecodedPair & Size> => {
    try {
      const pair = await decodePair(join(root, item.image), join(root, item.mask), size);
      const cost = pair.image.length + pair.mask.length;
      if (bytes + cost <= limit) { bytes += cost; kept.set(key, pair); }
      return pair;
    } finally { underway.delete(key); }
  };
  return {
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
  };
}
