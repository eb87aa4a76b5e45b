import { describe, expect, test } from 'vitest';
import { HALF_MAX, halfBits, halves } from '../../compiler/targets/onnx/half.js';

/** IEEE 754 binary16, by its definition. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

describe('halves', () => {
  test('every half is itself', () => {
    for (let bits = 0; bits < 0x10000; bits++) if (!Number.isNaN(valueOf(bits))) expect(halfBits(valueOf(bits))).toBe(bits);
    expect(valueOf(halfBits(NaN))).toBeNaN();
  });
  test('what lies between goes to the nearer one, a tie to the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const [low, high] = [valueOf(bits), valueOf(bits + 1)], middle = (low + high) / 2;
      expect(halfBits(Math.fround(middle))).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(halfBits(Math.fround(middle - (high - low) / 8))).toBe(bits);
      expect(halfBits(Math.fround(-middle - (high - low) / 8))).toBe(0x8000 | (bits + 1));
    }
  });
  test('from half way beyond the largest on they are infinite', () => {
    expect([...halves(Float32Array.of(HALF_MAX, 65519, 65520, -1e9))].map(valueOf)).toEqual([65504, 65504, Infinity, -Infinity]);
  });
});
