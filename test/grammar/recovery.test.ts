// Random damage, as `docs` and the grammar notes measure it: one error for one damaged token, on its line; ten slips found, none invented.
// Figures to beat: 99 % one error; of ten, 96 % found and 12 % invented.
import { describe, expect, it } from 'vitest';
import { parse } from '../../grammar/index.js';
import { single, ten } from './damage.js';
import { fixture } from './read.js';

const harbour = fixture('harbour.tps');

describe('random damage to a text of a hundred lines', () => {
  it('starts from a text without mistakes', () => {
    expect(parse(harbour, 'harbour.tps').diagnostics).toEqual([]);
  });

  it('one damaged token gives one error, on its line', () => {
    const { broken, byCount, onLine } = single(harbour, 200, 11);
    expect(broken).toBeGreaterThan(150);
    expect(byCount[0] / broken).toBeGreaterThanOrEqual(0.99);
    expect(onLine / broken).toBeGreaterThanOrEqual(0.98);
  });

  it('ten damaged tokens are found, and nothing is invented', () => {
    const { found, invented } = ten(harbour, 25, 7);
    expect(found).toBeGreaterThanOrEqual(0.96);
    expect(invented).toBeLessThanOrEqual(0.02);
  });
});
