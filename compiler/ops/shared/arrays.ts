// Plain float64 work on NdArrays that the `evaluate` columns share: strided views, broadcasting, folds. Clear before quick.
import { ndarray, sizeOf, stridesOf, type NdArray } from '../../ir/ndarray.js';
import { at, normalAxes } from './attrs.js';

// Indexing a Float64Array is typed `number | undefined`; the loops here stay inside by construction, so they say `as number`.

export const mapArray = (x: NdArray, f: (v: number) => number): NdArray => ndarray(x.shape, x.data.map((v) => f(v)));

/** The row-major copy of a strided view: element `index` is x.data[base + Σ index_i · strides_i]. */
export function view(x: NdArray, shape: readonly number[], strides: readonly number[], base = 0): NdArray {
  const out = new Float64Array(sizeOf(shape));
  const rank = shape.length;
  if (out.length === 0) return ndarray(shape, out);
  const last = rank === 0 ? 1 : at(shape, rank - 1);
  const step = rank === 0 ? 0 : at(strides, rank - 1);
  const index = new Array<number>(Math.max(rank - 1, 0)).fill(0);
  let from = base;
  for (let to = 0; to < out.length; to += last) {
    for (let i = 0; i < last; i++) out[to + i] = x.data[from + i * step] as number;
    for (let axis = rank - 2; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      from += at(strides, axis);
      if ((index[axis] as number) < at(shape, axis)) break;
      from -= at(strides, axis) * at(shape, axis);
      index[axis] = 0;
    }
  }
  return ndarray(shape, out);
}

/** `x` repeated to `shape`: same rank with sizes of 1, or a scalar. */
export function broadcastTo(x: NdArray, shape: readonly number[]): NdArray {
  if (x.shape.length === 0) return ndarray(shape, new Float64Array(sizeOf(shape)).fill(x.data[0] ?? 0));
  if (x.shape.every((d, i) => d === shape[i])) return x;
  const strides = stridesOf(x.shape).map((s, i) => (x.shape[i] === 1 ? 0 : s));
  return view(x, shape, strides);
}

/** f over operands that broadcast to `shape`. */
export function zipArrays(a: NdArray, b: NdArray, shape: readonly number[], f: (x: number, y: number) => number): NdArray {
  const [x, y] = [broadcastTo(a, shape).data, broadcastTo(b, shape).data];
  const out = new Float64Array(x.length);
  for (let i = 0; i < out.length; i++) out[i] = f(x[i] as number, y[i] as number);
  return ndarray(shape, out);
}

export function transposed(x: NdArray, perm: readonly number[]): NdArray {
  const strides = stridesOf(x.shape);
  return view(x, perm.map((p) => at(x.shape, p)), perm.map((p) => at(strides, p)));
}

/** Folds the given axes away, keeping them as size 1: `fold` sees each reduced row of `length` values from `start`. */
export function reduceArray(
  x: NdArray, attrAxes: readonly number[], shape: readonly number[], fold: (data: Float64Array, start: number, length: number) => number,
): NdArray {
  const axes = normalAxes(attrAxes, x.shape.length);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const rows = transposed(x, [...kept, ...axes]).data;
  const length = sizeOf(axes.map((axis) => at(x.shape, axis)));
  const out = new Float64Array(sizeOf(shape));
  for (let i = 0; i < out.length; i++) out[i] = fold(rows, i * length, length);
  return ndarray(shape, out);
}

/** Sizes before, on and after an axis. */
export function around(shape: readonly number[], axis: number): { readonly outer: number; readonly size: number; readonly inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), size: at(shape, axis), inner: sizeOf(shape.slice(axis + 1)) };
}
