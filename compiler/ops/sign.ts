// The op `sign`: its row of the table.
import { unary } from './shared/elementwise.js';

export const sign = unary({
  name: 'sign',
  doc: '-1, 0 or 1 by the sign of x; no gradient passes.',
  f: Math.sign,
  // Sign runs on one thread there; this takes half its time. Exact: the least normal number becomes 2.
  onnx: (c, x) => c.emit('Clip', [c.emit('Mul', [x, c.float(2 ** 127)]), c.float(-1), c.float(1)]),
  tfjs: 'Sign',
});
