// The words of a training block: which entries there are, and which values each may have. A table; `training.ts` reads it.
import { ops } from '../ops/index.js';

/** A word with arguments: `adam(lr: 3e-5)`. Parameter kinds say what an argument may be. */
export interface Word {
  readonly doc: string;
  readonly params: Readonly<Record<string, ParamKind>>;
}
export type ParamKind = keyof typeof NUMBERS | 'bool' | 'size' | 'numbers' | 'schedule' | 'task' | 'choice' | 'filter';

/** Kinds of numbers, and how each is said. */
export const NUMBERS = {
  count: { says: 'a whole number above 0', holds: (v: number): boolean => Number.isInteger(v) && v > 0 },
  positive: { says: 'a number above 0', holds: (v: number): boolean => v > 0 },
  amount: { says: 'a number of at least 0', holds: (v: number): boolean => v >= 0 },
  chance: { says: 'a number from 0 to 1', holds: (v: number): boolean => v >= 0 && v <= 1 },
  decay: { says: 'a number from 0 to below 1', holds: (v: number): boolean => v >= 0 && v < 1 },
  inner: { says: 'a number between 0 and 1', holds: (v: number): boolean => v > 0 && v < 1 },
} as const;

export const OPTIMIZERS: Readonly<Record<string, Word>> = {
  adam: { doc: 'Adam; weight_decay is added to the gradient', params: { lr: 'schedule', beta1: 'decay', beta2: 'decay', eps: 'positive', weight_decay: 'amount' } },
  adamw: { doc: 'Adam with decoupled weight decay', params: { lr: 'schedule', beta1: 'decay', beta2: 'decay', eps: 'positive', weight_decay: 'amount' } },
  sgd: { doc: 'gradient descent with momentum', params: { lr: 'schedule', momentum: 'decay', weight_decay: 'amount' } },
};
export const SAMPLERS: Readonly<Record<string, Word>> = {
  shuffle: { doc: 'every image once an epoch', params: { one_task: 'bool' } },
  inverse_frequency: { doc: 'with replacement, each image with weight 1 / N of its task', params: { by: 'task', one_task: 'bool' } },
};
export const AUGMENTATIONS: Readonly<Record<string, Word>> = {
  resize: { doc: 'to one side, or [height, width]; masks by a filter, cut at one half unless soft', params: { size: 'size', masks: 'filter', soft: 'bool' } },
  flip: { doc: 'with these chances', params: { horizontal: 'chance', vertical: 'chance' } },
  normalize: { doc: '(x - mean) / std per channel, x in [0, 1]', params: { mean: 'numbers', std: 'numbers' } },
  imagenet_normalize: { doc: 'with the mean and std of ImageNet', params: {} },
};
export const VALIDATIONS: Readonly<Record<string, Word>> = {
  every: { doc: 'validate every n epochs and keep the best', params: { epochs: 'count', keep: 'choice' } },
};
/** How a mask is resized. */
export const FILTERS = ['bilinear', 'bicubic', 'nearest'] as const;
export const METRICS = ['dice', 'miou', 'loss'] as const;

/** Schedules may be used for `lr` under these names. */
export const LR_SCHEDULES: Readonly<Record<string, string>> = { anneal: 'anneal', cosine: 'cosine_decay', plateau: 'plateau' };

export const TRAIN_ENTRIES = ['loss', 'optimizer', 'clip', 'sampler', 'epochs', 'batch', 'drop_last', 'augment', 'validate', 'threshold', 'after_improvement'] as const;
export const STUDY_ENTRIES = ['rows', 'seeds', 'sweep', 'columns', 'repeat', 'baseline', 'published', 'groups', 'budget', 'tasks'] as const;

export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

const WORDS: ReadonlySet<string> = new Set([
  ...ops.flatMap((op) => Object.values(op.attrs).flatMap((attr) => attr.values ?? [])),
  ...Object.keys(OPTIMIZERS), ...Object.keys(SAMPLERS), ...Object.keys(AUGMENTATIONS), ...Object.keys(VALIDATIONS), ...METRICS, ...FILTERS, ...Object.keys(LR_SCHEDULES),
  'best', 'epochs', 'steps', 'zeros', 'ones',
]);
/** Whether a bare name may be a word of an attribute, a schedule or a training block, where no name is meant. */
export const isWord = (name: string): boolean => WORDS.has(name);
