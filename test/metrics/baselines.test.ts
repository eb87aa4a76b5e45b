import { describe, expect, it } from 'vitest';
import { makeCache, scanDataset } from '../../runtime/data/index.js';
import { baselineCounts, dice, meanMask, scoresOf } from '../../runtime/metrics/index.js';
import { picture, put, temporaryFolder } from '../data/fixtures.js';

const SL = [{ code: 'SL', folder: 'skin' }], size = { height: 8, width: 8 };

/** Pictures whose lesion is the given columns. */
async function columns(train: readonly (readonly [number, number])[], val: readonly (readonly [number, number])[]) {
  const root = await temporaryFolder(), rows = ['task,file,mask,split'];
  for (const [k, [from, to]] of [...train, ...val].entries()) {
    await picture(root, `skin/images/${k}.png`, 8, 8, (x, y) => x * y + k);
    await picture(root, `skin/masks/${k}.png`, 8, 8, (x) => (x >= from && x < to ? 255 : 0), 1);
    rows.push(`skin,skin/images/${k}.png,skin/masks/${k}.png,${k < train.length ? 'train' : 'val'}`);
  }
  await put(root, 'manifest.csv', rows.join('\n'));
  return scanDataset(root, SL);
}

describe('the trivial answers', () => {
  it('mean mask: the training masks\' mean, cut where it serves them best, never empty', async () => {
    const { mask, cut } = await meanMask(await columns([[0, 3], [2, 5], [3, 6], [2, 4]], [[0, 1]]), 'SL', size, makeCache());
    // Columns are covered by 1, 1, 3, 3, 2, 1 of 4 masks: 2 and 3 alone give mean Dice 0.7, 2 to 4 0.73, 0 to 5 0.62.
    expect([...mask.subarray(0, 8)]).toEqual([0, 0, 1, 1, 1, 0, 0, 0]);
    expect(cut).toBeGreaterThan(0.25);
    expect(cut).toBeLessThanOrEqual(0.5);
    const scattered = await meanMask(await columns([[0, 1], [2, 3], [4, 5]], [[0, 1]]), 'SL', size, makeCache());
    expect([...scattered.mask.subarray(0, 8)]).toEqual([1, 0, 1, 0, 1, 0, 0, 0]);
  });

  it('are scored on the asked split only, and looks only at the training masks', async () => {
    const dataset = await columns([[0, 4], [0, 4]], [[0, 4], [4, 8], [0, 8]]), cache = makeCache();
    const mean = await baselineCounts(dataset, 'mean-mask', { split: 'val', size, cache });
    expect(mean.map((c) => Math.round(dice(c) * 1000) / 1000)).toEqual([1, 0, 0.667]);
    const foreground = scoresOf(await baselineCounts(dataset, 'foreground', { split: 'val', size, cache }));
    expect(foreground.perTask['SL']!.dice).toBeCloseTo((2 / 3 + 2 / 3 + 1) / 3, 5);
  });

  it('have no mean mask without training images, and say so', async () => {
    const dataset = await columns([], [[0, 4]]);
    await expect(baselineCounts(dataset, 'mean-mask', { split: 'val', size, cache: makeCache() })).rejects.toThrow('task SL has no training image');
  });
});
