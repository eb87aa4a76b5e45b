// Features of a frozen encoder, kept in memory and on disk: the numbers of a training are those of one that keeps nothing, to the bit.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wholeGradient } from '../../compiler/functions.js';
import type { Program } from '../../compiler/program.js';
import { makeCache, type Dataset } from '../../runtime/data/index.js';
import type { Engine } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { FeatureCache, openFeatures } from '../../runtime/features/cache.js';
import { diskShelves } from '../../runtime/features/disk.js';
import { memoryShelves } from '../../runtime/features/memory.js';
import { nothingKept } from '../../runtime/report/training.js';
import { loadCheckpoint } from '../../runtime/state/checkpoint.js';
import { evaluateRun } from '../../runtime/train/evaluate.js';
import { frozenPart } from '../../runtime/train/frozen.js';
import { train, type RunSummary, type TrainEvent, type TrainOptions } from '../../runtime/train/loop.js';
import { compileText, programOf } from '../check/support.js';
import { FROZEN_SPEC } from './frozen.js';
import { tinyData } from './tiny.js';

/** Features of one image: 8 channels of 8 x 8. */
const BYTES = 8 * 8 * 8 * 4, ENTRY = BYTES + 32;
let root: string, dataset: Dataset, engine: Engine, program: Program;
/** Images whose features were computed. */
let computed = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'frozen-'));
  dataset = await tinyData(join(root, 'data'));
  const ort = await createEngine('ort', { threads: 2 });
  engine = {
    ...ort,
    compile: async (graph) => {
      const fn = await ort.compile(graph);
      return !fn.outputs.includes('frozen:0') ? fn : { ...fn, run: (feeds, options) => { computed++; return fn.run(feeds, options); } };
    },
  };
  program = programOf(compileText(FROZEN_SPEC));
  await run('off');
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (name: string, features?: FeatureCache, more: Partial<TrainOptions> = {}): Promise<RunSummary> => {
  computed = 0;
  return train({ program, engine, dataset, cache: makeCache(), out: join(root, name), seed: 7, weights: 'random', ...(features === undefined ? {} : { features }), ...more });
};
const onDisk = (name: string, limit = 1e9): FeatureCache => new FeatureCache(diskShelves(join(root, name), limit), '1');
/** All numbers of a run, as text in which equal means equal bit for bit. */
const numbers = (name: string): unknown => [readFileSync(join(root, name, 'metrics.jsonl'), 'utf8'), ...['last', 'best'].map((which) => {
  const { record, state } = loadCheckpoint(join(root, name, 'checkpoints'), which);
  return [record, [...state.tensors, ...state.moments].map(([path, t]) => [path, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('hex')])];
})];
const filesIn = (name: string): readonly string[] => readdirSync(join(root, name)).flatMap((shelf) => readdirSync(join(root, name, shelf)).map((file) => join(root, name, shelf, file)));

describe('a training with flips, over four epochs', () => {
  it('is the same with features in memory, and computes each picture and flip of it once', async () => {
    const events: TrainEvent[] = [], features = openFeatures({ kind: 'ram', bytes: 1e8 }, '1')!;
    const summary = await run('ram', features, { onEvent: (e) => events.push(e) });
    expect(numbers('ram')).toEqual(numbers('off'));
    // 15 pictures four ways in training, 6 upright in validation; 4 epochs look 84 times
    expect(summary.features).toMatchObject({ images: 84, kept: 84 - computed });
    expect(computed).toBeLessThanOrEqual(4 * 15 + 6);
    expect(features.shelves.bytes).toBe(computed * BYTES);
    expect(events[0]).toMatchObject({ kind: 'start', frozen: { bytes: BYTES, place: 'in memory, up to 95.4 MiB' } });
  });
  it('is the same where only some fit: what came first stays', async () => {
    const features = new FeatureCache(memoryShelves(5.5 * BYTES), '1');
    const { features: use } = await run('tight', features);
    expect(numbers('tight')).toEqual(numbers('off'));
    expect(features.shelves.bytes).toBe(5 * BYTES);
    expect([use!.kept > 0, computed > 5]).toEqual([true, true]);
  });
  it('is the same from the disk, where a second run finds all', async () => {
    await run('disk', onDisk('shelves'));
    const first = computed;
    expect(filesIn('shelves')).toHaveLength(first);
    const { features } = await run('again', onDisk('shelves'));
    expect([numbers('disk'), numbers('again')]).toEqual([numbers('off'), numbers('off')]);
    // one for training and one for validation is computed all the same, to see that this machine makes what that one made
    expect([features!.kept, computed]).toEqual([84, 2]);
  });
  it('stopped with features and resumed without, or the other way, it ends the same', async () => {
    await run('with', openFeatures({ kind: 'ram' }, '1'), { maxSteps: 6 });
    await run('with', undefined, { resume: true });
    await run('without', undefined, { maxSteps: 6 });
    await run('without', onDisk('shelves'), { resume: true });
    expect([numbers('with'), numbers('without')]).toEqual([numbers('off'), numbers('off')]);
  });
  it('its evaluation is the same, too', async () => {
    const evaluate = (features?: FeatureCache) => evaluateRun({ run: join(root, 'off'), program, engine, dataset, cache: makeCache(), split: 'val', ...(features === undefined ? {} : { features }) });
    const plain = await evaluate();
    computed = 0;
    expect(await evaluate(onDisk('shelves'))).toEqual(plain);
    expect(computed).toBe(1);
  });
});

