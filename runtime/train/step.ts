// One training step: gradients of a batch, group by group of its tasks, then one update of the tensors that took part.
// No schedules, no data order, no files: the loop's matter.
import { applyFunction, economical, wholeGradient, type GradOptions } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { taskCodes, type Program, type TensorInfo, type TrainConfig } from '../../compiler/program.js';
import { groupByTask, type Batch } from '../data/index.js';
import { hasMemory } from '../engines/device.js';
import { f32, type CompiledFunction, type Engine, type Feeds, type Tensor } from '../engines/engine.js';
import type { FeatureCache } from '../features/cache.js';
import type { TrainState } from '../state/checkpoint.js';
import { binderOf, pick, scheduleFeeds } from './bind.js';
import { dropFeeds, dropLeaves } from './dropout.js';
import { int8Of, type FrozenValues } from './frozen-int8.js';
import { frozenPart, type FrozenPart } from './frozen.js';
import { imageInput } from './image-input.js';
import { clearOthers, keepOthers } from './rows.js';

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

/** Tensors that are updated together: the shared ones, or one task's own; of either those that wait for an improvement are a set by themselves. */
export interface UpdateSet { readonly tensors: readonly TensorInfo[]; readonly perTask: boolean; readonly waits: boolean }
interface Update extends UpdateSet { readonly fn: CompiledFunction }

type Gradients = Map<string, Float32Array>;

export const SHARED = undefined;

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
  const updates: Update[] = [];
  for (const set of updateSets(trained, waiting)) updates.push({ ...set, fn: await engine.compile(applyFunction(set.tensors, training.optimizer)) });
  const drops = dropLeaves(graph);
  const binder = binderOf(program);

  // Gradients that are done with: the next run writes there, and no step but the first asks for memory. And the tensors of states that are ours to write over.
  const spare = new Map<string, Tensor[]>(), ours = new WeakSet<Tensor>();
  const handBack = (name: string, tensor: Tensor): void => { spare.set(name, [...(spare.get(name) ?? []), tensor]); };
  const fromSpare = (): Feeds => Object.fromEntries([...spare].flatMap(([name, tensors]) => {
    const tensor = tensors.pop();
    return tensor === undefined ? [] : [[name, tensor]];
  }));

  const keep = (path: string, before: Tensor | undefined, after: Tensor | undefined): void => {
    const own = tables.get(path);
    if (own !== undefined) keepOthers(before?.data as Float32Array, after?.data as Float32Array, own);
  };

  const gradientsOf = async (state: TrainState, group: Group, scalars: StepScalars, whole: number): Promise<Readonly<Record<string, Tensor>>> => {
    const n = group.rows.length;
    const feeds: Feeds = {
      ...binder.feeds(grad.inputs, state.tensors, group.task), ...scheduleFeeds(scalars.schedules),
      ...dropFeeds(drops, scalars.seed, scalars.step, whole, group.rows),
      ...await frozen?.features(state.tensors, group.batch.image),
      [image]: group.batch.image, truth: group.batch.truth, weights: f32([n], new Float32Array(n).fill(1 / whole)),
    };
    return grad.run(pick(feeds, grad.inputs), { into: fromSpare() });
  };

  const apply = async (state: TrainState, update: Update, task: number | undefined, gradients: Gradients, lr: number, clip: number): Promise<void> => {
    const stored = new Map(update.tensors.map((t) => [t.path, binder.stored(t.path, task) ?? t.path]));
    const [first] = stored.values();
    const step = (first === undefined ? 0 : state.updates.get(first) ?? 0) + 1;
    const feeds: Record<string, Tensor> = { lr: f32([], [lr]), step: f32([], [step]), clip: f32([], [clip]) };
    for (const { path, shape } of update.tensors) {
      const place = stored.get(path) ?? path, gradient = gradients.get(path), value = state.tensors.get(place);
      if (gradient === undefined || value === undefined) throw new Error(`${place} has no ${value === undefined ? 'value' : 'gradient'}`);
      feeds[path] = value;
      feeds[`grad:${path}`] = f32(shape, gradient);
      for (const kind of ['m', 'v']) {
        const moment = state.moments.get(`${kind}:${place}`);
        if (moment !== undefined) feeds[`${kind}:${path}`] = moment;
      }
    }
    const into = Object.fromEntries(update.fn.outputs.flatMap((name) => {
      const fed = feeds[name];
      return fed === undefined || !ours.has(fed) || tables.has(name) ? [] : [[name, fed]];
    }));
    const results = await update.fn.run(pick(feeds, update.fn.inputs), { into });
    for (const { path } of update.tensors) {
      keep(path, feeds[path], results[path]);
      const place = stored.get(path) ?? path;
      for (const [kind, target] of [['', state.tensors], ['m:', state.moments], ['v:', state.moments]] as const) {
        const result = results[kind + path];
        if (result === undefined) continue;
        ours.add(result);
        target.set(kind + place, result);
      }
      state.updates.set(place, step);
    }
  };

  /** Adds to `used` the gradients that are needed until the step is over. */
  const step = async (state: TrainState, batch: Batch, scalars: StepScalars, used: [name: string, gradient: Tensor][]): Promise<StepResult> => {
    const groups = groupsOf(program, batch), whole = batch.items.length;
    const losses = new Float32Array(whole);
    // Gradients of the shared tensors (summed over the groups) and of each task's own; states likewise.
    const sums: Gradients = new Map();
    const gradients = new Map<number | undefined, Gradients>([[SHARED, sums]]);
    const states = new Map<string, { readonly value: Tensor; readonly part: number }[]>();
    for (const group of groups) {
      const results = await gradientsOf(state, group, scalars, whole);
      scatter(losses, results['loss'], group.rows);
      const mine: Gradients = new Map();
      if (group.task !== SHARED) gradients.set(group.task, mine);
      const moving = new Set(trained.filter((t) => !(waiting.has(t.path) && scalars.paused?.has(t.perTask ? group.task : SHARED) === true)).map((t) => t.path));
      for (const { path, perTask } of trained) {
        const gradient = results[`grad:${path}`];
        if (gradient === undefined) continue;
        if (!moving.has(path) || !accumulate(perTask ? mine : sums, path, gradient.data as Float32Array)) handBack(`grad:${path}`, gradient);
        else used.push([`grad:${path}`, gradient]);
      }
      for (const [name, value] of Object.entries(results)) {
        const place = name.startsWith('state:') ? binder.stored(name.slice('state:'.length), group.task) : undefined;
        if (place !== undefined) states.set(place, [...(states.get(place) ?? []), { value, part: group.rows.length / whole }]);
      }
    }
    for (const [path, own] of tables) {
      const gradient = sums.get(path);
      if (gradient !== undefined) clearOthers(gradient, own);
    }
    const gradNorm = training.clip === undefined ? undefined : globalNorm(gradients.values());
    const { result, clip } = outcomeOf(training, losses, gradNorm);
    if (clip === undefined) return result;
    for (const [task, mine] of gradients) for (const update of updates) if (moves(update, task, scalars)) await apply(state, update, task, mine, scalars.lr, clip);
    for (const [place, parts] of states) {
      const value = blend(parts);
      keep(place, state.tensors.get(place), value);
      state.tensors.set(place, value);
    }
    return result;
  };

  return {
    moments: (codes) => momentsOf(updates, codes.map((code) => taskCodes(program).indexOf(code)), binder.stored),
    run: async (state, batch, scalars) => {
      const used: [name: string, gradient: Tensor][] = [];
      const result = await step(state, batch, scalars, used);
      for (const [name, gradient] of used) handBack(name, gradient);
      return result;
    },
    ...(frozen === undefined ? {} : { frozen }),
    dispose: async () => { for (const part of [grad, ...(frozen === undefined ? [] : [frozen]), ...updates.map((u) => u.fn)]) await part.dispose(); },
  };
}

