// What a file of weights holds, by its header alone: no values are read.
import { BYTES } from './dtypes.js';
import type { TensorFile } from './stored.js';
import { withTensorFile } from './tensor-file.js';

export interface WeightsListing {
  readonly file: string;
  readonly format: TensorFile['format'];
  readonly entry: string | null;
  readonly tensors: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[] }[];
  /** Numbers in all tensors. */
  readonly values: number;
  readonly bytes: number;
  /** Names of what a torch file holds besides its state dict. */
  readonly aside: readonly string[];
}

/** Throws UserError where the file is no file of weights. */
export const listWeights = (path: string, entry?: string): WeightsListing => withTensorFile(path, entry, (file) => {
  const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({ name, dtype: dtype.toLowerCase(), shape }));
  const sizes = [...file.tensors.values()].map((t) => ({ values: t.shape.reduce((a, b) => a * b, 1), width: BYTES[t.dtype] }));
  return {
    file: path, format: file.format, entry: file.entry ?? null, tensors,
    values: sizes.reduce((sum, s) => sum + s.values, 0), bytes: sizes.reduce((sum, s) => sum + s.values * s.width, 0), aside: file.aside,
  };
});
