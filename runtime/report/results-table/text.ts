// The table for a terminal: one block for each measure, so that lines stay short; then sizes, then the comparison.
import type { Paint } from '../colour.js';
import { renderTable } from '../table.js';
import { comparisonGrid, plainCell, scoreGrid, type Grid, type GridCell } from './grid.js';
import type { ResultsTable } from './table.js';

const MARKS = { best: '*', second: '+' } as const;

export function tableText(table: ResultsTable, p: Paint): string {
  const block = (title: string, grid: Grid): string => `${title}\n\n${gridText(grid, p)}`;
  const of = (measure: string): ReadonlySet<string> => new Set(table.columns.filter((c) => c.measure === measure).map((c) => c.id));
  const sizes = new Set(table.columns.filter((c) => c.kind !== 'score').map((c) => c.id));
  const comparison = comparisonGrid(table);
  const blocks = [
    ...([['dice', 'Dice'], ['miou', 'mIoU']] as const).flatMap(([measure, title]) => { const ids = of(measure); return ids.size === 0 ? [] : [block(title, scoreGrid(table, ids, false))]; }),
    block('Size and time', scoreGrid(table, sizes)),
    ...(comparison === undefined ? [] : [block(`Against ${table.baseline ?? ''}`, comparison)]),
  ];
  const marks = table.rows.some((r) => Object.values(r.cells).some((c) => c.mark !== undefined));
  // a terminal has stars where paper has bold type
  const caption = table.caption.flatMap((sentence) => (sentence.includes('is bold') ? (marks ? ['* best of a column, + second best; ties alike.'] : []) : [sentence]));
  return `${table.title}\n\n${blocks.join('\n')}\n${caption.join('\n')}\n${table.notes.length === 0 ? '' : `\nLeft out:\n${table.notes.map((n) => `  ${n}\n`).join('')}`}`;
}

function gridText({ columns, rows }: Grid, p: Paint): string {
  const titles = columns.map((c) => ({ title: c.group === undefined ? c.title : c.group, align: c.numeric ? 'right' as const : 'left' as const }));
  const marked = columns.map((_, i) => rows.some((r) => r.cells[i]?.mark !== undefined));
  const text = (cell: GridCell, i: number, published: boolean): string => {
    const plain = `${plainCell(cell)}${marked[i] === true ? ` ${cell.mark === undefined ? ' ' : MARKS[cell.mark]}` : ''}`;
    return cell.mark === 'best' ? p.bold(plain) : published ? p.dim(plain) : plain;
  };
  return renderTable(titles.map((t, i) => (marked[i] === true ? { ...t, title: `${t.title}  ` } : t)), rows.map((r) => r.cells.map((cell, i) => text(cell, i, r.kind === 'published'))));
}
