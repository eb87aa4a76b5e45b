// What every reader of weights gives: named tensors in a file, read one at a time. No format lives here.
import { UserError } from '../errors.js';
import type { Tensor } from '../engines/engine.js';
import { tensorOf, type FileDType } from './dtypes.js';

/** A stretch of bytes that can be read in parts. */
export interface Source { fill(buffer: Uint8Array, position: number): void }

export interface StoredTensor {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Where its elements lie: bytes `begin` to `end` of a source. Tensors may share some; a view's may have gaps. */
  readonly place: { readonly source: Source; readonly begin: number; readonly end: number };
  /** The elements in row-major order, little endian. */
  read(): Uint8Array<ArrayBuffer>;
}

export interface TensorFile {
  readonly path: string;
  readonly format: 'safetensors' | 'torch';
  /** In the file's own order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Key of the state dict inside a torch file, where it is not the whole. */
  readonly entry?: string;
  /** What a torch file holds besides: names that were left aside. */
  readonly aside: readonly string[];
}

/** `f32[64, 3, 7, 7]`, for messages. */
export const typeText = (t: { readonly dtype: FileDType; readonly shape: readonly number[] }): string => `${t.dtype.toLowerCase()}[${t.shape.join(', ')}]`;

/** A name from a file as it may be shown: what a terminal might take for a command is escaped. */
export const shownName = (name: string): string => (/^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name).replace(/[\u007f-\u{10ffff}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`));

export const DIVERGED = 'Weights must be finite; this file was saved by a training that had diverged.';

/** The values of a tensor. Throws UserError where one is not a finite number. */
export function finiteTensor(path: string, name: string, stored: StoredTensor): Tensor {
  const tensor = tensorOf(stored.dtype, stored.shape, stored.read());
  requireFinite(path, name, tensor);
  return tensor;
}

export function requireFinite(path: string, name: string, tensor: Tensor): void {
  if (!(tensor.data instanceof Float32Array)) return;
  const at = tensor.data.findIndex((x) => !Number.isFinite(x));
  if (at >= 0) throw new UserError(`${path}: tensor ${shownName(name)} holds ${tensor.data[at]} at place ${at}`, DIVERGED);
}
