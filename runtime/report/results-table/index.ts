// Front door of tables of results: from folders to rows, from rows to the table, from the table to its formats.
import type { Paint } from '../colour.js';
import { tableCsv } from './csv.js';
import { tablePage } from './html.js';
import { tableLatex } from './latex.js';
import { tableMarkdown } from './markdown.js';
import type { ResultsTable } from './table.js';
import { tableText } from './text.js';

export type { Comparison, ResultsTable, TableCell, TableColumn, TableRow } from './table.js';
export { requireComparable, type ScoringRule } from './agree.js';
export { buildTable, type RowNetwork, type TableRequest } from './build.js';
export { rowsOf, type RowRuns } from './rows.js';
export { comparisonOf } from './compare.js';
export { changesOf, pairsOf, type ImageChange, type RowPair } from './pairs.js';
export { findPlaces, isEvaluated, runName, type Choice, type Places, type ScoredRun } from './runs.js';
export { RESULTS_STYLE, tableFragment } from './html.js';

export const TABLE_FORMATS = ['text', 'markdown', 'latex', 'csv', 'json', 'html'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** The table in a format; `paint` colours text alone. JSON is the model itself: scores in [0, 1], seconds, unrounded. */
export function renderResults(table: ResultsTable, format: TableFormat, paint: Paint): string {
  switch (format) {
    case 'text': return tableText(table, paint);
    case 'markdown': return tableMarkdown(table);
    case 'latex': return tableLatex(table);
    case 'csv': return tableCsv(table);
    case 'json': return `${JSON.stringify(table, null, 2)}\n`;
    case 'html': return tablePage(table);
    default: return format satisfies never;
  }
}
