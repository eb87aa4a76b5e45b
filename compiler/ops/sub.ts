// The op `sub`: its row of the table.
import { binary } from './shared/elementwise.js';

export const sub = binary({
  name: 'sub',
  doc: 'The difference, a - b.',
  f: (a, b) => a - b,
  onnx: 'Sub',
  tfjs: 'Sub',
  dtypes: ['f32', 'i64'],
  gradient: [
    ({ dy }) => dy,
    ({ b, dy }) => b.neg(dy),
  ],
});
