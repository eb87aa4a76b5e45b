// The op `sqrt`: its row of the table.
import { unary } from './shared/elementwise.js';

export const sqrt = unary({
  name: 'sqrt',
  doc: 'The square root.',
  f: Math.sqrt,
  onnx: 'Sqrt',
  tfjs: 'Sqrt',
  gradient: ({ b, dy }, _x, y) => b.div(b.scale(dy, 0.5), y),
});
