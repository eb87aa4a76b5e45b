// One step: tasks that are not in the batch keep every bit, and a batch split by task is the batch.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { gradFunction } from '../../compiler/functions.js';
import type { NdArray } from '../../compiler/ir/ndarray.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import { makeCache, trainBatches, type Batch, type Dataset } from '../../runtime/data/index.js';
import type { Engine, Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import type { TrainState } from '../../runtime/state/checkpoint.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { binderOf } from '../../runtime/train/bind.js';
import { dropFeeds, dropLeaves } from '../../runtime/train/dropout.js';
import { freshState, makeStepper, type Stepper } from '../../runtime/train/step.js';
import { adam, constantSchedule, TASKS, tinyData, tinyProgram } from './tiny.js';

let root: string, dataset: Dataset, engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'step-'));
  dataset = await tinyData(root);
  engine = await createEngine('ort', { threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SCALARS = { lr: 0.01, schedules: { temperature: 0.7 }, seed: 3, step: 5 };

async function begin(program: Program): Promise<{ stepper: Stepper; state: TrainState }> {
  const stepper = await makeStepper(program, program.training!, engine);
  return { stepper, state: freshState(startingTensors(program, 3).tensors, stepper, taskCodes(program)) };
}

async function batchOf(batch: number, only?: string): Promise<Batch> {
  const items = dataset.items.filter((i) => only === undefined || i.task === only);
  const batches = trainBatches({ ...dataset, items }, 'train', { batch, sampler: 'shuffle', augment: tinyProgram().training!.augment, oneTaskPerBatch: false, dropLast: false, seed: 1, cache: makeCache(), codes: TASKS });
  for await (const first of batches.epoch(0)) return first;
  throw new Error('no batch');
}

const bits = (t: Tensor): string => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex');
const snapshot = (state: TrainState): Record<string, string | number> => Object.fromEntries([
  ...[...state.tensors, ...state.moments].map(([name, t]) => [name, bits(t)] as const), ...[...state.updates].map(([name, n]) => [`steps:${name}`, n] as const),
]);

describe('a batch of one task', () => {
  it('moves the shared tensors and its own; other tasks keep parameters, moments, step counts and prototypes bit for bit', async () => {
    const { stepper, state } = await begin(tinyProgram());
    const before = snapshot(state);
    await stepper.run(state, await batchOf(4, 'BB'), SCALARS);
    const after = snapshot(state);
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]).sort();
    expect(changed).toEqual([
      'head.BB.weight', 'm:head.BB.weight', 'm:stem.bias', 'm:stem.weight', 'proto.BB', 'stem.bias', 'stem.weight',
      'steps:head.BB.weight', 'steps:stem.bias', 'steps:stem.weight', 'v:head.BB.weight', 'v:stem.bias', 'v:stem.weight',
    ]);
    await stepper.run(state, await batchOf(4, 'AA'), { ...SCALARS, step: 6 });
    expect(Object.fromEntries(state.updates)).toEqual({ 'stem.weight': 2, 'stem.bias': 2, 'head.BB.weight': 1, 'head.AA.weight': 1 });
    await stepper.dispose();
  });
});

