// The gradient of max_pool: made by autodiff only. Each window gives its gradient to its first largest cell.
import { formatType } from '../ir/graph.js';
import { ndarray, sizeOf, type NdArray } from '../ir/ndarray.js';
import { productDim } from '../ir/dim.js';
import { sameShape } from '../ir/builder.js';
import { OpError, type OpDef } from './op.js';
import { at } from './shared/attrs.js';
import { imageOf, KERNEL, outputSize, PADDING, poolOf, POOL_STRIDE } from './shared/spatial.js';
import { firstMaxima } from './shared/pooling.js';
import { maxPoolGradTfjs } from './shared/tfjs-images.js';

export const maxPoolGrad: OpDef = {
  name: 'max_pool_grad',
  doc: 'gradient of max_pool: dy of each window added to its first largest cell of x',
  inputs: ['x', 'dy'],
  attrs: { kernel: KERNEL, stride: POOL_STRIDE, padding: PADDING },
  surface: false,
  infer: ([x, dy], attrs) => {
    const image = imageOf('max_pool_grad', 'x', x), out = imageOf('max_pool_grad', 'dy', dy);
    const size = outputSize('max_pool_grad', image.size, poolOf('max_pool_grad', attrs));
    const wanted = [image.batch, image.channels, ...size];
    if (!sameShape(wanted, [out.batch, out.channels, ...out.size])) throw new OpError('shape', `max_pool_grad: dy is ${dy === undefined ? '' : formatType(dy)} and the windows are ${formatType({ dtype: 'f32', shape: wanted })}`);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...image.size] };
  },
  evaluate: (inputs, attrs, shape) => {
    const [x, dy] = inputs as [NdArray, NdArray];
    const at = firstMaxima(x, poolOf('max_pool_grad', attrs), [dy.shape[2] ?? 0, dy.shape[3] ?? 0]);
    const out = new Float64Array(sizeOf(shape));
    for (let i = 0; i < at.length; i++) {
      const cell = at[i] as number;
      out[cell] = (out[cell] as number) + (dy.data[i] as number);
    }
    return ndarray(shape, out);
  },
  /** MaxPool gives the flat indexes of the first largest cells. Windows apart from each other: MaxUnpool writes dy there, at no measurable cost; else ScatterElements adds it. */
  onnx: (c, node, names) => {
    const [x, dy] = [at(names, 0), at(names, 1)];
    const w = poolOf('max_pool_grad', node.attrs);
    const { shape } = c.typeOf(at(node.inputs, 0));
    const windows = { kernel_shape: { ints: w.kernel }, strides: { ints: w.stride }, pads: { ints: [...w.padding, ...w.padding] } };
    const index = at(c.emitMany('MaxPool', [x], windows, 2), 1);
    if (w.stride[0] >= w.kernel[0] && w.stride[1] >= w.kernel[1]) return c.emit('MaxUnpool', [dy, index, c.shape(shape)], windows);
    const flat = (name: string): string => c.emit('Reshape', [name, c.ints([-1])]);
    const zeros = c.emit('ConstantOfShape', [c.shape([productDim(shape)])]);
    const sums = c.emit('ScatterElements', [zeros, flat(index), flat(dy)], { axis: { int: 0 }, reduction: 'add' });
    return c.emit('Reshape', [sums, c.shape(shape)]);
  },
  tfjs: (c, node, inputs) => maxPoolGradTfjs(c, at(inputs, 0), at(inputs, 1), poolOf('max_pool_grad', node.attrs)),
};
