// Images in tfjs: kernels want them as [B, H, W, C]. Convolutions and their gradients, pools, repeated cells, maps of rows and columns.
import { isStatic, mulDim, productDim, subDim, type Dim } from '../../ir/dim.js';
import { ndarray, type NdArray } from '../../ir/ndarray.js';
import type { TfjsContext, TfjsValue } from '../op.js';
import { at } from './attrs.js';
import type { Maps } from './interpolation.js';
import { transposed } from './kernels.js';
import { both, span, type Pair, type Window } from './spatial.js';
import {
  addTfjs, binaryTfjs, castTfjs, concatTfjs, expandTfjs, inMemory, matrixProduct, mulTfjs, onLastAxis, padTfjs, rawReshape, reduceTfjs,
  scalarTfjs, seenAs, sliceTfjs, stridedTfjs, subTfjs, type Order,
} from './tfjs.js';

/** Channels last. */
const IMAGE: Order = [0, 2, 3, 1];
const image = (c: TfjsContext, x: TfjsValue): TfjsValue => inMemory(c, x, IMAGE);
const asGraph = (y: TfjsValue): TfjsValue => seenAs(y, IMAGE);
/** Channels of an image that is counted as it lies. */
const channelsOf = (x: TfjsValue): number => numberOf(at(x.shape, 3));
const sizeOf = (x: TfjsValue): Pair => both((i) => numberOf(at(x.shape, 1 + i)));
function numberOf(d: Dim): number {
  if (!isStatic(d)) throw new Error('the size of an image is open');
  return d;
}

/** Adds (or, where negative, cuts) rows and columns of an image that is counted as it lies. */
function frame(c: TfjsContext, x: TfjsValue, before: Pair, after: Pair, value = 0): TfjsValue {
  const more = (p: Pair): readonly number[] => [0, Math.max(0, p[0]), Math.max(0, p[1]), 0];
  let y = padTfjs(c, x, more(before), more(after), value);
  for (const i of [0, 1] as const) {
    const cut = Math.max(0, -before[i]), size = numberOf(at(y.shape, 1 + i));
    y = sliceTfjs(c, y, 1 + i, cut, size - cut - Math.max(0, -after[i]));
  }
  return y;
}

const paddingsOf = (before: Pair, after: Pair): readonly (readonly number[])[] => [[0, 0], [before[0], after[0]], [before[1], after[1]], [0, 0]];

/**
 * One convolution without groups; `filter` is [kh, kw, in, out], as it lies. A bias is added in the same kernel where it comes from outside: of one that
 * was computed the wasm backend looks at the shape that its memory had when it was made.
 */
function dense(c: TfjsContext, x: TfjsValue, filter: TfjsValue, bias: TfjsValue | undefined, w: Omit<Window, 'padding'>, before: Pair, after: Pair): TfjsValue {
  const spans = span({ ...w, padding: [0, 0] });
  const size = both((i) => Math.floor((sizeOf(x)[i] + before[i] + after[i] - spans[i]) / w.stride[i]) + 1);
  const attributes = { strides: w.stride, pad: paddingsOf(before, after), dataFormat: 'NHWC', dilations: w.dilation };
  const shape = [at(x.shape, 0), ...size, at(filter.shape, 3)];
  if (bias !== undefined && c.given(bias)) return c.call('FusedConv2D', { x, filter, bias }, { ...attributes, activation: 'linear' }, shape);
  return withBias(c, c.call('Conv2D', { x, filter }, attributes, shape), bias);
}

/** `y` as it lies, its channels last. */
const withBias = (c: TfjsContext, y: TfjsValue, bias: TfjsValue | undefined): TfjsValue =>
  (bias === undefined ? y : addTfjs(c, y, rawReshape(c, bias, [1, 1, 1, at(bias.shape, 0)])));

