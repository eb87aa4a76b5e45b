// A plain tensor of the core: row-major float64, whatever the dtype it stands for (bool as 0 and 1).
export interface NdArray { readonly shape: readonly number[]; readonly data: Float64Array }

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const ndarray = (shape: readonly number[], data: Float64Array | readonly number[]): NdArray =>
  ({ shape, data: data instanceof Float64Array ? data : Float64Array.from(data) });
export const zeros = (shape: readonly number[]): NdArray => ndarray(shape, new Float64Array(sizeOf(shape)));
export const filled = (shape: readonly number[], value: number): NdArray => ndarray(shape, new Float64Array(sizeOf(shape)).fill(value));
export const scalar = (value: number): NdArray => ndarray([], [value]);

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] ?? 1;
  }
  return strides;
}

export const isNdArray = (v: unknown): v is NdArray => typeof v === 'object' && v !== null && 'data' in v && (v as NdArray).data instanceof Float64Array;
