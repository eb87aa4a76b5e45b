// The op `slice`: its row of the table.
import { addDim, divideDim, formatDim, isStatic, subDim, type Dim } from '../ir/dim.js';
import { formatType, type Attrs, type TensorType } from '../ir/graph.js';
import { stridesOf } from '../ir/ndarray.js';
import { OpError, type OpDef } from './op.js';
import { view } from './shared/arrays.js';
import { at, axisOf, normalAxis, numberAttr } from './shared/attrs.js';
import { padAxis, part } from './shared/padding.js';
import { stridedTfjs } from './shared/tfjs.js';

/** The default of `to`: up to the last element, also where the size is symbolic. */
const END = Number.MAX_SAFE_INTEGER;

export const slice: OpDef = {
  name: 'slice',
  doc: 'A part of one axis: from `from` up to, not including, `to`, every `step`-th element; negative places count from the end.',
  constraints: ['(C1) 0 <= from < to <= size, after counting from the end', '(C2) step is at least 1', '(C3) the result has (to - from) / step elements on the axis, rounded up'],
  inputs: ['x'],
  attrs: {
    axis: { kind: 'axis', doc: 'the axis to cut' },
    from: { kind: 'int', doc: 'the first element' },
    to: { kind: 'int', default: END, doc: 'the element to stop before; left out: the end' },
    step: { kind: 'int', default: 1, doc: 'take every step-th element' },
  },
  surface: true,
  infer(inputs, attrs) {
    const x = at(inputs, 0);
    const axis = axisOf('slice', x, numberAttr(attrs, 'axis'));
    const { length } = extent(x, axis, attrs);
    return { dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? length : d)) };
  },
  gradient({ b, dy, inputs, node, needs }) {
    if (!needs(0)) return [undefined];
    const x = b.type(at(inputs, 0));
    const axis = normalAxis(numberAttr(node.attrs, 'axis'), x.shape.length);
    const { from, step, length } = extent(x, axis, node.attrs);
    const size = at(x.shape, axis);
    if (step === 1) return [padAxis(b, dy, axis, from, subDim(subDim(size, from), length))];
    // each element becomes itself and step - 1 zeros; the last zeros may reach beyond the end
    const { shape } = node.type;
    const spread = padAxis(b, b.reshape(dy, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]), axis + 1, 0, step - 1);
    const rows = b.reshape(spread, shape.map((d, i) => (i === axis ? productOf(d, step) : d)));
    const after = subDim(subDim(size, from), productOf(length, step));
    if (!isStatic(after) || after >= 0) return [padAxis(b, rows, axis, from, after)];
    const kept = isStatic(length) ? part(b, rows, axis, 0, length * step + after) : b.add('slice', [rows], { axis, from: 0, to: after });
    return [padAxis(b, kept, axis, from, 0)];
  },
  evaluate(inputs, attrs, shape) {
    const x = at(inputs, 0);
    const axis = normalAxis(numberAttr(attrs, 'axis'), shape.length);
    const strides = stridesOf(x.shape);
    const { from, step } = extent({ dtype: 'f32', shape: x.shape }, axis, attrs);
    const base = isStatic(from) ? from : 0;
    return view(x, shape, strides.map((s, i) => (i === axis ? s * step : s)), base * at(strides, axis));
  },
  onnx(c, node, inputs) {
    const axis = normalAxis(numberAttr(node.attrs, 'axis'), node.type.shape.length);
    const step = numberAttr(node.attrs, 'step');
    const bounds = [numberAttr(node.attrs, 'from'), numberAttr(node.attrs, 'to'), axis, ...(step === 1 ? [] : [step])];
    return c.emit('Slice', [at(inputs, 0), ...bounds.map((v) => c.ints([v]))]);
  },
  tfjs(c, node, inputs) {
    const x = at(inputs, 0);
    const axis = normalAxis(numberAttr(node.attrs, 'axis'), x.shape.length);
    const { from, step, length } = extent(x, axis, node.attrs);
    return stridedTfjs(c, x, axis, from, length, step);
  },
};

const productOf = (d: Dim, n: number): Dim => Array.from({ length: n }, () => d).reduce(addDim, 0);

/** Where the slice begins and how many elements it takes. Throws OpError 'attr' or 'divide'. */
function extent(x: TensorType, axis: number, attrs: Attrs): { readonly from: Dim; readonly step: number; readonly length: Dim } {
  const size = at(x.shape, axis);
  const [first, last, step] = [numberAttr(attrs, 'from'), numberAttr(attrs, 'to'), numberAttr(attrs, 'step')];
  const said = `slice: ${first}:${last === END ? '' : last} of axis ${axis} of ${formatType(x)}`;
  if (step < 1) throw new OpError('attr', `${said}: step ${step} is not at least 1`, 'flip turns an axis round');
  const place = (v: number): Dim => (v < 0 ? addDim(size, v) : v);
  const [from, to] = [place(first), last === END ? size : place(last)];
  const negative = (d: Dim): boolean => isStatic(d) && d < 0;
  if (negative(from) || negative(to) || negative(subDim(size, to)) || negative(subDim(size, from))) {
    throw new OpError('attr', `${said} reaches beyond its ${formatDim(size)} elements`, `places run from 0 to ${formatDim(size)}`);
  }
  const span = subDim(to, from);
  if (isStatic(span) && span < 1) throw new OpError('attr', `${said} is empty`, '`to` is the first element that is not taken');
  if (isStatic(span)) return { from, step, length: Math.ceil(span / step) };
  const length = divideDim(span, step);
  if (length === undefined) throw new OpError('divide', `${said}: ${formatDim(span)} elements do not divide by step ${step}`, 'take a symbolic axis with step 1');
  return { from, step, length };
}
