// Tests and intervals agree with SciPy's, on recorded scores of an ablation and on small cases with ties and zeros. The golden file is test/oracle/statistics.py's.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import { dice } from '../../runtime/metrics/index.js';
import { bootstrapDistribution, bootstrapInterval, holm, normalQuantile, normalTail, wilcoxon } from '../../runtime/statistics/index.js';

interface Tested { readonly statistic: number; readonly p: number }
interface Drawn { readonly first: readonly number[]; readonly BCa: readonly number[]; readonly percentile: readonly number[]; readonly own: { readonly BCa: readonly number[]; readonly error: number } }
interface RowGolden { readonly wilcoxon: Tested; readonly bootstrap: Drawn }
interface Golden {
  readonly options: { readonly resamples: number; readonly seed: number; readonly level: number };
  readonly tail: readonly (readonly [number, number])[];
  readonly quantile: readonly (readonly [number, number])[];
  readonly wilcoxon: readonly (Tested & { readonly name: string; readonly d: readonly number[] })[];
  readonly holm: readonly (readonly [readonly number[], readonly number[]])[];
  readonly recorded: { readonly baseline: string; readonly rows: Readonly<Record<string, RowGolden & { readonly perTask: Readonly<Record<string, RowGolden>> }>>; readonly holm: readonly number[] };
}
const folder = join(packageRoot, 'test', 'oracle', 'golden');
const golden = JSON.parse(readFileSync(join(folder, 'statistics.json'), 'utf8')) as Golden;
const relative = (a: number, b: number): number => (a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)));

describe('the normal distribution', () => {
  it.each(golden.tail)('P(Z > %d) = %d', (z, p) => { expect(relative(normalTail(z), p)).toBeLessThan(1e-12); });
  it.each(golden.quantile)('P(Z <= z) = %d at %d', (p, z) => { expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-9); });
});

describe('wilcoxon', () => {
  it.each(golden.wilcoxon.map((c) => [c.name, c] as const))('%s', (name, c) => {
    const ours = wilcoxon(c.d);
    expect(ours.statistic).toBe(c.statistic);
    expect(relative(ours.p, c.p)).toBeLessThan(1e-11);
    if (name.startsWith('exact') || name.startsWith('normal')) expect(name.startsWith(ours.method)).toBe(true);
  });
});

describe('holm', () => {
  it.each(golden.holm)('%j -> %j', (ps, adjusted) => { holm(ps).forEach((p, i) => expect(p).toBeCloseTo(adjusted[i]!, 14)); });
});

describe('recorded scores', () => {
  // row -> task -> image -> Dice of each seed
  const scores = new Map<string, Map<string, Map<string, number[]>>>();
  for (const line of readFileSync(join(folder, 'statistics-counts.csv'), 'utf8').trim().split('\n').slice(1)) {
    const [row, , task, image, ...counts] = line.split(',') as [string, string, string, string, ...string[]];
    const [tp, fp, fn, tn] = counts.map(Number) as [number, number, number, number];
    const tasks = scores.get(row) ?? new Map<string, Map<string, number[]>>(), images = tasks.get(task) ?? new Map<string, number[]>();
    scores.set(row, tasks.set(task, images.set(image, [...(images.get(image) ?? []), dice({ tp, fp, fn, tn })])));
  }
  const average = (row: string, task: string, image: string): number => { const seeds = scores.get(row)!.get(task)!.get(image)!; return seeds.reduce((a, b) => a + b, 0) / seeds.length; };
  const differences = (row: string): ReadonlyMap<string, readonly number[]> =>
    new Map([...scores.get(golden.recorded.baseline)!].map(([task, images]) => [task, [...images.keys()].map((image) => average(row, task, image) - average(golden.recorded.baseline, task, image))]));

  const agrees = (groups: readonly (readonly number[])[], expected: RowGolden): void => {
    const tested = wilcoxon(groups.flat());
    expect(tested.statistic).toBe(expected.wilcoxon.statistic);
    expect(relative(tested.p, expected.wilcoxon.p)).toBeLessThan(1e-10);
    bootstrapDistribution(groups, { resamples: 5, seed: golden.options.seed }).forEach((x, i) => expect(x).toBeCloseTo(expected.bootstrap.first[i]!, 13));
    for (const method of ['BCa', 'percentile'] as const) {
      const ours = bootstrapInterval(groups, { ...golden.options, method })!;
      expect(ours.low).toBeCloseTo(expected.bootstrap[method][0]!, 10);
      expect(ours.high).toBeCloseTo(expected.bootstrap[method][1]!, 10);
    }
  };

  it.each(Object.entries(golden.recorded.rows))('%s against the baseline, images resampled within their task', (row, expected) => {
    expect(scores.get(row)!.size).toBe(7);
    agrees([...differences(row).values()], expected);
  });
  it.each(Object.entries(golden.recorded.rows))('%s, near SciPy\'s interval on a million resamples of its own', (row, { bootstrap: { own } }) => {
    const ours = bootstrapInterval([...differences(row).values()], golden.options)!;
    // what 9999 resamples leave open at an end: some hundredths of the standard error
    expect(Math.abs(ours.low - own.BCa[0]!)).toBeLessThan(0.15 * own.error);
    expect(Math.abs(ours.high - own.BCa[1]!)).toBeLessThan(0.15 * own.error);
  });
  it.each(Object.entries(golden.recorded.rows))('%s, each task by itself', (row, expected) => {
    for (const [task, each] of Object.entries(expected.perTask)) agrees([differences(row).get(task)!], each);
  });
  it('Holm over the rows', () => {
    const ps = Object.keys(golden.recorded.rows).map((row) => wilcoxon([...differences(row).values()].flat()).p);
    holm(ps).forEach((p, i) => expect(relative(p, golden.recorded.holm[i]!)).toBeLessThan(1e-10));
  });
});

describe('bootstrapInterval', () => {
  it('has no interval where none can be computed', () => {
    const options = { level: 0.95, resamples: 99, seed: 0 };
    expect(bootstrapInterval([], options)).toBeUndefined();
    expect(bootstrapInterval([[1, 2, 3], [4]], options)).toBeUndefined();
    expect(bootstrapInterval([[0.1, 0.1, 0.1], [0, 0]], options)).toBeUndefined();
  });
});
