// A graph as tfjs runs it: calls of kernels in order, each with the tensors that nobody reads after it. Data only; nothing here runs.
import type { DType, TensorType } from '../../ir/graph.js';
import type { NdArray } from '../../ir/ndarray.js';
import type { TfjsAttribute } from '../../ops/op.js';

/** The place of one tensor: an input's, a constant's, or that of a call's result. */
export type Slot = number;

export interface TfjsCall {
  /** A name of TensorFlow.js's kernel registry. */
  readonly kernel: string;
  /** By the kernel's own names; a list for Concat. */
  readonly inputs: Readonly<Record<string, Slot>> | readonly Slot[];
  /** Sizes among them may be symbolic. */
  readonly attributes: Readonly<Record<string, TfjsAttribute>>;
  readonly output: Slot;
  readonly type: TensorType;
  /** Results of calls that are read for the last time here: to be disposed after it. */
  readonly frees: readonly Slot[];
}

export interface TfjsProgram {
  /** By the names of the graph's leaves. i64 is int32 here. */
  readonly inputs: readonly { readonly name: string; readonly slot: Slot; readonly type: TensorType }[];
  readonly constants: readonly { readonly slot: Slot; readonly dtype: DType; readonly value: NdArray }[];
  readonly calls: readonly TfjsCall[];
  /** Each is the result of a call of its own, never an input. */
  readonly outputs: readonly { readonly name: string; readonly slot: Slot; readonly type: TensorType }[];
}

export const slotsOf = (inputs: TfjsCall['inputs']): readonly Slot[] => Object.values(inputs);

export const kernelsOf = (program: TfjsProgram): readonly string[] => [...new Set(program.calls.map((call) => call.kernel))].sort();
