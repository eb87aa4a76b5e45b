// The op `minimum`: its row of the table.
import { binary, sideTaken } from './shared/elementwise.js';

export const minimum = binary({
  name: 'minimum',
  doc: 'The smaller of a and b; the gradient of equal ones goes evenly to both.',
  f: Math.min,
  onnx: 'Min',
  tfjs: 'Minimum',
  dtypes: ['f32'],
  gradient: [
    (g, x, y) => g.b.mul(g.dy, sideTaken(g, y, x)),
    (g, x, y) => g.b.mul(g.dy, sideTaken(g, x, y)),
  ],
});
