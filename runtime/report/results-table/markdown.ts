// The table in GitHub's Markdown: one row a variant, the comparison as a second table, the caption below.
import { comparisonGrid, plainCell, scoreGrid, type Grid, type GridCell } from './grid.js';
import type { ResultsTable } from './table.js';

const escaped = (text: string): string => text.replace(/[\\|*_`<>[\]]/g, '\\$&').replaceAll('\n', ' ');

function cellMarkdown(cell: GridCell, published: boolean): string {
  const mean = escaped(cell.mean), rest = cell.deviation === undefined ? '' : ` ± ${cell.deviation}`;
  if (cell.mark === 'best') return `**${mean}**${rest}`;
  // Markdown has no underline of its own
  if (cell.mark === 'second') return `<u>${mean}</u>${rest}`;
  return published && mean !== '' ? `*${escaped(plainCell(cell))}*` : `${mean}${rest}`;
}

function gridMarkdown({ columns, rows }: Grid): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(columns.map((c) => escaped(c.group === undefined ? c.title : `${c.group} ${c.title}`)))
    + line(columns.map((c) => (c.numeric ? '---:' : '---')))
    + rows.map((r) => line(r.cells.map((cell) => cellMarkdown(cell, r.kind === 'published')))).join('');
}

export function tableMarkdown(table: ResultsTable): string {
  const comparison = comparisonGrid(table);
  return `**${escaped(table.title)}**\n\n${gridMarkdown(scoreGrid(table))}\n${comparison === undefined ? '' : `${gridMarkdown(comparison)}\n`}${table.caption.map(escaped).join(' ')}\n`
    + (table.notes.length === 0 ? '' : `\nLeft out:\n\n${table.notes.map((n) => `- ${escaped(n)}\n`).join('')}`);
}
