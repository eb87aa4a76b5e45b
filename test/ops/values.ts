// Values for op cases: small, deterministic, exact in float32, without ties and away from kinks. No case stands here.
import { evaluateDim, symbol, type Dim } from '../../compiler/ir/dim.js';
import type { TensorType } from '../../compiler/ir/graph.js';
import { ndarray, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';

/** The symbolic batch, and the size that it has in the cases. */
export const B: Dim = symbol('B');
export const SIZES: Readonly<Record<string, number>> = { B: 2 };

/** An input of a case: its type, whose dims may hold `B`, and its value at `SIZES`. */
export interface Value { readonly type: TensorType; readonly value: NdArray }

/** mulberry32: uniform in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const sizes = (shape: readonly Dim[]): readonly number[] => shape.map((d) => evaluateDim(d, SIZES));

function shuffled(values: Float64Array, seed: number): Float64Array {
  const draw = random(seed);
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

/** Evenly spaced values from low to high in a random order: all distinct, none 0 where the range is symmetric. */
export function f32(shape: readonly Dim[], { low = -1.6, high = 1.6, seed = 1 } = {}): Value {
  const n = sizeOf(sizes(shape));
  const spaced = Float64Array.from({ length: n }, (_, i) => Math.fround(low + ((high - low) * (i + 0.5)) / n + (high - low) / (7.3 * n)));
  return { type: { dtype: 'f32', shape }, value: ndarray(sizes(shape), shuffled(spaced, seed + n)) };
}
export const positive = (shape: readonly Dim[], seed = 1): Value => f32(shape, { low: 0.3, high: 2.5, seed });
export const exactly = (shape: readonly Dim[], values: readonly number[]): Value =>
  ({ type: { dtype: 'f32', shape }, value: ndarray(sizes(shape), values.map(Math.fround)) });
export const i64 = (shape: readonly Dim[], values: readonly number[]): Value =>
  ({ type: { dtype: 'i64', shape }, value: ndarray(sizes(shape), values) });
export function bool(shape: readonly Dim[], seed = 1): Value {
  const n = sizeOf(sizes(shape));
  return { type: { dtype: 'bool', shape }, value: ndarray(sizes(shape), shuffled(Float64Array.from({ length: n }, (_, i) => i % 2), seed + n)) };
}
