// The op `reciprocal`: its row of the table.
import { unary } from './shared/elementwise.js';

export const reciprocal = unary({
  name: 'reciprocal',
  doc: '1 / x.',
  f: (x) => 1 / x,
  onnx: 'Reciprocal',
  tfjs: 'Reciprocal',
  gradient: ({ b, dy }, _x, y) => b.neg(b.mul(dy, b.mul(y, y))),
});
