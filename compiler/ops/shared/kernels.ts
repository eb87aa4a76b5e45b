// Float64 kernels that the evaluate columns share: matrix product, unfolding of windows and its adjoint.
// `as number` on a typed-array element states what the loop bounds ensure; it costs nothing where a check would.
import type { Pair, Window } from './spatial.js';

/** A block of B stays in the second-level cache: 64 rows of 256 columns are 128 KiB. */
const ROWS = 64;
const COLUMNS = 256;

/** out[m, n] += a[m, k] · b[k, n], all row-major from their offsets. */
export function gemm(m: number, k: number, n: number, a: Float64Array, aAt: number, b: Float64Array, bAt: number, out: Float64Array, outAt: number): void {
  for (let j0 = 0; j0 < n; j0 += COLUMNS) {
    const width = Math.min(COLUMNS, n - j0);
    for (let k0 = 0; k0 < k; k0 += ROWS) {
      const k1 = Math.min(k, k0 + ROWS);
      for (let i = 0; i < m; i += 2) {
        const o = outAt + i * n + j0, row = aAt + i * k;
        const rows = Math.min(2, m - i);
        let p = k0;
        for (; p + 3 < k1; p += 4) {
          const from = bAt + p * n + j0;
          if (rows === 2) twoRows(a, row + p, k, b, from, n, out, o, width);
          else oneRow(a, row + p, b, from, n, out, o, width);
        }
        for (; p < k1; p++) for (let r = 0; r < rows; r++) {
          const factor = a[row + r * k + p] as number, from = bAt + p * n + j0, to = o + r * n;
          for (let j = 0; j < width; j++) out[to + j] = (out[to + j] as number) + factor * (b[from + j] as number);
        }
      }
    }
  }
}

/** Four rows of B into one row of the product. */
function oneRow(a: Float64Array, aAt: number, b: Float64Array, b0: number, n: number, out: Float64Array, o: number, width: number): void {
  const a0 = a[aAt] as number, a1 = a[aAt + 1] as number, a2 = a[aAt + 2] as number, a3 = a[aAt + 3] as number;
  const b1 = b0 + n, b2 = b1 + n, b3 = b2 + n;
  for (let j = 0; j < width; j++) {
    out[o + j] = (out[o + j] as number) + a0 * (b[b0 + j] as number) + a1 * (b[b1 + j] as number) + a2 * (b[b2 + j] as number) + a3 * (b[b3 + j] as number);
  }
}

/** Four rows of B into two rows of the product, each element of B read once: 1.5 times as fast as row by row. */
function twoRows(a: Float64Array, aAt: number, k: number, b: Float64Array, b0: number, n: number, out: Float64Array, o: number, width: number): void {
  const a0 = a[aAt] as number, a1 = a[aAt + 1] as number, a2 = a[aAt + 2] as number, a3 = a[aAt + 3] as number;
  const c = aAt + k, c0 = a[c] as number, c1 = a[c + 1] as number, c2 = a[c + 2] as number, c3 = a[c + 3] as number;
  const b1 = b0 + n, b2 = b1 + n, b3 = b2 + n, q = o + n;
  for (let j = 0; j < width; j++) {
    const x0 = b[b0 + j] as number, x1 = b[b1 + j] as number, x2 = b[b2 + j] as number, x3 = b[b3 + j] as number;
    out[o + j] = (out[o + j] as number) + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
    out[q + j] = (out[q + j] as number) + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3;
  }
}

/** The transpose of the matrix [rows, columns] that begins at `at`. */
export function transposed(a: Float64Array, at: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = at + i * columns;
    for (let j = 0; j < columns; j++) out[j * rows + i] = a[row + j] as number;
  }
  return out;
}

/** The range [from, to) of windows whose tap at `offset` falls inside [0, size). */
function inside(size: number, count: number, stride: number, offset: number): readonly [number, number] {
  const from = offset >= 0 ? 0 : Math.ceil(-offset / stride);
  const to = Math.min(count, Math.floor((size - 1 - offset) / stride) + 1);
  return [from, Math.max(from, to)];
}

/**
 * The windows of `channels` images [H, W] that begin at `at`, as a matrix [channels·kh·kw, count]: column p holds what window p sees,
 * zeros where it sees the padding.
 */
export function unfold(x: Float64Array, at: number, channels: number, [height, width]: Pair, w: Window, [rows, columns]: Pair, out: Float64Array): void {
  out.fill(0);
  eachTap(channels, [height, width], w, [rows, columns], (source, target, count, stride) => {
    for (let j = 0, s = at + source; j < count; j++, s += stride) out[target + j] = x[s] as number;
  });
}

/** The adjoint of `unfold`: adds a matrix [channels·kh·kw, count] into images [H, W] that begin at `at`. */
export function fold(matrix: Float64Array, channels: number, size: Pair, w: Window, counts: Pair, out: Float64Array, at: number): void {
  eachTap(channels, size, w, counts, (target, source, count, stride) => {
    for (let j = 0, t = at + target; j < count; j++, t += stride) out[t] = (out[t] as number) + (matrix[source + j] as number);
  });
}

/** Calls for each run of cells that one tap reads along one row of windows: from the image at `image` in steps of `stride`, in the matrix at `matrix` in steps of 1. */
function eachTap(channels: number, [height, width]: Pair, w: Window, [rows, columns]: Pair, visit: (image: number, matrix: number, count: number, stride: number) => void): void {
  const [kh, kw] = w.kernel;
  for (let c = 0; c < channels; c++) {
    for (let ky = 0; ky < kh; ky++) {
      const top = ky * w.dilation[0] - w.padding[0];
      const [y0, y1] = inside(height, rows, w.stride[0], top);
      for (let kx = 0; kx < kw; kx++) {
        const left = kx * w.dilation[1] - w.padding[1];
        const [x0, x1] = inside(width, columns, w.stride[1], left);
        if (x1 === x0) continue;
        const line = ((c * kh + ky) * kw + kx) * rows * columns;
        for (let y = y0; y < y1; y++) {
          visit(c * height * width + (y * w.stride[0] + top) * width + x0 * w.stride[1] + left, line + y * columns + x0, x1 - x0, w.stride[1]);
        }
      }
    }
  }
}
