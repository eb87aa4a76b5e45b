// The table in HTML: a fragment for reports, and a page by itself. No scripts, nothing from elsewhere.
import { escapeMarkup } from '../markup.js';
import { comparisonGrid, scoreGrid, spans, type Grid, type GridCell } from './grid.js';
import type { ResultsTable } from './table.js';


function cellHtml(cell: GridCell, numeric: boolean, first: boolean): string {
  const tag = first ? 'th scope="row"' : 'td', mean = escapeMarkup(cell.mean);
  const marked = cell.mark === 'best' ? `<b>${mean}</b>` : cell.mark === 'second' ? `<u>${mean}</u>` : mean;
  return `<${tag}${numeric ? ' class="number"' : ''}${cell.value === undefined ? '' : ` data-value="${cell.value}"`}>${marked}${cell.deviation === undefined ? '' : ` <small>± ${cell.deviation}</small>`}</${first ? 'th' : 'td'}>`;
}

function gridHtml({ columns, rows }: Grid, caption: string): string {
  const groups = spans(columns), grouped = groups.some((g) => g.group !== '');
  const heads = grouped ? `<tr>${groups.map((g) => (g.group === '' ? `<td colspan="${g.size}"></td>` : `<th scope="colgroup" colspan="${g.size}">${escapeMarkup(g.group)}</th>`)).join('')}</tr>\n` : '';
  return `<table class="results">\n<caption>${escapeMarkup(caption)}</caption>\n<thead>\n${heads}<tr>${columns.map((c) => `<th scope="col"${c.numeric ? ' class="number"' : ''}>${escapeMarkup(c.title)}</th>`).join('')}</tr>\n</thead>\n<tbody>\n`
    + `${rows.map((r) => `<tr${r.kind === 'published' ? ' class="published"' : r.baseline ? ' class="baseline"' : ''}>${r.cells.map((cell, i) => cellHtml(cell, columns[i]?.numeric === true, i === 0)).join('')}</tr>\n`).join('')}</tbody>\n</table>\n`;
}

/** Both tables, the caption and what is left out, without a page around them; `RESULTS_STYLE` goes with it. `around`: what a page puts about each table. */
export function tableFragment(table: ResultsTable, around: (grid: string) => string = (grid) => grid): string {
  const comparison = comparisonGrid(table);
  return around(gridHtml(scoreGrid(table), table.title)) + (comparison === undefined ? '' : around(gridHtml(comparison, `${table.title}: against ${table.baseline ?? ''}`)))
    + `<p class="results-caption">${table.caption.map(escapeMarkup).join(' ')}</p>\n`
    + (table.notes.length === 0 ? '' : `<p>Left out:</p>\n<ul>\n${table.notes.map((n) => `<li>${escapeMarkup(n)}</li>\n`).join('')}</ul>\n`);
}

export const RESULTS_STYLE = `table.results { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; margin: 1.5em 0; }
table.results caption { text-align: left; font-weight: bold; padding: 0.3em 0; }
table.results th, table.results td { padding: 0.15em 0.6em; text-align: left; font-weight: normal; white-space: nowrap; }
table.results thead tr:last-child > * { border-bottom: 1px solid; }
table.results thead th[scope="colgroup"] { text-align: center; border-bottom: 1px solid; }
table.results .number { text-align: right; font-variant-numeric: tabular-nums; }
table.results small { opacity: 0.75; }
table.results tr.published { font-style: italic; opacity: 0.75; }
table.results tr.baseline > * { background: color-mix(in srgb, currentColor 6%, transparent); }
.results-caption { max-width: 60em; }
`;

export const tablePage = (table: ResultsTable): string =>
  `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>${escapeMarkup(table.title)}</title>\n`
  + `<style>\n:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }\nbody { margin: 2em; overflow-x: auto; }\n${RESULTS_STYLE}</style>\n</head>\n<body>\n${tableFragment(table)}</body>\n</html>\n`;
