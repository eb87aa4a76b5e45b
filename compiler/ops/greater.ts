// The op `greater`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const greater = binary({
  name: 'greater',
  doc: 'a > b.',
  f: (a, b) => truth(a > b),
  onnx: 'Greater',
  tfjs: 'Greater',
  dtypes: ['f32', 'i64'],
  result: 'bool',
});
