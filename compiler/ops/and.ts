// The op `and`: its row of the table.
import { binary } from './shared/elementwise.js';

export const logicalAnd = binary({
  name: 'and',
  doc: 'Whether both are true.',
  f: (a, b) => a * b,
  onnx: 'And',
  tfjs: 'LogicalAnd',
  dtypes: ['bool'],
});
