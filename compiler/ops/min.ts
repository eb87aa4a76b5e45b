// The op `min`: its row of the table.
import { evenly, extreme, reduction } from './shared/reduction.js';

export const min = reduction({
  name: 'min',
  doc: 'The smallest value over the axes; its gradient goes evenly to ties.',
  fold: extreme(Math.min),
  onnx: 'ReduceMin',
  tfjs: 'Min',
  gradient: evenly,
});
