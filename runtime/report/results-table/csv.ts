// The table as CSV: a line a row, every number by itself and unrounded. Scores and differences in percent, so that published values stand beside them.
import { csvField } from '../../data/csv.js';
import { exactPercent } from './grid.js';
import type { ResultsTable, TableColumn, TableRow } from './table.js';

const figure = (x: number | undefined): string => (x === undefined ? '' : String(x));
const share = (x: number | undefined): string => (x === undefined ? '' : exactPercent(x));

type Field = readonly [name: string, of: (row: TableRow) => string];

function columnFields(c: TableColumn, published: boolean): readonly Field[] {
  const print = c.kind === 'score' ? share : figure, name = c.id.replace('.', '_');
  return [
    [name, (r) => print(r.cells[c.id]?.mean)],
    ...(c.kind === 'count' ? [] : [[`${name}_sd`, (r: TableRow) => print(r.cells[c.id]?.deviation)] as const]),
    ...(published ? [[`${name}_published`, (r: TableRow) => r.published[c.id] ?? ''] as const] : []),
  ];
}

/** Ends with what the numbers mean: the same in every line. */
export function tableCsv(table: ResultsTable): string {
  const has = (c: TableColumn): boolean => table.rows.some((r) => r.published[c.id] !== undefined);
  const fields: readonly Field[] = [
    ['row', (r) => r.name], ['label', (r) => r.label], ['difference', (r) => r.delta ?? ''], ['baseline', (r) => String(r.baseline)], ['networks', (r) => String(r.networks)], ['seeds', (r) => String(r.seeds.length)],
    ...table.columns.flatMap((c) => columnFields(c, has(c))),
    ...(table.baseline === undefined ? [] : [
      ['difference_dice', (r: TableRow) => share(r.comparison?.difference)], ['difference_low', (r: TableRow) => share(r.comparison?.interval?.low)], ['difference_high', (r: TableRow) => share(r.comparison?.interval?.high)],
      ['wilcoxon', (r: TableRow) => figure(r.comparison?.test?.statistic)], ['p', (r: TableRow) => figure(r.comparison?.test?.p)], ['p_holm', (r: TableRow) => figure(r.comparison?.test?.adjusted)],
      ['paired_images', (r: TableRow) => figure(r.comparison?.images)], ['paired_seeds', (r: TableRow) => figure(r.comparison?.seeds.length)],
    ] as const),
    ['images', () => String(Object.values(table.images).reduce((a, b) => a + b, 0))], ['split', () => table.split], ['checkpoint', () => table.checkpoint], ['at', () => table.at],
    ['threshold', () => figure(table.threshold)], ['miou', () => table.miou], ['validation', () => table.validation.join('; ')], ['budget', () => table.budget],
  ];
  return [fields.map(([name]) => name), ...table.rows.map((r) => fields.map(([, of]) => of(r)))].map((line) => `${line.map(csvField).join(',')}\n`).join('');
}
