// The columns of a table: those that a study asks for, or Dice and mIoU of each task and their average; then size and time. And where a published file has them.
import { isCount, type CountName, type Measure, type StudyColumn } from '../../../compiler/study.js';
import { cellsOf, type Published } from '../published.js';
import { AVERAGE, type TableColumn } from './table.js';

const TITLES = {
  dice: 'Dice', miou: 'mIoU', parameters: 'parameters', trainable: 'trainable', buffers: 'buffers', macs: 'MACs', weight_macs: 'weight MACs', flops: 'FLOPs', weight_flops: 'weight FLOPs', seconds: 'time',
} as const;

const score = (of: string, measure: 'dice' | 'miou'): TableColumn => ({ id: `${of}.${measure}`, kind: 'score', measure, of, title: TITLES[measure] });
const count = (measure: CountName): TableColumn => ({ id: measure, kind: 'count', measure, title: TITLES[measure] });
const TIME: TableColumn = { id: 'seconds', kind: 'time', measure: 'seconds', title: TITLES.seconds };

/** A study's column, once for each task where it says `{task}`, with its name in the published file. Rates and shares are `inspect --study`'s. */
function ofStudy(column: StudyColumn, tasks: readonly string[]): readonly { readonly column: TableColumn; readonly label: string }[] {
  const [{ name, perTask, share }]: readonly [Measure, ...Measure[]] = column.by;
  if (isCount(name)) return perTask || share ? [] : [{ column: count(name), label: column.label }];
  if (!column.label.includes('{task}')) return [{ column: score(AVERAGE, name), label: column.label }];
  return tasks.map((task) => ({ column: score(task, name), label: column.label.replaceAll('{task}', task) }));
}

/** `study`: its columns, where there are any. Tasks together, the average last. */
export function columnsOf(tasks: readonly string[], study: readonly StudyColumn[], time: boolean): readonly TableColumn[] {
  const asked = study.flatMap((c) => ofStudy(c, tasks).map((each) => each.column));
  const places = [...tasks, AVERAGE];
  const scores = asked.some((c) => c.kind === 'score')
    ? asked.filter((c) => c.kind === 'score').sort((a, b) => places.indexOf(a.of ?? '') - places.indexOf(b.of ?? ''))
    : (tasks.length === 1 ? tasks : places).flatMap((of) => [score(of, 'dice'), score(of, 'miou')]);
  const counts = [count('parameters'), count('macs'), ...asked.filter((c) => c.kind === 'count' && c.id !== 'parameters' && c.id !== 'macs')];
  return [...scores, ...counts, ...(time ? [TIME] : [])];
}

/** What the file has for a row, by column of ours; empty cells and dashes are nothing. */
export function publishedOf(file: Published, study: readonly StudyColumn[], tasks: readonly string[], row: { readonly name: string; readonly label: string }): Readonly<Record<string, string>> {
  const cells = cellsOf(file, [row.name, row.label]);
  return Object.fromEntries(study.flatMap((c) => ofStudy(c, tasks)).flatMap(({ column, label }) => {
    const text = (cells.get(label) ?? '').trim();
    return text === '' || text === '-' ? [] : [[column.id, text]];
  }));
}
