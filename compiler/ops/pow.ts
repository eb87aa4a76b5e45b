// The op `pow`: its row of the table.
import type { GraphBuilder } from '../ir/builder.js';
import { isNdArray } from '../ir/ndarray.js';
import type { NodeId } from '../ir/graph.js';
import { binary } from './shared/elementwise.js';

export const pow = binary({
  name: 'pow',
  doc: 'The power, a ^ b.',
  f: Math.pow,
  onnx: 'Pow',
  tfjs: 'Pow',
  dtypes: ['f32'],
  gradient: [
    // b a^(b-1); a constant exponent saves the general form, whose a^(b-1) is infinite where a = 0 and b = 0
    ({ b, dy }, x, y) => {
      const exponent = constantScalar(b, y);
      if (exponent === undefined) {
        const slope = b.mul(y, b.add('pow', [x, b.shift(y, -1)]));
        return b.mul(dy, b.add('where', [b.add('equal', [y, b.scalar(0)]), b.scalar(0), slope]));
      }
      if (exponent === 0) return b.zerosLike(dy);
      if (exponent === 1) return dy;
      const power = exponent === 2 ? x : b.add('pow', [x, b.scalar(exponent - 1)]);
      return b.mul(dy, b.scale(power, exponent));
    },
    // a^b log a; 0 where a is not positive, where the power has no derivative by its exponent or a vanishing one
    ({ b, dy, output }, x) => {
      const log = b.add('where', [b.add('greater', [x, b.scalar(0)]), b.add('log', [x]), b.scalar(0)]);
      return b.mul(dy, b.mul(output, log));
    },
  ],
});

function constantScalar(b: GraphBuilder, id: NodeId): number | undefined {
  const { op, attrs } = b.node(id);
  const { value } = attrs;
  return op === 'constant' && isNdArray(value) && value.data.length === 1 && value.shape.length === 0 ? value.data[0] : undefined;
}
