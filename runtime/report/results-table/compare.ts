// Rows against the baseline: images paired, seeds averaged per image first. Dice only: the default mIoU is of a data set and has no value of an image.
import { dice, type ImageCounts } from '../../metrics/index.js';
import { bootstrapInterval, holm, mean, wilcoxon } from '../../statistics/index.js';
import type { Comparison, ResultsTable } from './table.js';

export const BOOTSTRAP: ResultsTable['bootstrap'] = { method: 'BCa', level: 0.95, resamples: 9999, seed: 0 };

/** Counts of each seed that has all tasks. */
export type SeedCounts = ReadonlyMap<number, readonly ImageCounts[]>;

const key = (c: ImageCounts): string => JSON.stringify([c.task, c.image]);

/** Dice of each image, its mean over the seeds, by the JSON of [task, image]. */
export function perImage(counts: SeedCounts, seeds: readonly number[]): ReadonlyMap<string, number> {
  const values = new Map<string, number[]>();
  for (const seed of seeds) for (const c of counts.get(seed) ?? []) values.set(key(c), [...(values.get(key(c)) ?? []), dice(c)]);
  return new Map([...values].map(([image, each]) => [image, mean(each)]));
}

/** Without Holm: one row. undefined where row and baseline have no seed in common. */
export function comparisonOf(row: SeedCounts, baseline: SeedCounts, tasks: readonly string[]): Comparison | undefined {
  const seeds = [...baseline.keys()].filter((seed) => row.has(seed)), [first] = seeds;
  if (first === undefined) return undefined;
  const ours = perImage(row, seeds), theirs = perImage(baseline, seeds), images = baseline.get(first) ?? [];
  const groups = tasks.map((task) => images.filter((c) => c.task === task).map((c) => (ours.get(key(c)) ?? NaN) - (theirs.get(key(c)) ?? NaN)));
  const all = groups.flat(), test = wilcoxon(all), interval = bootstrapInterval(groups, BOOTSTRAP);
  return {
    seeds, images: all.length, difference: mean(groups.map(mean)),
    ...(interval === undefined ? {} : { interval }),
    ...(Number.isNaN(test.p) || test.used === 0 ? {} : { test: { ...test, adjusted: test.p } }),
  };
}

/** The p-values of all rows corrected together. */
export function corrected(comparisons: readonly (Comparison | undefined)[]): readonly (Comparison | undefined)[] {
  const adjusted = holm(comparisons.flatMap((c) => c?.test?.p ?? []))[Symbol.iterator]();
  return comparisons.map((c) => (c?.test === undefined ? c : { ...c, test: { ...c.test, adjusted: Number(adjusted.next().value) } }));
}
