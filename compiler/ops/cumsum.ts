// The op `cumsum`: its row of the table.
import { zeros } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { around } from './shared/arrays.js';
import { at, axisOf, normalAxis, numberAttr } from './shared/attrs.js';
import { named, requireDType } from './shared/rules.js';
import { inMemory, seenAs } from './shared/tfjs.js';

export const cumsum: OpDef = {
  name: 'cumsum',
  doc: 'Running sums along an axis, each including its own element.',
  constraints: ['(C1) x is f32', '(C2) axis is an axis of x', '(C3) the result has the type of x'],
  inputs: ['x'],
  attrs: { axis: { kind: 'axis', doc: 'the axis to run along' } },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    requireDType('cumsum', named('x', x), ['f32']);
    axisOf('cumsum', x, numberAttr(attrs, 'axis'));
    return x;
  },
  // what element i gave to all sums from i on
  gradient({ b, dy, node, needs }) {
    if (!needs(0)) return [undefined];
    const axis = numberAttr(node.attrs, 'axis');
    const flip = (x: number): number => b.add('flip', [x], { axes: [axis] });
    return [flip(b.add('cumsum', [flip(dy)], { axis }))];
  },
  evaluate(inputs, attrs, shape) {
    const x = at(inputs, 0);
    const { outer, size, inner } = around(shape, normalAxis(numberAttr(attrs, 'axis'), shape.length));
    const out = zeros(shape);
    for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) {
        const place = (o * size + k) * inner + i;
        sum += x.data[place] ?? NaN;
        out.data[place] = sum;
      }
    }
    return out;
  },
  onnx(c, node, inputs) {
    const axis = normalAxis(numberAttr(node.attrs, 'axis'), node.type.shape.length);
    return c.emit('CumSum', [at(inputs, 0), c.constant({ shape: [], data: Float64Array.of(axis) }, 'i64')]);
  },
  tfjs(c, node, inputs) {
    const x = at(inputs, 0), raw = inMemory(c, x, x.order);
    const axis = x.order.indexOf(normalAxis(numberAttr(node.attrs, 'axis'), x.shape.length));
    return seenAs(c.call('Cumsum', { x: raw }, { axis, exclusive: false, reverse: false }, raw.shape), x.order);
  },
};