/** Depthwise, `filter` [kh, kw, C, multiplier]. TensorFlow's kernel takes one stride for both ways and no dilation: the rest tap by tap. */
function depthwise(c: TfjsContext, x: TfjsValue, filter: TfjsValue, w: Omit<Window, 'padding'>, before: Pair, after: Pair): TfjsValue {
  const padded = frame(c, x, before, after), [kh, kw] = w.kernel, multiplier = numberOf(at(filter.shape, 3)), channels = channelsOf(x);
  const spans = span({ ...w, padding: [0, 0] });
  const size = both((i) => Math.floor((sizeOf(padded)[i] - spans[i]) / w.stride[i]) + 1);
  const shape = [at(x.shape, 0), ...size, channels * multiplier];
  if (w.stride[0] === w.stride[1] && Math.max(...w.dilation) === 1) {
    return c.call('DepthwiseConv2dNative', { x: padded, filter }, { strides: w.stride, pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] }, shape);
  }
  const rows = rawReshape(c, filter, [kh * kw, channels, multiplier]);
  const terms = taps(c, padded, w, size).map((cells, tap) => {
    const weight = rawReshape(c, sliceTfjs(c, rows, 0, tap, 1), [1, channels, multiplier]);
    return mulTfjs(c, rawReshape(c, cells, [productDim([at(x.shape, 0), ...size]), channels, 1]), weight);
  });
  return rawReshape(c, terms.reduce((sum, term) => addTfjs(c, sum, term)), shape);
}

/** What each tap of the windows sees of a padded image, in row-major order. */
function taps(c: TfjsContext, x: TfjsValue, w: Omit<Window, 'padding'>, size: Pair): readonly TfjsValue[] {
  const [kh, kw] = w.kernel;
  return Array.from({ length: kh * kw }, (_, tap) => {
    const from = [Math.floor(tap / kw) * w.dilation[0], (tap % kw) * w.dilation[1]] as const;
    return stridedTfjs(c, stridedTfjs(c, x, 1, from[0], size[0], w.stride[0]), 2, from[1], size[1], w.stride[1]);
  });
}

/** [O, C/groups, kh, kw] or, `turned`, [C, O/groups, kh, kw] with its taps in reverse order, as [kh, kw, in, out] for each group. */
function filters(c: TfjsContext, weight: TfjsValue, groups: number, turned: boolean): readonly TfjsValue[] {
  const each = numberOf(at(weight.shape, 0)) / groups;
  return Array.from({ length: groups }, (_, g) => {
    const filter = inMemory(c, sliceTfjs(c, weight, 0, g * each, each), turned ? [2, 3, 0, 1] : [2, 3, 1, 0]);
    return turned ? reversed(c, filter) : filter;
  });
}

function reversed(c: TfjsContext, filter: TfjsValue): TfjsValue {
  return filter.shape[0] === 1 && filter.shape[1] === 1 ? filter : c.call('Reverse', { x: filter }, { dims: [0, 1] }, filter.shape);
}

interface Kernels { readonly weight: TfjsValue; readonly bias: TfjsValue | undefined; readonly groups: number; readonly turned: boolean }

function grouped(c: TfjsContext, x: TfjsValue, { weight, bias, groups, turned }: Kernels, w: Omit<Window, 'padding'>, before: Pair, after: Pair): TfjsValue {
  if (groups === 1) return dense(c, x, at(filters(c, weight, 1, turned), 0), bias, w, before, after);
  const channels = channelsOf(x), each = channels / groups;
  if (each === 1) {
    // [C·m, 1, kh, kw] or, turned, [C, m, kh, kw]: either way the channel comes first and its kernels next
    const multiplier = turned ? numberOf(at(weight.shape, 1)) : numberOf(at(weight.shape, 0)) / groups;
    const apart = rawReshape(c, inMemory(c, weight, [0, 1, 2, 3]), [channels, multiplier, ...w.kernel]);
    const filter = inMemory(c, apart, [2, 3, 0, 1]);
    return withBias(c, depthwise(c, x, turned ? reversed(c, filter) : filter, w, before, after), bias);
  }
  return withBias(c, concatTfjs(c, filters(c, weight, groups, turned).map((filter, g) => dense(c, sliceTfjs(c, x, 3, g * each, each), filter, undefined, w, before, after)), 3), bias);
}