it('a frozen part that is hardly any of the work is not cut off, nor one on an engine that keeps a step on its device', async () => {
  const graph = wholeGradient(program), wide = programOf(compileText(FROZEN_SPEC.replaceAll('conv(4)', 'conv(256, kernel: 5, padding: 2)')));
  expect(await frozenPart(program, graph, engine)).toMatchObject({ bytes: BYTES });
  expect(await frozenPart(wide, wholeGradient(wide), engine)).toBeUndefined();
  const device = { ...engine, name: 'device', memory: {} } as Engine;
  expect(await frozenPart(program, graph, device)).toBeUndefined();
  expect([nothingKept(device), nothingKept(engine)]).toEqual([expect.stringContaining('a training step of device stays on its device'), expect.stringContaining('less than a tenth')]);
});

describe('features on disk', () => {
  it('that are damaged are computed again, and mended', async () => {
    await run('whole', onDisk('damaged'));
    const files = filesIn('damaged');
    for (const [i, file] of files.entries()) {
      if (i % 3 === 0) truncateSync(file, 100);
      else if (i % 3 === 1) writeFileSync(file, readFileSync(file).fill(7, 200, 201));
    }
    await run('mended', onDisk('damaged'));
    expect(numbers('mended')).toEqual(numbers('off'));
    expect(computed).toBeGreaterThanOrEqual(Math.floor(2 * files.length / 3));
    await run('sound', onDisk('damaged'));
    expect(computed).toBe(2);
  });
  it('that are whole but not what is computed here are left alone', async () => {
    await run('theirs', onDisk('foreign'));
    const [identity = ''] = readdirSync(join(root, 'foreign')), shelf = diskShelves(join(root, 'foreign'), 1e9).open(identity, BYTES / 4);
    for (const image of readdirSync(join(root, 'foreign', identity))) await shelf.put(image, (await shelf.get(image))!.map((x) => x * (1 + 2 ** -23)));
    const features = onDisk('foreign'), { features: use } = await run('ours', features);
    expect(numbers('ours')).toEqual(numbers('off'));
    expect([features.distrusted, use!.kept < 84]).toEqual([true, true]);
  });
  it('of other weights are others', async () => {
    await run('seven', onDisk('weights'));
    await run('eight', onDisk('weights'), { seed: 8 });
    expect(readdirSync(join(root, 'weights'))).toHaveLength(2);
  });
  it('stay within their limit; a shelf that nobody has used for a day gives way, a recent one does not', async () => {
    const place = join(root, 'limit'), values = () => new Float32Array(BYTES / 4), old = diskShelves(place, 1e9);
    for (const identity of ['yesterday', 'today']) for (const image of ['a', 'b', 'c']) await old.open(identity, BYTES / 4).put(image, values());
    const before = Date.now() / 1000 - 25 * 3600;
    utimesSync(join(place, 'yesterday'), before, before);
    const shelves = diskShelves(place, 6 * ENTRY), shelf = shelves.open('now', BYTES / 4);
    for (const image of ['a', 'b', 'c', 'd']) await shelf.put(image, values());
    expect(readdirSync(place).sort()).toEqual(['now', 'today']);
    expect(readdirSync(join(place, 'now'))).toHaveLength(3);
    expect([shelves.bytes, await shelf.get('d')]).toEqual([6 * ENTRY, undefined]);
  });
});
