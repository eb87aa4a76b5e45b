// `tpsc inspect --study` for people: tables of rows and of groups beside what was published, and what nothing reproduces. Numbers come from `study.ts`.
import { grouped, plural, short } from './numbers.js';
import { printedNumber } from './published.js';
import type { Counted, GroupInspection, RowInspection, StudyCell, StudyInspection } from './study.js';
import { renderTable, type Column } from './table.js';

const isShare = (c: Counted): boolean => c.by.endsWith('_share');
const exact = (c: Counted): string => (isShare(c) ? `${c.value.toFixed(4)}%` : grouped(c.value));
const brief = (c: Counted): string => (isShare(c) ? `${c.value.toFixed(2)}%` : short(c.value));
const signed = (n: number): string => (n === 0 ? '0' : n > 0 ? `+${grouped(n)}` : `-${grouped(-n)}`);

/** The rule that reproduces it, else ours. */
const shown = (cell: StudyCell): Counted | undefined => cell.counted.find((c) => c.by === cell.reproducedBy) ?? cell.counted[0];

/** How far ours is from a printed number that it does not reproduce. */
function apart(cell: StudyCell, ours: Counted, unit: string): string {
  const printed = printedNumber(cell.published ?? '', unit);
  if (printed === undefined || printed.value === 0) return 'not reproduced';
  const percent = 100 * (ours.value / printed.value - 1);
  return `not reproduced: ${percent > 0 ? '+' : ''}${percent.toFixed(Math.abs(percent) < 10 ? 2 : 0)}%`;
}
const verdict = (cell: StudyCell, ours: Counted, unit: string): string => (cell.verdict === 'not compared' ? '' : cell.verdict === 'reproduced' ? 'reproduced' : apart(cell, ours, unit));

/** `units`: of printed numbers without one, by column. */
export function renderStudy(i: StudyInspection, units: ReadonlyMap<string, string>, showPath: (path: string) => string = (path) => path): string {
  const head = `study ${i.study} of ${i.of}: ${[plural(i.rows.length, 'row'), ...(i.tasks.length === 0 ? [] : [plural(i.tasks.length, 'task')]), plural(i.runs, 'training')].join(', ')}`
    + `${i.published === null ? '' : `; published values from ${showPath(i.published)}`}\n\n`;
  return head + (i.groups.length > 0 ? groupsText(i, units) : rowsText(i));
}

// ---------------------------------------------------------------- groups

function groupsText(i: StudyInspection, units: ReadonlyMap<string, string>): string {
  const several = i.rows.length > 1;
  const columns: Column[] = [...(several ? [{ title: 'row' }] : []), { title: 'group' }, { title: 'tasks', align: 'right' }, { title: 'column' }, { title: 'published', align: 'right' }, { title: 'counted', align: 'right' }, { title: 'by' }, { title: '' }];
  const lines = i.groups.flatMap((g) => cellsShown(g).map((cell, k): readonly string[] => {
    const ours = shown(cell);
    const first = k === 0;
    return [
      ...(several ? [first ? g.row : ''] : []), first ? g.group : '', first ? String(g.tasks) : '', cell.column, cell.published ?? '',
      ours === undefined ? '' : exact(ours), ours?.by ?? '', ours === undefined ? '' : verdict(cell, ours, units.get(cell.column) ?? ''),
    ];
  }));
  return `${renderTable(columns, lines)}\n${summary(i.groups)}`;
}

/** A cell that is neither printed nor to be counted says nothing. */
const cellsShown = (g: GroupInspection): readonly StudyCell[] => {
  const said = g.cells.filter((c) => c.published !== null && c.published !== '-');
  if (said.length > 0) return said;
  const plain = (by: 'parameters' | 'macs'): StudyCell => ({ column: by, published: null, counted: [{ by, value: g.counts[by] }], verdict: 'not compared', reproducedBy: null });
  return g.cells.length > 0 ? g.cells : [plain('parameters'), plain('macs')];
};

function summary(groups: readonly GroupInspection[]): string {
  const all = groups.flatMap((g) => g.cells.map((cell) => ({ g, cell }))).filter(({ cell }) => cell.verdict !== 'not compared');
  if (all.length === 0) return '';
  const failed = all.filter(({ cell }) => cell.verdict === 'not reproduced');
  if (failed.length === 0) return `all ${plural(all.length, 'published value')} are reproduced to the printed digits\n`;
  const lines = failed.map(({ g, cell }) => `  ${g.group}, ${cell.column} ${cell.published ?? ''}: ${cell.counted.map((c) => `${c.by} ${brief(c)}`).join(', ')}`);
  return `${all.length - failed.length} of ${plural(all.length, 'published value')} are reproduced to the printed digits; no counting rule reproduces the other ${failed.length}:\n${lines.join('\n')}\n`;
}

// ---------------------------------------------------------------- rows

/** More columns than these are for the JSON. */
const MOST_COLUMNS = 6;

function rowsText(i: StudyInspection): string {
  const perTask = (column: string): boolean => i.tasks.some((code) => column.split(/\W|_/).includes(code));
  const named = (i.rows[0]?.cells ?? []).map((c) => c.column);
  const published = named.filter((column) => !perTask(column) && i.rows.some((r) => (cell(r, column)?.published ?? null) !== null)).slice(0, MOST_COLUMNS);
  const columns: Column[] = [
    { title: 'row' }, { title: 'label' }, { title: 'parameters', align: 'right' }, { title: 'trainable', align: 'right' },
    ...(i.baseline === null ? [] : [{ title: `to ${i.baseline}`, align: 'right' as const }]), { title: 'MACs', align: 'right' },
    ...published.map((title) => ({ title, align: 'right' as const })),
  ];
  const lines = i.rows.map((r) => [
    r.row, r.networks > 1 ? `${r.label}, ${r.networks} networks of one task` : r.label, grouped(r.counts.parameters), grouped(r.counts.trainable),
    ...(i.baseline === null ? [] : [r.delta === null ? '' : signed(r.delta)]), short(r.counts.macs), ...published.map((column) => cellText(cell(r, column))),
  ]);
  const left = named.filter((column) => !published.includes(column)).length;
  return `${renderTable(columns, lines)}${left === 0 ? '' : `\n${plural(left, 'more column')} with --format json\n`}`;
}

const cell = (r: RowInspection, column: string): StudyCell | undefined => r.cells.find((c) => c.column === column);
function cellText(c: StudyCell | undefined): string {
  const ours = c?.counted[0];
  if (c === undefined || c.published === null) return '';
  return c.verdict === 'not reproduced' && ours !== undefined ? `${c.published} (counted ${brief(ours)})` : c.published;
}
