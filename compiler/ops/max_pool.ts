// Largest value of each window: type rule, gradient, float64 meaning, ONNX MaxPool.
import type { NodeId } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import type { OpDef } from './op.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE } from './shared/spatial.js';
import { firstMaxima } from './shared/pooling.js';
import { maxPoolTfjs } from './shared/tfjs-images.js';
import { at } from './shared/attrs.js';

export const maxPool: OpDef = {
  name: 'max_pool',
  doc: 'largest value of each window of images [B, C, H, W]; padding never wins',
  constraints: ['(C1) x has rank 4, channels, height and width are known', '(C2) padding is at most half the kernel', '(C3) the window fits into the padded image'],
  inputs: ['x'],
  attrs: { kernel: KERNEL, stride: POOL_STRIDE, padding: PADDING },
  surface: true,
  infer: ([x], attrs) => {
    const image = imageOf('max_pool', 'x', x);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...outputSize('max_pool', image.size, poolOf('max_pool', attrs))] };
  },
  /** To the first largest cell of each window, as PyTorch. */
  gradient: ({ b, node, inputs, dy }) => [b.add('max_pool_grad', [inputs[0] as NodeId, dy], node.attrs)],
  evaluate: ([x], attrs, shape) => {
    const image = x as NdArray;
    const at = firstMaxima(image, poolOf('max_pool', attrs), [shape[2] ?? 0, shape[3] ?? 0]);
    return ndarray(shape, Float64Array.from(at, (i) => image.data[i] ?? 0));
  },
  onnx: (c, node, names) => {
    const w = poolOf('max_pool', node.attrs);
    return c.emit('MaxPool', names, { kernel_shape: { ints: w.kernel }, strides: { ints: w.stride }, pads: { ints: [...w.padding, ...w.padding] } });
  },
  tfjs: (c, node, inputs) => maxPoolTfjs(c, at(inputs, 0), poolOf('max_pool', node.attrs)),
};
