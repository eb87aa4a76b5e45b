// Images from a thread of their own: the same numbers, order and mistakes as on this thread, while this one does something else.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { evalBatches, makeCache, scanDataset, startLoader, trainBatches, type Batch, type Dataset, type ImageCache, type TrainBatchOptions } from '../../runtime/data/index.js';
import { UserError } from '../../runtime/errors.js';
import { pair, put, temporaryFolder } from './fixtures.js';

let root: string, dataset: Dataset;
beforeAll(async () => {
  root = await temporaryFolder();
  const rows = ['task,file,mask,split'];
  for (let k = 0; k < 9; k++) {
    await pair(root, 'skin', `s${k}`, { seed: k });
    rows.push(`skin,skin/images/s${k}.png,skin/masks/s${k}.png,${k % 3 === 2 ? 'val' : 'train'}`);
  }
  await put(root, 'manifest.csv', rows.join('\n'));
  dataset = await scanDataset(root, [{ code: 'SL', folder: 'skin' }]);
});

const open: ImageCache[] = [];
const loader = (bytes?: number): ImageCache => {
  const cache = startLoader({ bytes });
  open.push(cache);
  return cache;
};
afterEach(async () => { for (const cache of open.splice(0)) await cache.close(); });

const options = (cache: ImageCache, over: Partial<TrainBatchOptions> = {}): TrainBatchOptions => ({
  batch: 4, sampler: 'shuffle', oneTaskPerBatch: false, dropLast: false, seed: 3, cache,
  augment: [{ kind: 'resize', height: 8, width: 12 }, { kind: 'flip', horizontal: 0.5, vertical: 0.5 }, { kind: 'normalize', mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] }], ...over,
});
const numbers = async (batches: AsyncGenerator<Batch>): Promise<unknown[]> => {
  const all: unknown[] = [];
  for await (const { step, tasks, items, image, truth } of batches) all.push([step, tasks, items, image, truth]);
  return all;
};

describe('a loader', () => {
  it('gives the batches of a cache on this thread, bit for bit, whatever it may keep', async () => {
    const train = (cache: ImageCache, fromStep = 0): Promise<unknown[]> => numbers(trainBatches(dataset, 'train', options(cache)).epoch(1, fromStep));
    const here = makeCache(), whole = await train(here), scored = await numbers(evalBatches(dataset, 'val', options(here)));
    for (const cache of [loader(), loader(0)]) {
      expect(await train(cache)).toEqual(whole);
      expect(await train(cache, 1)).toEqual(whole.slice(1));
      expect(await numbers(evalBatches(dataset, 'val', options(cache)))).toEqual(scored);
      const item = dataset.items[0]!;
      expect(await cache.pair(root, item, { height: 8, width: 12 })).toEqual(await here.pair(root, item, { height: 8, width: 12 }));
    }
  });

  it('tells a mistake in the words of this thread, at the batch that holds it, and goes on', async () => {
    const bad = await temporaryFolder();
    for (const stem of ['a', 'b', 'c']) await pair(bad, 'skin', stem, { width: stem === 'c' ? 20 : 16 });
    await put(bad, 'skin/images/b.png', 'no picture');
    await put(bad, 'manifest.csv', `task,file,mask,split\n${['a', 'b', 'c'].map((s) => `skin,skin/images/${s}.png,skin/masks/${s}.png,val`).join('\n')}\n`);
    const found = await scanDataset(bad, [{ code: 'SL', folder: 'skin' }]), there = loader();
    const failure = async (cache: ImageCache, stems: string, more: Partial<TrainBatchOptions> = {}): Promise<unknown> => {
      const some = { ...found, items: found.items.filter((i) => stems.includes(i.stem)) };
      return numbers(evalBatches(some, 'val', options(cache, more))).then(() => undefined, (e: unknown) => e);
    };
    for (const [stems, more] of [['ab', {}], ['ac', { augment: [] }], ['a', { augment: [], size: { height: 4, width: 4 } }]] as const) {
      const [here, other] = [await failure(makeCache(), stems, more), await failure(there, stems, more)];
      expect(other).toBeInstanceOf(UserError);
      expect({ ...other as UserError, message: (other as UserError).message }).toEqual({ ...here as UserError, message: (here as UserError).message });
    }
    expect(await failure(there, 'a')).toBeUndefined();
  });

  it('works while this thread is busy', async () => {
    const cache = loader(), batches = evalBatches(dataset, 'val', options(cache, { batch: 1 }));
    await batches.next();
    // the next one is under way already
    const until = performance.now() + 1500;
    while (performance.now() < until);
    let there = false;
    void batches.next().then(() => { there = true; });
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    expect(there).toBe(true);
  });

  it('finishes what is under way when it is closed, and takes no more', async () => {
    const cache = startLoader(), batches = trainBatches(dataset, 'train', options(cache, { batch: 1 })).epoch(0);
    const first = batches.next(), closed = cache.close();
    expect((await first).value?.step).toBe(0);
    await closed;
    // of two that were under way the second is there as well; the third was asked for afterwards
    expect((await batches.next()).value?.step).toBe(1);
    await expect(batches.next()).rejects.toThrow('a loader that is closed');
  });
});
