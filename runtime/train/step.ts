// One training step: gradients of a batch, group by group of its tasks, then one update of the tensors that took part.
// No schedules, no data order, no files: the loop's matter.
import { economical, wholeGradient, type GradOptions } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import { groupByTask, type Batch } from '../data/index.js';
import { hasMemory } from '../engines/device.js';
import { f32, type Engine, type Feeds, type Tensor } from '../engines/engine.js';
import { land } from '../engines/feeds.js';
import type { FeatureCache } from '../features/cache.js';
import type { TrainState } from '../state/checkpoint.js';
import { binderOf, pick, scheduleFeeds } from './bind.js';
import { dropFeeds, dropLeaves } from './dropout.js';
import { int8Of, type FrozenValues } from './frozen-int8.js';
import { frozenPart, type FrozenPart } from './frozen.js';
import { imageInput } from './image-input.js';
import { clearOthers, keepOthers } from './rows.js';
import { makeUpdate, momentsOf, moves, SHARED, updateSets, type Flat, type Update } from './update.js';

export interface StepScalars {
  readonly lr: number;
  readonly schedules: Readonly<Record<string, number>>;
  readonly seed: number;
  /** Batches before this one, from the beginning of the training. */
  readonly step: number;
  /** Tasks whose tensors that wait for an improvement stand still, moments too; undefined: the shared ones. */
  readonly paused?: ReadonlySet<number | undefined>;
}

export interface StepResult {
  /** Mean over the batch. */
  readonly loss: number;
  /** Per sample, in the batch's order. */
  readonly losses: Float32Array;
  /** Global norm of the gradient before clipping; only where the training clips. */
  readonly gradNorm?: number;
}

export interface Stepper {
  /** Names of the moments of every trained tensor, by stored path, of these tasks: what a fresh state holds as zeros. */
  readonly moments: (codes: readonly string[]) => ReadonlyMap<string, readonly number[]>;
  /**
   * Changes `state`: tensors of tasks that are not in the batch stay as they are. What it was given it replaces, and what it has put there itself it
   * writes over in the next step: who wants to keep a state over a step copies its numbers.
   */
  run(state: TrainState, batch: Batch, scalars: StepScalars): Promise<StepResult>;
  /** What of the step is computed apart, once an image where its features are kept. */
  readonly frozen?: Pick<FrozenPart, 'share' | 'bytes'>;
  dispose(): Promise<void>;
}

/** Samples of one task (or of the whole batch, where the graph reads no task) and their places in the batch. */
export interface Group { readonly task: number | undefined; readonly batch: Batch; readonly rows: readonly number[] }

export interface StepperOptions extends GradOptions {
  /** Of these tensors, the elements marked 1 are trained and the others stay. */
  readonly tables?: ReadonlyMap<string, Uint8Array>;
  /** Keeps the features of frozen parts; numbers are the same with and without. */
  readonly cache?: FeatureCache;
  /** The forward's products with these frozen matrices are in int8. */
  readonly int8?: FrozenValues;
}

