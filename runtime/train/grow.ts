// Adds one task to a trained run: everything shared and every other task's own stays bit for bit; and shows that predictions did.
// What grows is planned in `growth.ts`; the training itself is the loop's.
import { existsSync } from 'node:fs';
import { inferFunction } from '../../compiler/functions.js';
import { storedPaths, taskCodes, type Program } from '../../compiler/program.js';
import { evalBatches } from '../data/index.js';
import { f32, type CompiledFunction, type Tensor } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { initialise } from '../state/initialise.js';
import { digestOf, weightsFile, type Start } from '../state/weights.js';
import { binderOf, pick, scheduleFeeds } from './bind.js';
import type { Growth } from './growth.js';
import { imageInput } from './image-input.js';
import { train, type RunSummary, type TrainOptions } from './loop.js';
import { extended } from './rows.js';
import { runPaths } from './run-directory.js';
import { openTrainedRun } from './trained-run.js';

export interface GrowthStart extends Start {
  /** Values of the schedules in the checkpoint that grows. */
  readonly schedules: Readonly<Record<string, number>>;
}

/** What one network is trained or asked with. */
interface Values { readonly tensors: ReadonlyMap<string, Tensor>; readonly schedules: Readonly<Record<string, number>> }

/** The best, else the last, checkpoint of the run that grows. Throws UserError. */
const valuesBefore = ({ growth, trained }: GrowOptions): Values => openTrainedRun(growth.from, trained);

/** Every tensor of the run bit for bit; the new task's copies and rows as `init` says, from (seed, path). */
export function growthStart(growth: Growth, seed: number, before: Values): GrowthStart {
  const { program, task, tables } = growth, codes = taskCodes(program), file = weightsFile(growth.from);
  const tensors = new Map<string, Tensor>(), fresh: string[] = [], taken: string[] = [];
  for (const info of program.tensors) {
    const own = tables.get(info.path);
    const drawn = info.perTask || own !== undefined ? initialise(info, seed, codes, [task]) : new Map<string, Tensor>();
    for (const path of storedPaths(info, codes)) {
      const old = before.tensors.get(path), start = drawn.get(path);
      const value = old !== undefined && start !== undefined && own !== undefined ? f32(info.shape, extended(old.data as Float32Array, start.data as Float32Array, own)) : old ?? start;
      if (value === undefined) throw new Error(`nothing gives ${path} a value`);
      tensors.set(path, value);
      (old === undefined ? fresh : taken).push(path);
    }
  }
  return { tensors, schedules: before.schedules, identity: digestOf(file), report: { file, taken, missing: fresh, extra: [], misshapen: [] } };
}

export interface OldTask {
  readonly task: string;
  readonly images: number;
  /** Largest difference of a logit; 0 where all are equal bit for bit. */
  readonly largest: number;
}

export interface GrowOptions extends Omit<TrainOptions, 'program' | 'growth' | 'weights'> {
  readonly growth: Growth;
  /** The program that the run was trained as. */
  readonly trained: Program;
}
/** `old` is empty where the training was interrupted. */
export interface GrowSummary extends RunSummary { readonly old: readonly OldTask[] }

/** Images that the predictions of each task are compared on. */
const COMPARED = 2;

/**
 * Trains the new task into the run directory `out`. Before the first step and at the end, the logits of every other task, before and after
 * growing, are compared bit for bit on images of the data. Throws UserError as `train` does, and where predictions would not stay.
 */
export async function grow(options: GrowOptions): Promise<GrowSummary> {
  const { growth, seed, out } = options;
  const before = valuesBefore(options);
  let start: GrowthStart | undefined;
  const begin = (): GrowthStart => (start ??= growthStart(growth, seed, before));
  if (!existsSync(runPaths(out).record)) {
    const { tensors, schedules } = begin();
    const changed = (await compareOld(options, before, { tensors: disturbed(growth, tensors), schedules })).filter((t) => t.largest !== 0);
    if (changed.length > 0) throw reading(growth, changed);
  }
  const summary = await train({ ...options, program: growth.program, growth: { ...growth, begin } });
  if (summary.stopped === 'interrupted') return { ...summary, old: [] };
  return { ...summary, old: await compareOld(options, before, openTrainedRun(out, growth.program)) };
}

/** The new task's values moved: what else reads them shows it. */
function disturbed({ program, task, tables }: Growth, tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const moved = new Map(tensors);
  const move = (path: string, own?: Uint8Array): void => {
    const tensor = tensors.get(path);
    if (tensor !== undefined) moved.set(path, f32(tensor.shape, (tensor.data as Float32Array).map((x, i) => (own === undefined || own[i] === 1 ? x + 1 : x))));
  };
  for (const info of program.tensors) if (info.perTask) for (const path of storedPaths(info, [task])) move(path);
  for (const [path, own] of tables) move(path, own);
  return moved;
}

function reading({ program, task }: Growth, changed: readonly OldTask[]): UserError {
  const largest = Math.max(...changed.map((t) => t.largest));
  return new UserError(`${program.name} cannot grow by ${task}: predictions of ${changed.map((t) => t.task).join(', ')} would change (a logit by ${largest.toExponential(1)})`,
    'They read what is the new task\'s, or depend on the number of tasks. What a task has of its own must be read for that task alone: `per t`, or `gather(table, t, axis: 0)`.');
}

/** The logits of every task but the new one, from the network before and after growing. */
async function compareOld({ growth, engine, dataset, cache }: GrowOptions, before: Values, after: Values): Promise<readonly OldTask[]> {
  const { base, program } = growth, codes = taskCodes(program);
  const image = await imageFor(growth, dataset, cache);
  const functions: CompiledFunction[] = [];
  const logitsOf = async (p: Program, values: Values): Promise<(code: string) => Promise<Float32Array>> => {
    const fn = await engine.compile(inferFunction(p)), binder = binderOf(p), order = taskCodes(p), { name } = imageInput(p);
    functions.push(fn);
    return async (code) => {
      const feeds = { ...binder.feeds(fn.inputs, values.tensors, order.indexOf(code)), ...scheduleFeeds(values.schedules), [name]: image };
      return (await fn.run(pick(feeds, fn.inputs)))['logits']?.data as Float32Array;
    };
  };
  try {
    const [old, now] = [await logitsOf(base, before), await logitsOf(program, after)];
    const results: OldTask[] = [];
    for (const task of codes.filter((code) => code !== growth.task)) {
      results.push({ task, images: image.shape[0] ?? 0, largest: largestDifference(await old(task), await now(task)) });
    }
    return results;
  } finally {
    for (const fn of functions) await fn.dispose();
  }
}

/** Some images of the new task: any image will do, and those are there. */
async function imageFor({ program }: Growth, dataset: TrainOptions['dataset'], cache: TrainOptions['cache']): Promise<Tensor> {
  const { height, width } = imageInput(program);
  const split = dataset.items.some((i) => i.split === 'val') ? 'val' : 'train';
  const batches = evalBatches(dataset, split, { batch: COMPARED, augment: program.training?.augment ?? [], size: { height, width }, cache, codes: taskCodes(program) });
  for await (const batch of batches) return batch.image;
  throw new UserError(`${dataset.root} has no image to train on`, 'Mend the split column of manifest.csv, or remove it to split by ratio.');
}

/** max |a - b|, 0 only where all bits are equal. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  const bytes = (x: Float32Array): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  if (Buffer.compare(bytes(a), bytes(b)) === 0) return 0;
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? NaN))), Number.MIN_VALUE);
}
