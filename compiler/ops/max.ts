// The op `max`: its row of the table.
import { evenly, extreme, reduction } from './shared/reduction.js';

export const max = reduction({
  name: 'max',
  doc: 'The largest value over the axes; its gradient goes evenly to ties.',
  fold: extreme(Math.max),
  onnx: 'ReduceMax',
  tfjs: 'Max',
  gradient: evenly,
});
