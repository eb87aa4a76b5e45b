// Mean of each window: type rule, gradient, float64 meaning, ONNX AveragePool or two products.
import { type Attrs, type NodeId } from '../ir/graph.js';
import type { OpDef } from './op.js';
import { at, boolAttr } from './shared/attrs.js';
import { averagingMatrix, mapImages, mapImagesOnnx, type Maps } from './shared/interpolation.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE, type Pair } from './shared/spatial.js';
import { avgPoolTfjs, mapImagesTfjs } from './shared/tfjs-images.js';

/** A mean over a rectangle is a mean of means: one matrix along each axis. `size` is the input's. */
export function averagingMaps(op: string, size: Pair, attrs: Attrs): Maps {
  const w = poolOf(op, attrs), to = outputSize(op, size, w), countPad = boolAttr(attrs, 'count_include_pad');
  return { rows: averagingMatrix(0, size[0], to[0], w, countPad), columns: averagingMatrix(1, size[1], to[1], w, countPad) };
}

/**
 * Whether ONNX Runtime averages faster by two products. Nanoseconds a cell, measured on one AVX-512 core: AveragePool 0.15 a tap where it is
 * vectorised, over blocks of 16 channels, and 2 where not; a product 0.03 a multiply-add.
 */
function byProducts(channels: number, size: Pair, [kh, kw]: Pair): boolean {
  return 0.03 * (size[0] + size[1]) < kh * kw * (channels % 16 === 0 ? 0.15 : 2);
}

export const avgPool: OpDef = {
  name: 'avg_pool',
  doc: 'mean of each window of images [B, C, H, W]',
  constraints: ['(C1) x has rank 4, channels, height and width are known', '(C2) padding is at most half the kernel', '(C3) the window fits into the padded image'],
  inputs: ['x'],
  attrs: { kernel: KERNEL, stride: POOL_STRIDE, padding: PADDING, count_include_pad: { kind: 'bool', default: true, doc: 'whether padding counts as zeros in the mean' } },
  surface: true,
  infer: ([x], attrs) => {
    const image = imageOf('avg_pool', 'x', x);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...outputSize('avg_pool', image.size, poolOf('avg_pool', attrs))] };
  },
  gradient: ({ b, node, inputs, dy }) => [b.add('avg_pool_grad', [dy], { ...node.attrs, size: b.shape(at(inputs, 0)).slice(2) })],
  evaluate: (inputs, attrs) => {
    const x = at(inputs, 0);
    return mapImages(x, averagingMaps('avg_pool', [at(x.shape, 2), at(x.shape, 3)], attrs));
  },
  onnx: (c, node, names) => {
    const image = imageOf('avg_pool', 'x', c.typeOf(node.inputs[0] as NodeId));
    const w = poolOf('avg_pool', node.attrs);
    if (byProducts(image.channels, image.size, w.kernel)) return mapImagesOnnx(c, at(names, 0), averagingMaps('avg_pool', image.size, node.attrs));
    return c.emit('AveragePool', names, {
      kernel_shape: { ints: w.kernel }, strides: { ints: w.stride }, pads: { ints: [...w.padding, ...w.padding] },
      count_include_pad: { int: boolAttr(node.attrs, 'count_include_pad') ? 1 : 0 },
    });
  },
  tfjs: (c, node, inputs) => {
    const x = at(inputs, 0), w = poolOf('avg_pool', node.attrs);
    if (boolAttr(node.attrs, 'count_include_pad') || Math.max(...w.padding) === 0) return avgPoolTfjs(c, x, w);
    return mapImagesTfjs(c, x, averagingMaps('avg_pool', imageOf('avg_pool', 'x', x).size, node.attrs));
  },
};
