// The table as cells of text, in the two blocks that every printed format has: scores and sizes, and the comparison with the baseline. No markup.
import { AVERAGE, type ResultsTable, type TableRow } from './table.js';
import { cellText, columnTitle, points, pText, timeUnit, type CellText } from './numbers.js';

export interface GridColumn {
  readonly title: string;
  /** Columns of one group stand together under its name. */
  readonly group?: string;
  readonly numeric: boolean;
  /** Of a score, count or time: its column in the model. */
  readonly id?: string;
}
export interface GridCell extends CellText {
  readonly mark?: 'best' | 'second';
  /** The number itself: what a page sorts by. */
  readonly value?: number;
}
export interface GridRow { readonly kind: 'ours' | 'published'; readonly baseline: boolean; readonly cells: readonly GridCell[] }
export interface Grid { readonly columns: readonly GridColumn[]; readonly rows: readonly GridRow[] }

const EMPTY: GridCell = { mean: '' };
const words = (title: string): GridColumn => ({ title, numeric: false });
const number = (title: string): GridColumn => ({ title, numeric: true });

const labelOf = (row: TableRow): string => [...(row.label === row.name || row.label === '' ? [] : [row.label]), ...(row.networks > 1 ? [`${row.networks} networks`] : [])].join(', ');

/** Rows of the table, each followed by what was published of it. `only`: ids of columns, where a narrow medium takes some at a time, and not each time the differences in words. */
export function scoreGrid(table: ResultsTable, only?: ReadonlySet<string>, inWords = true): Grid {
  const { rows } = table, unit = timeUnit(table), shown = table.columns.filter((c) => only === undefined || only.has(c.id));
  const labels = rows.some((r) => labelOf(r) !== ''), deltas = inWords && rows.some((r) => r.delta !== undefined), seeds = rows.some((r) => r.seeds.length !== table.seeds.length);
  const columns: readonly GridColumn[] = [
    words('row'), ...(labels ? [words('')] : []), ...(deltas ? [words('difference')] : []), ...(seeds ? [number('seeds')] : []),
    ...shown.map((c) => ({ title: columnTitle(c, unit), numeric: true, id: c.id, ...(c.of === undefined ? {} : { group: c.of === AVERAGE ? 'average' : c.of }) })),
  ];
  return {
    columns,
    rows: rows.flatMap((row): GridRow[] => {
      const { baseline } = row;
      const ours: GridRow = {
        kind: 'ours', baseline, cells: [
          { mean: row.name }, ...(labels ? [{ mean: labelOf(row) }] : []), ...(deltas ? [{ mean: row.delta ?? (baseline ? 'baseline' : '') }] : []), ...(seeds ? [{ mean: String(row.seeds.length), value: row.seeds.length }] : []),
          ...shown.map((c): GridCell => { const cell = row.cells[c.id]; return cell === undefined ? EMPTY : { ...cellText(c, cell, unit), value: cell.mean, ...(cell.mark === undefined ? {} : { mark: cell.mark }) }; }),
        ],
      };
      if (!shown.some((c) => row.published[c.id] !== undefined)) return [ours];
      const before: readonly GridCell[] = labels ? [EMPTY, { mean: 'published' }] : [{ mean: 'published' }];
      return [ours, { kind: 'published', baseline, cells: [...before, ...(deltas ? [EMPTY] : []), ...(seeds ? [EMPTY] : []), ...shown.map((c) => ({ mean: row.published[c.id] ?? '' }))] }];
    }),
  };
}

/** undefined where nothing is compared. */
export function comparisonGrid(table: ResultsTable): Grid | undefined {
  const rows = table.rows.filter((r) => r.comparison !== undefined);
  if (table.baseline === undefined || rows.length === 0) return undefined;
  return {
    columns: [words(`against ${table.baseline}`), number('Dice'), number(`${100 * table.bootstrap.level} % interval`), number('p'), number('p (Holm)'), number('images'), number('seeds')],
    rows: rows.map(({ name, comparison: c }) => ({
      kind: 'ours', baseline: false, cells: c === undefined ? [] : [
        { mean: name }, { mean: points(c.difference), value: c.difference },
        c.interval === undefined ? EMPTY : { mean: `${points(c.interval.low)} to ${points(c.interval.high)}`, value: c.interval.low },
        ...(c.test === undefined ? [EMPTY, EMPTY] : [{ mean: pText(c.test.p), value: c.test.p }, { mean: pText(c.test.adjusted), value: c.test.adjusted }]),
        { mean: String(c.images), value: c.images }, { mean: String(c.seeds.length), value: c.seeds.length },
      ],
    })),
  };
}

/** Runs of equal groups: where a heading spans several columns. */
export function spans(columns: readonly GridColumn[]): readonly { readonly group: string; readonly from: number; readonly size: number }[] {
  const out: { group: string; from: number; size: number }[] = [];
  columns.forEach(({ group = '' }, from) => {
    const last = out.at(-1);
    if (last !== undefined && last.group === group) last.size++;
    else out.push({ group, from, size: 1 });
  });
  return out;
}

/** `86.53 ± 0.21` */
export const plainCell = (cell: GridCell): string => `${cell.mean}${cell.deviation === undefined ? '' : ` ± ${cell.deviation}`}`;

/** For formats of figures alone: percent without rounding. */
export const exactPercent = (x: number): string => String(Number((100 * x).toPrecision(12)));
