// Shapes of sliding windows over NCHW images: reading their attributes, output sizes, and the errors that name both sizes.
// Their arithmetic is in kernels.ts.
import { formatDim, isStatic, type Dim } from '../../ir/dim.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { Attrs, NodeId, TensorType } from '../../ir/graph.js';
import { OpError, type AttrSpec, type OnnxContext } from '../op.js';
import { at, pairAttr } from './attrs.js';
import { named, requireDType, requireRank } from './rules.js';

/** Height, then width. */
export type Pair = readonly [number, number];
export interface Window { readonly kernel: Pair; readonly stride: Pair; readonly padding: Pair; readonly dilation: Pair }
export interface Image { readonly batch: Dim; readonly channels: number; readonly size: Pair }

const AXIS = ['height', 'width'] as const;
export const both = (f: (axis: 0 | 1) => number): Pair => [f(0), f(1)];

export const STRIDE: AttrSpec = { kind: 'pair', default: [1, 1], doc: 'steps between windows, [height, width]' };
export const PADDING: AttrSpec = { kind: 'pair', default: [0, 0], doc: 'added on both sides, [height, width]' };
export const DILATION: AttrSpec = { kind: 'pair', default: [1, 1], doc: 'steps between the taps of a window, [height, width]' };
export const GROUPS: AttrSpec = { kind: 'int', default: 1, doc: 'channels are cut into so many groups, each with its own kernels' };
/** Of pools: 0 stands for the kernel. */
export const POOL_STRIDE: AttrSpec = { kind: 'pair', default: [0, 0], doc: 'steps between windows, [height, width]; 0, the default, is the kernel' };
export const KERNEL: AttrSpec = { kind: 'pair', doc: 'size of the window, [height, width]' };

export function atLeast(op: string, name: string, value: Pair | number, least: number): void {
  for (const v of typeof value === 'number' ? [value] : value) {
    if (!Number.isInteger(v) || v < least) throw new OpError('attr', `${op}: ${name} is ${v}; it must be an integer of at least ${least}`);
  }
}

const rank4 = (op: string, name: string, type: TensorType | undefined, layout: string): readonly [Dim, Dim, Dim, Dim] => {
  if (type === undefined) throw new Error(`${op} lacks its input ${name}`);
  requireDType(op, named(name, type), ['f32']);
  requireRank(op, named(name, type), [4], layout);
  return [at(type.shape, 0), at(type.shape, 1), at(type.shape, 2), at(type.shape, 3)];
};

/** An f32[B, C, H, W] whose channels, height and width are known. Throws OpError. */
export function imageOf(op: string, name: string, type: TensorType | undefined): Image {
  const [batch, channels, height, width] = rank4(op, name, type, '[B, C, H, W]');
  return { batch, channels: known(op, 'channels', channels), size: [known(op, 'height', height), known(op, 'width', width)] };
}

/** The dims of a weight, all of them known. Throws OpError. */
export function kernelOf(op: string, type: TensorType | undefined, layout: string): readonly [number, number, number, number] {
  const [a, b, height, width] = rank4(op, 'weight', type, layout);
  return [known(op, 'kernels', a), known(op, 'channels of a kernel', b), known(op, 'kernel height', height), known(op, 'kernel width', width)];
}

export function known(op: string, what: string, d: Dim): number {
  if (!isStatic(d)) throw new OpError('open', `${op}: its ${what} must be known and is ${formatDim(d)}`, 'only the batch may stay open');
  return d;
}

/** A bias f32[O] for O output channels. */
export function checkBias(op: string, type: TensorType | undefined, channels: number): void {
  if (type === undefined) return;
  requireDType(op, named('bias', type), ['f32']);
  requireRank(op, named('bias', type), [1], `[${channels}]`);
  const size = at(type.shape, 0);
  if (size !== channels) throw new OpError('shape', `${op}: it makes ${channels} channels and its bias has ${formatDim(size)}`, `bias: f32[${channels}]`);
}

