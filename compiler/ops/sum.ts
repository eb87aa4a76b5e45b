// The op `sum`: its row of the table.
import { reduction, sumOf } from './shared/reduction.js';

export const sum = reduction({
  name: 'sum',
  doc: 'The sum over the axes, which stay with size 1.',
  fold: sumOf,
  onnx: 'ReduceSum',
  tfjs: 'Sum',
  gradient: ({ b, dy }, x) => b.expand(dy, b.shape(x)),
});
