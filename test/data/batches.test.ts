import { beforeAll, describe, expect, it } from 'vitest';
import sharp from 'sharp';
import { join } from 'node:path';
import type { AugmentStep } from '../../compiler/program.js';
import { decodeImage, evalBatches, groupByTask, makeCache, normalized, pipelineOf, scanDataset, trainBatches, type Batch, type Dataset, type Sampling, type TrainBatchOptions } from '../../runtime/data/index.js';
import { epochBatches } from '../../runtime/data/sampler.js';
import { pair, picture, put, temporaryFolder } from './fixtures.js';

const FOLDERS = [{ code: 'BT', folder: 'brain' }, { code: 'SL', folder: 'skin' }];
const resize: AugmentStep = { kind: 'resize', height: 8, width: 12 };
const flip: AugmentStep = { kind: 'flip', horizontal: 0.5, vertical: 0.5 };

let root: string, dataset: Dataset;
beforeAll(async () => {
  root = await temporaryFolder();
  const rows = ['task,file,mask,split'];
  for (const [folder, count] of [['brain', 9], ['skin', 3]] as const) {
    for (let k = 0; k < count; k++) {
      await pair(root, folder, `${folder}${k}`, { seed: 3 * k + folder.length });
      rows.push(`${folder},${folder}/images/${folder}${k}.png,${folder}/masks/${folder}${k}.png,${k % 3 === 2 ? 'val' : 'train'}`);
    }
  }
  await put(root, 'manifest.csv', rows.join('\n'));
  dataset = await scanDataset(root, FOLDERS);
});

const options = (over: Partial<TrainBatchOptions> = {}): TrainBatchOptions => ({ batch: 3, sampler: 'inverse_frequency', augment: [resize, flip], oneTaskPerBatch: false, dropLast: false, seed: 1, cache: makeCache(), ...over });
const all = async (batches: AsyncGenerator<Batch>): Promise<Batch[]> => { const out: Batch[] = []; for await (const b of batches) out.push(b); return out; };
const numbers = (batches: readonly Batch[]): unknown[] => batches.map((b) => [b.step, b.tasks, b.items.map((i) => i.stem), [...b.image.data], [...b.truth.data]]);

