// The op `flip`: its row of the table.
import { stridesOf } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { view } from './shared/arrays.js';
import { at, axesOf, intsAttr, normalAxes } from './shared/attrs.js';
import { inMemory, seenAs } from './shared/tfjs.js';

export const flip: OpDef = {
  name: 'flip',
  doc: 'The axes turned round: the last element comes first.',
  constraints: ['(C1) axes are axes of x, each named once, at least one', '(C2) the result has the type of x'],
  inputs: ['x'],
  attrs: { axes: { kind: 'axes', doc: 'the axes to turn round' } },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    axesOf('flip', x, intsAttr(attrs, 'axes'));
    return x;
  },
  gradient: ({ b, dy, node, needs }) => [needs(0) ? b.add('flip', [dy], node.attrs) : undefined],
  evaluate(inputs, attrs, shape) {
    const x = at(inputs, 0);
    const axes = normalAxes(intsAttr(attrs, 'axes'), shape.length);
    const strides = stridesOf(shape);
    const base = axes.reduce((sum, axis) => sum + (at(shape, axis) - 1) * at(strides, axis), 0);
    return view(x, shape, strides.map((s, i) => (axes.includes(i) ? -s : s)), base);
  },
  onnx(c, node, inputs) {
    const axes = intsAttr(node.attrs, 'axes');
    const all = (v: number): string => c.ints(axes.map(() => v));
    // from the last element to beyond the first
    return c.emit('Slice', [at(inputs, 0), all(-1), all(Number.MIN_SAFE_INTEGER), c.ints(axes), all(-1)]);
  },
  tfjs(c, node, inputs) {
    const x = at(inputs, 0), raw = inMemory(c, x, x.order);
    const dims = normalAxes(intsAttr(node.attrs, 'axes'), x.shape.length).map((axis) => x.order.indexOf(axis));
    return seenAs(c.call('Reverse', { x: raw }, { dims }, raw.shape, x.dtype), x.order);
  },
};
