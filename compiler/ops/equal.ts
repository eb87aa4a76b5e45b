// The op `equal`: its row of the table.
import { binary, truth } from './shared/elementwise.js';

export const equal = binary({
  name: 'equal',
  doc: 'Whether a and b are equal.',
  f: (a, b) => truth(a === b),
  onnx: 'Equal',
  tfjs: 'Equal',
  dtypes: ['f32', 'i64', 'bool'],
  result: 'bool',
});
