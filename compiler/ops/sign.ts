// The op `sign`: its row of the table.
import { unary } from './shared/elementwise.js';

export const sign = unary({
  name: 'sign',
  doc: '-1, 0 or 1 by the sign of x; no gradient passes.',
  f: Math.sign,
  onnx: 'Sign',
});
