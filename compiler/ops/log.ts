// The op `log`: its row of the table.
import { unary } from './shared/elementwise.js';

export const log = unary({
  name: 'log',
  doc: 'The natural logarithm.',
  f: Math.log,
  onnx: 'Log',
  tfjs: 'Log',
  gradient: ({ b, dy }, x) => b.div(dy, x),
});
