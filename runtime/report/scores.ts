// Scores for people: a table of Dice and mIoU per task, of one or several answers side by side.
import { miouText, type Scores } from '../metrics/index.js';
import { paint } from './colour.js';
import { score } from './numbers.js';
import { renderTable } from './table.js';

export interface ScoredAnswer { readonly name: string; readonly scores: Scores }

/**
 * One row a task, two columns an answer, and the average. The first answer is the one that counts: where another is as good as it or
 * better on a task, the other's Dice is marked.
 */
export function renderScores(answers: readonly ScoredAnswer[], colour: boolean): string {
  const [first] = answers;
  if (first === undefined) return '';
  const p = paint(colour);
  const tasks = Object.keys(first.scores.perTask);
  const dice = (value: number | undefined, best: number | undefined, own: boolean): string => {
    const text = score(value);
    return !own && value !== undefined && best !== undefined && value >= best ? p.yellow(`${text} *`) : `${text}${answers.length > 1 ? '  ' : ''}`;
  };
  const row = (task: string): readonly string[] => [task, String(first.scores.perTask[task]?.images ?? 0), ...answers.flatMap((a, i) => {
    const s = a.scores.perTask[task];
    return [dice(s?.dice, first.scores.perTask[task]?.dice, i === 0), score(s?.miou)];
  })];
  const average = ['average', '', ...answers.flatMap((a, i) => [dice(a.scores.average.dice, first.scores.average.dice, i === 0), score(a.scores.average.miou)])];
  const columns = answers.flatMap((a) => [{ title: `${a.name} Dice${answers.length > 1 ? '  ' : ''}`, align: 'right' as const }, { title: 'mIoU', align: 'right' as const }]);
  const table = renderTable([{ title: 'task' }, { title: 'images', align: 'right' }, ...columns], [...tasks.map(row), average]);
  const better = answers.slice(1).some((a) => tasks.some((t) => (a.scores.perTask[t]?.dice ?? 0) >= (first.scores.perTask[t]?.dice ?? 0)));
  return `${table}\nDice: mean over the images of a task. mIoU: ${miouText(first.scores.miouDefinition)}.\n${better ? `* not beaten by ${first.name}\n` : ''}`;
}

/** What `eval --format json` prints. */
export const scoresJson = ({ perTask, average }: Scores): Pick<Scores, 'perTask' | 'average'> => ({ perTask, average });
