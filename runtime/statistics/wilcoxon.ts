// Wilcoxon's signed-rank test of paired differences, two-sided, as SciPy's `wilcoxon(d)` with its defaults: zero_method 'wilcox', no continuity
// correction, method 'auto'. Only the test: what is paired with what is the caller's matter.
import { normalTail } from './normal.js';

export interface SignedRank {
  /** The smaller of the sums of ranks of positive and of negative differences. */
  readonly statistic: number;
  /** Two-sided; NaN where no difference is other than zero and there are too many to count signs. */
  readonly p: number;
  /** `exact`: over all signs that the differences could have had, ties and all; `normal`: the approximation, its variance corrected for ties. */
  readonly method: 'exact' | 'normal';
  /** Differences other than zero. */
  readonly used: number;
}

/** SciPy's 'auto': exact up to here where there are neither ties nor zeros … */
const MOST_EXACT = 50;
/** … and up to here where there are. */
const MOST_EXACT_TIED = 13;

/** Ranks from 1 of the absolute values, ties sharing the mean of theirs; and how large each group of equals is. */
function midRanks(values: readonly number[]): { readonly ranks: readonly number[]; readonly groups: readonly number[] } {
  const order = values.map((_, i) => i).sort((a, b) => Math.abs(values[a] as number) - Math.abs(values[b] as number));
  const ranks = new Array<number>(values.length), groups: number[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    const size = Math.abs(values[order[from] as number] as number);
    while (to < order.length && Math.abs(values[order[to] as number] as number) === size) to++;
    for (const i of order.slice(from, to)) ranks[i] = (from + 1 + to) / 2;
    groups.push(to - from);
  }
  return { ranks, groups };
}

/** Of all 2^n signs, the share under which the positive ranks sum to at most, and to at least, `sum`. Ranks are multiples of a half. */
function shares(ranks: readonly number[], sum: number): { readonly atMost: number; readonly atLeast: number } {
  const doubled = ranks.map((r) => Math.round(2 * r)), top = doubled.reduce((a, b) => a + b, 0), at = Math.round(2 * sum);
  // probability of each doubled sum: a rank is positive or not with a half each
  const chance = new Float64Array(top + 1);
  chance[0] = 1;
  let reached = 0;
  for (const r of doubled) {
    reached += r;
    for (let s = reached; s >= 0; s--) chance[s] = 0.5 * (chance[s] as number) + (s >= r ? 0.5 * (chance[s - r] as number) : 0);
  }
  const total = (from: number, to: number): number => chance.subarray(from, to).reduce((a, b) => a + b, 0);
  return { atMost: total(0, at + 1), atLeast: total(at, top + 1) };
}

/** Throws where there is no difference at all, or one that is no number. */
export function wilcoxon(differences: readonly number[]): SignedRank {
  if (differences.length === 0) throw new Error('no difference to test');
  if (!differences.every(Number.isFinite)) throw new Error('a difference is no number');
  const d = differences.filter((x) => x !== 0), n = d.length;
  const { ranks, groups } = midRanks(d);
  const positive = d.reduce((sum, x, i) => (x > 0 ? sum + (ranks[i] as number) : sum), 0);
  const whole = n * (n + 1) / 2, statistic = Math.min(positive, whole - positive);
  const plain = n === differences.length && groups.every((g) => g === 1);
  if (differences.length <= (plain ? MOST_EXACT : MOST_EXACT_TIED)) {
    const { atMost, atLeast } = shares(ranks, positive);
    return { statistic, p: Math.min(1, 2 * Math.min(atMost, atLeast)), method: 'exact', used: n };
  }
  const ties = groups.reduce((sum, g) => sum + (g ** 3 - g), 0);
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1) - ties / 2) / 24);
  const z = (positive - whole / 2) / deviation;
  return { statistic, p: Math.min(1, 2 * normalTail(Math.abs(z))), method: 'normal', used: n };
}
