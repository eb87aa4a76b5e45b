// Confusion counts of one image: all that any score here is made of. Nothing is averaged in this file.

/** Pixels: true and false positives, false and true negatives. */
export interface Confusion { readonly tp: number; readonly fp: number; readonly fn: number; readonly tn: number }

/** Counts of one image under its task: what evaluation stores, and what every score can be computed from again. */
export interface ImageCounts extends Confusion { readonly task: string; readonly image: string }

/** Counts of a binary prediction (0 or 1) against the truth (0 or 1). Throws where the lengths differ. */
export function confusion(predicted: ArrayLike<number>, truth: ArrayLike<number>): Confusion {
  if (predicted.length !== truth.length) throw new Error(`prediction of ${predicted.length} pixels, truth of ${truth.length}`);
  let tp = 0, fp = 0, fn = 0;
  for (let i = 0; i < truth.length; i++) {
    const p = (predicted[i] as number) > 0.5, t = (truth[i] as number) > 0.5;
    if (p && t) tp++; else if (p) fp++; else if (t) fn++;
  }
  return { tp, fp, fn, tn: truth.length - tp - fp - fn };
}

/** 1 where sigmoid(logit) >= threshold, else 0; NaN is background. The cut is made on the logit, so that it does not depend on how a sigmoid rounds. */
export function lesionMask(logits: Float32Array, threshold: number): Uint8Array {
  const cut = threshold <= 0 ? -Infinity : threshold >= 1 ? Infinity : Math.log(threshold / (1 - threshold));
  return Uint8Array.from(logits, (v) => (v >= cut ? 1 : 0));
}

export const addCounts = (a: Confusion, b: Confusion): Confusion => ({ tp: a.tp + b.tp, fp: a.fp + b.fp, fn: a.fn + b.fn, tn: a.tn + b.tn });

/**
 * Counts of each image of a batch of logits f32[B, 1, H, W] against truth of the same shape.
 * `rows` names task and image of each sample.
 */
export function batchCounts(logits: Float32Array, truth: Float32Array, threshold: number, rows: readonly { readonly task: string; readonly image: string }[]): ImageCounts[] {
  const area = truth.length / rows.length;
  return rows.map(({ task, image }, k) => ({
    task, image, ...confusion(lesionMask(logits.subarray(k * area, (k + 1) * area), threshold), truth.subarray(k * area, (k + 1) * area)),
  }));
}
