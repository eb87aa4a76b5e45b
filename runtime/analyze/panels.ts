// What a sheet of predictions shows: images of a split, and what each run says of them. Numbers and logits only; `report/figures` draws them.
import { cutAt, normalized, pipelineOf, type DataItem, type Dataset, type ImageCache, type Split } from '../data/index.js';
import { f32 } from '../engines/engine.js';
import { confusion, dice, lesionMask } from '../metrics/index.js';
import type { Prediction } from '../report/overlay.js';
import type { Predictor } from '../train/predictor.js';

/** `images` of each task, spread evenly over its images of the split in order of their names: the middle one of each equal part. */
export function chooseItems(dataset: Dataset, split: Split, images: number): readonly DataItem[] {
  return dataset.tasks.flatMap((task) => {
    const all = dataset.items.filter((i) => i.task === task && i.split === split), count = Math.min(images, all.length);
    return Array.from({ length: count }, (_, k) => all[Math.floor(((k + 0.5) * all.length) / count)]).flatMap((item) => item ?? []);
  });
}

/** Dice is of the mask at the model's own size, as `eval` counts it. */
export interface PanelCell { readonly prediction: Prediction; readonly dice: number }

/** A run's answers, one an item; undefined where it does not know the item's task (`tasks`: what it was trained on, undefined: any). */
export async function panelCells(
  predictor: Predictor, tasks: readonly string[] | undefined, dataset: Dataset, items: readonly DataItem[], cache: ImageCache, onImage: () => void = () => undefined,
): Promise<readonly (PanelCell | undefined)[]> {
  const size = { height: predictor.height, width: predictor.width }, pipeline = pipelineOf(predictor.preprocessing), cells: (PanelCell | undefined)[] = [];
  for (const item of items) {
    if (tasks === undefined || tasks.includes(item.task)) {
      const { image, mask } = await cache.pair(dataset.root, item, cutAt(pipeline.size ?? size));
      const { data } = await predictor.logits(f32([1, 3, size.height, size.width], normalized(image, size, pipeline)), predictor.tasks.length === 0 ? undefined : predictor.tasks.indexOf(item.task));
      const logits = data as Float32Array;
      cells.push({ prediction: { logits, ...size, threshold: predictor.threshold }, dice: dice(confusion(lesionMask(logits, predictor.threshold), mask)) });
    } else cells.push(undefined);
    onImage();
  }
  return cells;
}
