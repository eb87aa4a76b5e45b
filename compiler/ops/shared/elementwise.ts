// Factories for the rows of elementwise ops: their type rules, broadcasting and the summing of gradients over it. No op stands here.
import type { DType, NodeId } from '../../ir/graph.js';
import type { GradientContext, OnnxContext, OpDef, TfjsContext, TfjsValue } from '../op.js';
import { mapArray, zipArrays } from './arrays.js';
import { at } from './attrs.js';
import { broadcast, named, requireDType, requireSameDType } from './rules.js';
import { binaryTfjs, unaryTfjs } from './tfjs.js';

interface UnaryRow {
  readonly name: string;
  readonly doc: string;
  readonly f: (x: number) => number;
  /** The ONNX operator of the same meaning, or how to say it by several. */
  readonly onnx: string | ((c: OnnxContext, x: string) => string);
  /** The kernel of the same meaning, or how to say it by several. */
  readonly tfjs: string | ((c: TfjsContext, x: TfjsValue) => TfjsValue);
  readonly dtype?: DType;
  /** dL/dx; `y` is the op's output. Absent: the derivative is zero or there is none. */
  readonly gradient?: (g: GradientContext, x: NodeId, y: NodeId) => NodeId;
}

export function unary(row: UnaryRow): OpDef {
  const dtype = row.dtype ?? 'f32';
  const { gradient, onnx, tfjs } = row;
  return {
    name: row.name,
    doc: row.doc,
    constraints: [`(C1) x is ${dtype}`, '(C2) the result has the type of x'],
    inputs: ['x'],
    attrs: {},
    surface: true,
    infer(inputs) {
      const x = at(inputs, 0);
      requireDType(row.name, named('x', x), [dtype]);
      return x;
    },
    ...(gradient === undefined ? {} : { gradient: (g: GradientContext) => [g.needs(0) ? gradient(g, at(g.inputs, 0), g.output) : undefined] }),
    evaluate: (inputs) => mapArray(at(inputs, 0), row.f),
    onnx: (c, _node, inputs) => (typeof onnx === 'string' ? c.emit(onnx, inputs) : onnx(c, at(inputs, 0))),
    tfjs: (c, _node, inputs) => (typeof tfjs === 'string' ? unaryTfjs(c, tfjs, at(inputs, 0)) : tfjs(c, at(inputs, 0))),
  };
}

interface BinaryRow {
  readonly name: string;
  readonly doc: string;
  readonly f: (a: number, b: number) => number;
  readonly onnx: string;
  /** The kernel of the same meaning. */
  readonly tfjs: string;
  /** The ONNX result is negated: there is no NotEqual. */
  readonly negated?: boolean;
  readonly dtypes: readonly DType[];
  readonly result?: DType;
  /** dL/da and dL/db before the summing over broadcast axes, which the factory does. */
  readonly gradient?: readonly [
    (g: GradientContext, a: NodeId, b: NodeId) => NodeId,
    (g: GradientContext, a: NodeId, b: NodeId) => NodeId,
  ];
}

export function binary(row: BinaryRow): OpDef {
  const { gradient } = row;
  return {
    name: row.name,
    doc: row.doc,
    constraints: [
      `(C1) a and b have one dtype, ${row.dtypes.join(' or ')}`,
      '(C2) a and b have equal rank and sizes that are equal or 1, or one of them is a scalar',
      `(C3) the result is ${row.result ?? 'of that dtype'}`,
    ],
    inputs: ['a', 'b'],
    attrs: {},
    surface: true,
    infer(inputs) {
      const [a, b] = [named('a', at(inputs, 0)), named('b', at(inputs, 1))];
      requireDType(row.name, a, row.dtypes);
      requireSameDType(row.name, a, b);
      return { dtype: row.result ?? a.type.dtype, shape: broadcast(row.name, [a, b]) };
    },
    ...(gradient === undefined ? {} : {
      gradient: (g: GradientContext) => {
        const [a, b] = [at(g.inputs, 0), at(g.inputs, 1)];
        return gradient.map((of, i) => (g.needs(i) ? g.b.sumTo(of(g, a, b), g.b.shape(at(g.inputs, i))) : undefined));
      },
    }),
    evaluate: (inputs, _attrs, shape) => zipArrays(at(inputs, 0), at(inputs, 1), shape, row.f),
    onnx(c, _node, inputs) {
      const y = c.emit(row.onnx, inputs);
      return row.negated === true ? c.emit('Not', [y]) : y;
    },
    tfjs: (c, node, inputs) => binaryTfjs(c, row.tfjs, at(inputs, 0), at(inputs, 1), node.type.dtype),
  };
}

export const truth = (condition: boolean): number => (condition ? 1 : 0);


/** 1 where a > b, 0 where a < b, and a half where they are equal, as PyTorch shares the gradient of maximum. */
export function sideTaken({ b }: GradientContext, x: NodeId, y: NodeId): NodeId {
  return b.shift(b.scale(b.add('sign', [b.sub(x, y)]), 0.5), 0.5);
}
