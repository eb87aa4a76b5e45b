// The op `gelu`: its row of the table. The exact form, by erf.
import { erf } from './shared/erf.js';
import { unary } from './shared/elementwise.js';
import { addTfjs, mulTfjs, scalarTfjs, scaleTfjs, unaryTfjs } from './shared/tfjs.js';

export const gelu = unary({
  name: 'gelu',
  doc: 'x Φ(x), Φ the normal distribution function: the exact GELU.',
  f: (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
  onnx: 'Gelu',
  tfjs: (c, x) => mulTfjs(c, scaleTfjs(c, x, 0.5), addTfjs(c, unaryTfjs(c, 'Erf', scaleTfjs(c, x, Math.SQRT1_2)), scalarTfjs(c, 1))),
  // Φ(x) + x φ(x) = (1 + erf(u) + u 2/√π e^(-u²)) / 2 with u = x/√2
  gradient({ b, dy }, x) {
    const u = b.scale(x, Math.SQRT1_2);
    const bell = b.add('exp', [b.neg(b.mul(u, u))]);
    const twice = b.addition(b.shift(b.add('erf', [u]), 1), b.mul(b.scale(u, 2 / Math.sqrt(Math.PI)), bell));
    return b.mul(b.scale(dy, 0.5), twice);
  },
});
