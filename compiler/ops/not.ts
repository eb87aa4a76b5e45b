// The op `not`: its row of the table.
import { unary } from './shared/elementwise.js';

export const logicalNot = unary({
  name: 'not',
  doc: 'The negation of a bool.',
  dtype: 'bool',
  f: (x) => 1 - x,
  onnx: 'Not',
  tfjs: 'LogicalNot',
});
