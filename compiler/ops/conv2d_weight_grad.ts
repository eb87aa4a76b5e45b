// The gradient of conv2d in its weight: made by autodiff only. Its ONNX form is chosen by shape, see bench/conv-gradients.ts.
import { equalDim, formatDim, productDim } from '../ir/dim.js';
import type { Attrs, NodeId, TensorType } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { at, numberAttr } from './shared/attrs.js';
import { gemm, transposed, unfold } from './shared/kernels.js';
import { checkGroups, DILATION, GROUPS, imageOf, KERNEL, outputSize, PADDING, STRIDE, windowOf, type Pair } from './shared/spatial.js';
import { weightGradOnnx } from './shared/weight_grad_onnx.js';
import { weightGradTfjs } from './shared/tfjs-images.js';

function shapes([x, dy]: readonly (TensorType | undefined)[], attrs: Attrs) {
  const image = imageOf('conv2d_weight_grad', 'x', x), out = imageOf('conv2d_weight_grad', 'dy', dy);
  const groups = numberAttr(attrs, 'groups');
  checkGroups('conv2d_weight_grad', groups, [['channels', image.channels], ['kernels', out.channels]]);
  const window = windowOf('conv2d_weight_grad', attrs);
  const [height, width] = outputSize('conv2d_weight_grad', image.size, window);
  if (!equalDim(image.batch, out.batch)) throw new OpError('shape', `conv2d_weight_grad: x has a batch of ${formatDim(image.batch)} and dy one of ${formatDim(out.batch)}`);
  if (height !== out.size[0] || width !== out.size[1]) throw new OpError('shape', `conv2d_weight_grad: dy is ${out.size.join('x')} and the windows are ${height}x${width}`);
  return { image, kernels: out.channels, channels: image.channels / groups, groups, window, size: out.size };
}

export const conv2dWeightGrad: OpDef = {
  name: 'conv2d_weight_grad',
  doc: 'gradient of conv2d in its weight: dW[o, c] = sum over batch and windows of dy[o] · x[c] under each tap',
  inputs: ['x', 'dy'],
  attrs: { kernel: KERNEL, stride: STRIDE, padding: PADDING, dilation: DILATION, groups: GROUPS },
  surface: false,
  infer: (inputs, attrs) => {
    const { kernels, channels, window } = shapes(inputs, attrs);
    return { dtype: 'f32', shape: [kernels, channels, ...window.kernel] };
  },
  cost: (inputs, attrs) => {
    const { image, kernels, channels, window, size } = shapes(inputs, attrs);
    return { macs: productDim([image.batch, kernels, ...size, channels, ...window.kernel]) };
  },
  evaluate: (inputs, attrs, shape) => {
    const [x, dy] = inputs as [NdArray, NdArray];
    const [kernels, channels] = shape as [number, number, number, number];
    const groups = numberAttr(attrs, 'groups');
    const window = windowOf('conv2d_weight_grad', attrs);
    const [batch, , height, width] = x.shape as [number, number, number, number];
    const size: Pair = [dy.shape[2] ?? 0, dy.shape[3] ?? 0];
    const cells = size[0] * size[1], taps = channels * window.kernel[0] * window.kernel[1], each = kernels / groups;
    const out = new Float64Array(kernels * taps);
    const matrix = new Float64Array(taps * cells);
    for (let i = 0; i < batch * groups; i++) {
      unfold(x.data, i * channels * height * width, channels, [height, width], window, size, matrix);
      gemm(each, cells, taps, dy.data, i * each * cells, transposed(matrix, 0, taps, cells), 0, out, (i % groups) * each * taps);
    }
    return ndarray(shape, out);
  },
  onnx: (c, node, names) => {
    const [x, dy] = node.inputs as readonly [NodeId, NodeId];
    const [xName = '', dyName = ''] = names;
    return weightGradOnnx(c, xName, dyName, shapes([c.typeOf(x), c.typeOf(dy)], node.attrs));
  },
  tfjs: (c, node, inputs) => weightGradTfjs(c, at(inputs, 0), at(inputs, 1), windowOf('conv2d_weight_grad', node.attrs), numberAttr(node.attrs, 'groups')),
};
