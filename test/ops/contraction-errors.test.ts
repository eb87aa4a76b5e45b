// What contractions, pools, resize, softmax and normalize say of inputs that do not fit: kind, both sizes, mend. And their costs.
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { formatDim, symbol, type Dim } from '../../compiler/ir/dim.js';
import { formatType, type Attrs, type DType } from '../../compiler/ir/graph.js';
import { OpError } from '../../compiler/ops/op.js';
import { opOf } from '../../compiler/ops/index.js';

const B = symbol('B');
type Shape = readonly Dim[];

function add(op: string, shapes: readonly Shape[], attrs: Attrs = {}, dtype: DType = 'f32') {
  const b = new GraphBuilder();
  const id = b.add(op, shapes.map((shape, i) => b.leaf('input', { name: `x${i}` }, { dtype, shape })), attrs);
  return b.node(id);
}
/** `kind: message | help`, or the type where all fits. */
function said(op: string, shapes: readonly Shape[], attrs?: Attrs, dtype?: DType): string {
  try {
    return formatType(add(op, shapes, attrs, dtype).type);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    return `${error.kind}: ${error.message}${error.help === undefined ? '' : ` | ${error.help}`}`;
  }
}

describe('conv2d', () => {
  it('keeps the batch open', () => expect(said('conv2d', [[B, 3, 32, 48], [16, 3, 3, 3]], { padding: [1, 1], stride: [2, 2] })).toBe('f32[B, 16, 16, 24]'));
  it('(C1) wants images', () => expect(said('conv2d', [[B, 10, 3], [8, 3, 3, 3]])).toBe(
    'rank: conv2d: x is f32[B, 10, 3] of rank 3; it takes rank 4, [B, C, H, W] | reshape x to rank 4'));
  it('(C1) wants to know the size', () => expect(said('conv2d', [[1, 3, B, 8], [8, 3, 3, 3]])).toBe(
    'open: conv2d: its height must be known and is B | only the batch may stay open'));
  it('(C2) cuts channels into groups', () => expect(said('conv2d', [[B, 6, 8, 8], [8, 2, 3, 3]], { groups: 4 })).toBe(
    'divide: conv2d: channels 6 cannot be cut into 4 groups | groups that fit: 1, 2, 3, 6'));
  it('(C3) names both numbers of channels', () => expect(said('conv2d', [[B, 64, 8, 8], [16, 32, 3, 3]])).toBe(
    'shape: conv2d: x has 64 channels and the weight takes 32 | a weight f32[16, 64, 3, 3]'));
  it('(C3) names them for groups', () => expect(said('conv2d', [[B, 64, 8, 8], [16, 8, 3, 3]], { groups: 4 })).toBe(
    'shape: conv2d: x has 64 channels and the weight takes 8 in each of 4 groups, 32 in all | a weight f32[16, 16, 3, 3]'));
  it('(C4) wants a bias of its channels', () => expect(said('conv2d', [[B, 3, 8, 8], [16, 3, 3, 3], [3]])).toBe(
    'shape: conv2d: it makes 16 channels and its bias has 3 | bias: f32[16]'));
  it('(C5) says which padding fits', () => expect(said('conv2d', [[B, 3, 4, 9], [16, 3, 3, 3]], { dilation: [3, 3] })).toBe(
    'shape: conv2d: the window spans 7 and the height is 4 | padding: 2 would make it fit'));
  it('takes no stride 0', () => expect(said('conv2d', [[B, 3, 8, 8], [16, 3, 3, 3]], { stride: [0, 1] })).toBe('attr: conv2d: stride is 0; it must be an integer of at least 1'));
});

describe('conv_transpose2d', () => {
  it('doubles', () => expect(said('conv_transpose2d', [[B, 8, 5, 7], [8, 4, 2, 2]], { stride: [2, 2] })).toBe('f32[B, 4, 10, 14]'));
  it('(C3) names both numbers of channels', () => expect(said('conv_transpose2d', [[B, 8, 5, 7], [4, 8, 2, 2]])).toBe(
    'shape: conv_transpose2d: x has 8 channels and the weight takes 4 | a weight f32[8, 8, 2, 2]'));
  it('(C5) bounds output_padding', () => expect(said('conv_transpose2d', [[B, 8, 5, 7], [8, 4, 3, 3]], { output_padding: [1, 1] })).toBe(
    'attr: conv_transpose2d: output_padding 1 must be smaller than the stride 1'));
  it('must leave something', () => expect(said('conv_transpose2d', [[B, 8, 2, 7], [8, 4, 1, 1]], { padding: [1, 0] })).toBe(
    'shape: conv_transpose2d: a height of 2 with padding 1 leaves 0 | a smaller padding'));
});

