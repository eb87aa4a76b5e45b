// The op `pad`: its row of the table.
import type { GraphBuilder } from '../ir/builder.js';
import { addDim, formatDim, isStatic, subDim, type Dim } from '../ir/dim.js';
import { formatType, type NodeId } from '../ir/graph.js';
import { ndarray, sizeOf, stridesOf } from '../ir/ndarray.js';
import { OpError, type OpDef, type TfjsValue } from './op.js';
import { at, intsAttr, numberAttr, textAttr } from './shared/attrs.js';
import { padAxis, part } from './shared/padding.js';
import { named, requireDType } from './shared/rules.js';
import { concatTfjs, expandTfjs, inMemory, padTfjs, seenAs, sliceTfjs } from './shared/tfjs.js';

export const pad: OpDef = {
  name: 'pad',
  doc: 'Elements added before and after each axis: a constant, the mirrored inside (without the border element), or the border element.',
  constraints: ['(C1) x is f32', '(C2) before and after have one entry per axis of x, each at least 0', '(C3) reflect: each entry is less than the size of its axis'],
  inputs: ['x'],
  attrs: {
    before: { kind: 'ints', doc: 'how many elements in front, for each axis' },
    after: { kind: 'ints', doc: 'how many behind, for each axis' },
    mode: { kind: 'enum', values: ['constant', 'reflect', 'edge'], default: 'constant', doc: 'what the new elements are' },
    value: { kind: 'float', default: 0, doc: 'the value of mode constant' },
  },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    requireDType('pad', named('x', x), ['f32']);
    for (const name of ['before', 'after']) {
      const counts = intsAttr(attrs, name);
      const said = `pad: ${name} is [${counts.join(', ')}], x is ${formatType(x)}`;
      if (counts.length !== x.shape.length) throw new OpError('attr', `${said}: one entry per axis is needed`, `give ${x.shape.length} entries, 0 where nothing is added`);
      const axis = counts.findIndex((n, i) => n < 0 || (textAttr(attrs, 'mode') === 'reflect' && n > 0 && reaches(n, at(x.shape, i))));
      if (axis < 0) continue;
      throw new OpError('attr', `${said}: ${at(counts, axis)} cannot be added on axis ${axis} of size ${formatDim(at(x.shape, axis))}`,
        at(counts, axis) < 0 ? 'slice takes elements away' : 'a mirror image is shorter than the axis; use mode edge or pad less');
    }
    const [before, after] = [intsAttr(attrs, 'before'), intsAttr(attrs, 'after')];
    return { dtype: 'f32', shape: x.shape.map((d, i) => addDim(d, at(before, i) + at(after, i))) };
  },
  gradient({ b, dy, inputs, node, needs }) {
    if (!needs(0)) return [undefined];
    const [before, after] = [intsAttr(node.attrs, 'before'), intsAttr(node.attrs, 'after')];
    const fold = foldOf[textAttr(node.attrs, 'mode') as keyof typeof foldOf];
    return [b.shape(at(inputs, 0)).reduce<NodeId>((grad, size, axis) => fold(b, grad, { axis, size, before: at(before, axis), after: at(after, axis) }), dy)];
  },
  evaluate(inputs, attrs, shape) {
    const x = at(inputs, 0);
    const before = intsAttr(attrs, 'before');
    const mode = textAttr(attrs, 'mode');
    const value = numberAttr(attrs, 'value');
    const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
    return ndarray(shape, Float64Array.from({ length: sizeOf(shape) }, (_, flat) => {
      let source = 0;
      for (let axis = 0; axis < shape.length; axis++) {
        const size = at(x.shape, axis);
        let k = (Math.floor(flat / at(to, axis)) % at(shape, axis)) - at(before, axis);
        if (k < 0 || k >= size) {
          if (mode === 'constant') return value;
          if (mode === 'edge') k = k < 0 ? 0 : size - 1;
          else k = k < 0 ? -k : 2 * (size - 1) - k;
        }
        source += k * at(from, axis);
      }
      return x.data[source] ?? NaN;
    }));
  },
  onnx(c, node, inputs) {
    const mode = textAttr(node.attrs, 'mode');
    const pads = c.ints([...intsAttr(node.attrs, 'before'), ...intsAttr(node.attrs, 'after')]);
    return c.emit('Pad', [at(inputs, 0), pads, ...(mode === 'constant' ? [c.float(numberAttr(node.attrs, 'value'))] : [])], { mode });
  },
  tfjs(c, node, inputs) {
    const x = at(inputs, 0);
    const [before, after] = [intsAttr(node.attrs, 'before'), intsAttr(node.attrs, 'after')];
    switch (textAttr(node.attrs, 'mode')) {
      case 'constant': return padTfjs(c, x, before, after, numberAttr(node.attrs, 'value'));
      case 'reflect': {
        const raw = inMemory(c, x, x.order);
        const paddings = x.order.map((axis) => [at(before, axis), at(after, axis)]);
        return seenAs(c.call('MirrorPad', { x: raw }, { paddings, mode: 'reflect' }, x.order.map((axis) => at(node.type.shape, axis))), x.order);
      }
      default: return x.shape.reduce((y, size, axis) => {
        const border = (n: number, from: Dim): readonly TfjsValue[] =>
          (n === 0 ? [] : [expandTfjs(c, sliceTfjs(c, y, axis, from, 1), y.shape.map((d, i) => (i === axis ? n : d)))]);
        return concatTfjs(c, [...border(at(before, axis), 0), y, ...border(at(after, axis), subDim(size, 1))], axis);
      }, x);
    }
  },
};

const reaches = (n: number, size: Dim): boolean => isStatic(size) && n >= size;

interface Side { readonly axis: number; readonly size: Dim; readonly before: number; readonly after: number }
type Fold = (b: GraphBuilder, dy: NodeId, side: Side) => NodeId;

/** The middle of an axis: what a gradient gives to the elements themselves. */
const middle: Fold = (b, dy, { axis, before, after }) =>
  (before === 0 && after === 0 ? dy : b.add('slice', [dy], { axis, from: before, ...(after === 0 ? {} : { to: -after }) }));
const front = (b: GraphBuilder, dy: NodeId, { axis, before }: Side): NodeId => part(b, dy, axis, 0, before);
const back = (b: GraphBuilder, dy: NodeId, { axis, after }: Side): NodeId => b.add('slice', [dy], { axis, from: -after });

/** Per mode, the gradient along one axis: the middle, and what the added elements give back to those that they copied. */
const foldOf: Readonly<Record<'constant' | 'reflect' | 'edge', Fold>> = {
  constant: middle,
  edge(b, dy, side) {
    const { axis, size, before, after } = side;
    const rest = subDim(size, 1);
    let grad = middle(b, dy, side);
    if (before > 0) grad = b.addition(grad, padAxis(b, b.sum(front(b, dy, side), [axis]), axis, 0, rest));
    if (after > 0) grad = b.addition(grad, padAxis(b, b.sum(back(b, dy, side), [axis]), axis, rest, 0));
    return grad;
  },
  reflect(b, dy, side) {
    const { axis, size, before, after } = side;
    const flip = (x: NodeId): NodeId => b.add('flip', [x], { axes: [axis] });
    let grad = middle(b, dy, side);
    if (before > 0) grad = b.addition(grad, padAxis(b, flip(front(b, dy, side)), axis, 1, subDim(size, before + 1)));
    if (after > 0) grad = b.addition(grad, padAxis(b, flip(back(b, dy, side)), axis, subDim(size, after + 1), 1));
    return grad;
  },
};
