// What a file may do around the network: pictures of any size to its image, its logits to masks of the picture's size. Plain ONNX of opset 17,
// as `tpsc predict` does it. A resize is two products with matrices that the file computes from the sizes it meets.
import { symbol, type Dim } from '../../ir/dim.js';
import type { TensorType } from '../../ir/graph.js';
import { ndarray } from '../../ir/ndarray.js';
import type { Emitter } from './emitter.js';
import { elementType, type FileType } from './proto.js';

/** Takes an input as RGB pictures uint8[B, height, width, 3]: resized to `size`, then byte · scale + shift, channel by channel. */
export interface ShapedPictures {
  readonly input: string;
  /** Height and width. */
  readonly size: readonly [number, number];
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Gives `probability` f32 and `mask` uint8 (0 or 1) besides the output `logits`, at the size of the pictures where the file takes them. */
export interface CutLogits { readonly logits: string; readonly threshold: number }
/** The outputs that `CutLogits` adds. */
export const MASK_OUTPUTS = ['probability', 'mask'] as const;

const HEIGHT = symbol('picture_height'), WIDTH = symbol('picture_width');

export const pictureType = ({ shape }: TensorType): FileType => ({ dtype: 'u8', shape: [shape[0] ?? 1, HEIGHT, WIDTH, 3] });

const cast = (c: Emitter, x: string, dtype: 'f32' | 'u8'): string => c.emit('Cast', [x], { to: { int: elementType(dtype) } });

/** The image f32[B, 3, H, W] of pictures. Bytes are rounded after each resized axis, rows first, as an image library does. */
export function shapePictures(c: Emitter, pictures: string, { size: [height, width], scale, shift }: ShapedPictures): string {
  return within(c, 'preprocessing', () => {
    const planes = c.emit('Transpose', [cast(c, pictures, 'f32')], { perm: { ints: [0, 3, 1, 2] } });
    const [from, along] = pictureSize(c, pictures);
    const rows = interpolation(c, from, c.ints([height]), true), columns = interpolation(c, along, c.ints([width]), true);
    const tall = c.emit('Round', [c.emit('MatMul', [rows, planes])]);
    const bytes = c.emit('Round', [c.emit('MatMul', [tall, turned(c, columns)])]);
    const channels = (values: readonly number[]): string => c.constant(ndarray([1, 3, 1, 1], values), 'f32');
    return c.emit('Add', [c.emit('Mul', [bytes, channels(scale)]), channels(shift)]);
  });
}

/** Resizes logits, not masks, so that outlines stay smooth; lesion where sigmoid(logit) >= threshold. */
export function cutLogits(c: Emitter, { name, type }: { readonly name: string; readonly type: TensorType }, { threshold }: CutLogits, pictures: string | undefined):
readonly { readonly name: (typeof MASK_OUTPUTS)[number]; readonly from: string; readonly type: FileType }[] {
  return within(c, 'postprocessing', () => {
    const [batch = 1, channels = 1, height = 1, width = 1] = type.shape;
    const logits = pictures === undefined ? name : resized(c, name, [height, width], pictureSize(c, pictures));
    const shape: readonly Dim[] = [batch, channels, ...(pictures === undefined ? [height, width] : [HEIGHT, WIDTH])];
    const cut = threshold <= 0 ? -Infinity : threshold >= 1 ? Infinity : Math.log(threshold / (1 - threshold));
    return [
      { name: 'probability', from: c.emit('Sigmoid', [logits]), type: { dtype: 'f32', shape } },
      { name: 'mask', from: cast(c, c.emit('GreaterOrEqual', [logits, c.float(cut)]), 'u8'), type: { dtype: 'u8', shape } },
    ];
  });
}

function resized(c: Emitter, x: string, from: readonly [Dim, Dim], to: readonly [string, string]): string {
  const along = (i: 0 | 1): string => interpolation(c, c.shape([from[i]]), to[i], false);
  return c.emit('MatMul', [c.emit('MatMul', [along(0), x]), turned(c, along(1))]);
}

/** Height and width of uint8[B, height, width, 3], each int64[1]. */
const pictureSize = (c: Emitter, pictures: string): readonly [string, string] => {
  const axis = (i: number): string => c.emit('Shape', [pictures], { start: { int: i }, end: { int: i + 1 } });
  return [axis(1), axis(2)];
};

const turned = (c: Emitter, matrix: string): string => c.emit('Transpose', [matrix], { perm: { ints: [1, 0] } });

/**
 * The matrix [to, from] that interpolates `from` cells to `to` of them, both int64[1]: row i is max(0, 1 - |p_i - j| / s) over its sum, at
 * p_i = (i + 1/2) · from / to - 1/2. s is 1, or from / to where that is more and `smooth` says so: a triangle as wide as what it replaces.
 */
function interpolation(c: Emitter, from: string, to: string, smooth: boolean): string {
  const float = (n: string): string => cast(c, n, 'f32');
  const places = (n: string): string => float(c.emit('Range', [c.constant(ndarray([], [0]), 'i64'), c.emit('Squeeze', [n]), c.constant(ndarray([], [1]), 'i64')]));
  const ratio = c.emit('Div', [float(from), float(to)]), half = c.float(0.5);
  const positions = c.emit('Sub', [c.emit('Mul', [c.emit('Add', [places(to), half]), ratio]), half]);
  const apart = c.emit('Abs', [c.emit('Sub', [c.emit('Unsqueeze', [positions, c.ints([1])]), places(from)])]);
  const steps = smooth ? c.emit('Div', [apart, c.emit('Max', [ratio, c.float(1)])]) : apart;
  const weights = c.emit('Relu', [c.emit('Sub', [c.float(1), steps])]);
  return c.emit('Div', [weights, c.emit('ReduceSum', [weights, c.ints([1])], { keepdims: { int: 1 } })]);
}

/** Names of values begin with `path` in here. */
function within<T>(c: Emitter, path: string, write: () => T): T {
  const outer = c.path;
  c.path = path;
  const made = write();
  c.path = outer;
  return made;
}