describe('matmul', () => {
  it('takes one b for many a', () => expect(said('matmul', [[B, 7, 4], [4, 9]])).toBe('f32[B, 7, 9]'));
  it('(C1) wants matrices', () => expect(said('matmul', [[4], [4, 9]])).toBe('rank: matmul: f32[4] has rank 1; it takes matrices, rank 2 or more | reshape it to a matrix'));
  it('(C2) offers the transpose that fits', () => expect(said('matmul', [[B, 7, 4], [9, 4]])).toBe(
    'shape: matmul: rows of a have 4 and columns of b have 9 (a f32[B, 7, 4], b f32[9, 4]) | transpose_b: true'));
  it('(C3) wants the same leading dims', () => expect(said('matmul', [[B, 2, 7, 4], [B, 3, 4, 5]])).toBe(
    'shape: matmul: leading dims differ: 2 of a and 3 of b at axis 1 | expand b to the leading dims of a'));
  it('(C3) or none', () => expect(said('matmul', [[B, 2, 7, 4], [B, 4, 5]])).toBe(
    'rank: matmul: a f32[B, 2, 7, 4] has rank 4 and b f32[B, 4, 5] has rank 3 | b of rank 2 or 4'));
  it('takes f32', () => expect(said('matmul', [[2, 2], [2, 2]], {}, 'i64')).toContain('dtype: matmul: a is i64[2, 2]; it takes f32'));
});

describe('pools, resize, softmax, normalize', () => {
  it('max_pool steps by its kernel', () => expect(said('max_pool', [[B, 3, 9, 8]], { kernel: [2, 2] })).toBe('f32[B, 3, 4, 4]'));
  it('(C2) pads at most half the kernel', () => expect(said('avg_pool', [[B, 3, 9, 8]], { kernel: [3, 3], padding: [2, 1] })).toBe(
    'attr: avg_pool: padding 2 is more than half the kernel 3 | padding: 1 at most'));
  it('(C3) the window fits', () => expect(said('max_pool', [[B, 3, 2, 8]], { kernel: [3, 3] })).toBe(
    'shape: max_pool: the window spans 3 and the height is 2 | padding: 1 would make it fit'));
  it('resize wants two sizes', () => expect(said('resize', [[B, 3, 2, 8]], { size: [4] })).toBe('attr: resize: size is [4]; it takes two numbers, [height, width]'));
  it('resize wants sizes of 1 or more', () => expect(said('resize', [[B, 3, 2, 8]], { size: [0, 4] })).toBe('attr: resize: size is 0; it must be an integer of at least 1'));
  it('resize wants to know them', () => expect(said('resize', [[1, 3, 2, 8]], { size: [B, 4] })).toBe('open: resize: its new height must be known and is B | only the batch may stay open'));
  it('softmax has an axis of x', () => expect(said('softmax', [[B, 3]], { axis: 2 })).toContain('attr: softmax: axis 2 is no axis of f32[B, 3]'));
  it('normalize names each axis once', () => expect(said('normalize', [[B, 3]], { axes: [1, -1] })).toContain('attr: normalize: axes [1, -1] names axis 1 of f32[B, 3] twice'));
  it('normalize needs a positive eps', () => expect(said('normalize', [[B, 3]], { axes: [1], eps: 0 })).toContain('eps is 0; it must be positive'));
});

describe('multiply-adds', () => {
  const macs = (op: string, shapes: readonly Shape[], attrs: Attrs = {}): string => {
    const { attrs: complete, type } = add(op, shapes, attrs);
    return formatDim(opOf(op).cost!(shapes.map((shape) => ({ dtype: 'f32', shape })), complete, type).macs);
  };
  it('of conv2d: outputs times taps', () => expect(macs('conv2d', [[B, 64, 88, 88], [32, 64, 3, 3]], { padding: [1, 1] })).toBe(`${32 * 88 * 88 * 64 * 9}*B`));
  it('of a depthwise conv2d', () => expect(macs('conv2d', [[B, 64, 8, 8], [64, 1, 3, 3]], { groups: 64 })).toBe(`${64 * 36 * 9}*B`));
  it('of conv_transpose2d: inputs times taps', () => expect(macs('conv_transpose2d', [[B, 64, 8, 8], [64, 32, 2, 2]], { stride: [2, 2] })).toBe(`${64 * 64 * 32 * 4}*B`));
  it('of matmul: outputs times k', () => expect(macs('matmul', [[B, 49, 96], [96, 288]])).toBe(`${49 * 96 * 288}*B`));
});