/** conv2d of a graph's x [B, C, H, W], weight [O, C/groups, kh, kw] and bias [O]. */
export function convTfjs(c: TfjsContext, x: TfjsValue, weight: TfjsValue, bias: TfjsValue | undefined, w: Window, groups: number): TfjsValue {
  return asGraph(grouped(c, image(c, x), { weight, bias, groups, turned: false }, w, w.padding, w.padding));
}

/**
 * conv_transpose2d: zeros between the cells, then a convolution with the kernels turned round. It knows dilation and groups, which
 * Conv2DBackpropInput does not. Windows side by side are one product instead.
 */
export function convTransposeTfjs(c: TfjsContext, x: TfjsValue, weight: TfjsValue, bias: TfjsValue | undefined, w: Window, groups: number, outputPadding: Pair): TfjsValue {
  const cells = image(c, x), [sh, sw] = w.stride;
  const tiles = groups === 1 && w.kernel[0] === sh && w.kernel[1] === sw && sh * sw > 1 && Math.max(...w.padding, ...outputPadding) === 0 && Math.max(...w.dilation) === 1;
  if (tiles) return asGraph(tiled(c, cells, weight, bias, w.kernel));
  const spans = span(w);
  const before = both((i) => spans[i] - 1 - w.padding[i]);
  const after = both((i) => spans[i] - 1 - w.padding[i] + outputPadding[i] - (w.stride[i] - 1));
  // what a convolution cannot pad, because it is negative, is cut off first
  const spread = frame(c, spreadOut(c, cells, w.stride), both((i) => Math.min(0, before[i])), both((i) => Math.min(0, after[i])));
  const positive = (p: Pair): Pair => both((i) => Math.max(0, p[i]));
  return asGraph(grouped(c, spread, { weight, bias, groups, turned: true }, { ...w, stride: [1, 1] }, positive(before), positive(after)));
}

function tiled(c: TfjsContext, x: TfjsValue, weight: TfjsValue, bias: TfjsValue | undefined, [kh, kw]: Pair): TfjsValue {
  const [batch, height, width, channels] = x.shape as readonly [Dim, number, number, number], kernels = numberOf(at(weight.shape, 1));
  const product = matrixProduct(c, rawReshape(c, x, [productDim([batch, height, width]), channels]), rawReshape(c, inMemory(c, weight, [0, 2, 3, 1]), [channels, kh * kw * kernels]));
  const apart = rawReshape(c, product, [mulDim(batch, height), width, kh, kw * kernels]);
  const y = rawReshape(c, inMemory(c, apart, [0, 2, 1, 3]), [batch, height * kh, width * kw, kernels]);
  return withBias(c, y, bias);
}

/** Cells of an image `stride` apart, with zeros between and after them: [B, H·sh, W·sw, C]. */
function spreadOut(c: TfjsContext, x: TfjsValue, [sh, sw]: Pair): TfjsValue {
  const [batch, height, width, channels] = x.shape as readonly [Dim, number, number, number];
  const wide = rawReshape(c, padTfjs(c, rawReshape(c, x, [productDim([batch, height, width]), channels]), [0, 0], [0, (sw - 1) * channels], 0), [batch, height, width * sw, channels]);
  const row = width * sw * channels;
  return rawReshape(c, padTfjs(c, rawReshape(c, wide, [mulDim(batch, height), row]), [0, 0], [0, (sh - 1) * row], 0), [batch, height * sh, width * sw, channels]);
}

