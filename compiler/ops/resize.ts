// Resizing images as PyTorch's F.interpolate: type rule, gradient, float64 meaning, ONNX Resize.
import { formatShape } from '../ir/dim.js';
import type { Attrs, NodeId } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type OpDef, type OnnxContext } from './op.js';
import { at, boolAttr, dimsAttr, pairAttr, textAttr } from './shared/attrs.js';
import { CUBIC_A, interpolationMatrix, type ResizeMode } from './shared/interpolation.js';
import { alongBothAxes } from './shared/kernels.js';
import { atLeast, both, imageOf, known, type Pair } from './shared/spatial.js';

const modeOf = (attrs: Attrs): ResizeMode => textAttr(attrs, 'mode') as ResizeMode;
const matrices = (from: Pair, attrs: Attrs): readonly [NdArray, NdArray] => {
  const to = pairAttr(attrs, 'size');
  const along = (i: 0 | 1): NdArray => interpolationMatrix(from[i], to[i], modeOf(attrs), boolAttr(attrs, 'align_corners'));
  return [along(0), along(1)];
};

export const resize: OpDef = {
  name: 'resize',
  doc: 'images [B, C, H, W] at another size, interpolated as PyTorch does (bicubic with a = -0.75, nearest by floor)',
  constraints: ['(C1) x has rank 4, channels, height and width are known', '(C2) size is two numbers of at least 1'],
  inputs: ['x'],
  attrs: {
    size: { kind: 'dims', doc: 'height and width to make' },
    mode: { kind: 'enum', values: ['bilinear', 'bicubic', 'nearest'], default: 'bilinear', doc: 'how cells between are read' },
    align_corners: { kind: 'bool', default: false, doc: 'whether the centres of the corner cells stay corners (not for nearest)' },
  },
  surface: true,
  infer: ([x], attrs) => {
    const image = imageOf('resize', 'x', x);
    const wanted = dimsAttr(attrs, 'size');
    if (wanted.length !== 2) throw new OpError('attr', `resize: size is ${formatShape(wanted)}; it takes two numbers, [height, width]`);
    const size: Pair = [known('resize', 'new height', at(wanted, 0)), known('resize', 'new width', at(wanted, 1))];
    atLeast('resize', 'size', size, 1);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...size] };
  },
  /** Rowsᵀ · dy · columns with the matrices of the interpolation; each product turns the image, so two turn it back. */
  gradient: ({ b, node, inputs, dy }) => {
    const { size } = imageOf('resize', 'x', b.type(inputs[0] as NodeId));
    const to = pairAttr(node.attrs, 'size');
    const times = both((i) => to[i] / size[i]);
    if (modeOf(node.attrs) === 'nearest' && times.every(Number.isInteger)) {
      return [b.scale(b.add('avg_pool', [dy], { kernel: times, stride: times }), times[0] * times[1])];
    }
    const [rows, columns] = matrices(size, node.attrs);
    const turned = b.add('matmul', [dy, b.constant(rows)], { transpose_a: true });
    return [b.add('matmul', [turned, b.constant(columns)], { transpose_a: true })];
  },
  evaluate: ([x], attrs) => {
    const image = x as NdArray;
    return alongBothAxes(image, ...matrices([image.shape[2] ?? 0, image.shape[3] ?? 0], attrs));
  },
  onnx: (c, node, [x = '']) => {
    const { size } = imageOf('resize', 'x', c.typeOf(node.inputs[0] as NodeId));
    const to = pairAttr(node.attrs, 'size');
    if (to[0] === size[0] && to[1] === size[1]) return c.emit('Identity', [x]);
    if (modeOf(node.attrs) === 'nearest') return nearest(c, x, size, to);
    return c.emit('Resize', [x, '', '', c.ints(to)], {
      axes: { ints: [2, 3] }, mode: modeOf(node.attrs) === 'bilinear' ? 'linear' : 'cubic', cubic_coeff_a: { float: CUBIC_A },
      coordinate_transformation_mode: boolAttr(node.attrs, 'align_corners') ? 'align_corners' : 'half_pixel',
    });
  },
};

/** Whole multiples by Resize; other ratios by index, since Resize rounds i·from/to in float32. */
function nearest(c: OnnxContext, x: string, from: Pair, to: Pair): string {
  if (to[0] % from[0] === 0 && to[1] % from[1] === 0) {
    return c.emit('Resize', [x, '', '', c.ints(to)], { axes: { ints: [2, 3] }, mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' });
  }
  const index = (i: 0 | 1): string => c.constant(ndarray([to[i]], Float64Array.from({ length: to[i] }, (_, cell) => Math.floor((cell * from[i]) / to[i]))), 'i64');
  return c.emit('Gather', [c.emit('Gather', [x, index(0)], { axis: { int: 2 } }), index(1)], { axis: { int: 3 } });
}
