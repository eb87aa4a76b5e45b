// The op `concat`: its row of the table.
import { addDim, equalDim, formatDim, formatShape, isStatic, subDim, type Dim } from '../ir/dim.js';
import { formatType, type NodeId } from '../ir/graph.js';
import { zeros } from '../ir/ndarray.js';
import { OpError, type GradientContext, type OpDef } from './op.js';
import { around } from './shared/arrays.js';
import { at, axisOf, normalAxis, numberAttr } from './shared/attrs.js';
import { named, requireSameDType } from './shared/rules.js';
import { concatTfjs } from './shared/tfjs.js';

export const concat: OpDef = {
  name: 'concat',
  doc: 'Tensors one after another along an axis.',
  constraints: ['(C1) there is at least one, and all have one dtype and one rank', '(C2) all sizes but those on the axis agree', '(C3) the result’s size on the axis is their sum'],
  inputs: ['xs*'],
  attrs: { axis: { kind: 'axis', doc: 'the axis to join on' } },
  surface: true,
  infer(inputs, attrs) {
    const [first, ...others] = inputs;
    if (first === undefined) throw new OpError('attr', 'concat: the list is empty', 'give at least one tensor');
    const axis = axisOf('concat', first, numberAttr(attrs, 'axis'));
    for (const [i, x] of others.entries()) {
      const [a, b] = [named('xs[0]', first), named(`xs[${i + 1}]`, x)];
      requireSameDType('concat', a, b);
      const types = `${a.name} is ${formatType(first)}, ${b.name} is ${formatType(x)}`;
      if (x.shape.length !== first.shape.length) throw new OpError('rank', `concat: ${types}: their ranks differ`, `reshape ${b.name} to rank ${first.shape.length}`);
      const bad = x.shape.findIndex((d, k) => k !== axis && !equalDim(d, at(first.shape, k)));
      if (bad < 0) continue;
      const sizes = `${formatDim(at(first.shape, bad))} and ${formatDim(at(x.shape, bad))}`;
      throw new OpError('shape', `concat: ${types}: they differ on axis ${bad}, ${sizes}`, bad >= 2 && x.shape.length === 4
        ? `resize ${b.name} to ${formatShape(first.shape.slice(2))}`
        : `only axis ${axis} may differ; make both equal on axis ${bad}`);
    }
    const size = inputs.reduce<Dim>((sum, x) => addDim(sum, at(x.shape, axis)), 0);
    return { dtype: first.dtype, shape: first.shape.map((d, i) => (i === axis ? size : d)) };
  },
  gradient(g) {
    const axis = normalAxis(numberAttr(g.node.attrs, 'axis'), g.node.type.shape.length);
    return g.inputs.map((_, i) => (g.needs(i) ? piece(g, axis, i) : undefined));
  },
  evaluate(inputs, attrs, shape) {
    const axis = normalAxis(numberAttr(attrs, 'axis'), shape.length);
    const out = zeros(shape);
    const { outer, size, inner } = around(shape, axis);
    let before = 0;
    for (const x of inputs) {
      const run = at(x.shape, axis) * inner;
      for (let o = 0; o < outer; o++) out.data.set(x.data.subarray(o * run, (o + 1) * run), o * size * inner + before);
      before += run;
    }
    return out;
  },
  onnx: (c, node, inputs) => c.emit('Concat', inputs, { axis: { int: normalAxis(numberAttr(node.attrs, 'axis'), node.type.shape.length) } }),
  tfjs: (c, node, inputs) => concatTfjs(c, inputs, normalAxis(numberAttr(node.attrs, 'axis'), node.type.shape.length)),
};

/** The part of the gradient that belongs to input i. Symbolic sizes can be cut from either end, or where all inputs are equal. */
function piece({ b, dy, inputs, node }: GradientContext, axis: number, i: number): NodeId {
  const sizes = inputs.map((id) => at(b.shape(id), axis));
  const size = at(sizes, i);
  const total = at(node.type.shape, axis);
  const from = sizes.slice(0, i).reduce(addDim, 0);
  const after = subDim(subDim(total, from), size);
  if (inputs.length === 1) return dy;
  if (isStatic(from) && isStatic(size)) return b.add('slice', [dy], { axis, from, to: from + size });
  if (isStatic(from) && isStatic(after)) return b.add('slice', [dy], { axis, from, ...(after === 0 ? {} : { to: -after }) });
  if (isStatic(after) && isStatic(size)) return b.add('slice', [dy], { axis, from: -after - size, ...(after === 0 ? {} : { to: -after }) });
  if (!sizes.every((s) => equalDim(s, size))) {
    throw new OpError('shape', `concat: the gradient cannot be cut at ${formatDim(from)} of ${formatDim(total)} on axis ${axis}`, 'join tensors of equal or static sizes');
  }
  const { shape } = node.type;
  const apart = b.reshape(dy, [...shape.slice(0, axis), sizes.length, size, ...shape.slice(axis + 1)]);
  return b.reshape(b.add('slice', [apart], { axis, from: i, to: i + 1 }), b.shape(at(inputs, i)));
}
