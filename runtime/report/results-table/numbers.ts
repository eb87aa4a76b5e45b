// How the numbers of a results table are printed, in every format but JSON. Scores in percent with two digits, as published tables have them.
import { short } from '../numbers.js';
import type { ResultsTable, TableCell, TableColumn } from './table.js';

const UNITS = [{ title: 's', seconds: 1 }, { title: 'min', seconds: 60 }, { title: 'h', seconds: 3600 }] as const;
export type TimeUnit = (typeof UNITS)[number];

/** One unit for the whole column: the largest of which the shortest time is at least two. */
export function timeUnit(table: Pick<ResultsTable, 'rows'>): TimeUnit {
  const times = table.rows.flatMap((r) => r.cells['seconds']?.mean ?? []), least = Math.min(...times);
  return UNITS.findLast((u) => times.length > 0 && least >= 2 * u.seconds) ?? UNITS[0];
}

export const percent = (x: number): string => (100 * x).toFixed(2);
export const points = (x: number): string => { const text = percent(x); return Number(text) === 0 ? '0.00' : x > 0 ? `+${text}` : text; };

export interface CellText { readonly mean: string; readonly deviation?: string }
export function cellText(column: TableColumn, cell: TableCell, unit: TimeUnit): CellText {
  if (column.kind === 'count') return { mean: short(cell.mean) };
  const print = column.kind === 'score' ? percent : (x: number): string => (x / unit.seconds).toFixed(1);
  return { mean: print(cell.mean), ...(cell.deviation === undefined ? {} : { deviation: print(cell.deviation) }) };
}

export const columnTitle = (column: TableColumn, unit: TimeUnit): string => (column.kind === 'time' ? `${column.title} (${unit.title})` : column.title);

/** Three digits after the point, two significant ones below a thousandth. */
export const pText = (p: number): string => (p >= 0.9995 ? '1' : p >= 0.001 ? p.toFixed(3) : p.toExponential(1));
