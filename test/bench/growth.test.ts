// The pure parts of the measurements: exponents, networks of other sizes, and what counts as growing too fast.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exponent, growth, within } from '../../bench/growth.js';
import { NANO, scaledSpec } from '../../bench/scaled-spec.js';
import { scalingOf, type Measured } from '../../bench/scaling.js';
import { trainable } from '../../bench/subject.js';
import { elementsOf } from '../../compiler/elements.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import { inspectProgram } from '../../runtime/report/counts.js';

describe('exponents', () => {
  const power = (p: number): { x: number; y: number }[] => [1, 2, 4, 8].map((x) => ({ x, y: 3 * x ** p }));
  it('of power laws are their powers', () => {
    for (const p of [0, 0.5, 1, 2]) expect(exponent(power(p))).toBeCloseTo(p, 10);
  });
  it('of one size there are none', () => { expect(exponent([{ x: 2, y: 3 }, { x: 2, y: 4 }])).toBeNaN(); });
  it('growth looks past fixed costs: 100 + x^2 is nearly x^2 where x is large', () => {
    const points = [1, 4, 64, 256, 1024].map((x) => ({ x, y: 100 + x * x }));
    expect(exponent(points)).toBeLessThan(1.6);
    expect(growth(points)).toBeGreaterThan(1.95);
  });
  it('nothing but what grows faster than everything there is to do is amiss', () => {
    expect(within(1.1, [1, 0])).toBe(true);
    expect(within(1.1, [0, 1])).toBe(true);
    expect(within(1.4, [1, 1])).toBe(false);
  });
});

it('a compile time in the square of the tasks is found', () => {
  const points = [2, 8, 32].map((size): Measured => ({ size, macs: 1e9, parameters: 1e6 * size, nodes: 1000, step: 0.2, memory: 1e8 + 4e6 * size, compile: size ** 2 }));
  const { growth: g, faster } = scalingOf('tasks', points);
  expect(g.macs).toBeCloseTo(0, 10);
  expect(g.compile).toBeCloseTo(2, 10);
  expect(faster).toEqual(['compile']);
});

describe('networks like the nano one', () => {
  const made = (text: string): Program => {
    const folder = mkdtempSync(join(tmpdir(), 'scaled-'));
    try {
      writeFileSync(join(folder, 'net.tps'), text);
      return trainable({ file: join(folder, 'net.tps'), set: { size: '64' } }).program;
    } finally { rmSync(folder, { recursive: true }); }
  };
  it('have the blocks, tasks and widths that were asked for', () => {
    const plain = made(scaledSpec(NANO)), other = made(scaledSpec({ blocks: 10, tasks: 3, widths: 2 }));
    const blocks = (p: Program): number => new Set(inspectProgram(p).modules.map((m) => /^enc\.blocks\.(\d+)$/.exec(m.path)?.[1]).filter((n) => n !== undefined)).size;
    expect([blocks(plain), blocks(other)]).toEqual([7, 10]);
    expect(taskCodes(other)).toEqual(['T0', 'T1', 'T2']);
    expect(elementsOf(plain).parameters).toBe(elementsOf(trainable({ file: 'models/tpseg-nano.tps', block: 'main', set: {} }).program).parameters);
    expect(other.tensors.find((t) => t.path === 'enc.patch_embed.weight')?.shape).toEqual([64, 3, 7, 7]);
  });
});
