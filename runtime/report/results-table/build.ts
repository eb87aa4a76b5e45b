// From rows of scored runs to the table. No files are read and nothing is printed here.
import type { StudyColumn } from '../../../compiler/study.js';
import { scoreOf, type ImageCounts, type MiouDefinition } from '../../metrics/index.js';
import { mean, sampleDeviation } from '../../statistics/index.js';
import type { Counts } from '../group-counts.js';
import type { Published } from '../published.js';
import type { ScoringRule } from './agree.js';
import { captionOf } from './caption.js';
import { columnsOf, publishedOf } from './columns.js';
import { BOOTSTRAP, comparisonOf, corrected, type SeedCounts } from './compare.js';
import { marked } from './marks.js';
import type { RowRuns } from './rows.js';
import type { Choice } from './runs.js';
import { AVERAGE, type ResultsTable, type TableCell, type TableColumn, type TableRow } from './table.js';

/** What is known of a row's network without running it. */
export interface RowNetwork extends ScoringRule {
  readonly counts: Counts;
  /** What it changes of the baseline, in words. */
  readonly delta?: string;
}

export interface TableRequest {
  readonly title: string;
  readonly choice: Choice;
  readonly miou: MiouDefinition;
  readonly rows: readonly RowRuns[];
  /** By name of a row; absent where its spec can no longer be compiled, or it has no run. */
  readonly networks: ReadonlyMap<string, RowNetwork>;
  /** Name of a row. */
  readonly baseline?: string;
  /** Of the studies: what is said where no row's spec can be compiled. */
  readonly threshold?: number;
  /** Codes in the order wanted; those that no run has are left out. */
  readonly tasks: readonly string[];
  /** The study's columns; none: Dice and mIoU of every task and their average. */
  readonly columns: readonly StudyColumn[];
  readonly published?: Published;
  readonly time: boolean;
  readonly notes: readonly string[];
}

/** Rows keep their order. Seeds that have only some of the tasks count where a row has no other: else its columns would be of different seeds. */
export function buildTable(request: TableRequest): ResultsTable {
  const { choice, miou, published } = request, runs = request.rows.flatMap((r) => r.runs);
  const found = [...new Set(runs.flatMap((r) => r.counts.map((c) => c.task)))];
  const tasks = [...request.tasks.filter((t) => found.includes(t)), ...found.filter((t) => !request.tasks.includes(t))];
  const rows = request.rows.map((row) => wholeOf(row, tasks));
  const columns = columnsOf(tasks, request.columns, request.time);
  const base = rows.find((r) => r.name === request.baseline), baseCounts = base === undefined ? undefined : wholeSeeds(base, tasks);
  const comparisons = corrected(rows.map((row) => (row === base || baseCounts === undefined ? undefined : comparisonOf(wholeSeeds(row, tasks), baseCounts, tasks))));
  const made = rows.map((row, i): TableRow => {
    const network = request.networks.get(row.name), comparison = comparisons[i];
    return {
      name: row.name, label: row.label, ...(network?.delta === undefined ? {} : { delta: network.delta }), baseline: row === base, networks: row.networks, seeds: seedsOf(row),
      cells: Object.fromEntries(columns.flatMap((c) => { const cell = cellOf(c, row, tasks, network, miou); return cell === undefined ? [] : [[c.id, cell]]; })),
      published: published === undefined ? {} : publishedOf(published, request.columns, tasks, row),
      ...(comparison === undefined ? {} : { comparison }),
    };
  });
  const rules = [...request.networks.values()], threshold = rules[0]?.threshold ?? request.threshold;
  const table = {
    format: 1 as const, title: request.title, ...choice, miou, ...(threshold === undefined ? {} : { threshold }), validation: [...new Set(rules.map((r) => r.validation))],
    budget: runs[0]?.budget ?? '', data: [...new Set(runs.map((r) => r.data))], tasks, images: imagesOf(runs.map((r) => r.counts), tasks), seeds: [...new Set(rows.flatMap(seedsOf))].sort((a, b) => a - b),
    ...(base === undefined ? {} : { baseline: base.name }), ...(published === undefined ? {} : { published: published.path }),
    columns, rows: marked(made, columns), bootstrap: BOOTSTRAP, notes: request.notes,
  };
  return { ...table, caption: captionOf(table) };
}

const seedsOf = (row: RowRuns): readonly number[] => [...new Set(row.runs.map((r) => r.seed))].sort((a, b) => a - b);

/** Counts of a seed, of all its networks. */
const countsOf = (row: RowRuns, seed: number): readonly ImageCounts[] => row.runs.filter((r) => r.seed === seed).flatMap((r) => r.counts);

const hasAll = (counts: readonly ImageCounts[], tasks: readonly string[]): boolean => tasks.every((t) => counts.some((c) => c.task === t));

function wholeOf(row: RowRuns, tasks: readonly string[]): RowRuns {
  const whole = seedsOf(row).filter((seed) => hasAll(countsOf(row, seed), tasks));
  return whole.length === 0 ? row : { ...row, runs: row.runs.filter((r) => whole.includes(r.seed)) };
}

export function wholeSeeds(row: RowRuns, tasks: readonly string[]): SeedCounts {
  return new Map(seedsOf(row).map((seed) => [seed, countsOf(row, seed)] as const).filter(([, counts]) => hasAll(counts, tasks)));
}

/** How many of each task: the same in every run that has it. */
const imagesOf = (runs: readonly (readonly ImageCounts[])[], tasks: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(tasks.map((task) => [task, runs.find((counts) => counts.some((c) => c.task === task))?.filter((c) => c.task === task).length ?? 0]));

function cellOf(column: TableColumn, row: RowRuns, tasks: readonly string[], network: RowNetwork | undefined, miou: MiouDefinition): TableCell | undefined {
  const { measure } = column;
  if (measure === 'seconds') return overSeeds(seedsOf(row).map((seed) => secondsOf(row, seed, tasks)));
  if (measure !== 'dice' && measure !== 'miou') return network === undefined ? undefined : { mean: network.counts[measure], values: [network.counts[measure]] };
  const of = (counts: readonly ImageCounts[], task: string): number => scoreOf(counts.filter((c) => c.task === task), miou)[measure];
  const needed = column.of === AVERAGE ? tasks : [column.of ?? ''];
  return overSeeds(seedsOf(row).map((seed) => {
    const counts = countsOf(row, seed);
    return hasAll(counts, needed) ? mean(needed.map((task) => of(counts, task))) : undefined;
  }));
}

/** Of all networks of a seed; undefined where one is missing or its time is not known. */
function secondsOf(row: RowRuns, seed: number, tasks: readonly string[]): number | undefined {
  const runs = row.runs.filter((r) => r.seed === seed), times = runs.map((r) => r.seconds);
  if (row.networks > 1 && !hasAll(countsOf(row, seed), tasks)) return undefined;
  return times.reduce<number | undefined>((total, s) => (total === undefined || s === undefined ? undefined : total + s), 0);
}

function overSeeds(found: readonly (number | undefined)[]): TableCell | undefined {
  const values = found.filter((v) => v !== undefined);
  if (values.length === 0) return undefined;
  const deviation = sampleDeviation(values);
  return { mean: mean(values), ...(deviation === undefined ? {} : { deviation }), values };
}
