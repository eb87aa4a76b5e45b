// The trivial answers that a trained model must beat: the mean training mask of the task, and all-foreground. No model here.
import { join } from 'node:path';
import { decodeMask, nearest } from '../data/index.js';
import type { DataItem, Dataset, ImageCache, Sampling, Split } from '../data/types.js';
import { UserError } from '../errors.js';
import { confusion, type ImageCounts } from './counts.js';
import { dice } from './scores.js';

export const BASELINES = ['mean-mask', 'foreground'] as const;
export type Baseline = (typeof BASELINES)[number];

export interface BaselineOptions {
  readonly split: Split;
  /** The model's resolution, and how masks come to it: baselines are scored where the model is. */
  readonly size: Sampling;
  /** Scored at each image's own size: the answer is brought there, pixel by pixel. */
  readonly original?: boolean;
  readonly cache: ImageCache;
}

/** Cuts tried: 0.05, 0.10, … 1. */
const CUTS = 20;

/**
 * The mean of a task's training masks at `size`, cut where the mean Dice over those same masks is highest: one answer for every image.
 * (Cut at a half it would be empty wherever lesions move about, and beating it would mean nothing.)
 * Throws a UserError where the task has no training image.
 */
export async function meanMask(dataset: Dataset, task: string, size: Sampling, cache: ImageCache): Promise<{ readonly mask: Uint8Array; readonly cut: number }> {
  const items = dataset.items.filter((i) => i.task === task && i.split === 'train');
  if (items.length === 0) throw new UserError(`${dataset.root}: task ${task} has no training image, so no mean mask`, 'Choose --baseline foreground, or mend the split.');
  const area = size.height * size.width, sum = new Float64Array(area);
  const maskOf = async (item: DataItem): Promise<Uint8Array> => (await cache.pair(dataset.root, item, size)).mask;
  for (const item of items) (await maskOf(item)).forEach((v, i) => { sum[i] = (sum[i] as number) + v; });
  // A pixel is in the answer of cut k / CUTS where its level is at least k.
  const level = Uint8Array.from(sum, (v) => Math.floor((v / items.length) * CUTS + 1e-9));
  const score = new Float64Array(CUTS + 1);
  for (const item of items) {
    const mask = await maskOf(item), inside = new Float64Array(CUTS + 1), all = new Float64Array(CUTS + 1);
    for (let i = 0; i < area; i++) {
      const k = level[i] as number;
      all[k] = (all[k] as number) + 1;
      inside[k] = (inside[k] as number) + (mask[i] as number);
    }
    const lesion = inside.reduce((a, b) => a + b, 0);
    for (let k = CUTS, tp = 0, predicted = 0; k >= 1; k--) {
      tp += inside[k] as number;
      predicted += all[k] as number;
      score[k] = (score[k] as number) + dice({ tp, fp: predicted - tp, fn: lesion - tp, tn: 0 });
    }
  }
  const best = score.indexOf(Math.max(...score.subarray(1)), 1);
  return { mask: level.map((k) => (k >= best ? 1 : 0)), cut: best / CUTS };
}

/** Counts per image of a trivial answer on a split. */
export async function baselineCounts(dataset: Dataset, baseline: Baseline, options: BaselineOptions): Promise<ImageCounts[]> {
  const { split, size, cache, original = false } = options, out: ImageCounts[] = [];
  for (const task of dataset.tasks) {
    const items = dataset.items.filter((i) => i.task === task && i.split === split);
    if (items.length === 0) continue;
    const answer = baseline === 'foreground' ? new Uint8Array(size.height * size.width).fill(1) : (await meanMask(dataset, task, size, cache)).mask;
    for (const item of items) {
      const { mask, ...own } = original ? await decodeMask(join(dataset.root, item.mask)) : await cache.pair(dataset.root, item, size);
      out.push({ task, image: item.image, ...confusion(original ? nearest(answer, size, own) : answer, mask) });
    }
  }
  return out;
}
