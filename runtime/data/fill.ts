// Pairs -> the pixels of a batch. What a batch holds, and in which order, is batches.ts's matter; on which thread this runs, the cache's.
import { UserError } from '../errors.js';
import { writeSample } from './augment.js';
import type { BatchPixels, ImageCache, PixelRequest } from './types.js';

/** Throws a UserError where a file cannot be read, or the images are not of one size or not of the size that is wanted. */
export async function fillPixels({ root, samples, pipeline, size }: PixelRequest, cache: Pick<ImageCache, 'pair'>): Promise<BatchPixels> {
  const pairs = await Promise.all(samples.map(({ item }) => cache.pair(root, item, pipeline.size)));
  const { height, width } = size ?? pairs[0] ?? { height: 0, width: 0 };
  const odd = pairs.findIndex((p) => p.height !== height || p.width !== width);
  const wanted = size === undefined ? `${samples[0]?.item.image ?? ''} has` : 'the network takes';
  if (odd >= 0) throw new UserError(`${samples[odd]?.item.image ?? ''}: ${pairs[odd]?.width} x ${pairs[odd]?.height} pixels, where ${wanted} ${width} x ${height}`, 'Images of one batch need one size: put `resize(size)` first into the train block\'s `augment`.');
  const image = new Float32Array(samples.length * 3 * height * width), truth = new Float32Array(samples.length * height * width);
  for (const [at, { mirror }] of samples.entries()) {
    const pair = pairs[at];
    if (pair !== undefined) writeSample(pair, mirror, pipeline, at, image, truth);
  }
  return { image, truth, height, width };
}
