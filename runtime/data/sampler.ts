// Which images make up the batches of an epoch. Depends on (seed, epoch) alone; no pixels here.
import { shuffled, streamOf, type Stream } from '../random.js';

export interface SamplerOptions {
  readonly batch: number;
  readonly sampler: 'shuffle' | 'inverse_frequency';
  readonly oneTaskPerBatch: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

const chunks = (list: readonly number[], size: number, dropLast: boolean): number[][] => {
  const out: number[][] = [];
  for (let at = 0; at < list.length; at += size) out.push(list.slice(at, at + size));
  return dropLast ? out.filter((c) => c.length === size) : out;
};

/** Indices of the images of each task that has any; tasks in the order in which they first come. */
function byTask(taskOf: readonly string[]): number[][] {
  const lists = new Map<string, number[]>();
  taskOf.forEach((task, k) => { const list = lists.get(task); if (list) list.push(k); else lists.set(task, [k]); });
  return [...lists.values()];
}

/** Weight 1 / N_task with replacement: a task evenly, then one of its images evenly. */
const drawFrom = (lists: readonly (readonly number[])[], stream: Stream): number => {
  const list = lists[stream.int(lists.length)] as readonly number[];
  return list[stream.int(list.length)] as number;
};

/**
 * The batches of an epoch, as indices into the images (`taskOf[k]` is image k's task).
 * shuffle: every image once. inverse_frequency: as many draws as images, with replacement, each task equally likely.
 * One task per batch: the same, within tasks; a batch's task is drawn evenly (inverse_frequency) or the batches of all tasks are shuffled.
 */
export function epochBatches(taskOf: readonly string[], options: SamplerOptions, epoch: number): number[][] {
  const { batch, dropLast } = options, count = taskOf.length;
  const stream = streamOf(options.seed, `sampler/${epoch}`), lists = byTask(taskOf);
  if (options.sampler === 'shuffle') {
    if (!options.oneTaskPerBatch) return chunks(shuffled(taskOf.map((_, k) => k), stream), batch, dropLast);
    return shuffled(lists.flatMap((list) => chunks(shuffled(list, stream), batch, dropLast)), stream);
  }
  const draws = Array.from({ length: count }, (_, k) => k);
  return chunks(draws, batch, dropLast).map((slots) => {
    const from = options.oneTaskPerBatch ? [lists[stream.int(lists.length)] as number[]] : lists;
    return slots.map(() => drawFrom(from, stream));
  });
}
