// A task is added to a trained run: what grows, what stays bit for bit, what is refused.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradFunction } from '../../compiler/functions.js';
import type { Program } from '../../compiler/program.js';
import { makeCache, makePhantom, scanDataset, taskFolders, type Dataset } from '../../runtime/data/index.js';
import type { Engine, Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { loadCheckpoint } from '../../runtime/state/checkpoint.js';
import { initialise } from '../../runtime/state/initialise.js';
import { evaluateRun } from '../../runtime/train/evaluate.js';
import { grow, type GrowOptions } from '../../runtime/train/grow.js';
import { planGrowth, type Growth } from '../../runtime/train/growth.js';
import { train } from '../../runtime/train/loop.js';
import { extended, ownEntries } from '../../runtime/train/rows.js';
import { compileFile, programOf } from '../check/support.js';
import { CODES, growingSpec, programFor } from './growing.js';

let root: string, engine: Engine, whole: Dataset, old: Dataset, fresh: Dataset;
const base = programFor({ tasks: ['TN', 'SL'] }), program = programFor({ growing: true });
const at = (name: string): string => join(root, name);
const plan = (more: Partial<Parameters<typeof planGrowth>[0]> = {}): Growth => planGrowth({ program, base, task: 'BL', from: at('base'), trained: base, ...more });
const growing = (name: string, more: Partial<GrowOptions> = {}) =>
  grow({ growth: plan(), trained: base, engine, dataset: fresh, cache: makeCache(), out: at(name), seed: 1, ...more });
const tensorsOf = (name: string, which = 'best'): Map<string, Tensor> => loadCheckpoint(join(at(name), 'checkpoints'), which).state.tensors;
const bits = (t: Tensor | undefined): string => Buffer.from(t!.data.buffer, t!.data.byteOffset, t!.data.byteLength).toString('hex');
const scan = async (tasks: readonly string[]): Promise<Dataset> =>
  scanDataset(at('data'), await taskFolders(at('data'), program.tasks!.rows.filter((r) => tasks.includes(r.code))));

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'grow-'));
  await makePhantom(at('data'), { seed: 1, size: 32, train: 12, val: 4 });
  [whole, old, fresh] = [await scan(CODES), await scan(['TN', 'SL']), await scan(['BL'])];
  engine = await createEngine('ort', { threads: 1 });
  await train({ program: base, engine, dataset: old, cache: makeCache(), out: at('base'), seed: 7 });
  await growing('grown');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('what grows', () => {
  it('is a copy of what is per task and a row of each table, and no more', () => {
    const { parameters, states, modules, tables, held } = plan();
    // a row of 8; a head of 8 + 1
    expect(parameters.after - parameters.before).toBe(8 + 9);
    expect(parameters.trainable).toBe(17);
    expect(states.after - states.before).toBe(8);
    expect(modules.filter((m) => m.after > m.before).map((m) => [m.module, m.trainable])).toEqual([['embedding', 8], ['conv', 9]]);
    expect([...tables].map(([path, own]) => [path, [...own]])).toEqual([['embedding.weight', [0, 1, 0].flatMap((x) => new Array<number>(8).fill(x))]]);
    expect(held).toEqual(['schedule']);
  });
  it('alone has gradients, and alone is written: the rest of the network is a constant of the step', () => {
    expect(gradFunction(plan().program).outputs.map((o) => o.name).sort()).toEqual(['grad:conv.{task}.bias', 'grad:conv.{task}.weight', 'grad:embedding.weight', 'loss', 'state:p.{task}']);
  });
  it.each([
    ['models/tpseg.tps', 3_373_667, 290_924_995, 0], ['models/tpseg-released.tps', 3_374_586, 288_463_181, 62],
  ])('%s grows by %i parameters a task, the count of the paper\'s claim', (file, growth, after, tables) => {
    const full = programOf(compileFile(file)), without = programOf(compileFile(file, { tasks: full.tasks!.rows.slice(0, -1).map((r) => r.code) }));
    const planned = plan({ program: full, base: without, trained: without, task: full.tasks!.rows.at(-1)!.code });
    expect(planned.parameters).toEqual({ before: after - growth, after, trainable: growth });
    expect(planned.tables.size).toBe(tables);
    expect(planned.modules.find((m) => m.module === 'enc')).toMatchObject({ before: 212_149_296, after: 212_149_296, trainable: 0 });
  });
  it('of a table with tasks along two axes, is a row and a column', () => {
    expect([...ownEntries([3, 3], [0, 1], 1)]).toEqual([0, 1, 0, 1, 1, 1, 0, 1, 0]);
    expect([...extended(Float32Array.of(1, 2, 3, 4), new Float32Array(9), ownEntries([3, 3], [0, 1], 1))]).toEqual([1, 0, 2, 0, 0, 0, 3, 0, 4]);
  });
});

