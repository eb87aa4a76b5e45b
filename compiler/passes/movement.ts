// Ops that move or copy values and do nothing: reshapes in a row, transposes that cancel, slices of everything, reductions over one element.
import { sameShape } from '../ir/builder.js';
import { equalDim } from '../ir/dim.js';
import { inputOf, type Law } from './rewrite.js';

const SAME: Law = (_, n) => n.inputs[0];
/** An op whose output is always its input where the shapes are equal. */
const sameWhereShapeStays: Law = (b, n) => (sameShape(inputOf(b, n, 0).type.shape, n.type.shape) ? n.inputs[0] : undefined);

/** Over axes of size one nothing is reduced. */
const reductionOfOne: Law = (b, n) => {
  const { shape } = inputOf(b, n, 0).type;
  const axes = n.attrs.axes as readonly number[];
  return axes.every((a) => equalDim(shape.at(a) ?? 1, 1)) ? n.inputs[0] : undefined;
};

const LAWS: Readonly<Record<string, Law>> = {
  identity: SAME,
  // Its work is done: no gradient is taken after this.
  detach: SAME,
  cast: (b, n) => (inputOf(b, n, 0).type.dtype === n.type.dtype ? n.inputs[0] : undefined),
  reshape: (b, n) => {
    const source = inputOf(b, n, 0);
    if (sameShape(source.type.shape, n.type.shape)) return source.id;
    return source.op === 'reshape' ? b.reshape(inputOf(b, source, 0).id, n.type.shape) : undefined;
  },
  transpose: (b, n) => {
    const perm = n.attrs.perm as readonly number[];
    const source = inputOf(b, n, 0);
    if (perm.every((p, i) => p === i)) return source.id;
    if (source.op !== 'transpose') return undefined;
    const first = source.attrs.perm as readonly number[];
    return b.transpose(inputOf(b, source, 0).id, perm.map((p) => first[p] ?? p));
  },
  concat: (_, n) => (n.inputs.length === 1 ? n.inputs[0] : undefined),
  // A step of one over everything keeps the shape; a negative step would turn it round.
  slice: (b, n) => (n.attrs.step === 1 ? sameWhereShapeStays(b, n) : undefined),
  pad: (_, n) => ([...(n.attrs.before as readonly number[]), ...(n.attrs.after as readonly number[])].every((p) => p === 0) ? n.inputs[0] : undefined),
  sum: reductionOfOne,
  mean: reductionOfOne,
  max: reductionOfOne,
  min: reductionOfOne,
};

export const movement: Law = (b, node) => LAWS[node.op]?.(b, node);
