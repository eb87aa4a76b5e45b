// The op `neg`: its row of the table.
import { unary } from './shared/elementwise.js';

export const neg = unary({
  name: 'neg',
  doc: 'The negative, -x.',
  f: (x) => -x,
  onnx: 'Neg',
  tfjs: 'Neg',
  gradient: ({ b, dy }) => b.neg(dy),
});
