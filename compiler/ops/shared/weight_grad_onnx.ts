// How ONNX says the gradient of a convolution in its weight: which of the measured forms serves which shape (bench/conv-gradients.ts).
import { mulDim, type Dim } from '../../ir/dim.js';
import { ndarray } from '../../ir/ndarray.js';
import type { OnnxContext } from '../op.js';
import type { Image, Pair, Window } from './spatial.js';

export interface WeightGrad {
  readonly image: Image;
  readonly kernels: number;
  /** Channels that one kernel takes. */
  readonly channels: number;
  readonly groups: number;
  readonly window: Window;
  /** Height and width of dy. */
  readonly size: Pair;
}
/**
 * taps: a strided Slice and a product for each tap, summed over the batch. joined: as taps, with the batch inside the product.
 * unfold: all taps in one product, by a Conv with one-hot kernels. depthwise: multiply and sum, tap by tap.
 */
export type WeightGradForm = 'taps' | 'joined' | 'unfold' | 'depthwise';

/**
 * Few channels make thin products, which unfolding joins: 3 times as fast at 3 channels, even at about 50, and kh·kw times the memory.
 * Many channels on few cells make products larger than what they read: summing them costs more than turning x and dy round, up to 1.4 times in all.
 */
export function weightGradForm({ channels, groups, kernels, window, size }: WeightGrad): WeightGradForm {
  if (channels === 1 && kernels === groups && groups > 1) return 'depthwise';
  const taps = window.kernel[0] * window.kernel[1];
  if (taps > 1 && channels * groups * taps <= 512) return 'unfold';
  const turnedRound = size[0] * size[1] * (channels + kernels), summed = taps * channels * kernels;
  return groups === 1 && Math.min(channels, kernels) >= 16 && turnedRound < summed ? 'joined' : 'taps';
}

export function weightGradOnnx(c: OnnxContext, x: string, dy: string, g: WeightGrad, form: WeightGradForm = weightGradForm(g)): string {
  switch (form) {
    case 'taps': return byTaps(c, x, dy, g);
    case 'joined': return byJoinedTaps(c, x, dy, g);
    case 'unfold': return byUnfolding(c, x, dy, g);
    case 'depthwise': return byMultiplying(c, x, dy, g);
    default: return form satisfies never;
  }
}

/** The cells that each tap sees, [B, C, Ho, Wo], taps in row-major order. */
function tapSlices(c: OnnxContext, x: string, { image, window, size }: WeightGrad): readonly string[] {
  const [ph, pw] = window.padding;
  const [kh, kw] = window.kernel;
  const padded = ph + pw > 0 ? c.emit('Pad', [x, c.ints([0, 0, ph, pw, 0, 0, ph, pw])]) : x;
  const slices: string[] = [];
  for (let ky = 0; ky < kh; ky++) for (let kx = 0; kx < kw; kx++) {
    const from = [ky * window.dilation[0], kx * window.dilation[1]] as const;
    const to = [from[0] + (size[0] - 1) * window.stride[0] + 1, from[1] + (size[1] - 1) * window.stride[1] + 1] as const;
    const whole = from[0] + from[1] === 0 && to[0] === image.size[0] + 2 * ph && to[1] === image.size[1] + 2 * pw;
    slices.push(whole && Math.max(...window.stride) === 1 ? padded : c.emit('Slice', [padded, c.ints(from), c.ints(to), c.ints([2, 3]), c.ints(window.stride)]));
  }
  return slices;
}

const reshape = (c: OnnxContext, x: string, dims: readonly Dim[]): string => c.emit('Reshape', [x, c.shape(dims)]);
const sumBatch = (c: OnnxContext, x: string): string => c.emit('ReduceSum', [x, c.ints([0])], { keepdims: { int: 0 } });

/** The products of the taps, each O·C/groups values, as [O, C/groups, kh, kw]. */
function stack(c: OnnxContext, products: readonly string[], { kernels, channels, window }: WeightGrad): string {
  const all = products.length === 1 ? products[0] ?? '' : c.emit('Concat', products.map((p) => reshape(c, p, [kernels, channels, 1])), { axis: { int: 2 } });
  return reshape(c, all, [kernels, channels, ...window.kernel]);
}

/** dy · slicesᵀ, one product per tap and sample. */
function byTaps(c: OnnxContext, x: string, dy: string, g: WeightGrad): string {
  const { image, kernels, channels, groups, size } = g;
  const cells = size[0] * size[1], each = kernels / groups;
  const lead: readonly Dim[] = groups === 1 ? [image.batch] : [image.batch, groups];
  const left = reshape(c, dy, [...lead, each, cells]);
  const perm = { ints: [...lead.keys(), lead.length + 1, lead.length] };
  return stack(c, tapSlices(c, x, g).map((slice) => {
    const right = c.emit('Transpose', [reshape(c, slice, [...lead, channels, cells])], { perm });
    return sumBatch(c, c.emit('MatMul', [left, right]));
  }), g);
}

/** dy · slicesᵀ, one product per tap: x and dy with the channels first, so that batch and cells are one axis. */
function byJoinedTaps(c: OnnxContext, x: string, dy: string, g: WeightGrad): string {
  const { image, kernels, channels, size } = g;
  const cells = mulDim(image.batch, size[0] * size[1]);
  const channelsFirst = (y: string): string => c.emit('Transpose', [y], { perm: { ints: [1, 0, 2, 3] } });
  const left = reshape(c, channelsFirst(dy), [kernels, cells]);
  return stack(c, tapSlices(c, channelsFirst(x), g).map((slice) =>
    c.emit('MatMul', [left, c.emit('Transpose', [reshape(c, slice, [channels, cells])], { perm: { ints: [1, 0] } })])), g);
}

/** A grouped Conv with one-hot kernels unfolds the windows; one product over all taps. */
function byUnfolding(c: OnnxContext, x: string, dy: string, g: WeightGrad): string {
  const { image, kernels, channels, groups, window, size } = g;
  const [kh, kw] = window.kernel;
  const taps = kh * kw, all = channels * groups, cells = size[0] * size[1], each = kernels / groups;
  const oneHot = new Float64Array(all * taps * taps);
  for (let i = 0; i < all * taps; i++) oneHot[i * taps + (i % taps)] = 1;
  const windows = c.emit('Conv', [x, c.constant(ndarray([all * taps, 1, kh, kw], oneHot), 'f32')], {
    strides: { ints: window.stride }, pads: { ints: [...window.padding, ...window.padding] }, dilations: { ints: window.dilation }, group: { int: all },
  });
  const lead: readonly Dim[] = groups === 1 ? [image.batch] : [image.batch, groups];
  const right = c.emit('Transpose', [reshape(c, windows, [...lead, channels * taps, cells])], { perm: { ints: [...lead.keys(), lead.length + 1, lead.length] } });
  const product = c.emit('MatMul', [reshape(c, dy, [...lead, each, cells]), right]);
  return reshape(c, sumBatch(c, product), [kernels, channels, kh, kw]);
}

/** One channel a kernel: multiply and sum, tap by tap. */
function byMultiplying(c: OnnxContext, x: string, dy: string, g: WeightGrad): string {
  return stack(c, tapSlices(c, x, g).map((slice) => c.emit('ReduceSum', [c.emit('Mul', [dy, slice]), c.ints([0, 2, 3])], { keepdims: { int: 0 } })), g);
}
