// What no spec can want of a file of weights, found before any spec is read: numbers that are none, and integers under the name of a weight.
// What a spec wants is compared in `import.ts`.
import { UserError } from '../errors.js';
import { BYTES, isFloat, placeOfNaN } from './dtypes.js';
import { DIVERGED, shownName, typeText, type Source, type StoredTensor, type TensorFile } from './stored.js';

/** Bytes looked at together: a multiple of every element's width, few enough for a processor's cache. */
const PIECE = 2 ** 20;
/** The largest SAM 2 has 900 MB. What lies behind this is looked at only where a spec wants it and its shape fits: a file with holes can claim any size. */
const LARGEST = 2 ** 31;

/**
 * Throws UserError where a tensor holds NaN, or where a `weight` or `bias` is no tensor of floats (counters and indices are integers, by other names).
 * Each byte of the file is read at most once, however many tensors share it, and few are held.
 */
export function requireSound(file: TensorFile): void {
  const wrong = [...file.tensors].filter(([name, t]) => !isFloat(t.dtype) && /(^|\.)(weight|bias)$/.test(name)).map(([name, t]) => `  ${shownName(name)} is ${typeText(t)}`);
  if (wrong.length > 0) throw new UserError(`${file.path} holds weights that are no floats: ${wrong.length} of ${file.tensors.size}\n${wrong.slice(0, 20).join('\n')}${wrong.length > 20 ? '\n  …' : ''}`, 'Quantised networks are not read; save the weights as float32.');
  const bySource = new Map<Source, [string, StoredTensor][]>();
  for (const named of file.tensors) {
    const { dtype, place: { source } } = named[1];
    if (!isFloat(dtype)) continue;
    const known = bySource.get(source);
    if (known === undefined) bySource.set(source, [named]);
    else known.push(named);
  }
  let left = LARGEST;
  const buffer = new Uint8Array(PIECE);
  for (const [source, tensors] of bySource) {
    let done = 0;
    for (const [name, { dtype, place: { begin, end } }] of tensors.sort(([, a], [, b]) => a.place.begin - b.place.begin)) {
      const width = BYTES[dtype];
      // whole elements of this tensor, from the first one that is not behind us
      for (let at = Math.max(begin, begin + Math.floor((done - begin) / width) * width); at < end; at += PIECE) {
        const piece = buffer.subarray(0, Math.min(PIECE, end - at));
        if ((left -= piece.length) < 0) return;
        source.fill(piece, at);
        const place = placeOfNaN(dtype, piece);
        if (place >= 0) throw new UserError(`${file.path}: tensor ${shownName(name)} holds NaN at place ${(at - begin) / width + place}`, DIVERGED);
      }
      done = Math.max(done, end);
    }
  }
}
