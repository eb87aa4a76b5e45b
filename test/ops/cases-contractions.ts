// Uses of the contractions, pools, resize, softmax and normalize: the table that contractions.test.ts walks.
import { mulDim } from '../../compiler/ir/dim.js';
import type { Attrs } from '../../compiler/ir/graph.js';
import type { Case } from './harness.js';
import { B, exactly, f32 } from './values.js';

const x = (...shape: Parameters<typeof f32>[0]) => f32(shape);
const w = (...shape: Parameters<typeof f32>[0]) => f32(shape, { seed: 2, low: -0.8, high: 0.7 });
const bias = (n: number) => f32([n], { seed: 3 });

const flags: readonly Attrs[] = [{}, { transpose_a: true }, { transpose_b: true }, { transpose_a: true, transpose_b: true }];
const matmuls = flags.flatMap((attrs): readonly Case[] => {
  const a = attrs['transpose_a'] === true ? [4, 3] : [3, 4], b = attrs['transpose_b'] === true ? [5, 4] : [4, 5];
  return [
    { op: 'matmul', inputs: [x(...a), w(...b)], attrs },
    { op: 'matmul', about: 'one b for many a', inputs: [x(B, 2, ...a), w(...b)], attrs },
    { op: 'matmul', about: 'a batch of b', inputs: [x(B, 2, ...a), w(B, 2, ...b)], attrs },
  ];
});

const square: readonly Attrs[] = [
  {}, { padding: [1, 1] }, { padding: [2, 2] }, { padding: [3, 3] }, { stride: [2, 2] }, { stride: [2, 2], padding: [1, 1] }, { stride: [3, 2], padding: [0, 1] }, { dilation: [2, 2], padding: [2, 2] },
  { dilation: [1, 2], padding: [1, 0], stride: [2, 1] },
];
const convs: readonly Case[] = [
  ...square.map((attrs): Case => ({ op: 'conv2d', inputs: [x(B, 2, 7, 6), w(3, 2, 3, 3), bias(3)], attrs })),
  { op: 'conv2d', about: 'pointwise', inputs: [x(B, 3, 4, 5), w(2, 3, 1, 1)] },
  { op: 'conv2d', about: 'pointwise with many channels', inputs: [x(B, 16, 2, 3), w(20, 16, 1, 1)] },
  { op: 'conv2d', about: 'pointwise, strided', inputs: [x(B, 3, 4, 5), w(2, 3, 1, 1)], attrs: { stride: [2, 2] } },
  { op: 'conv2d', about: 'padded pointwise', inputs: [x(B, 2, 3, 3), w(2, 2, 1, 1)], attrs: { padding: [1, 1] } },
  { op: 'conv2d', about: 'a row', inputs: [x(B, 2, 4, 7), w(2, 2, 1, 5), bias(2)], attrs: { padding: [0, 2] } },
  { op: 'conv2d', about: 'a column', inputs: [x(B, 2, 7, 3), w(2, 2, 5, 1)], attrs: { padding: [2, 0] } },
  { op: 'conv2d', about: 'an even kernel', inputs: [x(B, 1, 6, 6), w(2, 1, 2, 4)], attrs: { padding: [1, 1] } },
  { op: 'conv2d', about: 'patches', inputs: [x(B, 3, 8, 8), w(4, 3, 4, 4), bias(4)], attrs: { stride: [4, 4] } },
  { op: 'conv2d', about: 'overlapping patches', inputs: [x(B, 2, 12, 12), w(2, 2, 7, 7)], attrs: { stride: [4, 4], padding: [3, 3] } },
  { op: 'conv2d', about: 'depthwise', inputs: [x(B, 3, 6, 5), w(3, 1, 3, 3), bias(3)], attrs: { groups: 3, padding: [1, 1] } },
  { op: 'conv2d', about: 'depthwise, strided', inputs: [x(B, 3, 6, 5), w(3, 1, 3, 3)], attrs: { groups: 3, padding: [1, 1], stride: [2, 2] } },
  { op: 'conv2d', about: 'depthwise, dilated', inputs: [x(B, 3, 6, 6), w(3, 1, 3, 3)], attrs: { groups: 3, padding: [2, 2], dilation: [2, 2] } },
  { op: 'conv2d', about: 'depthwise with two kernels a channel', inputs: [x(B, 2, 5, 5), w(4, 1, 3, 3)], attrs: { groups: 2, padding: [1, 1] } },
  { op: 'conv2d', about: 'grouped', inputs: [x(B, 4, 5, 6), w(6, 2, 3, 3), bias(6)], attrs: { groups: 2, padding: [1, 1] } },
  { op: 'conv2d', about: 'grouped, strided', inputs: [x(B, 4, 5, 6), w(6, 2, 3, 2)], attrs: { groups: 2, stride: [2, 2] } },
];
const transposedConvs: readonly Case[] = [
  ...square.slice(0, 7).map((attrs): Case => ({ op: 'conv_transpose2d', inputs: [x(B, 2, 5, 6), w(2, 3, 3, 3), bias(3)], attrs })),
  { op: 'conv_transpose2d', about: 'upsampling', inputs: [x(B, 4, 3, 2), w(4, 2, 2, 2), bias(2)], attrs: { stride: [2, 2] } },
  { op: 'conv_transpose2d', inputs: [x(B, 2, 3, 3), w(2, 2, 3, 3)], attrs: { stride: [2, 2], padding: [1, 1], output_padding: [1, 1] } },
  { op: 'conv_transpose2d', inputs: [x(B, 2, 3, 3), w(2, 2, 2, 3)], attrs: { dilation: [2, 1], padding: [1, 0], stride: [2, 1], output_padding: [1, 0] } },
  { op: 'conv_transpose2d', about: 'grouped', inputs: [x(B, 4, 3, 4), w(4, 3, 3, 3), bias(6)], attrs: { groups: 2, padding: [1, 1] } },
  { op: 'conv_transpose2d', about: 'grouped, strided', inputs: [x(B, 4, 3, 4), w(4, 3, 3, 3)], attrs: { groups: 2, stride: [2, 2] } },
  { op: 'conv_transpose2d', about: 'depthwise', inputs: [x(B, 3, 4, 4), w(3, 1, 3, 3)], attrs: { groups: 3, padding: [1, 1] } },
];

