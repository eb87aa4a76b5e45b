// The op `tanh`: its row of the table.
import { unary } from './shared/elementwise.js';

export const tanh = unary({
  name: 'tanh',
  doc: 'The hyperbolic tangent.',
  f: Math.tanh,
  onnx: 'Tanh',
  tfjs: 'Tanh',
  gradient: ({ b, dy }, _x, y) => b.mul(dy, b.sub(b.scalar(1), b.mul(y, y))),
});
