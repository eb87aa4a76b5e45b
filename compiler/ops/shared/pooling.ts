// What the pools share: where each window has its first largest cell.
import type { NdArray } from '../../ir/ndarray.js';
import type { Pair, Window } from './spatial.js';

/** For each window (in the order of the output) the flat index into x of its first largest cell, row by row; PyTorch's tie rule. */
export function firstMaxima(x: NdArray, w: Window, [rows, columns]: Pair): Int32Array {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const out = new Int32Array(batch * channels * rows * columns);
  let next = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let y = 0; y < rows; y++) {
      const top = y * w.stride[0] - w.padding[0];
      const y0 = Math.max(0, top), y1 = Math.min(height, top + w.kernel[0]);
      for (let z = 0; z < columns; z++) {
        const left = z * w.stride[1] - w.padding[1];
        const x0 = Math.max(0, left), x1 = Math.min(width, left + w.kernel[1]);
        let best = plane * height * width + y0 * width + x0;
        let value = x.data[best] as number;
        for (let i = y0; i < y1; i++) {
          const row = plane * height * width + i * width;
          for (let j = x0; j < x1; j++) {
            const candidate = x.data[row + j] as number;
            if (candidate > value) {
              value = candidate;
              best = row + j;
            }
          }
        }
        out[next++] = best;
      }
    }
  }
  return out;
}
