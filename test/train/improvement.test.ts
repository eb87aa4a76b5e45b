// Tensors that wait for an improvement: whose turn it is, what a step leaves alone, and a run that stops and resumes to the same bits.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskCodes } from '../../compiler/program.js';
import { makeCache, trainBatches, type Batch, type Dataset } from '../../runtime/data/index.js';
import type { Engine, Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { loadCheckpoint, type Checkpoint, type TrainState, type ValidationPoint } from '../../runtime/state/checkpoint.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { pausedTasks, taskValues } from '../../runtime/train/improvement.js';
import { train, type TrainOptions } from '../../runtime/train/loop.js';
import { makeStepper } from '../../runtime/train/step.js';
import { adam, constantSchedule, TASKS, tinyData, tinyProgram } from './tiny.js';

let root: string, dataset: Dataset, engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'improvement-'));
  dataset = await tinyData(join(root, 'data'));
  engine = await createEngine('ort', { threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const HEAD = 'head.{task}.weight', BIAS = 'stem.bias';
const bits = (t: Tensor): string => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex');

describe('whose turn it is', () => {
  const history = (...points: readonly (readonly [mean: number, aa: number, bb?: number])[]): ValidationPoint[] =>
    points.map(([value, AA, BB], k) => ({ epoch: k + 1, step: k + 1, value, perTask: { AA, ...(BB === undefined ? {} : { BB }) } }));
  it('everyone’s before the first validation, and after it, which has none to compare with', () => {
    expect(pausedTasks([], TASKS)).toEqual(new Set());
    expect(pausedTasks(history([0.1, 0.1, 0.1]), TASKS)).toEqual(new Set());
  });
  it('a task’s whose last value is above all before it, the shared ones’ by the mean', () => {
    expect(pausedTasks(history([0.5, 0.5, 0.5], [0.4, 0.6, 0.2]), TASKS)).toEqual(new Set([undefined, 1]));
    expect(pausedTasks(history([0.5, 0.5, 0.5], [0.4, 0.4, 0.2], [0.6, 0.5, 0.6]), TASKS)).toEqual(new Set([0]));
  });
  it('and a task’s that has no validation image', () => expect(pausedTasks(history([0.5, 0.5], [0.4, 0.4]), TASKS)).toEqual(new Set([undefined, 0])));
  it('by the kept metric, of a loss the smaller', () => {
    const score = { dice: 0.7, miou: 0.6, images: 2 };
    const counts = ['AA', 'BB', 'AA'].map((task) => ({ task, image: '', tp: 0, fp: 0, fn: 0, tn: 0 }));
    const evaluation = { counts, losses: [1, 5, 3], loss: 3, kept: new Map(), scores: { perTask: { AA: score, BB: { ...score, dice: 0.2 } }, average: { dice: 0, miou: 0 }, miouDefinition: 'dataset-both' as const } };
    expect(taskValues(evaluation, 'dice')).toEqual({ AA: 0.7, BB: 0.2 });
    expect(taskValues(evaluation, 'loss')).toEqual({ AA: -2, BB: -5 });
  });
});

describe('a step', () => {
  it('leaves what waits, its moments and its count; the rest moves as if nothing else were there', async () => {
    const program = tinyProgram({ training: { afterImprovement: [HEAD, BIAS], clip: undefined } });
    const stepper = await makeStepper(program, program.training!, engine);
    const fresh = (): TrainState => ({
      tensors: startingTensors(program, 3).tensors, updates: new Map(),
      moments: new Map([...stepper.moments(taskCodes(program))].map(([name, shape]) => [name, { dtype: 'f32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }])),
    });
    const batches = trainBatches(dataset, 'train', { batch: 7, sampler: 'shuffle', augment: program.training!.augment, oneTaskPerBatch: false, dropLast: false, seed: 1, cache: makeCache(), codes: TASKS });
    const { value: batch } = await batches.epoch(0).next() as { value: Batch };
    expect(new Set(batch.tasks).size).toBe(3);
    const scalars = { lr: 0.01, schedules: { temperature: 0.7 }, seed: 3, step: 5 };
    const [free, held] = [fresh(), fresh()], before = new Map(held.tensors);
    const a = await stepper.run(free, batch, scalars), b = await stepper.run(held, batch, { ...scalars, paused: new Set([undefined, 1]) });
    expect(b.loss).toBe(a.loss);
    for (const path of [BIAS, 'head.BB.weight']) {
      expect(bits(held.tensors.get(path)!)).toBe(bits(before.get(path)!));
      expect(bits(free.tensors.get(path)!)).not.toBe(bits(before.get(path)!));
      expect([...held.moments.get(`m:${path}`)!.data as Float32Array].every((v) => v === 0)).toBe(true);
    }
    for (const path of ['stem.weight', 'head.AA.weight', 'head.CC.weight', 'proto.BB']) expect(bits(held.tensors.get(path)!)).toBe(bits(free.tensors.get(path)!));
    expect(Object.fromEntries(held.updates)).toEqual({ 'stem.weight': 1, 'head.AA.weight': 1, 'head.CC.weight': 1 });
    await stepper.dispose();
  });

  it('whose gradients are clipped leaves them out of the norm', async () => {
    const program = tinyProgram({ training: { afterImprovement: ['stem.weight', BIAS, HEAD] } });
    const stepper = await makeStepper(program, program.training!, engine);
    const batches = trainBatches(dataset, 'train', { batch: 7, sampler: 'shuffle', augment: program.training!.augment, oneTaskPerBatch: false, dropLast: false, seed: 1, cache: makeCache(), codes: TASKS });
    const { value: batch } = await batches.epoch(0).next() as { value: Batch };
    const state: TrainState = { tensors: startingTensors(program, 3).tensors, updates: new Map(), moments: new Map() };
    expect((await stepper.run(state, batch, { lr: 0.01, schedules: { temperature: 0.7 }, seed: 3, step: 5, paused: new Set([undefined, 0, 1, 2]) })).gradNorm).toBe(0);
    await stepper.dispose();
  });
});

describe('a run', () => {
  const program = tinyProgram({ training: { epochs: 6, afterImprovement: [HEAD, BIAS], optimizer: adam(constantSchedule('lr', 0.3)) } });
  const run = (name: string, more: Partial<TrainOptions> = {}) => train({ program, engine, dataset, cache: makeCache(), out: join(root, name), seed: 7, ...more });
  const checkpoint = (name: string): Checkpoint => loadCheckpoint(join(root, name, 'checkpoints'), 'last');
  const perEpoch = 4;

  it('moves a task’s own tensor in the epochs that follow its improvement, and in no other', async () => {
    const heads: Map<string, string>[] = [];
    for (let epoch = 0; epoch <= 6; epoch++) {
      await run('epochs', { maxSteps: epoch * perEpoch, resume: true });
      const { tensors } = checkpoint('epochs').state;
      heads.push(new Map([...TASKS.map((t) => `head.${t}.weight`), BIAS].map((path) => [path, bits(tensors.get(path)!)])));
    }
    const { history } = checkpoint('epochs').record.progress;
    expect(history).toHaveLength(6);
    const seen = new Set<boolean>();
    for (let epoch = 0; epoch < 6; epoch++) {
      const paused = pausedTasks(history.slice(0, epoch), TASKS);
      for (const [k, path] of [...TASKS.keys(), undefined].map((t) => [t, t === undefined ? BIAS : `head.${TASKS[t]}.weight`] as const)) {
        const moved = heads[epoch]!.get(path) !== heads[epoch + 1]!.get(path);
        // a sampler with replacement may leave a task out of an epoch; none of these does
        expect([epoch, path, moved]).toEqual([epoch, path, !paused.has(k)]);
        seen.add(moved);
      }
    }
    expect(seen).toEqual(new Set([true, false]));
  });

  it('stopped anywhere and resumed ends as if never stopped', async () => {
    await run('whole');
    const all = ({ record, state }: Checkpoint): unknown => ({ record, tensors: [...state.tensors, ...state.moments].map(([name, t]) => [name, bits(t)]) });
    for (const step of [3, 8, 13, 18, 22]) {
      await run(`stopped-${step}`, { maxSteps: step });
      await run(`stopped-${step}`, { resume: true });
      expect(all(checkpoint(`stopped-${step}`))).toEqual(all(checkpoint('whole')));
    }
  });
});
