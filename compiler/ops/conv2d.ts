// Convolution of images: type rule, gradient, cost, float64 meaning, ONNX Conv.
import { productDim } from '../ir/dim.js';
import type { Attrs, NodeId, TensorType } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { at, numberAttr, pairAttr } from './shared/attrs.js';
import { gemm, unfold } from './shared/kernels.js';
import { biasGradient, checkBias, checkGroups, convOnnx, DILATION, GROUPS, imageOf, kernelOf, outputSize, PADDING, STRIDE, transposedSize, both, windowOf, type Pair } from './shared/spatial.js';
import { convTfjs } from './shared/tfjs-images.js';

function shapes([x, weight, bias]: readonly (TensorType | undefined)[], attrs: Attrs) {
  const image = imageOf('conv2d', 'x', x);
  const [kernels, channels, height, width] = kernelOf('conv2d', weight, '[O, C/groups, kh, kw]');
  const groups = numberAttr(attrs, 'groups');
  checkGroups('conv2d', groups, [['channels', image.channels], ['kernels', kernels]]);
  if (channels * groups !== image.channels) {
    const each = image.channels / groups;
    throw new OpError('shape', `conv2d: x has ${image.channels} channels and the weight takes ${channels}${groups > 1 ? ` in each of ${groups} groups, ${channels * groups} in all` : ''}`,
      `a weight f32[${kernels}, ${each}, ${height}, ${width}]`);
  }
  checkBias('conv2d', bias, kernels);
  const window = windowOf('conv2d', attrs, [height, width]);
  return { image, kernels, channels, groups, window, size: outputSize('conv2d', image.size, window) };
}

export const conv2d: OpDef = {
  name: 'conv2d',
  doc: 'cross-correlation of images [B, C, H, W] with kernels [O, C/groups, kh, kw]',
  constraints: ['(C1) x and weight have rank 4, channels, height and width are known', '(C2) groups divides C and O', '(C3) weight takes C/groups channels', '(C4) bias has O entries', '(C5) the window fits into the padded image'],
  inputs: ['x', 'weight', 'bias?'],
  attrs: { stride: STRIDE, padding: PADDING, dilation: DILATION, groups: GROUPS },
  surface: true,
  infer: (inputs, attrs) => {
    const { image, kernels, size } = shapes(inputs, attrs);
    return { dtype: 'f32', shape: [image.batch, kernels, ...size] };
  },
  /** dx is the transposed convolution of dy, its output_padding the rows that no window reached. */
  gradient: ({ b, node, inputs, dy, needs }) => {
    const [x, weight] = inputs as [NodeId, NodeId];
    const { image, window, size } = shapes(inputs.map((i) => b.type(i)), node.attrs);
    const made = transposedSize('conv2d', size, window, [0, 0]);
    const output_padding: Pair = both((i) => image.size[i] - made[i]);
    return [
      needs(0) ? b.add('conv_transpose2d', [dy, weight], { ...node.attrs, output_padding }) : undefined,
      needs(1) ? b.add('conv2d_weight_grad', [x, dy], { ...node.attrs, kernel: window.kernel }) : undefined,
      inputs.length > 2 && needs(2) ? biasGradient(b, dy) : undefined,
    ].slice(0, inputs.length);
  },
  cost: (inputs, attrs) => {
    const { image, kernels, channels, window, size } = shapes(inputs, attrs);
    return { macs: productDim([image.batch, kernels, ...size, channels, ...window.kernel]) };
  },
  evaluate: (inputs, attrs, shape) => {
    const [x, weight, bias] = inputs as [NdArray, NdArray, NdArray | undefined];
    const [batch, kernels, ...size] = shape as [number, number, number, number];
    const [, channels, height, width] = weight.shape as [number, number, number, number];
    const groups = numberAttr(attrs, 'groups');
    const input: Pair = [x.shape[2] ?? 0, x.shape[3] ?? 0];
    const window = windowOf('conv2d', attrs, [height, width]);
    const cells = size[0] * size[1], taps = channels * height * width, each = kernels / groups, plane = input[0] * input[1];
    const out = new Float64Array(batch * kernels * cells);
    if (bias !== undefined) for (let i = 0; i < batch * kernels; i++) out.fill(bias.data[i % kernels] ?? 0, i * cells, (i + 1) * cells);
    const matrix = new Float64Array(taps * cells);
    for (let i = 0; i < batch * groups; i++) {
      unfold(x.data, i * channels * plane, channels, input, window, size, matrix);
      gemm(each, taps, cells, weight.data, (i % groups) * each * taps, matrix, 0, out, i * each * cells);
    }
    return ndarray(shape, out);
  },
  onnx: (c, node, names) => convOnnx(c, names, pairAttr(node.attrs, 'stride'), pairAttr(node.attrs, 'padding'), pairAttr(node.attrs, 'dilation'), numberAttr(node.attrs, 'groups')),
  tfjs: (c, node, inputs) => {
    const [, , height, width] = kernelOf('conv2d', inputs[1], '[O, C/groups, kh, kw]');
    return convTfjs(c, at(inputs, 0), at(inputs, 1), inputs[2], windowOf('conv2d', node.attrs, [height, width]), numberAttr(node.attrs, 'groups'));
  },
};
