// What a reader must know of a table's numbers, in sentences: how many seeds and images, which checkpoint, how scores and tests are computed.
import { miouText } from '../../metrics/index.js';
import { plural } from '../numbers.js';
import type { ResultsTable } from './table.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const list = (values: readonly (string | number)[]): string => values.join(', ');

export function captionOf(t: Omit<ResultsTable, 'caption'>): readonly string[] {
  const several = t.seeds.length > 1, compared = t.rows.flatMap((r) => r.comparison ?? []), tested = compared.filter((c) => c.test !== undefined);
  const scores = t.columns.filter((c) => c.kind === 'score');
  return [
    `Scores in percent, ${several ? `mean ± standard deviation (n - 1) over ${plural(t.seeds.length, 'seed')}` : 'one seed'} (${list(t.seeds)}), on ${plural(sum(Object.values(t.images)), 'image')} of the split ${t.split} (${list(Object.entries(t.images).map(([task, n]) => `${task} ${n}`))}).`,
    `Checkpoint: ${t.checkpoint}. ${t.validation.length === 0 ? 'Validation rule: not known.' : `Validation: ${t.validation.join('; ')}.`} Budget: ${t.budget}.`,
    `A pixel is lesion where its probability is at least ${t.threshold ?? 'the threshold of its spec'}; masks are compared at ${t.at === 'original' ? 'each image’s own size' : 'the network’s size'}.`,
    `Dice: mean over the images of a task.${scores.some((c) => c.measure === 'miou') ? ` mIoU: ${miouText(t.miou)}.` : ''}${scores.some((c) => c.of === 'average') ? ' Average: mean over the tasks.' : ''}`,
    'Of the scores of a column the best is bold and the second best underlined, ties alike.',
    `Parameters: all, frozen ones and every task’s copies too; MACs: multiply-adds for one image and one task${t.rows.some((r) => r.networks > 1) ? '; of one network where a row has several' : ''}.${t.columns.some((c) => c.kind === 'time') ? ' Time: of training, a seed.' : ''}`,
    ...(t.baseline === undefined || compared.length === 0 ? [] : [
      `Against ${t.baseline}: difference of the mean Dice ${t.tasks.length > 1 ? 'averaged over the tasks ' : ''}in points, on the ${plural(Math.max(...compared.map((c) => c.images)), 'image')} and the seeds that both have, each image’s Dice averaged over seeds first;`
      + ` ${100 * t.bootstrap.level} % interval by bootstrap (${t.bootstrap.method}, ${t.bootstrap.resamples} resamples of the images${t.tasks.length > 1 ? ' within their task' : ''});`
      + ` p by Wilcoxon’s signed-rank test over all images, two-sided, zero differences dropped; Holm’s correction over ${plural(tested.length, 'row')}.`,
    ]),
    ...(t.published === undefined ? [] : ['Published values stand below ours, as printed there.']),
  ];
}