const ties = exactly([1, 1, 4, 4], [1, 1, 0, 2, 1, 1, 2, 2, 3, 0, -1, -1, 0, 3, -1, -1]);
const pools: readonly Case[] = [
  { op: 'max_pool', inputs: [x(B, 2, 4, 6)], attrs: { kernel: [2, 2] } },
  { op: 'max_pool', about: 'with rows left over', inputs: [x(B, 2, 5, 7)], attrs: { kernel: [2, 3] } },
  { op: 'max_pool', about: 'overlapping', inputs: [x(B, 2, 6, 5)], attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] } },
  { op: 'max_pool', about: 'dense', inputs: [x(B, 1, 5, 5)], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1] } },
  { op: 'max_pool', about: 'with gaps', inputs: [x(B, 1, 7, 7)], attrs: { kernel: [2, 2], stride: [3, 3] } },
  ...[true, false].flatMap((count_include_pad): readonly Case[] => [
    { op: 'avg_pool', inputs: [x(B, 2, 4, 6)], attrs: { kernel: [2, 2], count_include_pad } },
    { op: 'avg_pool', about: 'with rows left over', inputs: [x(B, 2, 5, 7)], attrs: { kernel: [2, 3], count_include_pad } },
    { op: 'avg_pool', about: 'overlapping', inputs: [x(B, 2, 6, 5)], attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1], count_include_pad } },
    { op: 'avg_pool', about: 'dense', inputs: [x(B, 1, 6, 5)], attrs: { kernel: [5, 3], stride: [1, 1], padding: [2, 1], count_include_pad } },
    { op: 'avg_pool', about: 'wide', inputs: [x(B, 1, 9, 8)], attrs: { kernel: [7, 7], stride: [1, 1], padding: [3, 3], count_include_pad } },
    { op: 'avg_pool', about: 'over 16 channels', inputs: [x(B, 16, 2, 8)], attrs: { kernel: [1, 2], stride: [1, 1], padding: [0, 1], count_include_pad } },
    { op: 'avg_pool', about: 'with gaps', inputs: [x(B, 1, 7, 7)], attrs: { kernel: [2, 2], stride: [3, 3], count_include_pad } },
  ]),
];

