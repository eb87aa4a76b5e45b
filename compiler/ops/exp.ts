// The op `exp`: its row of the table.
import { unary } from './shared/elementwise.js';

export const exp = unary({
  name: 'exp',
  doc: 'The exponential, e^x.',
  f: Math.exp,
  onnx: 'Exp',
  tfjs: 'Exp',
  gradient: ({ b, dy }, _x, y) => b.mul(dy, y),
});
