// Real images, where this checkout has them beside it.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkedDataset, foldersIn, makeCache, trainBatches, type Dataset } from '../../runtime/data/index.js';
import { baselineCounts, scoresOf, type Scores } from '../../runtime/metrics/index.js';

const root = resolve(import.meta.dirname, '../../../shared/data/lesions8');
const there = existsSync(root);
if (!there) console.warn(`skipped: ${root} is not here`);

describe.skipIf(!there)('lesions8, 716 real pairs', () => {
  let dataset: Dataset;
  const cache = makeCache(), size = { height: 128, width: 128 };
  beforeAll(async () => { dataset = await checkedDataset(root, await foldersIn(root)); });

  it('is read whole, split as its manifest says', () => {
    expect(dataset.items).toHaveLength(716);
    const count = (task: string, split: string): number => dataset.items.filter((i) => i.task === task && i.split === split).length;
    expect(Object.fromEntries(dataset.tasks.map((t) => [t, [count(t, 'train'), count(t, 'val')]]))).toEqual({
      adenocarcinoma: [98, 14], brain_tumor: [100, 10], breast_lesion: [97, 15], colon_polyp: [99, 13],
      lung_infection: [63, 10], skin_lesion: [62, 10], thyroid_nodule: [98, 14], wet_amd: [12, 1],
    });
  });

  it('has one fault, and it is a true one: the 13 OCT pictures are of one eye, in both splits', () => {
    expect(dataset.problems.map((p) => `${p.severity} ${p.code} ${p.message}`)).toEqual(['error DATA008 group "oct:eyeA" of task wet_amd is in two splits: train and val']);
  });

  it('has trivial baselines as strong as those its README gives for the held-out part', async () => {
    const score = async (baseline: 'mean-mask' | 'foreground'): Promise<Scores> => scoresOf(await baselineCounts(dataset, baseline, { split: 'val', size, cache }));
    const [mean, foreground] = [await score('mean-mask'), await score('foreground')];
    const near = { adenocarcinoma: [0.832, 0.833], thyroid_nodule: [0.819, 0.467], colon_polyp: [0.273, 0.19], breast_lesion: [0.363, 0.182] } as const;
    for (const [task, [m, f]] of Object.entries(near)) {
      expect(Math.abs(mean.perTask[task]!.dice - m), task).toBeLessThan(0.1);
      expect(Math.abs(foreground.perTask[task]!.dice - f), task).toBeLessThan(0.05);
    }
  });

  it('decodes each image once for a whole training', async () => {
    const before = cache.misses;
    const batches = trainBatches(dataset, 'train', { batch: 16, sampler: 'shuffle', augment: [{ kind: 'resize', ...size }], oneTaskPerBatch: false, dropLast: false, seed: 0, cache });
    for (let epoch = 0; epoch < 2; epoch++) for await (const b of batches.epoch(epoch)) expect(b.image.shape.slice(1)).toEqual([3, 128, 128]);
    expect(cache.misses).toBe(before);
    expect(cache.bytes).toBe(716 * 128 * 128 * 4);
  });
});
