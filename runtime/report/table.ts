// Tables for people: thin rules, numbers to the right. What stands in them is the caller's.
import Table from 'cli-table3';

export interface Column { readonly title: string; readonly align?: 'left' | 'right' }

const RULES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} as const;

/** Rows of cells under their titles, without frames; ends with a line end. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map((c) => c.title),
    chars: RULES,
    colAligns: columns.map((c) => c.align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  table.push(...rows.map((r) => [...r]));
  return `${table.toString().split('\n').map((line) => line.trimEnd()).join('\n')}\n`;
}
