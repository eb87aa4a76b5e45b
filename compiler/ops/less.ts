// The op `less`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const less = binary({
  name: 'less',
  doc: 'a < b.',
  f: (a, b) => truth(a < b),
  onnx: 'Less',
  tfjs: 'Less',
  dtypes: ['f32', 'i64'],
  result: 'bool',
});
