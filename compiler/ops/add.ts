// The op `add`: its row of the table.
import { binary } from './shared/elementwise.js';

export const add = binary({
  name: 'add',
  doc: 'The sum, a + b.',
  f: (a, b) => a + b,
  onnx: 'Add',
  tfjs: 'Add',
  dtypes: ['f32', 'i64'],
  gradient: [
    ({ dy }) => dy,
    ({ dy }) => dy,
  ],
});
