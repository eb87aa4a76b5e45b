import { describe, expect, it } from 'vitest';
import { shuffled, streamOf } from '../../runtime/random.js';

describe('streams of random numbers', () => {
  it('are the same for the same seed and key, for ever', () => {
    const stream = streamOf(7, 'enc.blocks.0.qkv.weight');
    expect([stream.next(), stream.next(), stream.normal(), stream.int(1000)]).toMatchInlineSnapshot(`
      [
        0.45637326573222614,
        0.18418924878669496,
        -0.31880652866682413,
        312,
      ]
    `);
  });

  it('share nothing between keys or seeds', () => {
    const first = (seed: number, key: string): number[] => { const s = streamOf(seed, key); return Array.from({ length: 2000 }, () => s.next() - 0.5); };
    const correlation = (a: number[], b: number[]): number => (12 * a.reduce((sum, v, i) => sum + v * b[i]!, 0)) / a.length;
    expect(correlation(first(1, 'a'), first(1, 'a'))).toBeCloseTo(1, 1);
    for (const [seed, key] of [[1, 'b'], [2, 'a'], [11, ''], [1, '1/a']] as const) expect(Math.abs(correlation(first(1, 'a'), first(seed, key)))).toBeLessThan(0.08);
  });

  it('are uniform and normal in their first four moments', () => {
    const s = streamOf(3, 'moments'), n = 40_000;
    const uniform = Array.from({ length: n }, () => s.next()), normal = Array.from({ length: n }, () => s.normal());
    const moment = (values: number[], k: number): number => values.reduce((sum, v) => sum + v ** k, 0) / n;
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    [1 / 2, 1 / 3, 1 / 4, 1 / 5].forEach((m, k) => expect(moment(uniform, k + 1)).toBeCloseTo(m, 1.7));
    [0, 1, 0, 3].forEach((m, k) => expect(Math.abs(moment(normal, k + 1) - m)).toBeLessThan(0.12));
  });

  it('shuffle reaches every order about equally often', () => {
    const seen = new Map<string, number>();
    for (let k = 0; k < 3000; k++) { const key = shuffled(['a', 'b', 'c'], streamOf(k, 'order')).join(''); seen.set(key, (seen.get(key) ?? 0) + 1); }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});
