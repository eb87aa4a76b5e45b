// The op `less_equal`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const lessEqual = binary({
  name: 'less_equal',
  doc: 'a <= b.',
  f: (a, b) => truth(a <= b),
  onnx: 'LessOrEqual',
  tfjs: 'LessEqual',
  dtypes: ['f32', 'i64'],
  result: 'bool',
});
