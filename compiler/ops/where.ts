// The op `where`: its row of the table.
import type { OpDef } from './op.js';
import { broadcastTo } from './shared/arrays.js';
import { at } from './shared/attrs.js';
import { broadcast, named, requireDType, requireSameDType } from './shared/rules.js';
import { ndarray } from '../ir/ndarray.js';
import { aligned, broadcastShape, expandTfjs, seenAs } from './shared/tfjs.js';

export const where: OpDef = {
  name: 'where',
  doc: 'a where the condition is true, b elsewhere.',
  constraints: [
    '(C1) condition is bool', '(C2) a and b have one dtype, which is the result’s',
    '(C3) the three have equal rank and sizes that are equal or 1, or are scalars',
  ],
  inputs: ['condition', 'a', 'b'],
  attrs: {},
  surface: true,
  infer(inputs) {
    const [condition, a, b] = [named('condition', at(inputs, 0)), named('a', at(inputs, 1)), named('b', at(inputs, 2))];
    requireDType('where', condition, ['bool']);
    requireSameDType('where', a, b);
    return { dtype: a.type.dtype, shape: broadcast('where', [a, b, condition]) };
  },
  gradient({ b, dy, inputs, needs }) {
    const condition = at(inputs, 0);
    const zero = b.scalar(0);
    const pass = (i: number): number => b.sumTo(b.add('where', i === 1 ? [condition, dy, zero] : [condition, zero, dy]), b.shape(at(inputs, i)));
    return [undefined, needs(1) ? pass(1) : undefined, needs(2) ? pass(2) : undefined];
  },
  evaluate(inputs, _attrs, shape) {
    const [condition, a, b] = [0, 1, 2].map((i) => broadcastTo(at(inputs, i), shape).data);
    return ndarray(shape, Float64Array.from(condition ?? [], (c, i) => (c !== 0 ? a?.[i] : b?.[i]) ?? NaN));
  },
  onnx: (c, _node, inputs) => c.emit('Where', inputs),
  /** Select broadcasts on none of its inputs. */
  tfjs(c, _node, inputs) {
    const { order, raw } = aligned(c, inputs);
    const shape = broadcastShape(raw);
    const [condition, t, e] = raw.map((x) => expandTfjs(c, x, shape));
    return seenAs(c.call('Select', { condition: condition ?? at(raw, 0), t: t ?? at(raw, 1), e: e ?? at(raw, 2) }, {}, shape, at(raw, 1).dtype), order);
  },
};
