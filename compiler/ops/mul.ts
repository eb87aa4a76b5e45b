// The op `mul`: its row of the table.
import { binary } from './shared/elementwise.js';

export const mul = binary({
  name: 'mul',
  doc: 'The product, a b, element by element.',
  f: (a, b) => a * b,
  onnx: 'Mul',
  tfjs: 'Multiply',
  dtypes: ['f32', 'i64'],
  gradient: [
    ({ b, dy }, _x, y) => b.mul(dy, y),
    ({ b, dy }, x) => b.mul(dy, x),
  ],
});
