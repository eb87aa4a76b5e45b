// Seeds pair: rows of a study start from the same values where they have the same tensors, and see the same images in the same order, mirrored alike.
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { openStudy } from '../../cli/study.js';
import type { Io } from '../../cli/io.js';
import type { Program } from '../../compiler/program.js';
import { makeCache, scanDataset, taskFolders, trainBatches, type Dataset } from '../../runtime/data/index.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { folderOf, tpsc } from '../cli/harness.js';
import { study } from './specs.js';

const folder = folderOf({ 'net.tps': study('seeds = 3') }), data = join(folder, 'data');
const io = { out: () => undefined, err: () => undefined, colour: false } as unknown as Io;
const open = openStudy({ spec: join(folder, 'net.tps') }, 'widths', io, false);
const programs = new Map<string, Program>(open.study.rows.map((row) => [row.name, open.programOf(row, ['TN', 'SL'])]));
let dataset: Dataset;

beforeAll(async () => {
  await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '32', '--train', '6', '--val', '2']);
  dataset = await scanDataset(data, await taskFolders(data, programs.get('main')!.tasks!.rows));
});

it('initial values of a seed are those of the path, whatever else a row changes', () => {
  for (const seed of open.study.seeds) {
    const [main, shared, wide] = ['main', 'shared', 'wide'].map((row) => startingTensors(programs.get(row)!, seed).tensors);
    // the heads differ in their paths; the first layer is the same in both
    const common = [...main!.keys()].filter((path) => shared!.has(path));
    expect(common).toContain('down.weight');
    for (const path of common) expect(shared!.get(path), path).toEqual(main!.get(path));
    // twice the width: other shapes, from the same stream
    const [narrow, broad] = [main!, wide!].map((tensors) => tensors.get('down.weight')!.data as Float32Array);
    expect([...broad!.subarray(0, narrow!.length)].map((x) => x.toFixed(6))).toEqual([...narrow!].map((x) => x.toFixed(6)));
  }
  const [zero, one] = [0, 1].map((seed) => startingTensors(programs.get('main')!, seed).tensors.get('down.weight'));
  expect(zero).not.toEqual(one);
});

it('batches of a seed are the same for every row', async () => {
  const seen = async (row: string, seed: number): Promise<unknown> => {
    const { training } = programs.get(row)!, out: unknown[] = [];
    const batches = trainBatches(dataset, 'train', { ...training!, sampler: training!.sampler.kind, size: { height: 32, width: 32 }, seed, cache: makeCache() });
    for (const epoch of [0, 1]) for await (const batch of batches.epoch(epoch)) out.push([batch.items.map((i) => i.image), Buffer.from(batch.image.data.buffer).toString('base64')]);
    return out;
  };
  for (const seed of open.study.seeds) {
    const main = await seen('main', seed);
    for (const row of ['wide', 'shared']) expect(await seen(row, seed)).toEqual(main);
  }
  expect(await seen('main', 0)).not.toEqual(await seen('main', 1));
});