/** Where the engine's device has a memory of its own, the step stays there, and keeps no features. */
export async function makeStepper(program: Program, training: TrainConfig, engine: Engine, { tables = new Map(), cache, int8, ...how }: StepperOptions = {}): Promise<Stepper> {
  if (hasMemory(engine) && tables.size === 0) return (await import('./resident.js')).makeResidentStepper(program, training, engine, how);
  const whole = wholeGradient(program, how), image = imageInput(program).name;
  // Cut first: what is computed again for the backward begins at the features.
  const frozen = await frozenPart(program, whole, engine, cache, int8), graph = economical(program, frozen?.rest ?? whole, how);
  const grad = await engine.compile(graph, int8Of(program, graph, int8));
  const trained = program.tensors.filter((t) => grad.outputs.includes(`grad:${t.path}`));
  const waiting = new Set(training.afterImprovement ?? []);
  const drops = dropLeaves(graph);
  const binder = binderOf(program);
  const updates: Update[] = [];
  for (const set of updateSets(trained, waiting)) updates.push(await makeUpdate(set, training.optimizer, engine, binder.stored, tables));

  const gradientsOf = async (state: TrainState, group: Group, scalars: StepScalars, whole: number, into: Feeds): Promise<Feeds> => {
    const n = group.rows.length;
    const feeds: Feeds = {
      ...binder.feeds(grad.inputs, state.tensors, group.task), ...scheduleFeeds(scalars.schedules),
      ...dropFeeds(drops, scalars.seed, scalars.step, whole, group.rows),
      ...await frozen?.features(state.tensors, group.batch.image),
      [image]: group.batch.image, truth: group.batch.truth, weights: f32([n], new Float32Array(n).fill(1 / whole)),
    };
    const results = await grad.run(pick(feeds, grad.inputs), { into });
    land(results, into);
    return results;
  };

  const step = async (state: TrainState, batch: Batch, scalars: StepScalars): Promise<StepResult> => {
    const groups = groupsOf(program, batch), whole = batch.items.length;
    const losses = new Float32Array(whole);
    // Gradients of the shared tensors (summed over the groups) and of each task's own; states likewise.
    const moving = new Map<number | undefined, Map<Update, Flat>>([[SHARED, new Map()]]);
    const states = new Map<string, { readonly value: Tensor; readonly part: number }[]>();
    for (const group of groups) {
      const rooms = updates.map((update) => ({ update, task: update.perTask ? group.task : SHARED, gradients: update.room() }));
      const results = await gradientsOf(state, group, scalars, whole, Object.fromEntries(rooms.flatMap(({ update, gradients }) => update.tensors.map(({ path }, i) => [`grad:${path}`, gradients.tensors[i] as Tensor]))));
      scatter(losses, results['loss'], group.rows);
      for (const { update, task, gradients } of rooms) {
        const mine = moving.get(task) ?? new Map<Update, Flat>(), sum = mine.get(update);
        if (sum !== undefined) accumulate(sum.all, gradients.all);
        if (sum === undefined && moves(update, task, scalars.paused)) moving.set(task, mine.set(update, gradients));
        else update.free(gradients);
      }
      for (const [name, value] of Object.entries(results)) {
        const place = name.startsWith('state:') ? binder.stored(name.slice('state:'.length), group.task) : undefined;
        if (place !== undefined) states.set(place, [...(states.get(place) ?? []), { value, part: group.rows.length / whole }]);
      }
    }
    for (const [update, { tensors }] of moving.get(SHARED) ?? []) for (const [i, { path }] of update.tensors.entries()) {
      const own = tables.get(path);
      if (own !== undefined) clearOthers(tensors[i]?.data as Float32Array, own);
    }
    const all = [...moving].flatMap(([task, mine]) => [...mine].map(([update, gradients]) => ({ task, update, gradients })));
    const gradNorm = training.clip === undefined ? undefined : globalNorm(all.map((a) => a.gradients));
    const { result, clip } = outcomeOf(training, losses, gradNorm);
    for (const { task, update, gradients } of all) {
      if (clip !== undefined) await update.run(state, task, gradients, { lr: scalars.lr, clip });
      update.free(gradients);
    }
    if (clip === undefined) return result;
    for (const [place, parts] of states) {
      const value = blend(parts), own = tables.get(place);
      if (own !== undefined) keepOthers(state.tensors.get(place)?.data as Float32Array, value.data as Float32Array, own);
      state.tensors.set(place, value);
    }
    return result;
  };

  return {
    moments: (codes) => momentsOf(updates, codes.map((code) => taskCodes(program).indexOf(code)), binder.stored),
    run: step,
    ...(frozen === undefined ? {} : { frozen }),
    dispose: async () => { for (const part of [grad, ...(frozen === undefined ? [] : [frozen]), ...updates.map((u) => u.fn)]) await part.dispose(); },
  };
}

/** What a step answers, and the factor of its gradients; none where it diverged: it changes nothing then, so that what is saved stays finite. */
export function outcomeOf(training: TrainConfig, losses: Float32Array, gradNorm: number | undefined): { readonly result: StepResult; readonly clip?: number } {
  const loss = losses.reduce((sum, l) => sum + l, 0) / losses.length, result = { loss, losses, gradNorm };
  if (!Number.isFinite(loss) || (gradNorm !== undefined && !Number.isFinite(gradNorm))) return { result };
  return { result, clip: training.clip === undefined || gradNorm === undefined || gradNorm <= training.clip ? 1 : training.clip / gradNorm };
}

/** Starting tensors, moments of zero, no updates. */
export function freshState(tensors: Map<string, Tensor>, stepper: Stepper, codes: readonly string[]): TrainState {
  const moments = [...stepper.moments(codes)].map(([name, shape]): [string, Tensor] => [name, f32(shape, new Float32Array(sizeOf(shape)))]);
  return { tensors, moments: new Map(moments), updates: new Map() };
}

/** Groups in the order of the task list, so that sums over groups have one order. */
export function groupsOf(program: Program, batch: Batch): readonly Group[] {
  if (!program.readsTask) return [{ task: undefined, batch, rows: [...batch.items.keys()] }];
  return [...groupByTask(batch)].sort((a, b) => a.task - b.task)
    .map(({ task, batch: part }) => ({ task, batch: part, rows: [...batch.tasks.keys()].filter((i) => batch.tasks[i] === task) }));
}

function scatter(losses: Float32Array, loss: Tensor | undefined, rows: readonly number[]): void {
  for (const [i, row] of rows.entries()) losses[row] = (loss?.data as Float32Array)[i] ?? NaN;
}

/** Adds in float32, as PyTorch's accumulation does: changes `sum`. */
function accumulate(sum: Float32Array, value: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (value[i] as number);
}

/** √Σg² over all gradients, in float64 and in one order. */
function globalNorm(gradients: readonly Flat[]): number {
  let sum = 0;
  for (const { all } of gradients) for (let i = 0; i < all.length; i++) sum += (all[i] as number) * (all[i] as number);
  return Math.sqrt(sum);
}

/** A shared state seen by several groups: their mean by number of samples, which for a mean over samples (an EMA of one) is the whole batch's. */
function blend(parts: readonly { readonly value: Tensor; readonly part: number }[]): Tensor {
  const [only, ...others] = parts;
  if (only === undefined) throw new Error('a state without a value');
  if (others.length === 0) return only.value;
  const data = Float32Array.from(only.value.data as Float32Array, (_, i) => parts.reduce((sum, { value, part }) => sum + part * ((value.data as Float32Array)[i] as number), 0));
  return f32(only.value.shape, data);
}
