// What a row of the op table says. One op is one file beside this one; `index.ts` is only the list.
import type { Attrs, AttrValue, DType, Node, NodeId, TensorType } from '../ir/graph.js';
import type { Dim } from '../ir/dim.js';
import type { NdArray } from '../ir/ndarray.js';
import type { GraphBuilder } from '../ir/builder.js';

/** How an attribute is written in a spec. `pair` takes an int or [int, int]; `axes` takes an int or a list, negative from the end. */
export interface AttrSpec {
  readonly kind: 'int' | 'float' | 'bool' | 'dims' | 'axis' | 'axes' | 'ints' | 'pair' | 'enum' | 'tensor';
  readonly values?: readonly string[];
  /** Absent: the attribute must be given. */
  readonly default?: AttrValue;
  readonly doc: string;
}

/** An op's inputs break one of its constraints, told as what, and what would mend it. The checker adds the place. */
export class OpError extends Error {
  constructor(readonly kind: OpErrorKind, message: string, readonly help?: string) { super(message); }
}
/** `rank`: a wrong number of dimensions; `shape`: two sizes disagree; `open`: a size has to be a number and depends on the batch; `divide`: a size does not divide; `dtype`; `attr`: an attribute's value. */
export type OpErrorKind = 'rank' | 'shape' | 'open' | 'divide' | 'dtype' | 'attr';

export interface Cost {
  /** Multiply-adds of convolutions and of products with weights, or of products of two activations (`attention`); the rest count none. */
  readonly macs: Dim;
}

/** What the gradient column sees. `inputs` and `output` may be used in the graph that it builds. */
export interface GradientContext {
  readonly b: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly NodeId[];
  readonly output: NodeId;
  /** The gradient of the output, of its type. */
  readonly dy: NodeId;
  /** Whether anybody asks for the gradient of input i: an op need not build the others. */
  readonly needs: (i: number) => boolean;
}

export type OnnxAttribute = number | { readonly int: number } | { readonly float: number } | string | { readonly ints: readonly number[] } | { readonly floats: readonly number[] };
/** The emitter that the ONNX column writes to. Names are those of ONNX values. */
export interface OnnxContext {
  /** Adds a node with one output and gives the output's name. */
  emit(opType: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  emitMany(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>>, outputs: number): readonly string[];
  /** A constant, shared with equal ones. */
  constant(value: NdArray, dtype: DType): string;
  ints(values: readonly number[]): string;
  float(value: number): string;
  /** A 1-D int64 value: static dims become a constant, symbolic ones are computed from the inputs' shapes. */
  shape(dims: readonly Dim[]): string;
  typeOf(id: NodeId): TensorType;
}

/**
 * A tensor of a tfjs program. Its axes may lie in memory in another order than the graph counts them:
 * axis i in memory is the graph's axis `order[i]`. So a transpose costs nothing until a kernel wants the axes elsewhere.
 */
export interface TfjsValue { readonly slot: number; readonly dtype: DType; readonly shape: readonly Dim[]; readonly order: readonly number[] }
/** A list of pairs is what paddings take. */
export type TfjsAttribute = number | boolean | string | readonly Dim[] | readonly (readonly number[])[];
export type TfjsInputs = Readonly<Record<string, TfjsValue>> | readonly TfjsValue[];
/** What the tfjs column writes to: calls of kernels by name. `shared/tfjs.ts` says the usual ones. */
export interface TfjsContext {
  /** Calls a kernel on tensors as they lie in memory. The result's axes are counted as they lie: its order is 0, 1, 2, … */
  call(kernel: string, inputs: TfjsInputs, attributes: Readonly<Record<string, TfjsAttribute>>, shape: readonly Dim[], dtype?: DType): TfjsValue;
  constant(value: NdArray, dtype: DType): TfjsValue;
  /** What a constant holds, in the order of memory; undefined for what is computed. */
  known(x: TfjsValue): NdArray | undefined;
  /** Whether it is an input or a constant of the program, not the result of a call. */
  given(x: TfjsValue): boolean;
}

export interface OpDef {
  readonly name: string;
  /** One line. */
  readonly doc: string;
  /** Numbered constraints, cited by tests: '(C1) …'. */
  readonly constraints?: readonly string[];
  /** Names of the tensor inputs in order; a trailing `?` is optional, a trailing `*` takes a list. */
  readonly inputs: readonly string[];
  /** In the order in which they may be given without a name after the inputs. */
  readonly attrs: Readonly<Record<string, AttrSpec>>;
  /** False for ops that only passes make (gradients); a spec cannot call them. */
  readonly surface: boolean;
  /** The type rule. Throws OpError. */
  infer(inputs: readonly TensorType[], attrs: Attrs): TensorType;
  /** Vector-Jacobian product in terms of other ops, one entry per input; undefined entries mean zero or not differentiable. Absent: no gradient passes. */
  gradient?(g: GradientContext): readonly (NodeId | undefined)[];
  cost?(inputs: readonly TensorType[], attrs: Attrs, output: TensorType): Cost;
  /** The meaning of the op in plain float64. All dims in `attrs` are numbers; `shape` is the output's. */
  evaluate(inputs: readonly NdArray[], attrs: Attrs, shape: readonly number[]): NdArray;
  onnx(c: OnnxContext, node: Node, inputs: readonly string[]): string;
  tfjs(c: TfjsContext, node: Node, inputs: readonly TfjsValue[]): TfjsValue;
}
