// The part of a shared tensor that belongs to one task: its row of a table, where the tensor has an entry for each task along some axes.
// Masks and copies of numbers; which tensors have such a part is `growth.ts`'s.
import { sizeOf } from '../../compiler/ir/ndarray.js';

/** 1 for each element whose index along one of `axes` is `index`, in row-major order. */
export function ownEntries(shape: readonly number[], axes: readonly number[], index: number): Uint8Array {
  const own = new Uint8Array(sizeOf(shape));
  for (const axis of axes) {
    const inner = sizeOf(shape.slice(axis + 1)), size = shape[axis] ?? 1;
    for (let i = 0; i < own.length; i++) if (Math.floor(i / inner) % size === index) own[i] = 1;
  }
  return own;
}

/** `fresh` where `own`, and elsewhere the values of the smaller table, in their order. */
export function extended(table: Float32Array, fresh: Float32Array, own: Uint8Array): Float32Array {
  let next = 0;
  return fresh.map((value, i) => (own[i] === 1 ? value : table[next++] ?? NaN));
}

/** `after` where `own`, `before` elsewhere: changes `after`. */
export function keepOthers(before: Float32Array, after: Float32Array, own: Uint8Array): void {
  for (let i = 0; i < own.length; i++) if (own[i] === 0) after[i] = before[i] as number;
}

/** Zero outside `own`: changes `gradient`. */
export function clearOthers(gradient: Float32Array, own: Uint8Array): void {
  for (let i = 0; i < own.length; i++) if (own[i] === 0) gradient[i] = 0;
}
