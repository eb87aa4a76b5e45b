// Features kept in this process's memory.
import { bytes as inWords } from '../report/numbers.js';
import { byIdentity, type Shelf, type Shelves } from './shelf.js';

/** What comes first stays: epochs go through the images in a circle, where throwing out the oldest would leave nothing to find. */
export function memoryShelves(limit: number): Shelves {
  let bytes = 0;
  const open = byIdentity((): Shelf => {
    const held = new Map<string, Float32Array>();
    return {
      inherited: false,
      get: (image) => Promise.resolve(held.get(image)),
      put: (image, values) => {
        if (!held.has(image) && bytes + values.byteLength <= limit) {
          bytes += values.byteLength;
          held.set(image, values);
        }
        return Promise.resolve();
      },
      forget: () => undefined,
    };
  });
  return { open, get bytes() { return bytes; }, place: `in memory, up to ${inWords(limit)}` };
}
