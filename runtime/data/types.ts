// What a data set is to the rest of the runtime: its items, its problems, its batches. No reading of files here.
import type { AugmentStep } from '../../compiler/program.js';
import type { Tensor } from '../engines/engine.js';

export const SPLITS = ['train', 'val', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** One image with its mask. Paths are relative to the data set's root, with `/`. */
export interface DataItem {
  /** Code of the task, as in the spec's task list. */
  readonly task: string;
  readonly stem: string;
  readonly image: string;
  readonly mask: string;
  /** What must stay in one split: a patient, a case, a volume. The stem where no manifest says more. */
  readonly group: string;
  readonly split: Split;
}

/** How items are split where no manifest does: by group, deterministic by seed, each task on its own. */
export type SplitRule =
  /** `val` is the fraction of groups that validate, in (0, 1). */
  | { readonly kind: 'ratio'; readonly val: number; readonly seed: number }
  /** Group k of the shuffled groups is in fold k % folds; fold `fold` validates. */
  | { readonly kind: 'folds'; readonly folds: number; readonly fold: number; readonly seed: number };

export interface DataProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Relative to the root; the folder where the problem is the folder's. */
  readonly file: string;
  readonly message: string;
  readonly help: string;
}

export interface Dataset {
  readonly root: string;
  /** Task codes, in the order of the program's list. */
  readonly tasks: readonly string[];
  /** Sorted by task (in order), then by stem. Only complete pairs. */
  readonly items: readonly DataItem[];
  /** Hexadecimal SHA-256 over the sorted list of (task, paths, sizes, content hashes, group, split). No times, no absolute paths. */
  readonly fingerprint: string;
  /** How the split came about: `manifest.csv`, `ratio 0.2, seed 0`, … */
  readonly splitBy: string;
  /** What the file list alone shows; `checkDataset` also opens the files. */
  readonly problems: readonly DataProblem[];
}

/** A task as the reader needs it: the code, and the folder that holds its pairs. */
export interface TaskFolder { readonly code: string; readonly folder: string }

export interface Batch {
  /** f32[B, 3, H, W]: RGB / 255, then the spec's normalisation. */
  readonly image: Tensor;
  /** f32[B, 1, H, W], 0 or 1. */
  readonly truth: Tensor;
  /** Index into the task list, per sample. */
  readonly tasks: readonly number[];
  readonly items: readonly DataItem[];
  /** Number of the batch within its epoch, from 0. */
  readonly step: number;
}

/** The part of a batch that belongs to one task; samples keep their order. */
export interface TaskGroup { readonly task: number; readonly batch: Batch }

export interface EvalBatchOptions {
  readonly batch: number;
  /** Only resize and normalize apply to evaluation; flips are left out. */
  readonly augment: readonly AugmentStep[];
  readonly cache: ImageCache;
  /** What images must be after `augment`; absent: all of one batch alike. */
  readonly size?: Size;
  /** The list that `Batch.tasks` indexes: the program's codes. Default: the data set's own. */
  readonly codes?: readonly string[];
}

export interface TrainBatchOptions extends EvalBatchOptions {
  readonly sampler: 'shuffle' | 'inverse_frequency';
  readonly oneTaskPerBatch: boolean;
  readonly dropLast: boolean;
  readonly seed: number;
}

/** Batches of training. What an epoch holds depends only on (seed, epoch), so a run resumes at any (epoch, step). */
export interface TrainBatches {
  readonly images: number;
  /** The same for every epoch. */
  readonly stepsPerEpoch: number;
  /** Batches of an epoch from `fromStep` on; the next ones are decoded while the caller works. */
  epoch(epoch: number, fromStep?: number): AsyncGenerator<Batch, void, undefined>;
}

/** An image and its mask at model size. */
export interface DecodedPair {
  /** RGB, interleaved, height*width*3. */
  readonly image: Uint8Array;
  /** 0 or 1, height*width; 0..255 where the sampling is soft. */
  readonly mask: Uint8Array;
}

/** The two files of an item. */
export type ImageFiles = Pick<DataItem, 'image' | 'mask'>;

export interface Mirror { readonly horizontal: boolean; readonly vertical: boolean }

/** What the spec's augmentation asks of a sample; see `pipelineOf`. */
export interface Pipeline {
  /** Undefined: images keep their own size. */
  readonly size: Sampling | undefined;
  /** Probabilities, drawn in order. */
  readonly flips: readonly { readonly horizontal: number; readonly vertical: number }[];
  /** Value of channel c: byte / 255 * scale[c] + shift[c]. */
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Which pixels make up a batch. Plain data: it may go to another thread. */
export interface PixelRequest {
  readonly root: string;
  readonly samples: readonly { readonly item: ImageFiles; readonly mirror: Mirror }[];
  readonly pipeline: Pipeline;
  /** What images must be after the pipeline; absent: all alike. */
  readonly size?: Size;
}

/** image f32[B, 3, H, W] and truth f32[B, 1, H, W], the caller's own. */
export interface BatchPixels extends Size { readonly image: Float32Array<ArrayBuffer>; readonly truth: Float32Array<ArrayBuffer> }

/** Where pixels come from. Decoded pairs are kept in memory, up to a number of bytes; what does not fit is decoded again. */
export interface ImageCache {
  /** `size` undefined: the image's own size. Throws a UserError. */
  pair(root: string, item: ImageFiles, size: Sampling | undefined): Promise<DecodedPair & Size>;
  /** Throws a UserError. */
  pixels(request: PixelRequest): Promise<BatchPixels>;
  /** What is under way is finished first; nothing is asked afterwards. */
  close(): Promise<void>;
}

export interface Size { readonly height: number; readonly width: number }

/** A size, and how a mask is brought to it: see `ResizeStep`. Without a filter, bilinearly. */
export interface Sampling extends Size { readonly masks?: 'bicubic' | 'nearest'; readonly soft?: true }
