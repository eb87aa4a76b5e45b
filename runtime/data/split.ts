// Splits cases into train and val by group, where no manifest does. Deterministic by seed; no files here.
import { MisuseError } from '../errors.js';
import { shuffled, streamOf } from '../random.js';
import type { Split, SplitRule } from './types.js';

export const DEFAULT_SPLIT: SplitRule = { kind: 'ratio', val: 0.2, seed: 0 };

export const splitText = (rule: SplitRule): string =>
  rule.kind === 'ratio' ? `ratio ${rule.val}, seed ${rule.seed}` : `fold ${rule.fold} of ${rule.folds}, seed ${rule.seed}`;

/**
 * The split of every group of one task. `sizes` maps a group to its number of images.
 * ratio: groups in random order go to val until it holds val * N images (at least one group, never all).
 * folds: group k in random order belongs to fold k % folds, and fold `fold` validates.
 * Throws a MisuseError for a ratio outside (0, 1) or a fold that does not exist.
 */
export function splitGroups(task: string, sizes: ReadonlyMap<string, number>, rule: SplitRule): Map<string, Split> {
  if (rule.kind === 'ratio' && !(rule.val > 0 && rule.val < 1)) throw new MisuseError(`the validation ratio must lie between 0 and 1, not ${rule.val}`);
  if (rule.kind === 'folds' && !(Number.isInteger(rule.folds) && rule.folds >= 2 && Number.isInteger(rule.fold) && rule.fold >= 0 && rule.fold < rule.folds)) {
    throw new MisuseError(`fold ${rule.fold} of ${rule.folds} does not exist`, 'Folds are 2 or more, and are numbered from 0.');
  }
  const order = shuffled([...sizes.keys()].sort(), streamOf(rule.seed, `split/${task}`));
  const total = [...sizes.values()].reduce((a, b) => a + b, 0);
  const out = new Map<string, Split>();
  let held = 0;
  order.forEach((group, k) => {
    const val = rule.kind === 'folds' ? k % rule.folds === rule.fold : k < order.length - 1 && (k === 0 || held < rule.val * total);
    if (val) held += sizes.get(group) ?? 0;
    out.set(group, val ? 'val' : 'train');
  });
  return out;
}
