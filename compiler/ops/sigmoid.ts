// The op `sigmoid`: its row of the table.
import { unary } from './shared/elementwise.js';

export const sigmoid = unary({
  name: 'sigmoid',
  doc: 'The logistic function, 1 / (1 + e^-x).',
  f: (x) => 1 / (1 + Math.exp(-x)),
  onnx: 'Sigmoid',
  tfjs: 'Sigmoid',
  gradient: ({ b, dy }, _x, y) => b.mul(dy, b.mul(y, b.sub(b.scalar(1), y))),
});
