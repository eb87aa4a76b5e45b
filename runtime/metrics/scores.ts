// Counts -> scores: Dice and the definitions of mIoU that published tables use, per task and on average. Pure arithmetic.
import { mean } from '../statistics/moments.js';
import { addCounts, type Confusion, type ImageCounts } from './counts.js';

const SMOOTH = 1e-5;

/** Dice of one image: (2 tp + s) / (2 tp + fp + fn + s), s = 1e-5. Nothing predicted where nothing is: 1. */
export const dice = ({ tp, fp, fn }: Confusion): number => (2 * tp + SMOOTH) / (2 * tp + fp + fn + SMOOTH);

const iou = (tp: number, fp: number, fn: number): number => (tp + SMOOTH) / (tp + fp + fn + SMOOTH);
const foregroundIou = ({ tp, fp, fn }: Confusion): number => iou(tp, fp, fn);
const bothIou = ({ tp, fp, fn, tn }: Confusion): number => (iou(tp, fp, fn) + iou(tn, fn, fp)) / 2;

const pooled = (counts: readonly Confusion[]): Confusion => counts.reduce(addCounts, { tp: 0, fp: 0, fn: 0, tn: 0 });

/** Published tables mean different things by mIoU. The first is the default and the paper's. */
const MIOU = {
  'dataset-both': { says: 'one 2x2 confusion over the data set, mean of background and foreground IoU', of: (c: readonly Confusion[]) => bothIou(pooled(c)) },
  'dataset-foreground': { says: 'one 2x2 confusion over the data set, foreground IoU', of: (c: readonly Confusion[]) => foregroundIou(pooled(c)) },
  'image-foreground': { says: 'foreground IoU of each image, mean over images', of: (c: readonly Confusion[]) => mean(c.map(foregroundIou)) },
  'image-both': { says: 'mean of background and foreground IoU of each image, mean over images', of: (c: readonly Confusion[]) => mean(c.map(bothIou)) },
} as const;

export type MiouDefinition = keyof typeof MIOU;
export const miouDefinitions = Object.keys(MIOU) as readonly MiouDefinition[];
export const DEFAULT_MIOU: MiouDefinition = 'dataset-both';
/** A definition in words, for the caption of a table. */
export const miouText = (definition: MiouDefinition): string => MIOU[definition].says;

export interface Score { readonly dice: number; readonly miou: number; readonly images: number }
export interface Scores {
  readonly perTask: Readonly<Record<string, Score>>;
  /** Mean over the tasks that have images; each task counts the same. NaN where none has. */
  readonly average: { readonly dice: number; readonly miou: number };
  readonly miouDefinition: MiouDefinition;
}

/** Scores of one set of images. Throws where it is empty. */
export function scoreOf(counts: readonly Confusion[], definition: MiouDefinition = DEFAULT_MIOU): Score {
  if (counts.length === 0) throw new Error('no image to score');
  return { dice: mean(counts.map(dice)), miou: MIOU[definition].of(counts), images: counts.length };
}

/** Dice is the mean over images of a task. Tasks come in the order of their first image. */
export function scoresOf(counts: readonly ImageCounts[], definition: MiouDefinition = DEFAULT_MIOU): Scores {
  const groups = new Map<string, ImageCounts[]>();
  for (const c of counts) { const group = groups.get(c.task); if (group) group.push(c); else groups.set(c.task, [c]); }
  const perTask = Object.fromEntries([...groups].map(([task, group]) => [task, scoreOf(group, definition)]));
  const all = Object.values(perTask);
  return { perTask, average: { dice: mean(all.map((s) => s.dice)), miou: mean(all.map((s) => s.miou)) }, miouDefinition: definition };
}