/** `groups` must divide both numbers of channels. */
export function checkGroups(op: string, groups: number, counts: readonly (readonly [what: string, count: number])[]): void {
  atLeast(op, 'groups', groups, 1);
  for (const [what, count] of counts) {
    if (count % groups !== 0) throw new OpError('divide', `${op}: ${what} ${count} cannot be cut into ${groups} groups`, `groups that fit: ${divisors(count).join(', ')}`);
  }
}
const divisors = (n: number): number[] => {
  const found: number[] = [];
  for (let d = 1; d <= n && found.length < 12; d++) if (n % d === 0) found.push(d);
  return found;
};

/** Reads stride, padding and dilation (1 where the op has none) around a kernel, and checks their ranges. */
export function windowOf(op: string, attrs: Attrs, kernel: Pair = pairAttr(attrs, 'kernel')): Window {
  const window = { kernel, stride: pairAttr(attrs, 'stride'), padding: pairAttr(attrs, 'padding'), dilation: 'dilation' in attrs ? pairAttr(attrs, 'dilation') : ([1, 1] as const) };
  atLeast(op, 'kernel', window.kernel, 1);
  atLeast(op, 'stride', window.stride, 1);
  atLeast(op, 'padding', window.padding, 0);
  atLeast(op, 'dilation', window.dilation, 1);
  return window;
}

/** Cells that a window spans: dilation·(kernel − 1) + 1. */
export const span = (w: Window): Pair => both((i) => w.dilation[i] * (w.kernel[i] - 1) + 1);

/** floor((in + 2·padding − span) / stride) + 1. Throws where the window does not fit. */
export function outputSize(op: string, size: Pair, w: Window): Pair {
  const spans = span(w);
  return both((i) => {
    const padded = size[i] + 2 * w.padding[i];
    if (padded < spans[i]) {
      throw new OpError('shape', `${op}: the window spans ${spans[i]} and the ${AXIS[i]} is ${size[i]}${w.padding[i] > 0 ? `, padded to ${padded}` : ''}`,
        `padding: ${Math.ceil((spans[i] - size[i]) / 2)} would make it fit`);
    }
    return Math.floor((padded - spans[i]) / w.stride[i]) + 1;
  });
}

/** (in − 1)·stride − 2·padding + span + output_padding: the size that a transposed convolution makes. */
export function transposedSize(op: string, size: Pair, w: Window, outputPadding: Pair): Pair {
  const spans = span(w);
  return both((i) => {
    if (outputPadding[i] >= w.stride[i]) {
      throw new OpError('attr', `${op}: output_padding ${outputPadding[i]} must be smaller than the stride ${w.stride[i]}`);
    }
    const made = (size[i] - 1) * w.stride[i] - 2 * w.padding[i] + spans[i] + outputPadding[i];
    if (made < 1) throw new OpError('shape', `${op}: a ${AXIS[i]} of ${size[i]} with padding ${w.padding[i]} leaves ${made}`, 'a smaller padding');
    return made;
  });
}

/** Windows of a pool: no dilation, and a padding of at most half the kernel, so that each window sees a cell. */
export function poolOf(op: string, attrs: Attrs): Window {
  const kernel = pairAttr(attrs, 'kernel'), stride = pairAttr(attrs, 'stride');
  const w = windowOf(op, { ...attrs, stride: both((i) => (stride[i] === 0 ? kernel[i] : stride[i])) });
  both((i) => {
    if (2 * w.padding[i] > w.kernel[i]) throw new OpError('attr', `${op}: padding ${w.padding[i]} is more than half the kernel ${w.kernel[i]}`, `padding: ${Math.floor(w.kernel[i] / 2)} at most`);
    return 0;
  });
  return w;
}

/** Emits a Conv with symmetric padding. */
export function convOnnx(c: OnnxContext, inputs: readonly string[], stride: Pair, padding: Pair, dilation: Pair, groups: number): string {
  return c.emit('Conv', inputs, { strides: { ints: stride }, pads: { ints: [...padding, ...padding] }, dilations: { ints: dilation }, group: { int: groups } });
}

/** The gradient of a bias f32[O]: dy [B, O, H, W] summed over all but the channels. */
export const biasGradient = (b: GraphBuilder, dy: NodeId): NodeId => b.reshape(b.sum(dy, [0, 2, 3]), b.shape(dy).slice(1, 2));
