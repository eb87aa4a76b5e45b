// Mean of each window: type rule, gradient, float64 meaning, ONNX AveragePool.
import type { NodeId } from '../ir/graph.js';
import type { NdArray } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { boolAttr } from './shared/attrs.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE } from './shared/spatial.js';
import { alongBothAxes } from './shared/kernels.js';
import { averagingMatrix } from './shared/interpolation.js';

export const avgPool: OpDef = {
  name: 'avg_pool',
  doc: 'mean of each window of images [B, C, H, W]',
  constraints: ['(C1) x has rank 4, channels, height and width are known', '(C2) padding is at most half the kernel', '(C3) the window fits into the padded image'],
  inputs: ['x'],
  attrs: {
    kernel: KERNEL, stride: POOL_STRIDE, padding: PADDING,
    count_include_pad: { kind: 'bool', default: true, doc: 'whether padding counts as zeros in the mean' },
  },
  surface: true,
  infer: ([x], attrs) => {
    const image = imageOf('avg_pool', 'x', x);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...outputSize('avg_pool', image.size, poolOf('avg_pool', attrs))] };
  },
  gradient: ({ b, node, inputs, dy }) => [b.add('avg_pool_grad', [dy], { ...node.attrs, size: b.shape(inputs[0] as NodeId).slice(2) })],
  /** A mean over a rectangle is a mean of means: one matrix along each axis. */
  evaluate: ([x], attrs, shape) => {
    const image = x as NdArray;
    const w = poolOf('avg_pool', attrs), countPad = boolAttr(attrs, 'count_include_pad');
    const [, , rows, columns] = shape as [number, number, number, number];
    return alongBothAxes(image, averagingMatrix(0, image.shape[2] ?? 0, rows, w, countPad), averagingMatrix(1, image.shape[3] ?? 0, columns, w, countPad));
  },
  onnx: (c, node, names) => {
    const w = poolOf('avg_pool', node.attrs);
    const pool = (x: string, axes: readonly [boolean, boolean]): string => {
      const along = (p: readonly [number, number], none: number): readonly number[] => [axes[0] ? p[0] : none, axes[1] ? p[1] : none];
      return c.emit('AveragePool', [x], {
        kernel_shape: { ints: along(w.kernel, 1) }, strides: { ints: along(w.stride, 1) }, pads: { ints: [...along(w.padding, 0), ...along(w.padding, 0)] },
        count_include_pad: { int: boolAttr(node.attrs, 'count_include_pad') ? 1 : 0 },
      });
    };
    const [x = ''] = names;
    // A large window is cheaper as two: 31 + 31 additions a cell instead of 961.
    return w.kernel[0] > 3 && w.kernel[1] > 3 ? pool(pool(x, [true, false]), [false, true]) : pool(x, [true, true]);
  },
};
