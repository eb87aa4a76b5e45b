// The op `maximum`: its row of the table.
import { binary, sideTaken } from './shared/elementwise.js';

export const maximum = binary({
  name: 'maximum',
  doc: 'The larger of a and b; the gradient of equal ones goes evenly to both.',
  f: Math.max,
  onnx: 'Max',
  tfjs: 'Maximum',
  dtypes: ['f32'],
  gradient: [
    (g, x, y) => g.b.mul(g.dy, sideTaken(g, x, y)),
    (g, x, y) => g.b.mul(g.dy, sideTaken(g, y, x)),
  ],
});
