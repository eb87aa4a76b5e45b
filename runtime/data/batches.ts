// Data set -> batches of tensors, the next ones decoded while the caller works on this one.
import { UserError } from '../errors.js';
import { f32 } from '../engines/engine.js';
import { streamOf } from '../random.js';
import { cutAt, drawMirror, pipelineOf, upright } from './augment.js';
import { epochBatches } from './sampler.js';
import type { Batch, DataItem, Dataset, EvalBatchOptions, Mirror, Pipeline, Split, TaskGroup, TrainBatches, TrainBatchOptions } from './types.js';

/** A batch before its pixels. */
interface Plan { readonly step: number; readonly samples: readonly { readonly item: DataItem; readonly mirror: Mirror }[] }

async function fill(root: string, { step, samples }: Plan, pipeline: Pipeline, { cache, size }: EvalBatchOptions, codes: readonly string[]): Promise<Batch> {
  const items = samples.map((s) => s.item);
  const tasks = items.map((item) => {
    const index = codes.indexOf(item.task);
    if (index < 0) throw new Error(`${item.image}: task ${item.task} is not among ${codes.join(', ')}`);
    return index;
  });
  const files = samples.map(({ item: { image, mask }, mirror }) => ({ item: { image, mask }, mirror }));
  const { image, truth, height, width } = await cache.pixels({ root, samples: files, pipeline, ...(size === undefined ? {} : { size }) });
  return { image: f32([items.length, 3, height, width], image), truth: f32([items.length, 1, height, width], truth), tasks, items, step };
}

/** Throws a UserError where the resize of `augment` does not lead to the size that is wanted. */
function pipelineFor({ augment, size }: EvalBatchOptions): Pipeline {
  const pipeline = pipelineOf(augment), made = pipeline.size;
  if (size !== undefined && made !== undefined && (made.height !== size.height || made.width !== size.width)) {
    throw new UserError(`augment resizes to ${made.height} x ${made.width}, and the network takes ${size.height} x ${size.width}`, 'Resize to the size of the model\'s image.');
  }
  return pipeline;
}

/** Batches under way while the caller works. Decoding one leaves processors idle at its end, which the next uses (decision 13). */
const AHEAD = 2;

/** Fills plans in order, some ahead. A plan is asked for when its turn comes: those of an epoch are never all there. */
async function* ahead(plans: Iterator<Plan, void>, make: (plan: Plan) => Promise<Batch>): AsyncGenerator<Batch, void, undefined> {
  const underway: Promise<Batch>[] = [];
  const begin = (): void => {
    while (underway.length < AHEAD) {
      const plan = plans.next();
      if (plan.done === true) return;
      const batch = make(plan.value);
      // A failure is thrown when its turn comes; until then it must not count as unhandled.
      batch.catch(() => undefined);
      underway.push(batch);
    }
  };
  begin();
  for (let next = underway.shift(); next; next = underway.shift()) {
    const batch = await next;
    begin();
    yield batch;
  }
}

/** Batches to train on. Throws a UserError where the split has no image, or fewer than one batch of them. */
export function trainBatches(dataset: Dataset, split: Split, options: TrainBatchOptions): TrainBatches {
  const items = dataset.items.filter((i) => i.split === split), taskOf = items.map((i) => i.task);
  const pipeline = pipelineFor(options), codes = options.codes ?? dataset.tasks;
  if (items.length === 0) throw new UserError(`${dataset.root}: no image in the split ${split}`, 'Mend the split column of manifest.csv, or remove it to split by ratio.');
  const stepsPerEpoch = epochBatches(taskOf, options, 0).length;
  if (stepsPerEpoch === 0) throw new UserError(`${dataset.root}: ${items.length} images make no batch of ${options.batch}`, 'Choose a smaller batch.');
  const plansOf = function* (epoch: number, fromStep: number): Generator<Plan, void> {
    let drawn = 0;
    for (const [step, indices] of epochBatches(taskOf, options, epoch).entries()) {
      const first = drawn;
      drawn += indices.length;
      if (step >= fromStep) yield { step, samples: indices.map((k, at) => ({ item: items[k] as DataItem, mirror: drawMirror(pipeline, streamOf(options.seed, `flip/${epoch}/${first + at}`)) })) };
    }
  };
  return {
    images: items.length,
    stepsPerEpoch,
    epoch: (epoch, fromStep = 0) => ahead(plansOf(epoch, fromStep), (plan) => fill(dataset.root, plan, pipeline, options, codes)),
  };
}

/** Every image of a split once, in order, upright, masks cut, one task a batch. */
export function evalBatches(dataset: Dataset, split: Split, options: EvalBatchOptions): AsyncGenerator<Batch, void, undefined> {
  const trained = pipelineFor(options), codes = options.codes ?? dataset.tasks;
  const pipeline = trained.size === undefined ? trained : { ...trained, size: cutAt(trained.size) };
  const plans = function* (): Generator<Plan, void> {
    let step = 0;
    for (const task of dataset.tasks) {
      const items = dataset.items.filter((i) => i.split === split && i.task === task);
      for (let at = 0; at < items.length; at += options.batch) yield { step: step++, samples: items.slice(at, at + options.batch).map((item) => ({ item, mirror: upright })) };
    }
  };
  return ahead(plans(), (plan) => fill(dataset.root, plan, pipeline, options, codes));
}

/** The samples of a batch, task by task (in the order of the task list), for graphs that bind one task a run. */
export function groupByTask(batch: Batch): TaskGroup[] {
  const pick = (tensor: Batch['image'], rows: readonly number[]): Batch['image'] => {
    const each = tensor.shape.slice(1).reduce((a, b) => a * b, 1), data = new Float32Array(rows.length * each);
    rows.forEach((row, at) => data.set((tensor.data as Float32Array).subarray(row * each, (row + 1) * each), at * each));
    return f32([rows.length, ...tensor.shape.slice(1)], data);
  };
  return [...new Set(batch.tasks)].sort((a, b) => a - b).map((task) => {
    const rows = batch.tasks.flatMap((t, k) => (t === task ? [k] : []));
    if (rows.length === batch.tasks.length) return { task, batch };
    return { task, batch: { image: pick(batch.image, rows), truth: pick(batch.truth, rows), tasks: rows.map(() => task), items: rows.map((r) => batch.items[r] as DataItem), step: batch.step } };
  });
}
