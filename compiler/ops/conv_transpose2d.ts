// Transposed convolution, the adjoint of conv2d: type rule, gradient, cost, float64 meaning, ONNX Conv or ConvTranspose.
import { productDim } from '../ir/dim.js';
import type { Attrs, NodeId, TensorType } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type OnnxContext, type OpDef } from './op.js';
import { at, numberAttr, pairAttr } from './shared/attrs.js';
import { fold, gemm, transposed } from './shared/kernels.js';
import { biasGradient, both, checkBias, checkGroups, convOnnx, DILATION, GROUPS, imageOf, kernelOf, PADDING, span, STRIDE, transposedSize, windowOf, type Pair } from './shared/spatial.js';
import { convTransposeTfjs } from './shared/tfjs-images.js';

function shapes([x, weight, bias]: readonly (TensorType | undefined)[], attrs: Attrs) {
  const image = imageOf('conv_transpose2d', 'x', x);
  const [channels, each, height, width] = kernelOf('conv_transpose2d', weight, '[C, O/groups, kh, kw]');
  const groups = numberAttr(attrs, 'groups');
  checkGroups('conv_transpose2d', groups, [['channels', image.channels]]);
  if (channels !== image.channels) {
    throw new OpError('shape', `conv_transpose2d: x has ${image.channels} channels and the weight takes ${channels}`, `a weight f32[${image.channels}, ${each}, ${height}, ${width}]`);
  }
  checkBias('conv_transpose2d', bias, each * groups);
  const window = windowOf('conv_transpose2d', attrs, [height, width]);
  return { image, each, groups, window, size: transposedSize('conv_transpose2d', image.size, window, pairAttr(attrs, 'output_padding')) };
}

