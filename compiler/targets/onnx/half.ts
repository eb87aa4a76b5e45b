// Numbers as IEEE 754 half precision, bit by bit: files hold them, JavaScript has no array of them.

/** The largest finite half. */
export const HALF_MAX = 65504;

const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/** The bits of the nearest half, ties to even; beyond the largest, infinity. */
export function halfBits(value: number): number {
  float[0] = value;
  const word = bits[0] as number, sign = (word >>> 16) & 0x8000, magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 is half way to what would be the next half: it and all above are infinite.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) return sign | nearestEven(Math.abs(Math.fround(value)) * 2 ** 24);
  // The exponent's bias goes from 127 to 15 and 13 bits of the mantissa go; a carry out of it rightly raises the exponent.
  return sign | nearestEven((magnitude - 0x38000000) / 0x2000);
}

function nearestEven(x: number): number {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

export const halves = (data: Float64Array | Float32Array): Uint16Array => Uint16Array.from(data, halfBits);
