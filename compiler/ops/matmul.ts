// The product of matrices: type rule, gradient, cost, float64 meaning, ONNX MatMul.
import { equalDim, formatDim, productDim, type Dim } from '../ir/dim.js';
import { formatType, type Attrs, type NodeId, type TensorType } from '../ir/graph.js';
import { sameShape, type GraphBuilder } from '../ir/builder.js';
import { ndarray, sizeOf, type NdArray } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { at, boolAttr } from './shared/attrs.js';
import { gemm, transposed } from './shared/kernels.js';
import { named, requireDType } from './shared/rules.js';
import { matmulTfjs } from './shared/tfjs.js';

interface Sides { readonly lead: readonly Dim[]; readonly n: Dim; readonly k: Dim; readonly m: Dim; /** b is one matrix for all of a's leading dims. */ readonly one: boolean }

const last2 = (type: TensorType, flip: boolean): readonly [Dim, Dim] => {
  const [x, y] = type.shape.slice(-2);
  if (x === undefined || y === undefined) throw new OpError('rank', `matmul: ${formatType(type)} has rank ${type.shape.length}; it takes matrices, rank 2 or more`, 'reshape it to a matrix');
  return flip ? [y, x] : [x, y];
};

function sides(a: TensorType | undefined, b: TensorType | undefined, attrs: Attrs): Sides {
  if (a === undefined || b === undefined) throw new Error('matmul takes two inputs');
  requireDType('matmul', named('a', a), ['f32']);
  requireDType('matmul', named('b', b), ['f32']);
  const [n, k] = last2(a, boolAttr(attrs, 'transpose_a'));
  const [inner, m] = last2(b, boolAttr(attrs, 'transpose_b'));
  const lead = a.shape.slice(0, -2);
  if (!equalDim(k, inner)) {
    const swap = equalDim(k, m) ? `transpose_b: ${!boolAttr(attrs, 'transpose_b')}` : undefined;
    throw new OpError('shape', `matmul: rows of a have ${formatDim(k)} and columns of b have ${formatDim(inner)} (a ${formatType(a)}, b ${formatType(b)})`, swap);
  }
  const leadB = b.shape.slice(0, -2);
  if (leadB.length > 0 && leadB.length !== lead.length) {
    throw new OpError('rank', `matmul: a ${formatType(a)} has rank ${a.shape.length} and b ${formatType(b)} has rank ${b.shape.length}`, `b of rank 2 or ${a.shape.length}`);
  }
  if (leadB.length > 0 && !sameShape(lead, leadB)) {
    const i = lead.findIndex((d, at) => !equalDim(d, leadB[at] ?? 0));
    throw new OpError('shape', `matmul: leading dims differ: ${formatDim(lead[i] ?? 0)} of a and ${formatDim(leadB[i] ?? 0)} of b at axis ${i}`, 'expand b to the leading dims of a');
  }
  return { lead, n, k, m, one: leadB.length === 0 };
}

const swapLast = (b: GraphBuilder, x: NodeId): NodeId => {
  const rank = b.shape(x).length;
  return b.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
};

export const matmul: OpDef = {
  name: 'matmul',
  doc: 'product of matrices over the last two axes; b is one matrix, or has the leading dims of a',
  constraints: ['(C1) a and b have rank 2 or more', '(C2) columns of a equal rows of b, after the transposes', '(C3) b has rank 2 or the leading dims of a'],
  inputs: ['a', 'b'],
  attrs: {
    transpose_a: { kind: 'bool', default: false, doc: 'take the last two axes of a the other way round' },
    transpose_b: { kind: 'bool', default: false, doc: 'take the last two axes of b the other way round' },
  },
  surface: true,
  infer: ([a, b], attrs) => {
    const { lead, n, m } = sides(a, b, attrs);
    return { dtype: 'f32', shape: [...lead, n, m] };
  },
  /** da = dy·bᵀ, db = aᵀ·dy; where b is one matrix for many, the leading dims of a are rows of one product. */
  gradient: ({ b: g, node, inputs, dy, needs }) => {
    const [a, b] = inputs as [NodeId, NodeId];
    const ta = boolAttr(node.attrs, 'transpose_a'), tb = boolAttr(node.attrs, 'transpose_b');
    const { lead, n, k, m, one } = sides(g.type(a), g.type(b), node.attrs);
    const product = (x: NodeId, y: NodeId, transpose_a: boolean, transpose_b: boolean): NodeId => g.add('matmul', [x, y], { transpose_a, transpose_b });
    const da = (): NodeId => {
      if (!ta) return product(dy, b, false, !tb);
      return one && lead.length > 0 ? swapLast(g, product(dy, b, false, !tb)) : product(b, dy, tb, true);
    };
    const db = (): NodeId => {
      if (!one || lead.length === 0) return tb ? product(dy, a, true, ta) : product(a, dy, !ta, false);
      const rows = productDim([...lead, n]);
      const left = g.reshape(ta ? swapLast(g, a) : a, [rows, k]);
      const right = g.reshape(dy, [rows, m]);
      return tb ? product(right, left, true, false) : product(left, right, true, false);
    };
    return [needs(0) ? da() : undefined, needs(1) ? db() : undefined];
  },
  cost: ([a, b], attrs) => {
    const { lead, n, k, m } = sides(a, b, attrs);
    return { macs: productDim([...lead, n, k, m]) };
  },
  evaluate: (inputs, attrs, shape) => {
    const [a, b] = inputs as [NdArray, NdArray];
    const ta = boolAttr(attrs, 'transpose_a'), tb = boolAttr(attrs, 'transpose_b');
    const [n, m] = shape.slice(-2) as [number, number];
    const k = (ta ? a.shape.at(-2) : a.shape.at(-1)) as number;
    const lead = sizeOf(shape.slice(0, -2));
    const out = new Float64Array(lead * n * m);
    const one = b.shape.length === 2;
    const whole = tb && one ? transposed(b.data, 0, m, k) : b.data;
    if (one && !ta) gemm(lead * n, k, m, a.data, 0, whole, 0, out, 0);
    else for (let i = 0; i < lead; i++) {
      const left = ta ? transposed(a.data, i * k * n, k, n) : a.data;
      const right = tb && !one ? transposed(b.data, i * m * k, m, k) : whole;
      gemm(n, k, m, left, ta ? 0 : i * n * k, right, one || tb ? 0 : i * k * m, out, i * n * m);
    }
    return ndarray(shape, out);
  },
  onnx: (c, node, names) => {
    const flipped = (name: string, input: NodeId | undefined, flip: boolean): string => {
      if (!flip || input === undefined) return name;
      const rank = c.typeOf(input).shape.length;
      return c.emit('Transpose', [name], { perm: { ints: [...Array(rank - 2).keys(), rank - 1, rank - 2] } });
    };
    const [a = '', b = ''] = names;
    return c.emit('MatMul', [flipped(a, node.inputs[0], boolAttr(node.attrs, 'transpose_a')), flipped(b, node.inputs[1], boolAttr(node.attrs, 'transpose_b'))]);
  },
  tfjs: (c, node, inputs) => matmulTfjs(c, at(inputs, 0), at(inputs, 1), boolAttr(node.attrs, 'transpose_a'), boolAttr(node.attrs, 'transpose_b')),
};
