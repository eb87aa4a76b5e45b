// Features kept in a folder, which several processes may use at once: FOLDER/IDENTITY/IMAGE, a file an image. Everything in it may be removed at any time.
import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes as inWords } from '../report/numbers.js';
import { makeFolder, replaceFile } from '../state/atomic.js';
import { bytesOf } from '../state/dtypes.js';
import { byIdentity, type Shelf, type Shelves } from './shelf.js';

/** A file is the SHA-256 of its name and numbers, and the numbers as float32. */
const DIGEST = 32;
/** Images between two counts of what all processes have put there. */
const RECOUNT = 64;
/** A shelf that nobody opened or filled for a day gives way. */
const STALE_SECONDS = 24 * 3600;

const digestOf = (image: string, numbers: Uint8Array): Buffer => createHash('sha256').update(image).update(numbers).digest();

interface Found { readonly path: string; readonly bytes: number; readonly usedAt: number }

/** A folder's entries; none where it is not there (any more). */
function entriesOf(folder: string): readonly string[] {
  try { return readdirSync(folder); } catch { return []; }
}

/** The shelves in a folder. Files of one shelf have one size. */
function shelvesIn(folder: string): readonly Found[] {
  return entriesOf(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const entries = readdirSync(path), [first] = entries;
      return [{ path, bytes: first === undefined ? 0 : entries.length * statSync(join(path, first)).size, usedAt: statSync(path).mtimeMs / 1000 }];
    } catch { return []; } // no folder, or removed meanwhile
  });
}

/** Throws UserError where the folder cannot be made. `limit` in bytes holds for all that is in the folder, whoever put it there, give or take some files. */
export function diskShelves(folder: string, limit: number): Shelves {
  makeFolder(folder);
  const own = new Set<string>();
  let bytes = 0, since = Infinity, full = false;
  /** Counts anew, and makes room by removing what nobody has used lately. */
  const count = (wanted: number): void => {
    const found = [...shelvesIn(folder)].sort((a, b) => a.usedAt - b.usedAt);
    bytes = found.reduce((sum, f) => sum + f.bytes, 0);
    since = 0;
    for (const { path, bytes: freed, usedAt } of found) {
      if (bytes + wanted <= limit) return;
      if (own.has(path) || Date.now() / 1000 - usedAt < STALE_SECONDS) continue;
      rmSync(path, { recursive: true, force: true });
      bytes -= freed;
    }
  };
  const open = byIdentity((identity, floats): Shelf => {
    const path = join(folder, identity), size = DIGEST + 4 * floats;
    let forgotten = false;
    own.add(path);
    const inherited = entriesOf(path).length > 0;
    // As used now, so that no other process takes it for left.
    if (inherited) utimesSync(path, new Date(), new Date());
    return {
      inherited,
      get: async (image) => {
        if (forgotten) return undefined;
        const file = await readFile(join(path, image)).catch(() => undefined);
        if (file?.length !== size || !file.subarray(0, DIGEST).equals(digestOf(image, file.subarray(DIGEST)))) return undefined;
        return new Float32Array(file.buffer.slice(file.byteOffset + DIGEST, file.byteOffset + size));
      },
      put: async (image, values) => {
        if (full || forgotten) return;
        if (++since > RECOUNT) count(size);
        if (bytes + size > limit) return;
        try {
          makeFolder(path);
          await replaceFile(join(path, image), [digestOf(image, bytesOf(values)), bytesOf(values)]);
          bytes += size;
        } catch { full = true; } // a disk without room is no reason to stop a training
      },
      forget: () => { forgotten = true; },
    };
  });
  return { open, get bytes() { return bytes; }, place: `in ${folder}, up to ${inWords(limit)}` };
}
