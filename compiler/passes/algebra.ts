// Laws of arithmetic: neutral elements, double negation, scalings in a row. None that changes what NaN or infinity would give.
import { sameShape, type GraphBuilder } from '../ir/builder.js';
import type { Node, NodeId } from '../ir/graph.js';
import { constantOf, inputOf, uniformValue, type Law } from './rewrite.js';

/** The other input of a two-input op where input i is a constant of that value throughout and the type stays. */
function without(b: GraphBuilder, node: Node, i: 0 | 1, neutral: number): NodeId | undefined {
  if (uniformValue(inputOf(b, node, i)) !== neutral) return undefined;
  const other = inputOf(b, node, 1 - i);
  return other.type.dtype === node.type.dtype && sameShape(other.type.shape, node.type.shape) ? other.id : undefined;
}

/** A scalar constant among the inputs of a multiplication, and the other input. */
function scaling(b: GraphBuilder, node: Node): { readonly factor: number; readonly of: Node } | undefined {
  if (node.op !== 'mul' || node.type.dtype !== 'f32') return undefined;
  for (const i of [0, 1]) {
    const value = constantOf(inputOf(b, node, i));
    const [factor] = value?.data ?? [];
    if (value?.shape.length === 0 && factor !== undefined) return { factor, of: inputOf(b, node, 1 - i) };
  }
  return undefined;
}

const LAWS: Readonly<Record<string, readonly Law[]>> = {
  add: [
    (b, n) => without(b, n, 0, 0) ?? without(b, n, 1, 0),
    // x + (-y) = x - y
    (b, n) => (inputOf(b, n, 1).op === 'neg' ? b.sub(inputOf(b, n, 0).id, inputOf(b, inputOf(b, n, 1), 0).id) : undefined),
    (b, n) => (inputOf(b, n, 0).op === 'neg' ? b.sub(inputOf(b, n, 1).id, inputOf(b, inputOf(b, n, 0), 0).id) : undefined),
  ],
  sub: [
    (b, n) => without(b, n, 1, 0),
    (b, n) => (inputOf(b, n, 1).op === 'neg' ? b.addition(inputOf(b, n, 0).id, inputOf(b, inputOf(b, n, 1), 0).id) : undefined),
  ],
  mul: [
    (b, n) => without(b, n, 0, 1) ?? without(b, n, 1, 1),
    // (x c) d = x (c d)
    (b, n) => {
      const outer = scaling(b, n);
      const inner = outer === undefined ? undefined : scaling(b, outer.of);
      return outer === undefined || inner === undefined ? undefined : b.mul(inner.of.id, b.scalar(outer.factor * inner.factor));
    },
    (b, n) => {
      const scaled = scaling(b, n);
      return scaled?.factor === -1 ? b.neg(scaled.of.id) : undefined;
    },
    // (-x) c = x (-c)
    (b, n) => {
      const scaled = scaling(b, n);
      return scaled?.of.op === 'neg' ? b.mul(inputOf(b, scaled.of, 0).id, b.scalar(-scaled.factor)) : undefined;
    },
  ],
  div: [(b, n) => without(b, n, 1, 1)],
  pow: [
    (b, n) => without(b, n, 1, 1),
    (b, n) => {
      const x = inputOf(b, n, 0);
      return uniformValue(inputOf(b, n, 1)) === 2 && sameShape(x.type.shape, n.type.shape) ? b.mul(x.id, x.id) : undefined;
    },
  ],
  neg: [(b, n) => (inputOf(b, n, 0).op === 'neg' ? inputOf(b, inputOf(b, n, 0), 0).id : undefined)],
};

export const algebra: Law = (b, node) => {
  for (const law of LAWS[node.op] ?? []) {
    const found = law(b, node);
    if (found !== undefined) return found;
  }
  return undefined;
};