export const updateSets = (trained: readonly TensorInfo[], waiting: ReadonlySet<string>): readonly UpdateSet[] =>
  [false, true].flatMap((perTask) => [false, true].map((waits) => ({ perTask, waits, tensors: trained.filter((t) => t.perTask === perTask && waiting.has(t.path) === waits) })))
    .filter((set) => set.tensors.length > 0);

/** Whether a set takes part in the update of a task, or (`SHARED`) of what all share. */
export const moves = ({ perTask, waits }: UpdateSet, task: number | undefined, { paused }: StepScalars): boolean =>
  perTask === (task !== SHARED) && !(waits && paused?.has(task) === true);

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

export function momentsOf(updates: readonly { readonly tensors: readonly TensorInfo[]; readonly fn: { readonly inputs: readonly string[] } }[], tasks: readonly number[], stored: (leaf: string, task: number | undefined) => string | undefined): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const update of updates) for (const tensor of update.tensors) {
    for (const kind of ['m', 'v'].filter((k) => update.fn.inputs.includes(`${k}:${tensor.path}`))) {
      for (const task of tensor.perTask ? tasks : [undefined]) shapes.set(`${kind}:${stored(tensor.path, task) ?? tensor.path}`, tensor.shape);
    }
  }
  return shapes;
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

/** Adds in float32, as PyTorch's accumulation does. The first value is kept, not copied, and the answer true: results of a run belong to us. */
function accumulate(into: Gradients, path: string, value: Float32Array): boolean {
  const sum = into.get(path);
  if (sum === undefined) into.set(path, value);
  else for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (value[i] as number);
  return sum === undefined;
}

/** √Σg² over all gradients, in float64 and in one order. */
function globalNorm(gradients: Iterable<Gradients>): number {
  let sum = 0;
  for (const mine of gradients) for (const g of mine.values()) for (let i = 0; i < g.length; i++) sum += (g[i] as number) * (g[i] as number);
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
