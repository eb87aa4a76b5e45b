// The op `erf`: its row of the table.
import { erf as erfOf } from './shared/erf.js';
import { unary } from './shared/elementwise.js';

export const erf = unary({
  name: 'erf',
  doc: 'The error function, 2/√π ∫₀ˣ e^(-t²) dt.',
  f: erfOf,
  onnx: 'Erf',
  tfjs: 'Erf',
  gradient: ({ b, dy }, x) => b.mul(dy, b.scale(b.add('exp', [b.neg(b.mul(x, x))]), 2 / Math.sqrt(Math.PI))),
});
