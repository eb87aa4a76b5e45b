// What adding a task says: the parameters before and after, module by module, and whether predictions of the others stayed. Counts come from `growth.ts`.
import type { OldTask } from '../train/grow.js';
import type { Growth, GrowthCount } from '../train/growth.js';
import { paint } from './colour.js';
import { grouped, plural, significant } from './numbers.js';
import { renderTable, type Column } from './table.js';

const growthOf = ({ before, after }: GrowthCount): number => after - before;
const COLUMNS: readonly Column[] = [{ title: 'module' }, ...['before', 'after', 'growth', 'trainable'].map((title): Column => ({ title, align: 'right' }))];

/** The table at the start. */
export function renderGrowth({ task, from, base, modules, parameters, states, program, held, tables }: Growth): string {
  const row = (name: string, c: GrowthCount): readonly string[] => [name, grouped(c.before), grouped(c.after), grouped(growthOf(c)), grouped(c.trainable)];
  const tasks = base.tasks?.rows.length ?? 0, percent = Number(((100 * growthOf(parameters)) / parameters.before).toPrecision(3));
  const lines = [
    `${task} is added to the ${plural(tasks, 'task')} of ${from}: ${grouped(growthOf(parameters))} parameters more (${significant(percent)} %), and nothing else is trained`,
    ...(growthOf(states) > 0 ? [`  and ${grouped(growthOf(states))} numbers in its own prototypes or other states`] : []),
    ...(tables.size > 0 ? [`  rows of ${plural(tables.size, 'shared table')} among them: ${some([...tables.keys()])}`] : []),
    ...(held.length > 0 ? [`  schedules that predictions read stay at their values: ${some(held)}`] : []),
  ];
  return `${renderTable(COLUMNS, [...modules.map((m) => row(m.module === '' ? program.name : m.module, m)), row('all', parameters)])}${lines.join('\n')}\n`;
}

/** What became of the predictions of the other tasks. */
export function renderOld(old: readonly OldTask[], from: string, colour: boolean): string {
  const p = paint(colour);
  const moved = old.filter((t) => t.largest !== 0);
  if (old.length === 0) return '';
  if (moved.length === 0) return `predictions of ${old.map((t) => t.task).join(', ')}: ${p.green('bit-identical')} to those of ${from} (${plural(old[0]?.images ?? 0, 'image')} each)\n`;
  return `${p.red('predictions changed')}: ${moved.map((t) => `${t.task} by up to ${t.largest.toExponential(1)}`).join(', ')}\n`;
}

const some = (names: readonly string[]): string => (names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '));
