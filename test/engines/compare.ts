// How far two runs of the same function are apart: what parity tests bound.
import type { Tensor } from '../../runtime/engines/engine.js';

export interface Comparison {
  readonly name: string;
  /** max |a - b|; infinite where either is not a number, the shapes differ, or it is missing. */
  readonly maxAbsDiff: number;
  /** max |b|, b being the one that is trusted. */
  readonly scale: number;
  /** ||a - b|| / ||b||; 0 where both are zero. */
  readonly relative: number;
}

type Results = Readonly<Record<string, Tensor>>;

/** One comparison for every output of either, in the order of `trusted`. */
export function compare(results: Results, trusted: Results): readonly Comparison[] {
  return [...new Set([...Object.keys(trusted), ...Object.keys(results)])].map((name) => compareTensors(name, results[name], trusted[name]));
}

/** The comparison that is furthest apart in proportion to its scale. */
export const worst = (comparisons: readonly Comparison[]): Comparison | undefined =>
  [...comparisons].sort((x, y) => y.maxAbsDiff / Math.max(y.scale, Number.MIN_VALUE) - x.maxAbsDiff / Math.max(x.scale, Number.MIN_VALUE))[0];

export function compareTensors(name: string, a: Tensor | undefined, b: Tensor | undefined): Comparison {
  const fits = a !== undefined && b !== undefined && a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);
  if (!fits) return { name, maxAbsDiff: Infinity, scale: 0, relative: Infinity };
  let [maxAbsDiff, scale, squares, square] = [0, 0, 0, 0];
  for (let i = 0; i < b.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])];
    const diff = x === y ? 0 : Math.abs(x - y);
    maxAbsDiff = Number.isNaN(diff) ? Infinity : Math.max(maxAbsDiff, diff);
    if (!Number.isNaN(y)) scale = Math.max(scale, Math.abs(y));
    squares += diff * diff;
    square += y * y;
  }
  return { name, maxAbsDiff, scale, relative: squares === 0 ? 0 : Number.isFinite(squares) ? Math.sqrt(squares / square) : Infinity };
}
