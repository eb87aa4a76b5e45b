// The element types that files hold, their widths, and how each becomes a tensor of ours. One table.
import type { Tensor, TensorData } from '../engines/engine.js';

/** Bytes an element, by the safetensors name. */
export const BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type FileDType = keyof typeof BYTES;
export const isFileDType = (v: unknown): v is FileDType => typeof v === 'string' && Object.hasOwn(BYTES, v);
/** What files that we write call our dtypes. */
export const WRITTEN = { f32: 'F32', i64: 'I64', bool: 'BOOL' } as const;

export const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A tensor of ours from little-endian bytes. Floats become f32 (F64 is rounded, the narrow ones widen exactly), integers i64. */
export function tensorOf(dtype: FileDType, shape: readonly number[], bytes: Uint8Array<ArrayBuffer>): Tensor {
  const whole = (values: Int8Array | Int16Array | Int32Array | Uint8Array): Tensor => ({ dtype: 'i64', shape, data: BigInt64Array.from(values, BigInt) });
  switch (dtype) {
    case 'F64': return { dtype: 'f32', shape, data: Float32Array.from(new Float64Array(bytes.buffer)) };
    case 'F32': return { dtype: 'f32', shape, data: new Float32Array(bytes.buffer) };
    case 'F16': return { dtype: 'f32', shape, data: Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat) };
    // A bfloat16 is the upper half of a float32.
    case 'BF16': return { dtype: 'f32', shape, data: new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (h) => h * 65536).buffer) };
    case 'I64': return { dtype: 'i64', shape, data: new BigInt64Array(bytes.buffer) };
    case 'I32': return whole(new Int32Array(bytes.buffer));
    case 'I16': return whole(new Int16Array(bytes.buffer));
    case 'I8': return whole(new Int8Array(bytes.buffer));
    case 'U8': return whole(bytes);
    case 'BOOL': return { dtype: 'bool', shape, data: bytes };
    default: return dtype satisfies never;
  }
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Whether weights of this type can fill an f32 tensor. */
export const isFloat = (dtype: FileDType): boolean => dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';

/** The first element of a float type that is not a number, or -1. `bytes` begins at the beginning of a buffer and holds whole elements. */
export function placeOfNaN(dtype: FileDType, bytes: Uint8Array<ArrayBuffer>): number {
  const { buffer, byteLength } = bytes, width = BYTES[dtype], length = byteLength / width;
  switch (dtype) {
    case 'F64': return new Float64Array(buffer, 0, length).findIndex(Number.isNaN);
    // By the bits: all exponent bits set and some of the fraction. A loop, because a checkpoint holds hundreds of millions.
    case 'F32': {
      const bits = new Uint32Array(buffer, 0, length);
      for (let i = 0; i < length; i++) if (((bits[i] as number) & 0x7fffffff) > 0x7f800000) return i;
      return -1;
    }
    case 'F16': case 'BF16': {
      const bits = new Uint16Array(buffer, 0, length), infinity = dtype === 'F16' ? 0x7c00 : 0x7f80;
      for (let i = 0; i < length; i++) if (((bits[i] as number) & 0x7fff) > infinity) return i;
      return -1;
    }
    default: return -1;
  }
}