export const convTranspose2d: OpDef = {
  name: 'conv_transpose2d',
  doc: 'transposed convolution of images [B, C, H, W] with kernels [C, O/groups, kh, kw]: the adjoint of conv2d',
  constraints: ['(C1) x and weight have rank 4, channels, height and width are known', '(C2) groups divides C', '(C3) weight takes C channels', '(C4) bias has O entries', '(C5) output_padding is smaller than the stride'],
  inputs: ['x', 'weight', 'bias?'],
  attrs: { stride: STRIDE, padding: PADDING, output_padding: { kind: 'pair', default: [0, 0], doc: 'rows and columns added at the end' }, dilation: DILATION, groups: GROUPS },
  surface: true,
  infer: (inputs, attrs) => {
    const { image, each, groups, size } = shapes(inputs, attrs);
    return { dtype: 'f32', shape: [image.batch, each * groups, ...size] };
  },
  gradient: ({ b, node, inputs, dy, needs }) => {
    const [x, weight] = inputs as [NodeId, NodeId];
    const { window } = shapes(inputs.map((i) => b.type(i)), node.attrs);
    const { stride, padding, dilation, groups } = node.attrs;
    const attrs = { stride, padding, dilation, groups } as Attrs;
    return [
      needs(0) ? b.add('conv2d', [dy, weight], attrs) : undefined,
      needs(1) ? b.add('conv2d_weight_grad', [dy, x], { ...attrs, kernel: window.kernel }) : undefined,
      inputs.length > 2 && needs(2) ? biasGradient(b, dy) : undefined,
    ].slice(0, inputs.length);
  },
  cost: (inputs, attrs) => {
    const { image, each, window } = shapes(inputs, attrs);
    return { macs: productDim([image.batch, image.channels, ...image.size, each, ...window.kernel]) };
  },
  evaluate: (inputs, attrs, shape) => {
    const [x, weight, bias] = inputs as [NdArray, NdArray, NdArray | undefined];
    const [batch, kernels, ...size] = shape as [number, number, number, number];
    const [channels, each, height, width] = weight.shape as [number, number, number, number];
    const groups = numberAttr(attrs, 'groups');
    const input: Pair = [x.shape[2] ?? 0, x.shape[3] ?? 0];
    const window = windowOf('conv_transpose2d', attrs, [height, width]);
    const cells = input[0] * input[1], taps = each * height * width, from = channels / groups;
    const out = new Float64Array(batch * kernels * size[0] * size[1]);
    if (bias !== undefined) for (let i = 0; i < batch * kernels; i++) out.fill(bias.data[i % kernels] ?? 0, i * size[0] * size[1], (i + 1) * size[0] * size[1]);
    const weights = Array.from({ length: groups }, (_, g) => transposed(weight.data, g * from * taps, from, taps));
    const matrix = new Float64Array(taps * cells);
    for (let i = 0; i < batch * groups; i++) {
      matrix.fill(0);
      gemm(taps, from, cells, weights[i % groups] as Float64Array, 0, x.data, i * from * cells, matrix, 0);
      fold(matrix, each, size, window, input, out, i * each * size[0] * size[1]);
    }
    return ndarray(shape, out);
  },
  /** With stride 1, a Conv with the kernels turned round and their channels swapped: ONNX Runtime's ConvTranspose is 1.1 to 4 times slower. */
  onnx: (c, node, names) => {
    const [x = '', weight = '', ...bias] = names;
    const [channels, each, kh, kw] = kernelOf('conv_transpose2d', c.typeOf(node.inputs[1] ?? -1), '[C, O/groups, kh, kw]');
    const window = windowOf('conv_transpose2d', node.attrs, [kh, kw]);
    const groups = numberAttr(node.attrs, 'groups');
    const outputPadding = pairAttr(node.attrs, 'output_padding');
    const spans = span(window);
    const padding = both((i) => spans[i] - 1 - window.padding[i]);
    const turns = window.stride[0] === 1 && window.stride[1] === 1 && Math.min(...padding) >= 0 && Math.max(...outputPadding) === 0;
    if (!turns) {
      return c.emit('ConvTranspose', names, {
        strides: { ints: window.stride }, pads: { ints: [...window.padding, ...window.padding] }, dilations: { ints: window.dilation },
        output_padding: { ints: outputPadding }, group: { int: groups },
      });
    }
    const turned = turnedRound(c, weight, [groups, channels / groups, each], [kh, kw]);
    return convOnnx(c, [x, turned, ...bias], [1, 1], padding, window.dilation, groups);
  },
  tfjs: (c, node, inputs) => {
    const [, , height, width] = kernelOf('conv_transpose2d', inputs[1], '[C, O/groups, kh, kw]');
    const window = windowOf('conv_transpose2d', node.attrs, [height, width]);
    return convTransposeTfjs(c, at(inputs, 0), at(inputs, 1), inputs[2], window, numberAttr(node.attrs, 'groups'), pairAttr(node.attrs, 'output_padding'));
  },
};

/** A weight [C, O/groups, kh, kw] with its taps in reverse order and its channels swapped: [O, C/groups, kh, kw]. */
export function turnedRound(c: OnnxContext, weight: string, [groups, from, to]: readonly [number, number, number], [kh, kw]: Pair): string {
  const taps = kh * kw;
  let y = weight;
  if (taps > 1) {
    // A product with the reversal is exact, and 5 times as fast as a Slice with negative steps.
    const reversal = new Float64Array(taps * taps);
    for (let i = 0; i < taps; i++) reversal[i * taps + taps - 1 - i] = 1;
    y = c.emit('MatMul', [c.emit('Reshape', [y, c.ints([groups * from * to, taps])]), c.constant(ndarray([taps, taps], reversal), 'f32')]);
  }
  if (from > 1 || to > 1) y = c.emit('Transpose', [c.emit('Reshape', [y, c.ints([groups, from, to, taps])])], { perm: { ints: [0, 2, 1, 3] } });
  return c.emit('Reshape', [y, c.ints([groups * to, from, kh, kw])]);
}