describe('training batches', () => {
  it('are f32[B, 3, H, W] with truth f32[B, 1, H, W], the last one smaller unless dropped', async () => {
    const batches = await all(trainBatches(dataset, 'train', options()).epoch(0));
    expect(batches.map((b) => b.image.shape)).toEqual([[3, 3, 8, 12], [3, 3, 8, 12], [2, 3, 8, 12]]);
    expect(batches.map((b) => b.truth.shape)).toEqual([[3, 1, 8, 12], [3, 1, 8, 12], [2, 1, 8, 12]]);
    for (const b of batches) expect(b.tasks).toEqual(b.items.map((i) => (i.task === 'BT' ? 0 : 1)));
    expect(trainBatches(dataset, 'train', options({ dropLast: true })).stepsPerEpoch).toBe(2);
  });

  it('depend on seed and epoch alone, whatever the cache holds', async () => {
    const run = async (seed: number, epoch: number, bytes?: number): Promise<unknown[]> => numbers(await all(trainBatches(dataset, 'train', options({ seed, cache: makeCache({ bytes }) })).epoch(epoch)));
    const first = await run(1, 4);
    expect(await run(1, 4, 0)).toEqual(first);
    expect(await run(1, 5)).not.toEqual(first);
    expect(await run(2, 4)).not.toEqual(first);
  });

  it('go on at any step as if never stopped', async () => {
    const batches = trainBatches(dataset, 'train', options({ batch: 2 }));
    const whole = await all(batches.epoch(3));
    for (let step = 0; step <= batches.stepsPerEpoch; step++) expect(numbers(await all(batches.epoch(3, step)))).toEqual(numbers(whole.slice(step)));
  });

  it('flip image and mask together, in all four ways', async () => {
    const plain = new Map((await all(evalBatches(dataset, 'train', options()))).flatMap((b) => b.items.map((item, k) => [item.image, sample(b, k)] as const)));
    const seen = new Set<string>();
    const batches = trainBatches(dataset, 'train', options());
    for (let epoch = 0; epoch < 6; epoch++) {
      for await (const b of batches.epoch(epoch)) {
        b.items.forEach((item, k) => {
          const got = sample(b, k), ways = (['none', 'h', 'v', 'hv'] as const).filter((way) => JSON.stringify(mirrored(plain.get(item.image)!, way)) === JSON.stringify(got));
          expect(ways).toHaveLength(1);
          seen.add(ways[0]!);
        });
      }
    }
    expect([...seen].sort()).toEqual(['h', 'hv', 'none', 'v']);
  });

  it('decode each pair once, and again only what does not fit', async () => {
    const area = 8 * 12, each = area * 4;
    const roomy = makeCache(), tight = makeCache({ bytes: 3 * each });
    for (const cache of [roomy, tight]) {
      const batches = trainBatches(dataset, 'train', options({ sampler: 'shuffle', cache }));
      for (let epoch = 0; epoch < 3; epoch++) await all(batches.epoch(epoch));
    }
    expect([roomy.misses, roomy.hits, roomy.bytes]).toEqual([8, 16, 8 * each]);
    expect([tight.misses, tight.hits, tight.bytes]).toEqual([18, 6, 3 * each]);
  });

  it('without a resize need images of one size, and say so', async () => {
    const other = await temporaryFolder();
    await pair(other, 'skin', 'a', { seed: 1 });
    await pair(other, 'skin', 'b', { width: 20, seed: 2 });
    await put(other, 'manifest.csv', 'task,file,mask,split\nskin,skin/images/a.png,skin/masks/a.png,train\nskin,skin/images/b.png,skin/masks/b.png,train\n');
    const odd = trainBatches(await scanDataset(other, FOLDERS.slice(1)), 'train', options({ augment: [] }));
    await expect(all(odd.epoch(0))).rejects.toThrow(/pixels, where/);
    expect(() => trainBatches(dataset, 'test', options())).toThrow('no image in the split test');
    expect(() => trainBatches(dataset, 'train', options({ batch: 50, dropLast: true }))).toThrow('8 images make no batch of 50');
  });
});

/** Sample k as [image planes, mask plane], each a list of rows. */
function sample(b: Batch, k: number): number[][][] {
  const [, , h, w] = b.image.shape as [number, number, number, number];
  const plane = (data: Float32Array, at: number): number[][] => Array.from({ length: h }, (_, y) => [...data.subarray((at * h + y) * w, (at * h + y + 1) * w)]);
  return [...[0, 1, 2].map((c) => plane(b.image.data as Float32Array, k * 3 + c)), plane(b.truth.data as Float32Array, k)];
}
const mirrored = (planes: number[][][], way: 'none' | 'h' | 'v' | 'hv'): number[][][] => planes.map((plane) => {
  const rows = way.includes('v') ? [...plane].reverse() : plane;
  return rows.map((row) => (way.includes('h') ? [...row].reverse() : row));
});

describe('the sampler', () => {
  const taskOf = [...Array<string>(30).fill('BT'), ...Array<string>(6).fill('SL'), ...Array<string>(3).fill('TN')];
  const base = { batch: 4, oneTaskPerBatch: false, dropLast: false, seed: 5 } as const;

  it('shuffle: every image once an epoch', () => {
    for (const oneTaskPerBatch of [false, true]) {
      const batches = epochBatches(taskOf, { ...base, sampler: 'shuffle', oneTaskPerBatch }, 2);
      expect(batches.flat().sort((a, b) => a - b)).toEqual(taskOf.map((_, k) => k));
      if (oneTaskPerBatch) for (const b of batches) expect(new Set(b.map((k) => taskOf[k])).size).toBe(1);
    }
  });

  it('inverse_frequency: as many draws as images, each task a third of them, each image of a task alike', () => {
    for (const oneTaskPerBatch of [false, true]) {
      const draws = Array.from({ length: 300 }, (_, epoch) => epochBatches(taskOf, { ...base, sampler: 'inverse_frequency', oneTaskPerBatch }, epoch));
      for (const batches of draws) expect(batches.flat()).toHaveLength(taskOf.length);
      const flat = draws.flat(2), share = (f: (k: number) => boolean): number => flat.filter(f).length / flat.length;
      for (const task of ['BT', 'SL', 'TN']) expect(Math.abs(share((k) => taskOf[k] === task) - 1 / 3)).toBeLessThan(0.03);
      expect(Math.abs(share((k) => k === 38) - 1 / 9)).toBeLessThan(0.02);
      expect(Math.abs(share((k) => k === 0) - 1 / 90)).toBeLessThan(0.006);
    }
  });
});

