// Runs a program's `evaluate` function over a split: confusion counts and loss of every image. Shared by the loop's validation and `eval`.
import { join } from 'node:path';
import { evalFunction } from '../../compiler/functions.js';
import { taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import { decodeMask, evalBatches, type DataItem, type Dataset, type ImageCache, type Split } from '../data/index.js';
import type { Engine, Tensor } from '../engines/engine.js';
import type { FeatureCache } from '../features/cache.js';
import { batchCounts, confusion, scoresOf, type ImageCounts, type MiouDefinition, type Scores } from '../metrics/index.js';
import { maskAt, type Prediction } from '../report/overlay.js';
import { binderOf, pick, scheduleFeeds } from './bind.js';
import { int8Of, type FrozenValues } from './frozen-int8.js';
import { frozenPart } from './frozen.js';
import { imageInput } from './image-input.js';

export interface EvaluationRequest {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Values of the schedules that the graph reads. */
  readonly schedules: Readonly<Record<string, number>>;
  readonly dataset: Dataset;
  readonly split: Split;
  readonly cache: ImageCache;
  /** The task to bind for images of a task, by code; its own where absent. */
  readonly bindAs?: Readonly<Record<string, string>>;
  readonly miou?: MiouDefinition;
  /** Counts at each image's own size: its logits are resized there (bilinear, half-pixel centres), then cut. Losses stay at the network's. */
  readonly original?: boolean;
  /** Items of the data set whose logits are wanted. */
  readonly keep?: readonly DataItem[];
  /** Asked between batches: true gives up, with an undefined result. */
  readonly stop?: () => boolean;
}

export interface Evaluation {
  readonly counts: readonly ImageCounts[];
  readonly scores: Scores;
  /** Of each image, as `counts`. */
  readonly losses: readonly number[];
  /** Mean over the images. */
  readonly loss: number;
  /** Of those asked for by `keep`. */
  readonly kept: ReadonlyMap<DataItem, Prediction>;
}

export interface Evaluator {
  /** Throws a UserError where an image cannot be read. Pure: no tensor is changed. */
  run(request: EvaluationRequest): Promise<Evaluation | undefined>;
  dispose(): Promise<void>;
}

/** `features` keeps the features of frozen parts; numbers are the same with and without. `int8`: products with these frozen matrices are in int8. */
export async function makeEvaluator(program: Program, training: TrainConfig, engine: Engine, features?: FeatureCache, int8?: FrozenValues): Promise<Evaluator> {
  const graph = evalFunction(program), frozen = await frozenPart(program, graph, engine, features, int8), rest = frozen?.rest ?? graph;
  const fn = await engine.compile(rest, int8Of(program, rest, int8));
  const binder = binderOf(program), { name: image, ...size } = imageInput(program), codes = taskCodes(program);
  const boundTask = (own: number, bindAs: EvaluationRequest['bindAs']): number | undefined => {
    if (!program.readsTask) return undefined;
    const other = bindAs?.[codes[own] ?? ''];
    return other === undefined ? own : codes.indexOf(other);
  };
  return {
    dispose: async () => {
      await frozen?.dispose();
      await fn.dispose();
    },
    run: async ({ tensors, schedules, dataset, split, cache, bindAs, miou, original = false, keep = [], stop }) => {
      const counts: ImageCounts[] = [];
      const losses: number[] = [];
      const kept = new Map<DataItem, Prediction>(), area = size.height * size.width;
      const order = codes.length > 0 ? { codes } : {};
      for await (const batch of evalBatches(dataset, split, { batch: training.batch, augment: training.augment, size, cache, ...order })) {
        if (stop?.() === true) return undefined;
        const feeds = {
          ...binder.feeds(fn.inputs, tensors, boundTask(batch.tasks[0] ?? 0, bindAs)), ...scheduleFeeds(schedules), ...await frozen?.features(tensors, batch.image), [image]: batch.image, truth: batch.truth,
        };
        const own = original ? ownMasks(dataset.root, batch.items) : undefined;
        const { logits, loss } = await fn.run(pick(feeds, fn.inputs));
        if (logits === undefined || loss === undefined) throw new Error('evaluate gives logits and loss');
        if (own !== undefined) counts.push(...originalCounts(await own, batch.items, logits.data as Float32Array, { ...size, threshold: training.threshold }));
        else counts.push(...batchCounts(logits.data as Float32Array, batch.truth.data as Float32Array, training.threshold, batch.items));
        losses.push(...loss.data as Float32Array);
        // an engine may use its results' memory again
        batch.items.forEach((item, k) => { if (keep.includes(item)) kept.set(item, { logits: (logits.data as Float32Array).slice(k * area, (k + 1) * area), ...size, threshold: training.threshold }); });
        // Lets timers and signals through: an engine may keep this thread while it runs.
        await new Promise(setImmediate);
      }
      return { counts, scores: scoresOf(counts, miou), losses, loss: losses.reduce((a, b) => a + b, 0) / counts.length, kept };
    },
  };
}

type OwnMask = Awaited<ReturnType<typeof decodeMask>>;

/** The masks of a batch as they are in their files: begun before the engine runs, awaited after it. */
function ownMasks(root: string, items: readonly DataItem[]): Promise<readonly OwnMask[]> {
  const masks = Promise.all(items.map(({ mask }) => decodeMask(join(root, mask))));
  // A failure is thrown where it is awaited; until then it must not count as unhandled.
  masks.catch(() => undefined);
  return masks;
}

/** Counts of a batch's logits against the masks of the images' own sizes. */
function originalCounts(masks: readonly OwnMask[], items: readonly DataItem[], logits: Float32Array, net: { readonly height: number; readonly width: number; readonly threshold: number }): ImageCounts[] {
  const area = net.height * net.width;
  return masks.map(({ mask, ...own }, k) => {
    const { task = '', image = '' } = items[k] ?? {};
    return { task, image, ...confusion(maskAt({ ...net, logits: logits.subarray(k * area, (k + 1) * area) }, own), mask) };
  });
}
