// The op `abs`: its row of the table.
import { unary } from './shared/elementwise.js';

export const abs = unary({
  name: 'abs',
  doc: 'The absolute value, |x|; its gradient at 0 is 0.',
  f: Math.abs,
  onnx: 'Abs',
  tfjs: 'Abs',
  gradient: ({ b, dy }, x) => b.mul(dy, b.add('sign', [x])),
});
