// The training step where the engine's device has a memory of its own: parameters, moments, states and gradients stay there, and a step reads
// back one small tensor, the losses and the norm. What a step means is said in step.ts; this is the same step, elsewhere.
import { applyFunction, gradFunction, type GradOptions } from '../../compiler/functions.js';
import { pathForTask, taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import type { Batch } from '../data/index.js';
import { ResidentTensor, type DeviceEngine, type DeviceFunction, type DeviceValue } from '../engines/device.js';
import { f32, i64, type Tensor } from '../engines/engine.js';
import type { TrainState } from '../state/checkpoint.js';
import { binderOf, EVERY, pick, scheduleFeeds } from './bind.js';
import { dropFeeds, dropLeaves } from './dropout.js';
import { imageInput } from './image-input.js';
import { blendGraph, joinGraph, squaresGraph, stackGraph, type Shaped } from './resident-graphs.js';
import { groupsOf, outcomeOf, type Group, type Stepper, type StepResult, type StepScalars } from './step.js';
import { momentsOf, moves, SHARED, updateSets, type UpdateSet } from './update.js';

interface Update extends UpdateSet { readonly fn: DeviceFunction }
/** By path; `parts` are to be added up. */
type Parts = Map<string, { readonly value: DeviceValue; readonly part: number }[]>;

export async function makeResidentStepper(program: Program, training: TrainConfig, engine: DeviceEngine, options: GradOptions = {}): Promise<Stepper> {
  const { memory } = engine, codes = taskCodes(program), binder = binderOf(program), image = imageInput(program).name;
  const gradGraph = gradFunction(program, options), drops = dropLeaves(gradGraph);
  const grad = await memory.compile(gradGraph);
  const trained = program.tensors.filter((t) => grad.outputs.includes(`grad:${t.path}`));
  const waiting = new Set(training.afterImprovement ?? []);
  const infos = new Map(trained.map((t) => [t.path, t])), updates: Update[] = [];
  for (const set of updateSets(trained, waiting)) updates.push({ ...set, fn: await memory.compile(applyFunction(set.tensors, training.optimizer)) });
  const made = new Map<string, DeviceFunction>();
  /** Small functions, compiled when they are first needed. */
  const helper = async (key: string, graph: () => Parameters<typeof memory.compile>[0]): Promise<DeviceFunction> => {
    const old = made.get(key);
    if (old !== undefined) return old;
    const fn = await memory.compile(graph());
    made.set(key, fn);
    return fn;
  };

  /** The device's copy of what the state holds, by where it holds it; `tensor` is what it was made of. */
  const held = new Map<string, { readonly tensor: Tensor; readonly value: DeviceValue }>();
  const valueOf = (place: string, tensor: Tensor | undefined): DeviceValue => {
    if (tensor === undefined) throw new Error(`${place} has no value`);
    if (tensor instanceof ResidentTensor && tensor.held) return tensor.value;
    const old = held.get(place);
    if (old?.tensor === tensor) return old.value;
    old?.value.dispose();
    const value = memory.put(tensor);
    held.set(place, { tensor, value });
    return value;
  };
  /** What the device made takes the place of what the state held. */
  const replace = (target: Map<string, Tensor>, place: string, value: DeviceValue): void => {
    const old = target.get(place), copy = held.get(place);
    if (old instanceof ResidentTensor) {
      ours.delete(old);
      old.release();
    }
    copy?.value.dispose();
    held.delete(place);
    const tensor = new ResidentTensor(value);
    ours.add(tensor);
    target.set(place, tensor);
  };
  const ours = new Set<ResidentTensor>();

  /** Σ part · value of every path; a single whole part is itself. */
  const blended = async (key: string, parts: Parts): Promise<Map<string, DeviceValue>> => {
    const result = new Map<string, DeviceValue>(), byCount = new Map<number, string[]>();
    for (const [path, list] of parts) {
      const [first] = list;
      if (first !== undefined && list.length === 1 && first.part === 1) result.set(path, first.value);
      else byCount.set(list.length, [...(byCount.get(list.length) ?? []), path]);
    }
    for (const [count, paths] of byCount) {
      const shaped = paths.map((name): Shaped => ({ name, shape: parts.get(name)?.[0]?.value.shape ?? [] }));
      const fn = await helper(`blend ${key} ${count} ${paths.join()}`, () => blendGraph(shaped, count));
      // paths share weights only where they come of the same groups, as the gradients of one set do; states go one by one
      const [lead] = paths, weights = (lead === undefined ? [] : parts.get(lead) ?? []).map(({ part }, i) => [`part:${i}`, f32([], [part])] as const);
      const feeds = Object.fromEntries(paths.flatMap((path) => (parts.get(path) ?? []).map(({ value }, i) => [`${i}:${path}`, value] as const)));
      for (const [path, value] of Object.entries(await fn.run({ ...feeds, ...Object.fromEntries(weights) }))) result.set(path, value);
      for (const value of Object.values(feeds)) value.dispose();
    }
    return result;
  };

  const gradientsOf = async (state: TrainState, group: Group, scalars: StepScalars, whole: number): Promise<Readonly<Record<string, DeviceValue>>> => {
    const n = group.rows.length, feeds: Record<string, DeviceValue | Tensor> = {}, stacks: DeviceValue[] = [];
    for (const name of grad.inputs) {
      const place = binder.stored(name, group.task);
      if (place !== undefined) feeds[name] = valueOf(place, state.tensors.get(place));
      else if (name.startsWith(EVERY)) {
        const copies = codes.map((code) => pathForTask(name.slice(EVERY.length), code)).map((path) => valueOf(path, state.tensors.get(path)));
        const fn = await helper(`stack ${name}`, () => stackGraph(copies.length, copies[0]?.shape ?? []));
        const { all } = await fn.run(Object.fromEntries(copies.entries()));
        if (all === undefined) throw new Error(`${name} was not stacked`);
        stacks.push(all);
        feeds[name] = all;
      } else if (name === 't' && group.task !== undefined) feeds[name] = i64(group.task);
    }
    const given = {
      ...scheduleFeeds(scalars.schedules), ...dropFeeds(drops, scalars.seed, scalars.step, whole, group.rows),
      [image]: group.batch.image, truth: group.batch.truth, weights: f32([n], new Float32Array(n).fill(1 / whole)),
    };
    const results = await grad.run({ ...pick(given, grad.inputs), ...feeds });
    for (const value of stacks) value.dispose();
    return results;
  };

  const apply = async (state: TrainState, update: Update, task: number | undefined, gradients: ReadonlyMap<string, DeviceValue>, lr: number, clip: number): Promise<void> => {
    const places = new Map(update.tensors.map((t) => [t.path, binder.stored(t.path, task) ?? t.path]));
    const [first] = places.values();
    const step = (first === undefined ? 0 : state.updates.get(first) ?? 0) + 1;
    const feeds: Record<string, DeviceValue | Tensor> = { lr: f32([], [lr]), step: f32([], [step]), clip: f32([], [clip]) };
    for (const [path, place] of places) {
      const gradient = gradients.get(path);
      if (gradient === undefined) throw new Error(`${place} has no gradient`);
      feeds[path] = valueOf(place, state.tensors.get(place));
      feeds[`grad:${path}`] = gradient;
      for (const kind of ['m', 'v']) {
        if (update.fn.inputs.includes(`${kind}:${path}`)) feeds[`${kind}:${path}`] = valueOf(`${kind}:${place}`, state.moments.get(`${kind}:${place}`));
      }
    }
    const results = await update.fn.run(Object.fromEntries(update.fn.inputs.flatMap((name) => (feeds[name] === undefined ? [] : [[name, feeds[name]]]))));
    for (const [path, place] of places) {
      for (const [kind, target] of [['', state.tensors], ['m:', state.moments], ['v:', state.moments]] as const) {
        const value = results[kind + path];
        if (value !== undefined) replace(target, kind + place, value);
      }
      state.updates.set(place, step);
    }
  };

  /** The losses of the groups and Σ g² of all gradients: the one readback of the step. */
  const report = async (losses: readonly DeviceValue[], gradients: Iterable<ReadonlyMap<string, DeviceValue>>): Promise<Float32Array> => {
    const vectors = [...losses];
    if (training.clip !== undefined) for (const mine of gradients) {
      if (mine.size === 0) continue;
      const fn = await helper(`squares ${[...mine.keys()].join()}`, () => squaresGraph([...mine].map(([name, { shape }]) => ({ name, shape }))));
      const { squares } = await fn.run(Object.fromEntries(mine));
      if (squares !== undefined) vectors.push(squares);
    }
    const [only, ...more] = vectors;
    let all = only;
    if (more.length > 0) {
      const fn = await helper(`join ${vectors.length}`, () => joinGraph(vectors.length));
      all = (await fn.run(Object.fromEntries(vectors.entries())))['all'];
      for (const value of vectors) value.dispose();
    }
    if (all === undefined) throw new Error('a step without a loss');
    const data = all.read() as Float32Array;
    all.dispose();
    return data;
  };

  const run = async (state: TrainState, batch: Batch, scalars: StepScalars): Promise<StepResult> => {
    const groups = groupsOf(program, batch), whole = batch.items.length;
    const parts = new Map<number | undefined, Parts>([[SHARED, new Map()]]), states: Parts = new Map(), lossOf: DeviceValue[] = [];
    const put = (into: Parts, path: string, value: DeviceValue, part: number): void => void into.set(path, [...(into.get(path) ?? []), { value, part }]);
    for (const group of groups) {
      const results = await gradientsOf(state, group, scalars, whole);
      if (!parts.has(group.task)) parts.set(group.task, new Map());
      for (const [name, value] of Object.entries(results)) {
        const path = name.slice(name.indexOf(':') + 1), info = infos.get(path);
        const place = name.startsWith('state:') ? binder.stored(path, group.task) : undefined;
        const into = name.startsWith('grad:') && info !== undefined ? parts.get(info.perTask ? group.task : SHARED) : undefined;
        const stands = waiting.has(path) && scalars.paused?.has(info?.perTask === true ? group.task : SHARED) === true;
        if (name === 'loss') lossOf.push(value);
        else if (place !== undefined) put(states, place, value, group.rows.length / whole);
        else if (into !== undefined && !stands) put(into, path, value, 1);
        else value.dispose();
      }
    }
    const gradients = new Map<number | undefined, Map<string, DeviceValue>>();
    for (const [task, mine] of parts) gradients.set(task, await blended(String(task), mine));
    const read = await report(lossOf, gradients.values());
    const losses = new Float32Array(whole);
    let next = 0, squares = 0;
    for (const { rows } of groups) for (const row of rows) losses[row] = read[next++] ?? NaN;
    for (const s of read.subarray(next)) squares += s;
    const gradNorm = training.clip === undefined ? undefined : Math.sqrt(squares);
    const { result, clip } = outcomeOf(training, losses, gradNorm);
    if (clip !== undefined) for (const [task, mine] of gradients) for (const update of updates) if (moves(update, task, scalars.paused)) await apply(state, update, task, mine, scalars.lr, clip);
    for (const mine of gradients.values()) for (const value of mine.values()) value.dispose();
    for (const [place, list] of states) {
      // one group's state is the state, whatever its share of the batch
      const value = list.length === 1 ? list[0]?.value : (await blended('state', new Map([[place, list]]))).get(place);
      if (value === undefined) throw new Error(`${place} has no value after the step`);
      if (clip !== undefined) replace(state.tensors, place, value);
      else value.dispose();
    }
    return result;
  };

  return {
    moments: (tasks) => momentsOf(updates, tasks.map((code) => codes.indexOf(code)), binder.stored),
    run,
    dispose: async () => {
      for (const fn of [grad, ...updates.map((u) => u.fn), ...made.values()]) await fn.dispose();
      for (const { value } of held.values()) value.dispose();
      // who still holds the state may read it
      for (const tensor of ours) {
        void tensor.data;
        tensor.release();
      }
      held.clear();
      ours.clear();
    },
  };
}
