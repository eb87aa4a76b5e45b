// One-axis linear maps as matrices [out, in]: interpolation as PyTorch's F.interpolate, averaging windows; and images under two of them.
// Resize, average pooling and their gradients stand on these.
import { filled, ndarray, type NdArray } from '../../ir/ndarray.js';
import type { OnnxContext } from '../op.js';
import { at } from './attrs.js';
import { gemm, transposed } from './kernels.js';
import type { Pair, Window } from './spatial.js';

/** A map of the rows and one of the columns of an image. */
export interface Maps { readonly rows: NdArray; readonly columns: NdArray }

export type ResizeMode = 'bilinear' | 'bicubic' | 'nearest';
/** Keys' cubic coefficient, as PyTorch has it. */
const CUBIC_A = -0.75;

/**
 * Row i holds the weights with which output cell i reads the `from` input cells. Source position: i·(from−1)/(to−1) with aligned corners,
 * else (i + ½)·from/to − ½, clamped at 0 for bilinear; positions outside read the border cell. nearest: floor(i·from/to).
 */
export function interpolationMatrix(from: number, to: number, mode: ResizeMode, alignCorners: boolean): NdArray {
  const out = new Float64Array(to * from);
  const put = (i: number, at: number, weight: number): void => {
    const cell = i * from + Math.min(from - 1, Math.max(0, at));
    out[cell] = (out[cell] ?? 0) + weight;
  };
  for (let i = 0; i < to; i++) {
    if (mode === 'nearest') {
      put(i, Math.floor((i * from) / to), 1);
      continue;
    }
    const source = alignCorners ? (to > 1 ? (i * (from - 1)) / (to - 1) : 0) : ((i + 0.5) * from) / to - 0.5;
    const position = mode === 'bilinear' ? Math.max(0, source) : source;
    const first = Math.floor(position);
    const t = position - first;
    if (mode === 'bilinear') {
      put(i, first, 1 - t);
      put(i, first + 1, t);
    } else for (let k = -1; k <= 2; k++) put(i, first + k, cubic(Math.abs(t - k)));
  }
  return ndarray([to, from], out);
}

/** Keys 1981, eq. (15), with a = −0.75. */
function cubic(d: number): number {
  if (d <= 1) return ((CUBIC_A + 2) * d - (CUBIC_A + 3)) * d * d + 1;
  if (d < 2) return ((CUBIC_A * d - 5 * CUBIC_A) * d + 8 * CUBIC_A) * d - 4 * CUBIC_A;
  return 0;
}

/** Row i averages window i along one axis: over the kernel, or (countPad false) over the cells that are no padding. */
export function averagingMatrix(axis: 0 | 1, from: number, to: number, w: Window, countPad: boolean): NdArray {
  const out = filled([to, from], 0);
  for (let i = 0; i < to; i++) {
    const start = i * w.stride[axis] - w.padding[axis];
    const first = Math.max(0, start), end = Math.min(from, start + w.kernel[axis]);
    out.data.fill(1 / (countPad ? w.kernel[axis] : end - first), i * from + first, i * from + end);
  }
  return out;
}

const flipped = (m: NdArray): NdArray => ndarray([at(m.shape, 1), at(m.shape, 0)], transposed(m.data, 0, at(m.shape, 0), at(m.shape, 1)));
/** The adjoint: what carries the gradient of a map's output to its input. */
export const adjoint = ({ rows, columns }: Maps): Maps => ({ rows: flipped(rows), columns: flipped(columns) });

/** rows · x · columnsᵀ on every image of x [B, C, H, W]. */
export function mapImages(x: NdArray, { rows, columns }: Maps): NdArray {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const newHeight = at(rows.shape, 0), newWidth = at(columns.shape, 0);
  const planes = batch * channels;
  const wide = new Float64Array(planes * height * newWidth);
  gemm(planes * height, width, newWidth, x.data, 0, flipped(columns).data, 0, wide, 0);
  const out = new Float64Array(planes * newHeight * newWidth);
  for (let p = 0; p < planes; p++) gemm(newHeight, height, newWidth, rows.data, 0, wide, p * height * newWidth, out, p * newHeight * newWidth);
  return ndarray([batch, channels, newHeight, newWidth], out);
}

/** `mapImages` as two MatMuls with constants, the cheaper order of the two. */
export function mapImagesOnnx(c: OnnxContext, x: string, { rows, columns }: Maps): string {
  const [newHeight, height] = rows.shape as [number, number], [newWidth, width] = columns.shape as [number, number];
  const left = c.constant(rows, 'f32'), right = c.constant(flipped(columns), 'f32');
  const columnsFirst = height * newWidth * (width + newHeight) <= newHeight * width * (height + newWidth);
  return columnsFirst ? c.emit('MatMul', [left, c.emit('MatMul', [x, right])]) : c.emit('MatMul', [c.emit('MatMul', [left, x]), right]);
}

/** Every cell repeated a whole number of times each way. By scales, not by `axes`: see the bilinear form of `resize`. */
export const upsampleOnnx = (c: OnnxContext, x: string, times: Pair): string =>
  c.emit('Resize', [x, '', c.constant(ndarray([4], [1, 1, ...times]), 'f32')], { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' });
