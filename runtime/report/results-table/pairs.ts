// Two rows of a table beside each other: the paired test by itself, and which images changed most. No files are read and nothing is printed here.
import { comparisonOf, perImage, type SeedCounts } from './compare.js';
import { wholeSeeds } from './build.js';
import type { RowRuns } from './rows.js';
import type { Comparison } from './table.js';

/** Dice of an image, averaged over the seeds that both rows have. */
export interface ImageChange { readonly task: string; readonly image: string; readonly a: number; readonly b: number; /** b less a */ readonly change: number }

export interface RowPair {
  /** Indices of the rows. */
  readonly a: number;
  readonly b: number;
  /** B against A, without correction for other pairs; absent where they have no seed with all tasks in common. */
  readonly comparison?: Comparison;
  /** The greatest change first; equal ones by name. */
  readonly changes: readonly ImageChange[];
}

/** The images that both have, by the size of the change. */
export function changesOf(a: SeedCounts, b: SeedCounts, seeds: readonly number[]): readonly ImageChange[] {
  const [before, after] = [perImage(a, seeds), perImage(b, seeds)];
  const changes = [...before].flatMap(([key, value]): ImageChange[] => {
    const now = after.get(key), [task = '', image = ''] = JSON.parse(key) as readonly string[];
    return now === undefined ? [] : [{ task, image, a: value, b: now, change: now - value }];
  });
  return changes.sort((x, y) => Math.abs(y.change) - Math.abs(x.change) || (x.image < y.image ? -1 : 1));
}

/** Each two rows that have runs, the baseline (else the first) before the others. `first`: pairs with this row alone. */
export function pairsOf(rows: readonly RowRuns[], tasks: readonly string[], first?: string): readonly RowPair[] {
  const order = rows.flatMap((row, i) => (row.runs.length === 0 ? [] : [i])).sort((a, b) => Number(rows[b]?.baseline === true) - Number(rows[a]?.baseline === true));
  const counts = rows.map((row) => wholeSeeds(row, tasks));
  return order.flatMap((a, k) => order.slice(k + 1).flatMap((b): RowPair[] => {
    const [ours, theirs] = [counts[b], counts[a]];
    if (ours === undefined || theirs === undefined || (first !== undefined && rows[a]?.name !== first && rows[b]?.name !== first)) return [];
    const comparison = comparisonOf(ours, theirs, tasks);
    return [{ a, b, ...(comparison === undefined ? {} : { comparison }), changes: changesOf(theirs, ours, comparison?.seeds ?? []) }];
  }));
}
