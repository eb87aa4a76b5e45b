// The op `greater_equal`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const greaterEqual = binary({
  name: 'greater_equal',
  doc: 'a >= b.',
  f: (a, b) => truth(a >= b),
  onnx: 'GreaterOrEqual',
  tfjs: 'GreaterEqual',
  dtypes: ['f32', 'i64'],
  result: 'bool',
});
