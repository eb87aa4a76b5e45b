// Parts of an axis that are put side by side. The gradients of `x[a:b]`, `x[b:c]`, … are pads with zeros which are then added:
// what they make is a concatenation, one write of each element instead of several reads and writes of the whole.
import type { GraphBuilder } from '../ir/builder.js';
import { isStatic } from '../ir/dim.js';
import type { Node, NodeId } from '../ir/graph.js';
import { inputOf, type Law } from './rewrite.js';

/** A value with zeros around it along one axis: `of` stands at `from` … `to` of `total`. */
interface Placed { readonly of: NodeId; readonly axis: number; readonly from: number; readonly to: number; readonly total: number }

function placed(b: GraphBuilder, node: Node): Placed | undefined {
  if (node.op !== 'pad' || node.attrs.mode !== 'constant' || node.attrs.value !== 0) return undefined;
  const [before, after] = [node.attrs.before as readonly number[], node.attrs.after as readonly number[]];
  const [axis, ...others] = before.flatMap((n, i) => (n !== 0 || after[i] !== 0 ? [i] : []));
  if (axis === undefined || others.length > 0) return undefined;
  const [from = 0, behind = 0, total] = [before[axis], after[axis], node.type.shape[axis]];
  if (total === undefined || !isStatic(total) || from < 0 || behind < 0) return undefined;
  return { of: inputOf(b, node, 0).id, axis, from, to: total - behind, total };
}

/** Two neighbours as one. */
function joined(b: GraphBuilder, left: Placed, right: Placed): NodeId {
  const { axis, total } = left;
  const both = b.add('concat', [left.of, right.of], { axis });
  const rank = b.shape(both).length;
  const only = (n: number): readonly number[] => Array.from({ length: rank }, (_, i) => (i === axis ? n : 0));
  return left.from === 0 && right.to === total ? both : b.add('pad', [both], { before: only(left.from), after: only(total - right.to) });
}

const sideBySide: Law = (b, node) => {
  if (node.op !== 'add') return undefined;
  const [x, y] = [placed(b, inputOf(b, node, 0)), placed(b, inputOf(b, node, 1))];
  if (x === undefined || y === undefined || x.axis !== y.axis) return undefined;
  if (x.to === y.from) return joined(b, x, y);
  return y.to === x.from ? joined(b, y, x) : undefined;
};

const concatOfConcat: Law = (b, node) => {
  if (node.op !== 'concat') return undefined;
  const parts = node.inputs.map((_, i) => inputOf(b, node, i));
  const inner = (part: Node): boolean => part.op === 'concat' && part.attrs.axis === node.attrs.axis;
  return parts.some(inner) ? b.add('concat', parts.flatMap((part) => (inner(part) ? part.inputs : [part.id])), node.attrs) : undefined;
};

export const places: Law = (b, node) => sideBySide(b, node) ?? concatOfConcat(b, node);