/** conv2d_weight_grad: [O, C/groups, kh, kw] of a graph's x and dy. */
export function weightGradTfjs(c: TfjsContext, x: TfjsValue, dy: TfjsValue, w: Window, groups: number): TfjsValue {
  const cells = image(c, x), out = image(c, dy);
  const channels = channelsOf(cells) / groups, kernels = channelsOf(out) / groups;
  if (groups === 1) return denseWeightGrad(c, cells, out, w);
  if (channels === 1 && kernels === 1) {
    const sums = taps(c, frame(c, cells, w.padding, w.padding), w, sizeOf(out)).map((seen) => rawReshape(c, reduceTfjs(c, 'Sum', mulTfjs(c, out, seen), [0, 1, 2]), [1, groups]));
    return seenAs(rawReshape(c, concatTfjs(c, sums, 0), [...w.kernel, groups, 1]), [2, 3, 0, 1]);
  }
  return concatTfjs(c, Array.from({ length: groups }, (_, g) =>
    denseWeightGrad(c, sliceTfjs(c, cells, 3, g * channels, channels), sliceTfjs(c, out, 3, g * kernels, kernels), w)), 0);
}

/**
 * dyᵀ · x under each tap, one product a tap over all cells of the batch. With stride 1 the image is a list of cells and a tap an offset in it:
 * dy is padded to the image's width, so that the products read one run of memory each, and zeros meet what no window sees.
 */
function denseWeightGrad(c: TfjsContext, x: TfjsValue, dy: TfjsValue, w: Window): TfjsValue {
  const channels = channelsOf(x), kernels = channelsOf(dy), [kh, kw] = w.kernel, [batch] = dy.shape as readonly [Dim];
  const padded = frame(c, x, w.padding, w.padding);
  let left: TfjsValue, seen: readonly TfjsValue[];
  if (Math.max(...w.stride) === 1) {
    const [height, width] = sizeOf(padded), size = sizeOf(dy);
    const cells = productDim([batch, height, width]);
    const last = (kh - 1) * w.dilation[0] * width + (kw - 1) * w.dilation[1];
    const list = rawReshape(c, padded, [cells, channels]), length = subDim(cells, last);
    const wide = rawReshape(c, frame(c, dy, [0, 0], [height - size[0], width - size[1]]), [cells, kernels]);
    left = sliceTfjs(c, wide, 0, 0, length);
    seen = Array.from({ length: kh * kw }, (_, tap) => sliceTfjs(c, list, 0, Math.floor(tap / kw) * w.dilation[0] * width + (tap % kw) * w.dilation[1], length));
  } else {
    const cells = productDim(dy.shape.slice(0, 3));
    left = rawReshape(c, dy, [cells, kernels]);
    seen = taps(c, padded, w, sizeOf(dy)).map((cell) => rawReshape(c, cell, [cells, channels]));
  }
  const turned = inMemory(c, left, [1, 0]);
  const products = seen.map((cell) => matrixProduct(c, turned, cell));
  return seenAs(rawReshape(c, concatTfjs(c, products, 0), [kh, kw, kernels, channels]), [2, 3, 0, 1]);
}

/** Smaller than anything: what padding holds for a maximum. */
const LEAST = -3.4028234663852886e38;

const pooled = (x: TfjsValue, w: Window): readonly Dim[] => [at(x.shape, 0), ...both((i) => Math.floor((sizeOf(x)[i] - w.kernel[i]) / w.stride[i]) + 1), at(x.shape, 3)];

function pool(c: TfjsContext, kernel: string, x: TfjsValue, w: Window): TfjsValue {
  return c.call(kernel, { x }, { filterSize: w.kernel, strides: w.stride, pad: 'valid' }, pooled(x, w));
}

export const maxPoolTfjs = (c: TfjsContext, x: TfjsValue, w: Window): TfjsValue => asGraph(pool(c, 'MaxPool', frame(c, image(c, x), w.padding, w.padding, LEAST), w));
/** Padding counts as zeros in the mean. */
export const avgPoolTfjs = (c: TfjsContext, x: TfjsValue, w: Window): TfjsValue => asGraph(pool(c, 'AvgPool', frame(c, image(c, x), w.padding, w.padding), w));

