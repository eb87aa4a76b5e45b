// The op `or`: its row of the table.
import { binary } from './shared/elementwise.js';

export const logicalOr = binary({
  name: 'or',
  doc: 'Whether one is true.',
  f: Math.max,
  onnx: 'Or',
  tfjs: 'LogicalOr',
  dtypes: ['bool'],
});
