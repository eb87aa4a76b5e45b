// Softmax along one axis: type rule, gradient, float64 meaning, ONNX Softmax.
import { ndarray, sizeOf } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { at, axisOf, normalAxis, numberAttr } from './shared/attrs.js';
import { named, requireDType } from './shared/rules.js';
import { inMemory, seenAs } from './shared/tfjs.js';

export const softmax: OpDef = {
  name: 'softmax',
  doc: 'exp(x) / sum of exp(x) along an axis',
  constraints: ['(C1) x is f32', '(C2) axis is an axis of x'],
  inputs: ['x'],
  attrs: { axis: { kind: 'axis', doc: 'along which the values sum to 1' } },
  surface: true,
  infer: (inputs, attrs) => {
    const x = at(inputs, 0);
    requireDType('softmax', named('x', x), ['f32']);
    axisOf('softmax', x, numberAttr(attrs, 'axis'));
    return x;
  },
  /** dx = y (dy − sum(dy y)). */
  gradient: ({ b, node, output, dy }) => {
    const weighted = b.mul(dy, output);
    const axis = normalAxis(numberAttr(node.attrs, 'axis'), b.shape(dy).length);
    return [b.sub(weighted, b.mul(output, b.sum(weighted, [axis])))];
  },
  evaluate: (inputs, attrs, shape) => {
    const { data } = at(inputs, 0);
    const axis = normalAxis(numberAttr(attrs, 'axis'), shape.length);
    const count = at(shape, axis), step = sizeOf(shape.slice(axis + 1));
    const out = new Float64Array(data.length);
    for (let line = 0; line < data.length / count; line++) {
      const from = Math.floor(line / step) * step * count + (line % step), to = from + count * step;
      let largest = -Infinity, sum = 0;
      for (let i = from; i < to; i += step) largest = Math.max(largest, data[i] as number);
      for (let i = from; i < to; i += step) sum += out[i] = Math.exp((data[i] as number) - largest);
      for (let i = from; i < to; i += step) out[i] = (out[i] as number) / sum;
    }
    return ndarray(shape, out);
  },
  onnx: (c, node, names) => c.emit('Softmax', names, { axis: { int: normalAxis(numberAttr(node.attrs, 'axis'), node.type.shape.length) } }),
  /** TensorFlow's kernel runs along the last axis. */
  tfjs(c, node, inputs) {
    const x = at(inputs, 0), axis = normalAxis(numberAttr(node.attrs, 'axis'), x.shape.length);
    const order = [...x.order.filter((a) => a !== axis), axis];
    const logits = inMemory(c, x, order);
    return seenAs(c.call('Softmax', { logits }, { dim: order.length - 1 }, logits.shape), order);
  },
};
