// The gradient of avg_pool: made by autodiff only.
import type { Attrs, NodeId } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { boolAttr, pairAttr } from './shared/attrs.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE, type Pair } from './shared/spatial.js';
import { alongBothAxes, transposed } from './shared/kernels.js';
import { averagingMatrix } from './shared/interpolation.js';

const flipped = (m: NdArray): NdArray => {
  const [rows, columns] = m.shape as [number, number];
  return ndarray([columns, rows], transposed(m.data, 0, rows, columns));
};

export const avgPoolGrad: OpDef = {
  name: 'avg_pool_grad',
  doc: 'gradient of avg_pool: dy of each window spread evenly over its cells',
  inputs: ['dy'],
  attrs: {
    size: { kind: 'dims', doc: 'height and width of the input of avg_pool' }, kernel: KERNEL, stride: POOL_STRIDE, padding: PADDING,
    count_include_pad: { kind: 'bool', default: true, doc: 'as in avg_pool' },
  },
  surface: false,
  infer: ([dy], attrs) => {
    const image = imageOf('avg_pool_grad', 'dy', dy);
    const size = pairAttr(attrs, 'size');
    const [height, width] = outputSize('avg_pool_grad', size, poolOf('avg_pool_grad', attrs));
    if (height !== image.size[0] || width !== image.size[1]) throw new OpError('shape', `avg_pool_grad: dy is ${image.size.join('x')} and the windows are ${height}x${width}`);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...size] };
  },
  evaluate: ([dy], attrs) => {
    const image = dy as NdArray;
    const [rows, columns] = matrices(pairAttr(attrs, 'size'), [image.shape[2] ?? 0, image.shape[3] ?? 0], attrs);
    return alongBothAxes(image, flipped(rows), flipped(columns));
  },
  /** Rowsᵀ · dy · columns, two products with constants. */
  onnx: (c, node, names) => {
    const image = imageOf('avg_pool_grad', 'dy', c.typeOf(node.inputs[0] as NodeId));
    const [rows, columns] = matrices(pairAttr(node.attrs, 'size'), image.size, node.attrs);
    return c.emit('MatMul', [c.constant(flipped(rows), 'f32'), c.emit('MatMul', [...names, c.constant(columns, 'f32')])]);
  },
};

const matrices = (size: Pair, windows: Pair, attrs: Attrs): readonly [NdArray, NdArray] => {
  const w = poolOf('avg_pool_grad', attrs), countPad = boolAttr(attrs, 'count_include_pad');
  return [averagingMatrix(0, size[0], windows[0], w, countPad), averagingMatrix(1, size[1], windows[1], w, countPad)];
};
