// Best and second best of a column, by the numbers as they are printed: what prints alike is marked alike.
import { percent } from './numbers.js';
import type { TableCell, TableColumn, TableRow } from './table.js';

/** The rows with their score cells marked; a column with fewer than two numbers has no best. */
export function marked(rows: readonly TableRow[], columns: readonly TableColumn[]): readonly TableRow[] {
  const marks = new Map(columns.filter((c) => c.kind === 'score').map(({ id }) => {
    const printed = rows.flatMap((r) => { const cell = r.cells[id]; return cell === undefined ? [] : [percent(cell.mean)]; });
    const [best, second] = printed.length < 2 ? [] : [...new Set(printed)].sort((a, b) => Number(b) - Number(a));
    return [id, { best, second }] as const;
  }));
  const mark = (id: string, cell: TableCell): TableCell => {
    const { best, second } = marks.get(id) ?? {}, text = percent(cell.mean);
    return text === best ? { ...cell, mark: 'best' } : text === second ? { ...cell, mark: 'second' } : cell;
  };
  return rows.map((row) => ({ ...row, cells: Object.fromEntries(Object.entries(row.cells).map(([id, cell]) => [id, marks.has(id) ? mark(id, cell) : cell])) }));
}
