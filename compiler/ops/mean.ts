// The op `mean`: its row of the table.
import { divideByCount, reduction, sumOf } from './shared/reduction.js';

export const mean = reduction({
  name: 'mean',
  doc: 'The mean over the axes, which stay with size 1.',
  fold: (data, start, length) => sumOf(data, start, length) / length,
  onnx: 'ReduceMean',
  tfjs: 'Mean',
  gradient: ({ b, dy }, x, axes) => b.expand(divideByCount(b, dy, b.shape(x), axes), b.shape(x)),
});