describe('a grown run', () => {
  it('keeps every tensor of the run bit for bit, running statistics and prototypes too', () => {
    const [before, after] = [tensorsOf('base'), tensorsOf('grown')];
    for (const [path, tensor] of before) if (path !== 'embedding.weight') expect([path, bits(after.get(path))]).toEqual([path, bits(tensor)]);
    const [table, larger] = [before.get('embedding.weight')!.data as Float32Array, after.get('embedding.weight')!.data as Float32Array];
    expect([...larger.slice(0, 8), ...larger.slice(16)]).toEqual([...table]);
  });
  it('trains what the new task has of its own, from the values of its seed, and counts steps of that alone', () => {
    const after = tensorsOf('grown', 'last'), { state: { moments, updates } } = loadCheckpoint(join(at('grown'), 'checkpoints'), 'last');
    for (const path of ['conv.{task}.weight', 'p.{task}', 'embedding.weight']) {
      const info = program.tensors.find((t) => t.path === path)!;
      const start = [...initialise(info, 1, CODES, ['BL']).values()][0]!, stored = after.get(path.replace('{task}', 'BL'))!;
      const own = (t: Tensor): number[] => [...t.data as Float32Array].slice(...(info.perTask ? [0] : [8, 16]));
      expect(own(stored)).not.toEqual(own(start));
    }
    expect([...updates.keys()].sort()).toEqual(['conv.BL.bias', 'conv.BL.weight', 'embedding.weight']);
    expect([...moments.keys()].map((k) => k.slice(2)).sort()).toEqual(['conv.BL.bias', 'conv.BL.bias', 'conv.BL.weight', 'conv.BL.weight', 'embedding.weight', 'embedding.weight']);
  });
  it('sees images of the new task only, and chooses its best by them', () => {
    const lines = readFileSync(join(at('grown'), 'metrics.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
    expect(lines.filter((l) => l.kind === 'step')).toHaveLength(3 * 3);
    for (const l of lines.filter((v) => v.kind === 'validation')) expect(Object.keys(l.perTask)).toEqual(['BL']);
  });
  it('keeps the temperature of the run, for predictions read it', () => {
    const schedules = (name: string): unknown => loadCheckpoint(join(at(name), 'checkpoints'), 'best').record.schedules['schedule'];
    expect(schedules('base')).toBeLessThan(1);
    expect(schedules('grown')).toBe(schedules('base'));
    expect(loadCheckpoint(join(at('grown'), 'checkpoints'), 'last').record.schedules['schedule']).toBe(schedules('base'));
  });
  it('says who it grew from, in its record and in what it is', () => {
    const record = JSON.parse(readFileSync(join(at('grown'), 'run.json'), 'utf8'));
    expect(record).toMatchObject({ tasks: CODES, identity: { added: 'BL', program: programFor().hash }, added: { task: 'BL', from: at('base'), parameters: { trainable: 17 } } });
    expect(record.identity.weights).toMatch(/^[0-9a-f]{64}$/);
  });
  it('scores the other tasks as the run does, image by image', async () => {
    const counts = async (name: string, p: Program, dataset: Dataset): Promise<string[]> => {
      await evaluateRun({ run: at(name), program: p, engine, dataset, cache: makeCache(), split: 'val', checkpoint: 'best' });
      return readFileSync(join(at(name), 'eval', 'val-best.csv'), 'utf8').split('\n');
    };
    const before = await counts('base', base, old), after = await counts('grown', programFor(), whole);
    expect(after.filter((l) => !l.startsWith('BL,'))).toEqual(before);
    expect(after.filter((l) => l.startsWith('BL,'))).toHaveLength(4);
  });
  it('stopped and resumed, ends as if never stopped; compares the predictions of all other tasks', async () => {
    expect((await growing('again')).old).toEqual([{ task: 'TN', images: 2, largest: 0 }, { task: 'SL', images: 2, largest: 0 }]);
    await growing('stopped', { maxSteps: 4 });
    const { stopped, old: others } = await growing('stopped', { resume: true });
    expect(stopped).toBe('finished');
    expect(others.map((t) => t.largest)).toEqual([0, 0]);
    const all = (name: string): unknown => [...tensorsOf(name, 'last')].map(([path, t]) => [path, bits(t)]);
    for (const name of ['again', 'stopped']) expect(all(name)).toEqual(all('grown'));
    expect(readFileSync(join(at('stopped'), 'metrics.jsonl'), 'utf8')).toBe(readFileSync(join(at('grown'), 'metrics.jsonl'), 'utf8'));
  });
  it('grows again: a fourth task on the third', async () => {
    const text = growingSpec([...CODES, 'wet_amd']), next = programFor({ growing: true }, text), now = programFor({ tasks: CODES }, text);
    const growth = planGrowth({ program: next, base: now, task: 'wet_amd', from: at('grown'), trained: programFor() });
    const rows = next.tasks!.rows.filter((r) => r.code === 'wet_amd');
    const summary = await grow({ growth, trained: programFor(), engine, dataset: await scanDataset(at('data'), await taskFolders(at('data'), rows)), cache: makeCache(), out: at('fourth'), seed: 1, maxSteps: 2 });
    expect(summary.old.map((t) => [t.task, t.largest])).toEqual([['TN', 0], ['BL', 0], ['SL', 0]]);
  });
  it('is not resumed as another run', async () => {
    const resumed = train({ program: programFor(), engine, dataset: fresh, cache: makeCache(), out: at('grown'), seed: 1, resume: true });
    await expect(resumed).rejects.toThrow(/cannot be resumed.*the added task \(was BL, is none\)/);
  });
});

describe('refused', () => {
  it('a run of another network, other tasks, or the same task', () => {
    const other = programFor({ tasks: ['TN', 'SL'] }, growingSpec().replace('momentum: 0.5', 'momentum: 0.9'));
    expect(plan({ trained: other }).parameters.trainable).toBe(17);
    const wider = programFor({ tasks: ['TN', 'SL'] }, growingSpec().replaceAll('0.1 *', '0.2 *'));
    expect(() => plan({ trained: wider })).toThrow(/is of another network than spec\.tps without BL: it calculates otherwise/);
    const size = programFor({ tasks: ['TN', 'SL'] }, growingSpec().replace('imagenet_normalize', 'normalize(mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])'));
    expect(() => plan({ trained: size })).toThrow(/images are prepared otherwise/);
    expect(() => plan({ trained: programFor({ tasks: ['SL'] }) })).toThrow(/was trained on SL; without BL, spec\.tps has TN, SL/);
    expect(() => plan({ trained: program })).toThrow(/knows the task BL already/);
  });
  const bodied = (body: string): Growth => {
    const text = growingSpec(CODES, body), without = programFor({ tasks: ['TN', 'SL'] }, text);
    return plan({ program: programFor({ growing: true }, text), base: without, trained: without });
  };
  it('what depends on the number of tasks without an entry for each', () => {
    expect(() => bodied('  param extra: f32[2 * len(tasks)] init zeros\n  let z = mean(extra, axes: [0])\n'))
      .toThrow('Net cannot grow by BL: extra is [4] without it, and [6] with it, which is not one entry a task');
    expect(() => bodied('  for i in 0..len(tasks) {\n    layer more[i] = conv(8)\n    let z = more[i](y)\n  }\n')).toThrow(/more\.2\.weight is there only with BL/);
  });
  it('predictions that read what other tasks have of their own, before a step is made', async () => {
    const text = growingSpec(CODES).replace('let y = (own', 'let y = (own + (mean(bank, axes: [0]) |> reshape([1, 8, 1, 1]))');
    const reads = programFor({ tasks: ['TN', 'SL'] }, text);
    await train({ program: reads, engine, dataset: old, cache: makeCache(), out: at('reads'), seed: 7, maxSteps: 0 });
    const growth = plan({ program: programFor({ growing: true }, text), base: reads, trained: reads, from: at('reads') });
    await expect(growing('never', { growth, trained: reads })).rejects.toThrow(/Net cannot grow by BL: predictions of TN, SL would change/);
    expect(() => readFileSync(join(at('never'), 'run.json'))).toThrow();
  });
});
