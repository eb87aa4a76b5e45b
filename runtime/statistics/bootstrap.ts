// Bootstrap intervals (bias-corrected and accelerated, and percentile) of the mean over groups of the mean within each: what a column of averages over
// tasks shows. As SciPy's `bootstrap(groups, mean of means, method='BCa')` on the same resamples; with one group it is the plain mean.
import { streamOf } from '../random.js';
import { mean } from './moments.js';
import { normalCdf, normalQuantile } from './normal.js';

export interface BootstrapOptions {
  /** 0.95 */
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
  readonly method?: 'BCa' | 'percentile';
}
export interface Interval { readonly low: number; readonly high: number }

/** Key of the stream that draws resamples: equal groups are drawn alike in every row of a table. */
const STREAM = 'bootstrap';

const meanOfMeans = (groups: readonly (readonly number[])[]): number => mean(groups.map(mean));

/** The statistic of each resample, in the order drawn: for each resample and group as many indices as the group has values, by `int` of one stream. */
export function bootstrapDistribution(groups: readonly (readonly number[])[], { resamples, seed }: Pick<BootstrapOptions, 'resamples' | 'seed'>): Float64Array {
  const stream = streamOf(seed, STREAM);
  return Float64Array.from({ length: resamples }, () => {
    let total = 0;
    for (const values of groups) {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[stream.int(values.length)] as number;
      total += sum / values.length;
    }
    return total / groups.length;
  });
}

/** Linear between order statistics (numpy's default). `sorted` ascends. */
function quantile(sorted: Float64Array, p: number): number {
  const at = p * (sorted.length - 1), below = Math.floor(at), low = sorted[below] ?? NaN, high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (at - below) * (high - low);
}

/** Acceleration by the jackknife, one group at a time. */
function acceleration(groups: readonly (readonly number[])[]): number {
  let [cubes, squares] = [0, 0];
  for (const values of groups) {
    const n = values.length, sum = values.reduce((a, b) => a + b, 0);
    // only this group's mean moves, by which the statistic moves 1 / groups of it
    const without = values.map((x) => (sum - x) / (n - 1) / groups.length), centre = mean(without);
    const influence = without.map((x) => (n - 1) * (centre - x));
    cubes += influence.reduce((a, u) => a + u ** 3, 0) / n ** 3;
    squares += influence.reduce((a, u) => a + u ** 2, 0) / n ** 2;
  }
  return cubes / (6 * squares ** 1.5);
}

/**
 * Resamples within each group. undefined where no interval can be computed: a group of fewer than two values, or values that do not vary.
 * Efron and Tibshirani (1993), 14.3 and 15.4.
 */
export function bootstrapInterval(groups: readonly (readonly number[])[], options: BootstrapOptions): Interval | undefined {
  if (groups.length === 0 || groups.some((g) => g.length < 2) || groups.every((g) => g.every((x) => x === g[0]))) return undefined;
  const drawn = bootstrapDistribution(groups, options), alpha = (1 - options.level) / 2;
  const [low, high] = options.method === 'percentile' ? [alpha, 1 - alpha] : levels(groups, drawn, alpha);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  const sorted = drawn.slice().sort();
  return { low: quantile(sorted, low), high: quantile(sorted, high) };
}

/** The quantiles of the distribution that are the ends of the interval. */
function levels(groups: readonly (readonly number[])[], drawn: Float64Array, alpha: number): readonly [number, number] {
  const ours = meanOfMeans(groups);
  let [below, notAbove] = [0, 0];
  for (const x of drawn) { if (x < ours) below++; if (x <= ours) notAbove++; }
  const bias = normalQuantile((below + notAbove) / (2 * drawn.length)), a = acceleration(groups);
  const level = (z: number): number => normalCdf(bias + (bias + z) / (1 - a * (bias + z)));
  return [level(normalQuantile(alpha)), level(-normalQuantile(alpha))];
}
