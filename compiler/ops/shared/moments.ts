// Mean and inverse standard deviation over axes, for normalize and its gradient: axes, float64 arithmetic, ONNX forms.
import { isStatic } from '../../ir/dim.js';
import type { Attrs, Node, NodeId, TensorType } from '../../ir/graph.js';
import { filled, sizeOf, type NdArray } from '../../ir/ndarray.js';
import { OpError, type AttrSpec, type OnnxContext, type TfjsContext, type TfjsValue } from '../op.js';
import { axesOf, intsAttr, normalAxes, numberAttr } from './attrs.js';
import { named, requireDType } from './rules.js';
import { addTfjs, mulTfjs, reduceTfjs, scalarTfjs, subTfjs, unaryTfjs } from './tfjs.js';

export const NORMAL_ATTRS: Readonly<Record<string, AttrSpec>> = {
  axes: { kind: 'axes', doc: 'over which mean and variance are taken' },
  eps: { kind: 'float', default: 1e-5, doc: 'added to the variance' },
};

const axesIn = (attrs: Attrs, rank: number): readonly number[] => [...normalAxes(intsAttr(attrs, 'axes'), rank)].sort((a, b) => a - b);

/** The type of x, once it and the attributes are found right; and the axes counted from the front. Throws OpError. */
export function normalType(op: string, x: TensorType, attrs: Attrs): { readonly type: TensorType; readonly axes: readonly number[] } {
  requireDType(op, named('x', x), ['f32']);
  const axes = axesOf(op, x, intsAttr(attrs, 'axes'));
  if (!(numberAttr(attrs, 'eps') > 0)) throw new OpError('attr', `${op}: eps is ${numberAttr(attrs, 'eps')}; it must be positive`, 'eps: 1e-5');
  return { type: x, axes };
}

/** `rowOf[i]` is the place of element i in `mean` and `inverseStd`, which are in the order of the kept axes. */
export function moments(x: NdArray, attrs: Attrs): { readonly mean: Float64Array; readonly inverseStd: Float64Array; readonly rowOf: Int32Array } {
  const axes = axesIn(attrs, x.shape.length);
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const rows = sizeOf(kept), count = x.data.length / Math.max(1, rows);
  const rowOf = rowIndex(x.shape, axes);
  const mean = new Float64Array(rows), variance = new Float64Array(rows);
  for (let i = 0; i < rowOf.length; i++) {
    const row = rowOf[i] as number;
    mean[row] = (mean[row] as number) + (x.data[i] as number) / count;
  }
  for (let i = 0; i < rowOf.length; i++) {
    const row = rowOf[i] as number;
    const d = (x.data[i] as number) - (mean[row] as number);
    variance[row] = (variance[row] as number) + (d * d) / count;
  }
  return { mean, inverseStd: variance.map((v) => 1 / Math.sqrt(v + numberAttr(attrs, 'eps'))), rowOf };
}

function rowIndex(shape: readonly number[], axes: readonly number[]): Int32Array {
  let rows = new Int32Array(1);
  let seen = 1;
  shape.forEach((size, axis) => {
    const keeps = !axes.includes(axis);
    const next = new Int32Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) for (let j = 0; j < size; j++) next[i * size + j] = keeps ? (rows[i] as number) * size + j : (rows[i] as number);
    rows = next;
    if (keeps) seen *= size;
  });
  if (seen < 1) throw new Error('an empty tensor has no moments');
  return rows;
}

/** LayerNormalization where the axes are the last ones and their sizes are known; means by ReduceMean otherwise. */
export function momentsOnnx(c: OnnxContext, node: Node, x: string): { normal(): string; inverseStd(): string } {
  const { shape } = c.typeOf(node.inputs[0] as NodeId);
  const axes = axesIn(node.attrs, shape.length);
  const eps = numberAttr(node.attrs, 'eps');
  const first = shape.length - axes.length;
  const sizes = shape.slice(first);
  if (axes[0] === first && sizes.every(isStatic)) {
    const ones = c.constant(filled(sizes, 1), 'f32');
    const attributes = { axis: { int: first }, epsilon: { float: eps } };
    return {
      normal: () => c.emit('LayerNormalization', [x, ones], attributes),
      inverseStd: () => c.emitMany('LayerNormalization', [x, ones], attributes, 3)[2] ?? '',
    };
  }
  const mean = (y: string): string => c.emit('ReduceMean', [y, c.ints(axes)], { keepdims: { int: 1 } });
  const centred = c.emit('Sub', [x, mean(x)]);
  const std = c.emit('Sqrt', [c.emit('Add', [mean(c.emit('Mul', [centred, centred])), c.float(eps)])]);
  return { normal: () => c.emit('Div', [centred, std]), inverseStd: () => c.emit('Reciprocal', [std]) };
}

/** tfjs has no kernel for it: means by Mean. */
export function momentsTfjs(c: TfjsContext, node: Node, x: TfjsValue): { normal(): TfjsValue; inverseStd(): TfjsValue } {
  const axes = axesIn(node.attrs, x.shape.length);
  const centred = subTfjs(c, x, reduceTfjs(c, 'Mean', x, axes));
  const variance = reduceTfjs(c, 'Mean', unaryTfjs(c, 'Square', centred), axes);
  const inverseStd = unaryTfjs(c, 'Rsqrt', addTfjs(c, variance, scalarTfjs(c, numberAttr(node.attrs, 'eps'))));
  return { normal: () => mulTfjs(c, centred, inverseStd), inverseStd: () => inverseStd };
}
