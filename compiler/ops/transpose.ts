// The op `transpose`: its row of the table.
import { formatType } from '../ir/graph.js';
import { OpError, type OpDef } from './op.js';
import { transposed } from './shared/arrays.js';
import { at, intsAttr, normalAxes } from './shared/attrs.js';
import { transposeTfjs } from './shared/tfjs.js';

export const transpose: OpDef = {
  name: 'transpose',
  doc: 'The axes in another order: axis i of the result is axis perm[i] of x.',
  constraints: ['(C1) perm names every axis of x once'],
  inputs: ['x'],
  attrs: { perm: { kind: 'ints', doc: 'for each axis of the result, the axis of x' } },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const perm = intsAttr(attrs, 'perm');
    const axes = normalAxes(perm, x.shape.length);
    if (axes.length !== x.shape.length || x.shape.some((_, i) => !axes.includes(i))) {
      throw new OpError('attr', `transpose: perm [${perm.join(', ')}] is no order of the axes of ${formatType(x)}`,
        `name each of ${x.shape.map((_, i) => i).join(', ')} once`);
    }
    return { dtype: x.dtype, shape: axes.map((p) => at(x.shape, p)) };
  },
  gradient({ b, dy, node, needs }) {
    if (!needs(0)) return [undefined];
    const perm = normalAxes(intsAttr(node.attrs, 'perm'), node.type.shape.length);
    return [b.transpose(dy, perm.map((_, i) => perm.indexOf(i)))];
  },
  evaluate(inputs, attrs) {
    const x = at(inputs, 0);
    return transposed(x, normalAxes(intsAttr(attrs, 'perm'), x.shape.length));
  },
  onnx: (c, node, inputs) => c.emit('Transpose', inputs, { perm: { ints: normalAxes(intsAttr(node.attrs, 'perm'), node.type.shape.length) } }),
  tfjs: (_c, node, inputs) => transposeTfjs(at(inputs, 0), normalAxes(intsAttr(node.attrs, 'perm'), node.type.shape.length)),
};
