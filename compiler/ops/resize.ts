// Resizing images as PyTorch's F.interpolate: type rule, gradient, float64 meaning, ONNX.
import { formatShape } from '../ir/dim.js';
import type { Attrs, NodeId } from '../ir/graph.js';
import { ndarray, type NdArray } from '../ir/ndarray.js';
import { OpError, type AttrSpec, type OnnxContext, type OpDef } from './op.js';
import { at, boolAttr, dimsAttr, pairAttr, textAttr } from './shared/attrs.js';
import { interpolationMatrix, mapImages, mapImagesOnnx, upsampleOnnx, type Maps, type ResizeMode } from './shared/interpolation.js';
import { atLeast, both, imageOf, known, type Pair } from './shared/spatial.js';
import { bilinearTfjs, mapImagesTfjs, repeatTfjs } from './shared/tfjs-images.js';
import { gatherTfjs } from './shared/tfjs.js';

const MODE: AttrSpec = { kind: 'enum', values: ['bilinear', 'bicubic', 'nearest'], default: 'bilinear', doc: 'how cells between are read' };
const ALIGN_CORNERS: AttrSpec = { kind: 'bool', default: false, doc: 'whether the centres of the corner cells stay corners (nearest has no such choice)' };
/** What resize and resize_grad share beside their sizes. */
export const HOW = { mode: MODE, align_corners: ALIGN_CORNERS } as const;

const modeOf = (attrs: Attrs): ResizeMode => textAttr(attrs, 'mode') as ResizeMode;

/** The interpolation along rows and along columns. */
export function interpolationMaps(from: Pair, to: Pair, attrs: Attrs): Maps {
  const along = (i: 0 | 1) => interpolationMatrix(from[i], to[i], modeOf(attrs), boolAttr(attrs, 'align_corners'));
  return { rows: along(0), columns: along(1) };
}

export const resize: OpDef = {
  name: 'resize',
  doc: 'images [B, C, H, W] at another size, interpolated as PyTorch does (bicubic with a = -0.75, nearest by floor)',
  constraints: ['(C1) x has rank 4, channels, height and width are known', '(C2) size is two numbers of at least 1'],
  inputs: ['x'],
  attrs: { size: { kind: 'dims', doc: 'height and width to make' }, ...HOW },
  surface: true,
  infer: ([x], attrs) => {
    const image = imageOf('resize', 'x', x);
    const wanted = dimsAttr(attrs, 'size');
    if (wanted.length !== 2) throw new OpError('attr', `resize: size is ${formatShape(wanted)}; it takes two numbers, [height, width]`);
    const size: Pair = [known('resize', 'new height', at(wanted, 0)), known('resize', 'new width', at(wanted, 1))];
    atLeast('resize', 'size', size, 1);
    return { dtype: 'f32', shape: [image.batch, image.channels, ...size] };
  },
  gradient: ({ b, node, inputs, dy }) => {
    const { size } = imageOf('resize', 'x', b.type(at(inputs, 0)));
    const to = pairAttr(node.attrs, 'size');
    if (modeOf(node.attrs) === 'nearest' && isMultiple(size, to)) {
      const times = both((i) => to[i] / size[i]);
      return [b.scale(b.add('avg_pool', [dy], { kernel: times, stride: times }), times[0] * times[1])];
    }
    return [b.add('resize_grad', [dy], { ...node.attrs, size })];
  },
  evaluate: (inputs, attrs) => {
    const x = at(inputs, 0);
    return mapImages(x, interpolationMaps([at(x.shape, 2), at(x.shape, 3)], pairAttr(attrs, 'size'), attrs));
  },
  onnx: (c, node, names) => {
    const x = at(names, 0);
    const { size } = imageOf('resize', 'x', c.typeOf(node.inputs[0] as NodeId));
    const to = pairAttr(node.attrs, 'size');
    if (to[0] === size[0] && to[1] === size[1]) return c.emit('Identity', [x]);
    switch (modeOf(node.attrs)) {
      case 'nearest': return nearest(c, x, size, to);
      // ONNX Runtime's cubic Resize takes 25 to 70 times as long as the two products.
      case 'bicubic': return mapImagesOnnx(c, x, interpolationMaps(size, to, node.attrs));
      // By scales: with `axes`, ONNX Runtime's transpose optimiser permutes the two as if they were four, and sizes with a symbolic batch fail its shape check.
      case 'bilinear': return c.emit('Resize', [x, '', c.constant(ndarray([4], [1, 1, scaleOf(size[0], to[0]), scaleOf(size[1], to[1])]), 'f32')], {
        mode: 'linear', coordinate_transformation_mode: boolAttr(node.attrs, 'align_corners') ? 'align_corners' : 'half_pixel',
      });
    }
  },
  tfjs: (c, node, inputs) => {
    const x = at(inputs, 0), { size } = imageOf('resize', 'x', x), to = pairAttr(node.attrs, 'size');
    if (to[0] === size[0] && to[1] === size[1]) return x;
    switch (modeOf(node.attrs)) {
      case 'bilinear': return bilinearTfjs(c, x, to, boolAttr(node.attrs, 'align_corners'));
      case 'bicubic': return mapImagesTfjs(c, x, interpolationMaps(size, to, node.attrs));
      case 'nearest': {
        if (isMultiple(size, to)) return repeatTfjs(c, x, both((i) => to[i] / size[i]));
        const cells = (i: 0 | 1) => c.constant(nearestCells(size[i], to[i]), 'i64');
        return gatherTfjs(c, gatherTfjs(c, x, cells(0), 2), cells(1), 3);
      }
    }
  },
};

const isMultiple = (from: Pair, to: Pair): boolean => to[0] % from[0] === 0 && to[1] % from[1] === 0;

/** For each of `to` cells the one of `from` that it reads. */
const nearestCells = (from: number, to: number): NdArray => ndarray([to], Float64Array.from({ length: to }, (_, cell) => Math.floor((cell * from) / to)));

/** Whole multiples by Resize; other ratios by index, since Resize rounds i·from/to in float32. */
function nearest(c: OnnxContext, x: string, from: Pair, to: Pair): string {
  if (isMultiple(from, to)) return upsampleOnnx(c, x, [to[0] / from[0], to[1] / from[1]]);
  const index = (i: 0 | 1): string => c.constant(nearestCells(from[i], to[i]), 'i64');
  return c.emit('Gather', [c.emit('Gather', [x, index(0)], { axis: { int: 2 } }), index(1)], { axis: { int: 3 } });
}

/** The float32 scale by which ONNX makes `from` cells `to`: from * scale is rounded down, by some readers in float32 and by some in float64. */
function scaleOf(from: number, to: number): number {
  const scale = Math.fround(to / from);
  return from * scale >= to ? scale : Math.fround(scale * (1 + 2 ** -23));
}
