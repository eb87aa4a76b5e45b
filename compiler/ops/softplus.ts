// The op `softplus`: its row of the table.
import { unary } from './shared/elementwise.js';

export const softplus = unary({
  name: 'softplus',
  doc: 'log(1 + e^x), without overflow.',
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  onnx: 'Softplus',
  gradient: ({ b, dy }, x) => b.mul(dy, b.add('sigmoid', [x])),
});
