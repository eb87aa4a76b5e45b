// Tensors that are trained only after an improvement: whose turn it is in an epoch, a pure function of the validations so far.
import type { TrainConfig } from '../../compiler/program.js';
import type { ValidationPoint } from '../state/checkpoint.js';
import type { Evaluation } from './evaluator.js';

/** The kept metric of each task, turned so that greater is better. */
export function taskValues({ scores, counts, losses }: Evaluation, keep: TrainConfig['validate']['keep']): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(scores.perTask).map(([task, score]) => {
    if (keep !== 'loss') return [task, score[keep]];
    const own = losses.filter((_, k) => counts[k]?.task === task);
    return [task, -own.reduce((a, b) => a + b, 0) / own.length];
  }));
}

/** Whether the last value is the best so far. The first has none to compare with and counts as better; so does having none at all. */
const bettered = (values: readonly number[]): boolean => values.slice(0, -1).every((v) => v < (values.at(-1) ?? Infinity));

/** Tasks (by number) whose listed tensors stand still now; undefined: the shared ones do, by the mean. */
export function pausedTasks(history: readonly ValidationPoint[], codes: readonly string[]): ReadonlySet<number | undefined> {
  const ofTask = (code: string): number[] => history.flatMap((p) => p.perTask?.[code] ?? []);
  const paused = new Set<number | undefined>([...codes.keys()].filter((t) => !bettered(ofTask(codes[t] ?? ''))));
  if (!bettered(history.map((p) => p.value))) paused.add(undefined);
  return paused;
}