describe('a batch over several tasks', () => {
  it('updates as the mean loss over the whole batch, computed sample by sample in float64', async () => {
    const program = tinyProgram({ training: { clip: undefined } });
    const { stepper, state } = await begin(program);
    const before = new Map([...state.tensors]);
    const batch = await batchOf(7);
    expect(new Set(batch.tasks).size).toBe(3);
    const { loss } = await stepper.run(state, batch, SCALARS);

    // Σ_b 1/7 ∇loss_b, one sample a run of the reference evaluator.
    const graph = gradFunction(program), binder = binderOf(program), mean = new Map<string, number[]>();
    const leaves = [...new Set([...graph.nodes.values()].filter((n) => n.op === 'param' || n.op === 'state').map((n) => String(n.attrs['path'])))];
    const array = (t: Tensor): NdArray => ndarray(t.shape, Float64Array.from(t.data as Float32Array));
    const row = (t: Tensor, k: number): NdArray => { const each = t.data.length / 7; return ndarray([1, ...t.shape.slice(1)], Float64Array.from((t.data as Float32Array).subarray(k * each, (k + 1) * each))); };
    let lossSum = 0;
    for (const [k, task] of batch.tasks.entries()) {
      const feeds = new Map(Object.entries(binder.feeds(leaves, before, task)).map(([name, t]) => [name, array(t)]));
      for (const [name, t] of Object.entries(dropFeeds(dropLeaves(graph), SCALARS.seed, SCALARS.step, 7, [k]))) feeds.set(name, array(t));
      feeds.set('image', row(batch.image, k)).set('truth', row(batch.truth, k)).set('weights', ndarray([1], [1 / 7])).set('schedule:temperature', ndarray([], [0.7]));
      for (const [name, value] of evaluate(graph, feeds)) {
        if (name === 'loss') lossSum += value.data[0]! / 7;
        if (!name.startsWith('grad:')) continue;
        const path = binder.stored(name.slice(5), task)!, sum = mean.get(path);
        mean.set(path, Array.from(value.data, (g, i) => g + (sum?.[i] ?? 0)));
      }
    }
    expect(loss).toBeCloseTo(lossSum, 6);
    expect([...mean.keys()].sort()).toEqual(['head.AA.weight', 'head.BB.weight', 'head.CC.weight', 'stem.bias', 'stem.weight']);
    for (const [path, gradient] of mean) {
      // After one step from zero, m = (1 - beta1) g.
      const m = state.moments.get(`m:${path}`)!.data as Float32Array;
      for (const [i, g] of gradient.entries()) expect(m[i]! / 0.1, `${path}[${i}]`).toBeCloseTo(g, 6);
      // And Adam's first step is lr · g / (|g| + eps).
      const moved = state.tensors.get(path)!.data[0] as number, from = before.get(path)!.data[0] as number;
      expect(moved - from).toBeCloseTo(-0.01 * Math.sign(gradient[0]!), 5);
    }
    await stepper.dispose();
  });

  it('in a graph that reads no task runs once, and states are the whole batch\'s', async () => {
    const program = tinyProgram({ perTask: false, rate: 1e-9 });
    const { stepper, state } = await begin(program);
    const before = state.tensors.get('proto')!.data as Float32Array;
    let runs = 0;
    const counted: Engine = { ...engine, compile: async (graph) => { const fn = await engine.compile(graph); return { ...fn, run: (feeds) => { runs++; return fn.run(feeds); } }; } };
    const other = await makeStepper(program, program.training!, counted);
    await other.run({ tensors: new Map(state.tensors), moments: new Map(state.moments), updates: new Map() }, await batchOf(7), SCALARS);
    expect(runs).toBe(2); // grad, then apply
    await stepper.run(state, await batchOf(7), SCALARS);
    expect(Object.keys(Object.fromEntries(state.updates)).sort()).toEqual(['head.weight', 'stem.bias', 'stem.weight']);
    expect([...state.tensors.get('proto')!.data as Float32Array]).not.toEqual([...before]);
    await Promise.all([stepper.dispose(), other.dispose()]);
  });

  it('clips by the global norm over shared and task tensors together', async () => {
    const free = await begin(tinyProgram({ training: { clip: 1e9 } })), clipped = await begin(tinyProgram({ training: { clip: 0.01 } }));
    const batch = await batchOf(7);
    const { gradNorm } = await free.stepper.run(free.state, batch, SCALARS);
    await clipped.stepper.run(clipped.state, batch, SCALARS);
    let squares = 0;
    for (const [name, m] of free.state.moments) if (name.startsWith('m:')) for (const x of m.data as Float32Array) squares += (x / 0.1) ** 2;
    expect(Math.sqrt(squares)).toBeCloseTo(gradNorm!, 6);
    for (const [name, m] of clipped.state.moments) {
      if (!name.startsWith('m:')) continue;
      for (const [i, x] of (m.data as Float32Array).entries()) expect(x).toBeCloseTo((free.state.moments.get(name)!.data[i] as number) * 0.01 / gradNorm!, 8);
    }
    await Promise.all([free.stepper.dispose(), clipped.stepper.dispose()]);
  });

  it('writes over what it has put into the state itself, never over what it was given', async () => {
    const { stepper, state } = await begin(tinyProgram());
    const given = new Map([...state.tensors, ...state.moments]), before = snapshot(state);
    await stepper.run(state, await batchOf(4, 'BB'), SCALARS);
    for (const [name, tensor] of given) expect([name, bits(tensor)]).toEqual([name, before[name]]);
    const made = state.tensors.get('stem.weight')!, moment = state.moments.get('m:head.BB.weight')!;
    expect(made).not.toBe(given.get('stem.weight'));
    const numbers = bits(made);
    await stepper.run(state, await batchOf(4, 'BB'), { ...SCALARS, step: 6 });
    expect([state.tensors.get('stem.weight'), state.moments.get('m:head.BB.weight')]).toEqual([made, moment]);
    expect(state.tensors.get('stem.weight')).toBe(made);
    expect(bits(made)).not.toBe(numbers);
    await stepper.dispose();
  });

  it('gives the same numbers by an engine that makes every result anew', async () => {
    const anew: Engine = { ...engine, compile: async (graph) => { const fn = await engine.compile(graph); return { ...fn, run: (feeds) => fn.run(feeds) }; } };
    const program = tinyProgram(), a = await begin(program), b = await begin(program), other = await makeStepper(program, program.training!, anew);
    for (const step of [5, 6, 7, 8]) {
      const batch = await batchOf(7);
      await a.stepper.run(a.state, batch, { ...SCALARS, step });
      await other.run(b.state, batch, { ...SCALARS, step });
      expect(snapshot(a.state)).toEqual(snapshot(b.state));
    }
    await Promise.all([a.stepper.dispose(), b.stepper.dispose(), other.dispose()]);
  });

  it('leaves everything as it was where the loss is not finite', async () => {
    const { stepper, state } = await begin(tinyProgram({ training: { optimizer: adam(constantSchedule('lr', 0.1)) } }));
    const before = snapshot(state), batch = await batchOf(4);
    (batch.image.data as Float32Array).fill(NaN);
    expect((await stepper.run(state, batch, SCALARS)).loss).toBeNaN();
    expect(snapshot(state)).toEqual(before);
    await stepper.dispose();
  });
});

describe('dropout masks', () => {
  it('are scaled, drop at their rate, depend on (seed, step, path), and of a group are the rows of the whole batch\'s', () => {
    const leaves = dropLeaves(gradFunction(tinyProgram()));
    const [leaf] = leaves;
    const draw = (seed: number, step: number, batch: number, rows: readonly number[]): number[] => [...dropFeeds(leaves, seed, step, batch, rows)[leaf!.name]!.data as Float32Array];
    const whole = draw(1, 2, 64, [...Array(64).keys()]);
    expect(new Set(whole)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(whole.reduce((a, b) => a + b, 0) / whole.length).toBeCloseTo(1, 1);
    const each = whole.length / 64;
    expect(draw(1, 2, 64, [3, 9])).toEqual([...whole.slice(3 * each, 4 * each), ...whole.slice(9 * each, 10 * each)]);
    expect(draw(1, 3, 64, [3])).not.toEqual(whole.slice(3 * each, 4 * each));
    expect(draw(2, 2, 64, [3])).not.toEqual(whole.slice(3 * each, 4 * each));
  });
});