describe('evaluation batches and groups', () => {
  it('hold every image once, in order, one task a batch, upright', async () => {
    const batches = await all(evalBatches(dataset, 'val', options({ batch: 2 })));
    expect(batches.map((b) => b.items.map((i) => i.stem))).toEqual([['brain2', 'brain5'], ['brain8'], ['skin2']]);
    expect(batches.map((b) => b.tasks)).toEqual([[0, 0], [0], [1]]);
  });

  it('index the program\'s task list where one is given', async () => {
    const batches = await all(evalBatches(dataset, 'val', options({ codes: ['XX', 'SL', 'BT'] })));
    expect(batches.flatMap((b) => b.tasks)).toEqual([2, 2, 2, 1]);
  });

  it('groupByTask splits a batch without losing a value', async () => {
    const [batch] = await all(trainBatches(dataset, 'train', options({ batch: 8 })).epoch(1));
    const groups = groupByTask(batch!);
    expect(groups.map((g) => g.task)).toEqual([0, 1]);
    for (const { task, batch: part } of groups) {
      const rows = batch!.tasks.flatMap((t, k) => (t === task ? [k] : []));
      expect(part.items).toEqual(rows.map((r) => batch!.items[r]));
      expect(part.image.shape).toEqual([rows.length, 3, 8, 12]);
      rows.forEach((r, k) => expect(sample(part, k)).toEqual(sample(batch!, r)));
    }
  });
});