/** Each window's dy to the first of its cells, row by row, that holds the maximum. */
export function maxPoolGradTfjs(c: TfjsContext, x: TfjsValue, dy: TfjsValue, w: Window): TfjsValue {
  const cells = image(c, x), padded = frame(c, cells, w.padding, w.padding, LEAST), out = image(c, dy), [kh, kw] = w.kernel, size = sizeOf(out);
  const largest = pool(c, 'MaxPool', padded, w), one = scalarTfjs(c, 1);
  let free: TfjsValue | undefined;
  const parts = taps(c, padded, { ...w, dilation: [1, 1] }, size).map((seen, tap) => {
    const holds = castTfjs(c, binaryTfjs(c, 'Equal', seen, largest, 'bool'), 'f32');
    const first = free === undefined ? holds : mulTfjs(c, holds, free);
    if (tap < kh * kw - 1) free = free === undefined ? subTfjs(c, one, first) : subTfjs(c, free, first);
    return mulTfjs(c, out, first);
  });
  const whole = sizeOf(padded);
  const placed = kh === w.stride[0] && kw === w.stride[1] ? woven(c, parts, w.kernel) : parts
    .map((part, tap) => {
      const from: Pair = [Math.floor(tap / kw), tap % kw], spread = spreadOut(c, part, w.stride);
      return frame(c, spread, from, both((i) => whole[i] - from[i] - size[i] * w.stride[i]));
    })
    .reduce((sum, part) => addTfjs(c, sum, part));
  const covered = frame(c, placed, [0, 0], both((i) => whole[i] - sizeOf(placed)[i]));
  return asGraph(frame(c, covered, both((i) => -w.padding[i]), both((i) => -w.padding[i])));
}

/** Parts [B, H, W, C], one a tap, as the image [B, H·kh, W·kw, C] whose windows they are. */
function woven(c: TfjsContext, parts: readonly TfjsValue[], [kh, kw]: Pair): TfjsValue {
  const [batch, height, width, channels] = at(parts, 0).shape as readonly [Dim, number, number, number];
  const rows = Array.from({ length: kh }, (_, y) =>
    rawReshape(c, concatTfjs(c, parts.slice(y * kw, y * kw + kw), 3), [mulDim(batch, height), width * kw * channels]));
  return rawReshape(c, concatTfjs(c, rows, 1), [batch, height * kh, width * kw, channels]);
}

/** Every cell of a graph's image repeated a whole number of times each way. */
export function repeatTfjs(c: TfjsContext, x: TfjsValue, [down, across]: Pair): TfjsValue {
  const cells = image(c, x), [batch, height, width, channels] = cells.shape as readonly [Dim, number, number, number];
  const wide = expandTfjs(c, rawReshape(c, cells, [productDim([batch, height, width]), 1, channels]), [productDim([batch, height, width]), across, channels]);
  const row = width * across * channels, lines = mulDim(batch, height);
  const tall = expandTfjs(c, rawReshape(c, wide, [lines, 1, row]), [lines, down, row]);
  return asGraph(rawReshape(c, tall, [batch, height * down, width * across, channels]));
}

export function bilinearTfjs(c: TfjsContext, x: TfjsValue, size: Pair, alignCorners: boolean): TfjsValue {
  const images = image(c, x);
  return asGraph(c.call('ResizeBilinear', { images }, { alignCorners, halfPixelCenters: !alignCorners, size }, [at(images.shape, 0), ...size, at(images.shape, 3)]));
}

/** rows · x · columnsᵀ on every channel of a graph's images, as two products with constants. */
export function mapImagesTfjs(c: TfjsContext, x: TfjsValue, { rows, columns }: Maps): TfjsValue {
  const turned = ({ shape: [a = 0, b = 0], data }: NdArray): NdArray => ndarray([b, a], transposed(data, 0, a, b));
  const wide = onLastAxis(c, inMemory(c, x, [0, 1, 2, 3]), turned(columns));
  return seenAs(onLastAxis(c, inMemory(c, wide, [0, 1, 3, 2]), turned(rows)), [0, 1, 3, 2]);
}
