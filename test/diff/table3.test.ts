// Snapshots to be read: the released code beside the paper's network, and every row of Table 3 beside its base. Each agrees with the formulas of its parts.
import { describe, expect, it } from 'vitest';
import type { Program } from '../../compiler/program.js';
import { comparePrograms, type Comparison } from '../../runtime/report/diff/compare.js';
import { diffText } from '../../runtime/report/diff/text.js';
import { deltaInWords } from '../../runtime/report/diff/words.js';
import { DELTAS } from '../models/row-deltas.js';
import { specProgram } from './support.js';

const SPEC = 'models/tpseg.tps';
const base = specProgram(SPEC);
const words = new Map<string, string>();
const text = (c: Comparison): string => diffText(c, { colour: false, showPath: (p) => p });

/** Elements by going through the tensors that the diff names, and not by its own sums. */
function summed(c: Comparison, a: Program, b: Program): number {
  const size = (p: Program, path: string): number => {
    const t = p.tensors.find((each) => each.path === path);
    return t === undefined || t.kind !== 'param' ? 0 : t.shape.reduce((n, d) => n * d, 1) * (t.perTask ? 8 : 1);
  };
  return c.tensors.reduce((n, t) => n - size(a, t.path) + size(b, t.to ?? t.path), 0);
}

describe('Table 3, each row and its base', () => {
  const rows = ['A1', 'A2', 'A3', 'B1', 'B2', 'B3', 'B4', 'C1', 'C2', 'C3', 'C4', 'C5'];
  it.each(rows)('%s', async (row) => {
    const program = specProgram(SPEC, { variant: row });
    const before = process.cpuUsage();
    const c = comparePrograms(base, program);
    const { user } = process.cpuUsage(before);
    words.set(row, deltaInWords(c));
    await expect(text(c)).toMatchFileSnapshot(`snapshots/tpseg-${row}.txt`);
    const formula = DELTAS.find(([name]) => name === row)?.[1](8);
    expect(c.elements.b.parameters - c.elements.a.parameters).toBe(formula);
    expect(summed(c, base, program)).toBe(formula);
    expect(c.elements.b.frozen).toBe(212_149_296);
    expect(c.equal).toBe(false);
    // Hiera-L, in seconds of one core
    expect(user / 1e6).toBeLessThan(5);
  });
  it('in words, as a table has them', async () => {
    await expect([...words].map(([row, said]) => `${row}  ${said}\n`).join('')).toMatchFileSnapshot('snapshots/words.txt');
  });
  it.each(['A4', 'A5', 'C6'])('%s is the full network', (row) => {
    const c = comparePrograms(base, specProgram(SPEC, { variant: row }));
    expect(c.equal).toBe(true);
    expect(text(c)).toContain('Nothing differs that could change a number');
  });
});

it('the released code and the paper\'s network', async () => {
  const released = specProgram('models/tpseg-released.tps');
  const c = comparePrograms(base, released);
  await expect(text(c)).toMatchFileSnapshot('snapshots/tpseg-released.txt');
  // Table 5 prints both sums: 288.46 M for eight tasks is the released code's; the paper's network is derived in test/models/deltas.test.ts
  expect([c.elements.a.parameters, c.elements.b.parameters]).toEqual([290_924_995, 288_463_181]);
  expect(summed(c, base, released)).toBe(288_463_181 - 290_924_995);
  // the decoders are the same under another name
  expect(c.modules).toContainEqual(expect.objectContaining({ change: 'moved', path: 'd{1..3}', to: 'pgtd{1..3}.core' }));
});