describe('decoding', () => {
  it('is (byte / 255 - mean) / std, channel by channel', async () => {
    const steps: AugmentStep[] = [{ kind: 'normalize', mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] }];
    const out = normalized(Uint8Array.of(255, 255, 255, 0, 51, 102), { height: 1, width: 2 }, pipelineOf(steps));
    [1, -1, 3, -0.2, 0.5, 0.2].forEach((v, i) => expect(out[i]).toBeCloseTo(v, 6));
    expect(() => pipelineOf([{ kind: 'normalize', mean: [0], std: [1] }])).toThrow('three means');
    expect(() => pipelineOf([resize, resize])).toThrow('resizes twice');
  });

  it('makes grey RGB, drops alpha, ignores EXIF orientation, refuses 16 bits', async () => {
    const dir = await temporaryFolder();
    await picture(dir, 'grey.png', 2, 1, (x) => 10 + x, 1);
    expect([...(await decodeImage(join(dir, 'grey.png'))).data]).toEqual([10, 10, 10, 11, 11, 11]);
    await picture(dir, 'alpha.png', 2, 1, (x, _, c) => (c === 3 ? 0 : 40 + x + c), 4);
    expect([...(await decodeImage(join(dir, 'alpha.png'))).data]).toEqual([40, 41, 42, 41, 42, 43]);
    expect([...(await decodeImage(join(dir, 'alpha.png'), { height: 2, width: 2 })).data.subarray(0, 6)]).toEqual([40, 41, 42, 41, 42, 43]);
    await sharp({ create: { width: 4, height: 2, channels: 3, background: 'red' } }).withMetadata({ orientation: 6 }).jpeg().toFile(join(dir, 'turned.jpg'));
    expect(await decodeImage(join(dir, 'turned.jpg'))).toMatchObject({ width: 4, height: 2 });
    await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).toColourspace('rgb16').png().toFile(join(dir, 'deep.png'));
    await expect(decodeImage(join(dir, 'deep.png'))).rejects.toThrow('deep.png: is 16-bit, and 8 bits are needed');
    await expect(decodeImage(join(dir, 'none.png'))).rejects.toThrow('none.png');
  });

  it('downscales by averaging: a fine chequer becomes grey, and its mask stays binary', async () => {
    const dir = await temporaryFolder();
    await picture(dir, 'c/images/a.png', 32, 32, (x, y) => ((x + y) % 2) * 255);
    await picture(dir, 'c/masks/a.png', 32, 32, (x) => (x < 12 ? 255 : 0), 1);
    const { data } = await decodeImage(join(dir, 'c/images/a.png'), { height: 8, width: 8 });
    for (const v of data) expect(Math.abs(v - 127.5)).toBeLessThan(8);
    const found = await scanDataset(dir, [{ code: 'C', folder: 'c' }], { split: { kind: 'ratio', val: 0.5, seed: 0 } });
    const { mask } = await makeCache().pair(dir, found.items[0]!, { height: 8, width: 8 });
    expect([...mask.subarray(0, 8)]).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('resizes masks by the filter that the spec says, and the image bilinearly whichever', async () => {
    const dir = await temporaryFolder();
    await picture(dir, 'c/images/a.png', 32, 32, (x, y) => x * 7 + y);
    // a line of one pixel: a quarter of a new pixel by area, or the pixel under a new one's centre
    await picture(dir, 'c/masks/a.png', 32, 32, (x) => (x === 10 || x === 20 ? 255 : 0), 1);
    const found = await scanDataset(dir, [{ code: 'C', folder: 'c' }], { split: { kind: 'ratio', val: 0.5, seed: 0 } }), item = found.items[0]!;
    const cache = makeCache(), size = { height: 8, width: 8 };
    const read = (more: Partial<Sampling> = {}) => cache.pair(dir, item, { ...size, ...more });
    const row = async (more: Partial<Sampling> = {}): Promise<number[]> => [...(await read(more)).mask.subarray(0, 8)];
    expect(await row()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(await row({ masks: 'nearest' })).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
    const soft = { linear: await row({ soft: true }), cubic: await row({ soft: true, masks: 'bicubic' }) };
    expect(Math.max(...soft.linear)).toBeGreaterThan(0);
    expect(Math.max(...soft.linear)).toBeLessThan(128);
    expect(soft.cubic).not.toEqual(soft.linear);
    for (const more of [{ masks: 'nearest' }, { masks: 'bicubic', soft: true }] as const) expect((await read(more)).image).toEqual((await read()).image);
  });

  it('keeps the levels of a soft mask in training, and cuts them where they are scored', async () => {
    const soft: AugmentStep[] = [{ ...resize, masks: 'bicubic', soft: true } as AugmentStep];
    const dir = await temporaryFolder();
    for (const stem of ['a', 'b', 'c', 'd']) {
      await picture(dir, `c/images/${stem}.png`, 32, 32, (x) => x);
      await picture(dir, `c/masks/${stem}.png`, 32, 32, (x) => (x < 14 ? 255 : 0), 1);
    }
    const found = await scanDataset(dir, [{ code: 'C', folder: 'c' }], { split: { kind: 'ratio', val: 0.5, seed: 0 } });
    const more = options({ augment: soft, codes: ['C'], batch: 2 });
    const [trained] = await all(trainBatches(found, 'train', more).epoch(0)), [scored] = await all(evalBatches(found, 'val', more));
    const values = (b: Batch): number[] => [...new Set(b.truth.data as Float32Array)].sort();
    expect(values(scored!)).toEqual([0, 1]);
    expect(values(trained!).some((v) => v > 0.1 && v < 0.9)).toBe(true);
    expect(values(trained!).every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});
