// The op `gather`: its row of the table.
import { formatType, type NodeId } from '../ir/graph.js';
import { isStatic, productDim, type Dim } from '../ir/dim.js';
import { zeros } from '../ir/ndarray.js';
import { OpError, type GradientContext, type OpDef } from './op.js';
import { around } from './shared/arrays.js';
import { at, axisOf, normalAxis, numberAttr } from './shared/attrs.js';
import { named, requireDType, requireRank } from './shared/rules.js';
import { gatherTfjs } from './shared/tfjs.js';

export const gather: OpDef = {
  name: 'gather',
  doc: 'Elements of an axis by index: a scalar index drops the axis, a list of indexes replaces it.',
  constraints: ['(C1) index is i64 of rank 0 or 1', '(C2) the size of the axis is static', '(C3) every index lies in 0 .. size - 1'],
  inputs: ['x', 'index'],
  attrs: { axis: { kind: 'axis', doc: 'the axis to read' } },
  surface: true,
  infer(inputs, attrs) {
    const [x, index] = [at(inputs, 0), at(inputs, 1)];
    requireDType('gather', named('index', index), ['i64']);
    requireRank('gather', named('index', index), [0, 1]);
    const axis = axisOf('gather', x, numberAttr(attrs, 'axis'));
    if (!isStatic(at(x.shape, axis))) {
      throw new OpError('attr', `gather: axis ${axis} of ${formatType(x)} has no static size to index by ${formatType(index)}`, 'slice takes a part of a symbolic axis');
    }
    return { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)] };
  },
  gradient: (g) => [g.needs(0) ? scatter(g) : undefined, undefined],
  evaluate(inputs, attrs, shape) {
    const [x, index] = [at(inputs, 0), at(inputs, 1)];
    const { outer, size, inner } = around(x.shape, normalAxis(numberAttr(attrs, 'axis'), x.shape.length));
    const out = zeros(shape);
    for (let o = 0; o < outer; o++) for (const [k, place] of index.data.entries()) {
      if (!(place >= 0 && place < size)) throw new RangeError(`gather: index ${place} is not in 0 .. ${size - 1}`);
      const from = (o * size + place) * inner;
      out.data.set(x.data.subarray(from, from + inner), (o * index.data.length + k) * inner);
    }
    return out;
  },
  onnx: (c, node, inputs) => c.emit('Gather', inputs, { axis: { int: normalAxis(numberAttr(node.attrs, 'axis'), c.typeOf(at(node.inputs, 0)).shape.length) } }),
  tfjs: (c, node, inputs) => gatherTfjs(c, at(inputs, 0), at(inputs, 1), normalAxis(numberAttr(node.attrs, 'axis'), at(inputs, 0).shape.length)),
};

/** dL/dx: each gradient goes to the place that its index names; equal indexes add up. */
function scatter({ b, dy, inputs, node }: GradientContext): NodeId {
  const [x, index] = [at(inputs, 0), at(inputs, 1)];
  const shape = b.shape(x);
  const axis = normalAxis(numberAttr(node.attrs, 'axis'), shape.length);
  const depth = at(shape, axis);
  const chosen = b.add('one_hot', [index], { depth: isStatic(depth) ? depth : 0 });
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  if (b.shape(index).length === 0) {
    const mask = b.reshape(chosen, shape.map((d, i) => (i === axis ? d : 1)));
    return b.mul(b.reshape(dy, [...before, 1, ...after]), mask);
  }
  // one_hot^T [depth, k] times dy [k, the rest]
  const order = [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)];
  const rest: readonly Dim[] = [...before, ...after];
  const rows = b.reshape(b.transpose(dy, order), [at(b.shape(index), 0), productDim(rest)]);
  const summed = b.add('matmul', [chosen, rows], { transpose_a: true });
  return b.transpose(b.reshape(summed, [depth, ...rest]), order.map((_, i) => order.indexOf(i)));
}
