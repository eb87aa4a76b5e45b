// The op `relu`: its row of the table.
import { unary } from './shared/elementwise.js';

export const relu = unary({
  name: 'relu',
  doc: 'max(x, 0); its gradient at 0 is 0.',
  f: (x) => Math.max(x, 0),
  onnx: 'Relu',
  tfjs: 'Relu',
  gradient: ({ b, dy }, _x, y) => b.mul(dy, b.add('sign', [y])),
});
