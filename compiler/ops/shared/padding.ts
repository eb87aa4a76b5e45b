// Gradients that put values back into zeros: used by slices, pads and whatever reads a part of an axis. No op stands here.
import type { GraphBuilder } from '../../ir/builder.js';
import { equalDim, isStatic, type Dim } from '../../ir/dim.js';
import type { NodeId } from '../../ir/graph.js';
import { filled } from '../../ir/ndarray.js';

/** `x` with zeros before and after it along an axis, whose counts may be symbolic. */
export function padAxis(b: GraphBuilder, x: NodeId, axis: number, before: Dim, after: Dim): NodeId {
  const shape = b.shape(x);
  if (isStatic(before) && isStatic(after)) {
    if (before === 0 && after === 0) return x;
    const only = (n: number): readonly number[] => shape.map((_, i) => (i === axis ? n : 0));
    return b.add('pad', [x], { before: only(before), after: only(after) });
  }
  const zeros = (n: Dim): readonly NodeId[] =>
    equalDim(n, 0) ? [] : [b.expand(b.constant(filled(shape.map(() => 1), 0)), shape.map((d, i) => (i === axis ? n : d)))];
  return b.add('concat', [...zeros(before), x, ...zeros(after)], { axis });
}

/** The part of an axis from a place on: `length` elements, or up to the end. */
export function part(b: GraphBuilder, x: NodeId, axis: number, from: number, length?: number): NodeId {
  if (from === 0 && (length === undefined || equalDim(length, b.shape(x)[axis] ?? -1))) return x;
  return b.add('slice', [x], { axis, from, ...(length === undefined ? {} : { to: from + length }) });
}
