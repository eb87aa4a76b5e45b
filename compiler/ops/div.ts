// The op `div`: its row of the table.
import { binary } from './shared/elementwise.js';

export const div = binary({
  name: 'div',
  doc: 'The quotient, a / b.',
  f: (a, b) => a / b,
  onnx: 'Div',
  tfjs: 'RealDiv',
  dtypes: ['f32'],
  gradient: [
    ({ b, dy }, _x, y) => b.div(dy, y),
    ({ b, dy, output }, _x, y) => b.neg(b.div(b.mul(dy, output), y)),
  ],
});
