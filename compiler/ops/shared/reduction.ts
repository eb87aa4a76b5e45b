// The factory for the rows of reductions: axes, kept dims, the ONNX form. No op stands here.
import { isStatic, type Dim } from '../../ir/dim.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { NodeId } from '../../ir/graph.js';
import { filled } from '../../ir/ndarray.js';
import type { GradientContext, OpDef } from '../op.js';
import { reduceArray } from './arrays.js';
import { at, axesOf, intsAttr, normalAxes } from './attrs.js';
import { named, requireDType } from './rules.js';
import { reduceTfjs } from './tfjs.js';

interface ReductionRow {
  readonly name: string;
  readonly doc: string;
  readonly fold: (data: Float64Array, start: number, length: number) => number;
  readonly onnx: string;
  /** The kernel. */
  readonly tfjs: string;
  /** dL/dx; `axes` count from the front. */
  readonly gradient: (g: GradientContext, x: NodeId, axes: readonly number[]) => NodeId;
}

export function reduction(row: ReductionRow): OpDef {
  return {
    name: row.name,
    doc: row.doc,
    constraints: ['(C1) x is f32', '(C2) axes are axes of x, each named once, at least one', '(C3) the result has the rank of x, with size 1 on the axes'],
    inputs: ['x'],
    attrs: { axes: { kind: 'axes', doc: 'the axes to reduce; they stay, with size 1' } },
    surface: true,
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      requireDType(row.name, named('x', x), ['f32']);
      const axes = axesOf(row.name, x, intsAttr(attrs, 'axes'));
      return { dtype: 'f32', shape: x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) };
    },
    gradient(g) {
      if (!g.needs(0)) return [undefined];
      const x = at(g.inputs, 0);
      return [row.gradient(g, x, normalAxes(intsAttr(g.node.attrs, 'axes'), g.b.shape(x).length))];
    },
    evaluate: (inputs, attrs, shape) => reduceArray(at(inputs, 0), intsAttr(attrs, 'axes'), shape, row.fold),
    onnx: (c, node, inputs) => c.emit(row.onnx, [at(inputs, 0), c.ints(intsAttr(node.attrs, 'axes'))], { keepdims: { int: 1 } }),
    tfjs: (c, node, inputs) => reduceTfjs(c, row.tfjs, at(inputs, 0), normalAxes(intsAttr(node.attrs, 'axes'), node.type.shape.length)),
  };
}

/** `x` divided by the number of elements of `shape` along `axes`, which may be symbolic. */
export function divideByCount(b: GraphBuilder, x: NodeId, shape: readonly Dim[], axes: readonly number[]): NodeId {
  const known = axes.reduce((n, axis) => n * sizeOr1(at(shape, axis)), 1);
  const open = axes.filter((axis) => !isStatic(at(shape, axis)));
  const scaled = b.scale(x, 1 / known);
  if (open.length === 0) return scaled;
  // A symbolic count is the sum of as many ones: a scalar that the graph computes from the fed sizes.
  const ones = b.expand(b.constant(filled(shape.map(() => 1), 1)), shape.map((d, i) => (open.includes(i) ? d : 1)));
  return b.div(scaled, b.sum(ones, open));
}
const sizeOr1 = (d: Dim): number => (isStatic(d) ? d : 1);

export function sumOf(data: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += data[i] ?? 0;
  return sum;
}
export const extreme = (better: (a: number, b: number) => number) => (data: Float64Array, start: number, length: number): number => {
  let best = data[start] ?? NaN;
  for (let i = start + 1; i < start + length; i++) best = better(best, data[i] ?? NaN);
  return best;
};

/** The gradient of a largest or smallest value: shared evenly by all places that hold it. */
export function evenly({ b, dy, output }: GradientContext, x: NodeId, axes: readonly number[]): NodeId {
  const chosen = b.add('cast', [b.add('equal', [x, output])], { to: 'f32' });
  return b.mul(b.div(dy, b.sum(chosen, axes)), chosen);
}
