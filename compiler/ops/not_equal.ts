// The op `not_equal`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const notEqual = binary({
  name: 'not_equal',
  doc: 'Whether a and b differ.',
  f: (a, b) => truth(a !== b),
  onnx: 'Equal',
  tfjs: 'NotEqual',
  negated: true,
  dtypes: ['f32', 'i64', 'bool'],
  result: 'bool',
});
