// The gradient of avg_pool: made by autodiff only.
import { OpError, type OpDef } from './op.js';
import { averagingMaps } from './avg_pool.js';
import { at, pairAttr } from './shared/attrs.js';
import { adjoint, mapImages, mapImagesOnnx, upsampleOnnx } from './shared/interpolation.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE, type Pair, type Window } from './shared/spatial.js';
import { mapImagesTfjs, repeatTfjs } from './shared/tfjs-images.js';
import { scaleTfjs } from './shared/tfjs.js';

const tiles = (w: Window, size: Pair): boolean => ([0, 1] as const).every((i) => w.kernel[i] === w.stride[i] && w.padding[i] === 0 && size[i] % w.kernel[i] === 0);

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
  evaluate: (inputs, attrs) => mapImages(at(inputs, 0), adjoint(averagingMaps('avg_pool_grad', pairAttr(attrs, 'size'), attrs))),
  /** Windows that tile the image: every cell gets its window's share. Else the two products of avg_pool, transposed. */
  onnx: (c, node, names) => {
    const w = poolOf('avg_pool_grad', node.attrs), size = pairAttr(node.attrs, 'size');
    if (tiles(w, size)) return upsampleOnnx(c, c.emit('Mul', [at(names, 0), c.float(1 / (w.kernel[0] * w.kernel[1]))]), w.kernel);
    return mapImagesOnnx(c, at(names, 0), adjoint(averagingMaps('avg_pool_grad', size, node.attrs)));
  },
  tfjs: (c, node, inputs) => {
    const dy = at(inputs, 0), size = pairAttr(node.attrs, 'size'), w = poolOf('avg_pool_grad', node.attrs);
    if (tiles(w, size)) return repeatTfjs(c, scaleTfjs(c, dy, 1 / (w.kernel[0] * w.kernel[1])), w.kernel);
    return mapImagesTfjs(c, dy, adjoint(averagingMaps('avg_pool_grad', size, node.attrs)));
  },
};
