// The loop as a whole on the tiny model with ONNX Runtime: it learns, stops and resumes to the same bits, and refuses what is another run.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCache, startLoader, type Dataset } from '../../runtime/data/index.js';
import type { Engine } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { UserError } from '../../runtime/errors.js';
import { loadCheckpoint, type Checkpoint } from '../../runtime/state/checkpoint.js';
import { train, type TrainEvent, type TrainOptions } from '../../runtime/train/loop.js';
import { constantSchedule, tinyData, tinyProgram, adam } from './tiny.js';

let root: string, dataset: Dataset, engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'loop-'));
  dataset = await tinyData(join(root, 'data'));
  engine = await createEngine('ort', { threads: 1 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, more: Partial<TrainOptions> = {}) =>
  train({ program: tinyProgram(), engine, dataset, cache: makeCache(), out: join(root, name), seed: 7, ...more });
const checkpoint = (name: string, which = 'last'): Checkpoint => loadCheckpoint(join(root, name, 'checkpoints'), which);
/** All that a checkpoint holds, as text in which equal means equal bit for bit. */
const bits = ({ record, state }: Checkpoint): unknown => ({
  record,
  tensors: [...state.tensors, ...state.moments].map(([name, t]) => [name, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')]),
});
const log = (name: string): string => readFileSync(join(root, name, 'metrics.jsonl'), 'utf8');

describe('train', () => {
  it('learns, validates each epoch, keeps the best, and writes what it did', async () => {
    const events: TrainEvent[] = [];
    const program = tinyProgram({ training: { epochs: 12, optimizer: adam(constantSchedule('lr', 0.05)) } });
    const summary = await run('learns', { program, onEvent: (e) => events.push(e) });
    expect(summary).toMatchObject({ stopped: 'finished', epochs: 12, steps: 12 * 4, imagesSeen: 12 * 15 });
    const lines = log('learns').trim().split('\n').map((line) => JSON.parse(line));
    const validations = lines.filter((l) => l.kind === 'validation');
    expect(validations).toHaveLength(12);
    expect(validations.at(-1).loss).toBeLessThan(0.7 * validations[0].loss);
    expect(validations.at(-1).dice).toBeGreaterThan(0.8);
    expect(validations.at(-1).perTask).toMatchObject({ AA: { images: 2 }, BB: { images: 2 }, CC: { images: 2 } });
    expect(validations.map((v) => v.schedules.temperature)).toEqual(Array.from({ length: 12 }, (_, e) => 1 - 0.5 * e / 11));
    expect(checkpoint('learns', 'best').record.progress.best!.value).toBe(Math.max(...validations.map((v) => v.dice)));
    expect(events.filter((e) => e.kind === 'step')).toHaveLength(48);
    expect(readFileSync(join(root, 'learns', 'spec.tps'), 'utf8')).toBe(program.resolved);
    expect(JSON.parse(readFileSync(join(root, 'learns', 'run.json'), 'utf8'))).toMatchObject({ name: 'Tiny', identity: { seed: 7, data: dataset.fingerprint, threads: 1 } });
  });

  it('gives the same run twice, and another with another seed', async () => {
    await run('twice-a');
    await run('twice-b');
    await run('twice-c', { seed: 8 });
    expect(bits(checkpoint('twice-a'))).toEqual(bits(checkpoint('twice-b')));
    expect(log('twice-a')).toBe(log('twice-b'));
    expect(log('twice-a')).not.toBe(log('twice-c'));
  });

  it.each([1, 3, 4, 6, 8, 11])('stopped after step %i and resumed, it ends as if never stopped', async (step) => {
    if (step === 1) await run('whole');
    const name = `stopped-${step}`;
    expect(await run(name, { maxSteps: step })).toMatchObject({ stopped: 'max-steps', steps: step });
    expect(await run(name, { resume: true })).toMatchObject({ stopped: 'finished' });
    for (const which of ['last', 'best']) expect(bits(checkpoint(name, which))).toEqual(bits(checkpoint('whole', which)));
    expect(log(name)).toBe(log('whole'));
  });

  it('interrupted at any step, it saves, says so, and resumes to the same numbers', async () => {
    for (const step of [2, 4, 7]) {
      const stop = new AbortController(), name = `interrupted-${step}`;
      const summary = await run(name, { signal: stop.signal, onEvent: (e) => { if (e.kind === 'step' && e.step === step) stop.abort(); } });
      expect(summary).toMatchObject({ stopped: 'interrupted', steps: step });
      await run(name, { resume: true });
      expect(bits(checkpoint(name))).toEqual(bits(checkpoint('whole')));
      expect(log(name)).toBe(log('whole'));
    }
  });

  it('has the same numbers from a loader, stopped and resumed, and leaves it to whoever started it', async () => {
    const cache = startLoader();
    expect(await run('loaded', { cache, maxSteps: 6 })).toMatchObject({ stopped: 'max-steps' });
    await run('loaded', { cache, resume: true });
    await cache.close();
    for (const which of ['last', 'best']) expect(bits(checkpoint('loaded', which))).toEqual(bits(checkpoint('whole', which)));
    expect(log('loaded')).toBe(log('whole'));
  });

  it('cuts from the log what was done after the checkpoint', async () => {
    await run('torn', { maxSteps: 5 });
    writeFileSync(join(root, 'torn', 'metrics.jsonl'), '{"kind":"step","step":6}\n{"kind":"st', { flag: 'a' });
    await run('torn', { resume: true });
    expect(log('torn')).toBe(log('whole'));
  });

  it('goes on from a longer --max-steps, and does nothing more when all is done', async () => {
    await run('further', { maxSteps: 3 });
    await run('further', { maxSteps: 5, resume: true });
    expect(checkpoint('further').record.progress).toMatchObject({ step: 5, epoch: 1, position: 1 });
    await run('further', { resume: true });
    const before = bits(checkpoint('further')), summary = readFileSync(join(root, 'further', 'summary.json'), 'utf8');
    expect(await run('further', { resume: true })).toMatchObject({ stopped: 'finished', steps: 12, imagesSeen: 0 });
    expect(bits(checkpoint('further'))).toEqual(before);
    expect(readFileSync(join(root, 'further', 'summary.json'), 'utf8')).toBe(summary);
  });

  it('trains a model that knows no tasks on the folders of a data set', async () => {
    const program = { ...tinyProgram({ perTask: false, training: { validate: { every: 2, keep: 'loss' }, sampler: { kind: 'shuffle' }, dropLast: true } }), tasks: undefined };
    const { steps, best, scores } = await run('taskless', { program });
    expect(steps).toBe(3 * 3); // 15 images, batches of 4, the last 3 dropped
    expect(checkpoint('taskless').record.progress.history.map((p) => p.epoch)).toEqual([2, 3]);
    expect(best!.value).toBeLessThan(0); // -loss: greater is better
    expect(Object.keys(scores!.perTask)).toEqual(['AA', 'BB', 'CC']);
    expect([...checkpoint('taskless').state.updates.keys()].sort()).toEqual(['head.weight', 'stem.bias', 'stem.weight']);
  });
});

describe('a run is refused', () => {
  it('where one is already, without --resume', async () => {
    await expect(run('whole')).rejects.toThrow(/holds a run already/);
  });

  it('in a directory that holds something else', async () => {
    mkdirSync(join(root, 'mine'));
    writeFileSync(join(root, 'mine', 'thesis.tex'), '');
    await expect(run('mine', { resume: true })).rejects.toThrow(/not empty, and holds no run/);
  });

  it('under another identity, saying what differs', async () => {
    await run('identity', { maxSteps: 1 });
    await expect(run('identity', { resume: true, seed: 8 })).rejects.toThrow(/Different: the seed \(was 7, is 8\)$/);
    await expect(run('identity', { resume: true, program: tinyProgram({ rate: 0.5 }) })).rejects.toThrow(/the spec \(was [0-9a-f]{12}, is [0-9a-f]{12}\)$/);
    await expect(run('identity', { resume: true, dataset: { ...dataset, fingerprint: 'other' } })).rejects.toThrow(/the data /);
    await expect(run('identity', { resume: true, engine: { ...engine, threads: 2, version: '0' } })).rejects.toThrow(/the engine .*, the number of threads \(was 1, is 2\)/);
    await expect(run('identity', { resume: true, weights: 'random' })).rejects.toThrow(/the starting weights \(was init, is random\)/);
  });

  it('with another limit of memory, which may round otherwise; without one it keeps to what it began with', async () => {
    await run('roomy', { maxSteps: 1, memoryLimit: 100e9 });
    expect(JSON.parse(readFileSync(join(root, 'roomy', 'run.json'), 'utf8')).identity.price).toBe(0);
    expect((await run('roomy', { resume: true, maxSteps: 2 })).steps).toBe(2);
    await run('usual', { maxSteps: 1 });
    await expect(run('usual', { resume: true, memoryLimit: 100e9 })).rejects.toThrow(/the memory limit \(price of a byte\) \(was /);
    await expect(run('poor', { memoryLimit: 1e6 })).rejects.toThrow(/--memory-limit: 0.00 GB is too little for a training of Tiny with batches of 4: about 0.40 GB at the least/);
  });

  it('while another process trains it; a lock of a dead process is taken over', async () => {
    await run('locked', { maxSteps: 1 });
    const lock = join(root, 'locked', 'lock');
    const started = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19];
    const { hostname } = await import('node:os');
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname(), started }));
    await expect(run('locked', { resume: true })).rejects.toThrow(`is being trained by process ${process.ppid}`);
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname(), started: '1' }));
    expect(await run('locked', { resume: true, maxSteps: 2 })).toMatchObject({ steps: 2 });
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), started: '1' }));
    expect(await run('locked', { resume: true, maxSteps: 3 })).toMatchObject({ steps: 3 });
  });

  it('without a train block, without validation images it still trains', async () => {
    await expect(run('untrained', { program: { ...tinyProgram(), training: undefined } })).rejects.toThrow(UserError);
    const summary = await run('no-val', { dataset: { ...dataset, items: dataset.items.filter((i) => i.split === 'train') } });
    expect(summary).toMatchObject({ stopped: 'finished', best: undefined });
  });

  it('when it diverges, and keeps the checkpoint before', async () => {
    const program = tinyProgram({ training: { clip: undefined, optimizer: { ...adam(constantSchedule('lr', 1e38)), kind: 'sgd' } } });
    await expect(run('diverges', { program, checkpointEvery: { steps: 1 } })).rejects.toThrow(/diverged/);
    expect(checkpoint('diverges').record.progress.step).toBeGreaterThan(0);
  });
});
