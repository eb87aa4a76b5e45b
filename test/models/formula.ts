// Values by a formula of path and index, inputs, and sketches of tensors: the TypeScript side of test/oracle/common.py, which says them in words.
import { readFileSync } from 'node:fs';
import { ndarray, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';

export interface Sketch { readonly shape: readonly number[]; readonly norm: number; readonly values?: readonly number[]; readonly projections?: readonly number[] }

export const golden = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../oracle/golden/${name}`, import.meta.url), 'utf8')) as T;

/** 32-bit FNV-1a of ASCII text. */
function fnv1a(path: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) h = Math.imul(h ^ path.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** uint32, one per index. */
function mixed(path: string, count: number): Uint32Array {
  const h = fnv1a(path), out = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let m = (h + Math.imul(i, 0x9e3779b9)) | 0;
    m = Math.imul(m ^ (m >>> 16), 0x85ebca6b);
    m = Math.imul(m ^ (m >>> 13), 0xc2b2ae35);
    out[i] = m ^ (m >>> 16);
  }
  return out;
}

/** r of test/oracle/common.py, in [-1, 1). */
export const noise = (path: string, shape: readonly number[]): NdArray => ndarray(shape, Float64Array.from(mixed(path, sizeOf(shape)), (m) => m / 2 ** 31 - 1));

/** The value of the parameter or prototype at a path. */
export function valueOf(path: string, shape: readonly number[]): NdArray {
  const r = noise(path, shape);
  const bound = Math.sqrt(3 / (sizeOf(shape) / (shape[0] ?? 1)));
  const law = shape.length >= 2 ? (v: number) => v * bound
    : shape.length === 0 ? (v: number) => 0.5 + 0.2 * v
      : path.endsWith('.weight') ? (v: number) => 1 + 0.2 * v : (v: number) => 0.5 * v;
  return ndarray(shape, r.data.map(law));
}

export const images = (name: string, batch: number, size: number): NdArray => noise(`image:${name}`, [batch, 3, size, size]);

export function discs(batch: number, size: number): NdArray {
  const out = new Float64Array(batch * size * size);
  for (let b = 0; b < batch; b++) {
    const cy = size * (0.35 + 0.1 * b), cx = size * (0.6 - 0.1 * b), radius = size * (0.15 + 0.05 * b);
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if ((y - cy) ** 2 + (x - cx) ** 2 < radius ** 2) out[(b * size + y) * size + x] = 1;
  }
  return ndarray([batch, 1, size, size], out);
}

/** Masks [B, 1, H, W] for an image [B, C, H, W]: 1 in the rectangle [top, bottom, left, right] of each sample, which may be missing. */
export function rectangles(spans: readonly (readonly number[])[], [batch = 1, , height = 1, width = 1]: readonly number[]): NdArray {
  const out = new Float64Array(batch * height * width);
  for (const [b, [top = 0, bottom = 0, left = 0, right = 0]] of spans.entries()) {
    for (let y = top; y < bottom; y++) out.fill(1, (b * height + y) * width + left, (b * height + y) * width + right);
  }
  return ndarray([batch, 1, height, width], out);
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** ||a - b|| for the tensor b that a sketch was made of: exact where its values are kept, else estimated from 16 projections. */
export function distance(a: ArrayLike<number>, b: Sketch): number {
  const { values, projections } = b;
  if (values !== undefined) return norm(values.map((v, i) => v - (a[i] ?? NaN)));
  if (projections === undefined) throw new Error('a sketch keeps values or projections');
  const signs = mixed('sketch', a.length);
  const differences = projections.map((p, k) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (((signs[i] as number) >>> k) & 1) === 1 ? (a[i] as number) : -(a[i] as number);
    return sum - p;
  });
  return norm(differences) / Math.sqrt(projections.length);
}
