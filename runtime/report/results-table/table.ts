// The one model of a table of results: columns, rows, cells with their spread, the comparison with the baseline, and what the numbers mean. How it is
// printed is the renderers' matter; where the numbers come from is `build.ts`'s.
import type { CountName } from '../../../compiler/study.js';
import type { MiouDefinition } from '../../metrics/index.js';
import type { SignedRank } from '../../statistics/index.js';

export interface TableColumn {
  /** `BT.dice`, `average.miou`, `parameters`, `seconds`. */
  readonly id: string;
  readonly kind: 'score' | 'count' | 'time';
  readonly measure: 'dice' | 'miou' | CountName | 'seconds';
  /** Of a score: its task, or the average over tasks. */
  readonly of?: string;
  /** `Dice`, `parameters`, `time`. */
  readonly title: string;
}

/** A number that was measured; a cell without enough data is absent. */
export interface TableCell {
  /** Scores in [0, 1]; seconds; elements; multiply-adds. */
  readonly mean: number;
  /** Sample standard deviation over seeds; absent with one seed, and of counts. */
  readonly deviation?: number;
  /** Of each seed that has the number, in the order of the row's seeds; one of a count. */
  readonly values: readonly number[];
  /** Among the rows, by the number as it is printed; ties share. */
  readonly mark?: 'best' | 'second';
}

/** A row against the baseline, on the images and seeds that both have. */
export interface Comparison {
  readonly seeds: readonly number[];
  readonly images: number;
  /** Average Dice less the baseline's. */
  readonly difference: number;
  /** Absent where it cannot be computed: nothing varies, or a task has one image. */
  readonly interval?: { readonly low: number; readonly high: number };
  /** Absent where no test can be made: all differences are zero. */
  readonly test?: SignedRank & { /** Holm, over the rows that have a test. */ readonly adjusted: number };
}

export interface TableRow {
  readonly name: string;
  readonly label: string;
  /** What it changes of the baseline, in words. */
  readonly delta?: string;
  readonly baseline: boolean;
  /** Networks of one task each, where they are several; counts are of one of them. */
  readonly networks: number;
  readonly seeds: readonly number[];
  /** By column; absent where there is not enough data. */
  readonly cells: Readonly<Record<string, TableCell>>;
  /** By column, as printed there. */
  readonly published: Readonly<Record<string, string>>;
  readonly comparison?: Comparison;
}

export interface ResultsTable {
  readonly format: 1;
  readonly title: string;
  readonly split: string;
  readonly checkpoint: 'last' | 'best';
  readonly at: 'network' | 'original';
  readonly miou: MiouDefinition;
  /** Absent where no spec of a run can be compiled any more. */
  readonly threshold?: number;
  /** One of each kind that occurs. */
  readonly validation: readonly string[];
  readonly budget: string;
  /** Fingerprints of the data. */
  readonly data: readonly string[];
  readonly tasks: readonly string[];
  /** By task. */
  readonly images: Readonly<Record<string, number>>;
  readonly seeds: readonly number[];
  readonly baseline?: string;
  readonly published?: string;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
  readonly bootstrap: { readonly method: 'BCa'; readonly level: number; readonly resamples: number; readonly seed: number };
  /** Sentences. */
  readonly caption: readonly string[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** The average over tasks, where a task's code would stand. */
export const AVERAGE = 'average';