const sizes: readonly (readonly [number, number])[] = [[4, 6], [8, 12], [7, 5], [2, 3], [1, 1], [9, 4]];
const resizes: readonly Case[] = [
  ...sizes.flatMap((size) => ['bilinear', 'bicubic'].flatMap((mode) => [false, true].map((align_corners): Case =>
    ({ op: 'resize', inputs: [x(B, 2, 4, 6)], attrs: { size, mode, align_corners } })))),
  ...sizes.map((size): Case => ({ op: 'resize', inputs: [x(B, 2, 4, 6)], attrs: { size, mode: 'nearest' } })),
  { op: 'resize', about: 'of one cell', inputs: [x(B, 1, 1, 1)], attrs: { size: [3, 2] } },
];

const normals: readonly Case[] = [
  ...[0, 1, -1].map((axis): Case => ({ op: 'softmax', inputs: [x(B, 3, 4)], attrs: { axis } })),
  { op: 'softmax', about: 'of large values', inputs: [exactly([2, 2], [80, 90, -100, 100])], attrs: { axis: 1 } },
  ...[[-1], [1, 2], [1], [0, 2, 3], [2, 3], [-1, 1], [0, 1]].map((axes): Case => ({ op: 'normalize', inputs: [x(B, 3, 2, 4)], attrs: { axes } })),
  { op: 'normalize', about: 'over an open axis', inputs: [x(3, mulDim(2, B))], attrs: { axes: [1], eps: 1e-3 } },
];

/** Cases of ops that have a gradient. */
export const contractions: readonly Case[] = [...matmuls, ...convs, ...transposedConvs, ...pools, ...resizes, ...normals];

/** Cases where finite differences mean nothing: ties, and ops that autodiff makes. */
export const withoutDifferences: readonly Case[] = [
  { op: 'max_pool', about: 'with ties', inputs: [ties], attrs: { kernel: [2, 2] } },
  { op: 'max_pool', about: 'with ties, overlapping', inputs: [ties], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1] } },
  { op: 'conv2d_weight_grad', inputs: [x(B, 2, 5, 6), x(B, 4, 3, 3)], attrs: { kernel: [3, 3], stride: [2, 2], padding: [1, 1], dilation: [1, 1], groups: 1 } },
  { op: 'conv2d_weight_grad', inputs: [x(B, 2, 5, 6), x(B, 4, 5, 6)], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 2 } },
  { op: 'conv2d_weight_grad', about: 'of many channels on few cells', inputs: [x(B, 64, 4, 3), x(B, 16, 4, 3)], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } },
  { op: 'conv2d_weight_grad', about: 'of many channels on many cells', inputs: [x(B, 64, 12, 14), x(B, 16, 12, 14)], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 } },
  { op: 'max_pool_grad', inputs: [ties, x(1, 1, 2, 2)], attrs: { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } },
  { op: 'avg_pool_grad', inputs: [x(B, 2, 3, 3)], attrs: { size: [6, 5], kernel: [3, 3], stride: [2, 2], padding: [1, 1], count_include_pad: false } },
  { op: 'avg_pool_grad', inputs: [x(B, 2, 3, 3)], attrs: { size: [6, 5], kernel: [3, 3], stride: [2, 2], padding: [1, 1], count_include_pad: true } },
  ...['bilinear', 'bicubic', 'nearest'].map((mode): Case => ({ op: 'resize_grad', inputs: [x(B, 2, 5, 6)], attrs: { size: [3, 8], mode } })),
  { op: 'inverse_std', inputs: [x(B, 3, 4)], attrs: { axes: [2] } },
  { op: 'inverse_std', inputs: [x(B, 3, 4)], attrs: { axes: [0, 2] } },
];
