// Where a small factor (a scale per channel, a statistic per sample) meets a large value: small factors are multiplied with each other
// first, and taken out of sums over axes along which they do not vary. What norms and their gradients leave over the pixels is less.
import type { GraphBuilder } from '../ir/builder.js';
import { sameShape } from '../ir/builder.js';
import { dimAt, isStatic, productDim, type Dim } from '../ir/dim.js';
import type { Node, NodeId } from '../ir/graph.js';
import { inputOf, type Law, type Rule } from './rewrite.js';

/** Elements, a symbolic size counted as a few. */
const elements = (shape: readonly Dim[]): number =>
  shape.reduce<number>((n, d) => n * dimAt(d, 4), 1);

/** Whether a value is so small beside another that an op on it costs nothing. */
const small = (shape: readonly Dim[], beside: readonly Dim[]): boolean => elements(shape) * 8 <= elements(beside);

/** The shape of a product, where the larger rank is everybody's or a scalar's. */
function productShape(a: readonly Dim[], c: readonly Dim[]): readonly Dim[] {
  if (a.length === 0) return c;
  return c.length === 0 ? a : a.map((d, i) => (d === 1 ? c[i] ?? 1 : d));
}

interface Scaled { readonly of: Node; readonly by: Node }
/** A product of a value of the product's own shape and a small one. */
function scaled(b: GraphBuilder, node: Node): Scaled | undefined {
  if (node.op !== 'mul' || node.type.dtype !== 'f32') return undefined;
  const [x, y] = [inputOf(b, node, 0), inputOf(b, node, 1)];
  if (sameShape(x.type.shape, node.type.shape) && small(y.type.shape, node.type.shape)) return { of: x, by: y };
  return sameShape(y.type.shape, node.type.shape) && small(x.type.shape, node.type.shape) ? { of: y, by: x } : undefined;
}

/** (x s) r = x (s r) where s r is small too. */
const smallFirst: Law = (b, node) => {
  const outer = scaled(b, node);
  const inner = outer === undefined ? undefined : scaled(b, outer.of);
  if (outer === undefined || inner === undefined || !small(productShape(inner.by.type.shape, outer.by.type.shape), node.type.shape)) return undefined;
  return b.mul(inner.of.id, b.mul(inner.by.id, outer.by.id));
};

/** Whether a value times `by` costs no pass over it: it is small, or has a factor that can take `by`, or is a sum of such that nobody else reads. */
function absorbs(b: GraphBuilder, node: Node, by: Node, whole: readonly Dim[], shared: (id: NodeId) => boolean): boolean {
  if (small(productShape(node.type.shape, by.type.shape), whole)) return true;
  const product = scaled(b, node);
  if (product !== undefined) return !shared(node.id) && small(productShape(product.by.type.shape, by.type.shape), whole);
  return (node.op === 'add' || node.op === 'sub') && !shared(node.id) && node.inputs.every((_, i) => absorbs(b, inputOf(b, node, i), by, whole, shared));
}

function times(b: GraphBuilder, node: Node, by: Node, whole: readonly Dim[]): NodeId {
  if (small(productShape(node.type.shape, by.type.shape), whole)) return b.mul(node.id, by.id);
  const product = scaled(b, node);
  if (product !== undefined) return b.mul(product.of.id, b.mul(product.by.id, by.id));
  return b.add(node.op, node.inputs.map((_, i) => times(b, inputOf(b, node, i), by, whole)));
}

/** (x s + y r) q = x (s q) + y (r q). */
const intoSums: Rule = (b, node, shared) => {
  const outer = scaled(b, node);
  if (outer === undefined || (outer.of.op !== 'add' && outer.of.op !== 'sub')) return undefined;
  const whole = node.type.shape;
  return absorbs(b, outer.of, outer.by, whole, shared) ? times(b, outer.of, outer.by, whole) : undefined;
};

/** The factors of a product of products. */
function factorsOf(b: GraphBuilder, node: Node, depth = 3): readonly Node[] {
  return node.op === 'mul' && depth > 0 ? [0, 1].flatMap((i) => factorsOf(b, inputOf(b, node, i), depth - 1)) : [node];
}
const product = (b: GraphBuilder, factors: readonly Node[]): NodeId => factors.map((f) => f.id).reduce((x, y) => b.mul(x, y));

/** Σ x s = Σ s Σ' x, the inner sum over the axes along which s does not vary. */
const outOfSums: Law = (b, node) => {
  if (node.op !== 'sum' && node.op !== 'mean') return undefined;
  const of = inputOf(b, node, 0);
  const { shape } = of.type;
  if (of.op !== 'mul' || of.type.dtype !== 'f32') return undefined;
  const axes = (node.attrs.axes as readonly number[]).map((a) => (a < 0 ? a + shape.length : a)).filter((a) => shape[a] !== 1);
  const constantAlong = (f: Node): readonly number[] => axes.filter((a) => f.type.shape.length === 0 || f.type.shape[a] === 1);
  const factors = factorsOf(b, of);
  const first = factors.find((f) => constantAlong(f).length > 0 && small(f.type.shape, shape));
  if (first === undefined) return undefined;
  const inner = constantAlong(first);
  const [taken, left] = [factors.filter((f) => inner.every((a) => constantAlong(f).includes(a))), factors.filter((f) => !inner.every((a) => constantAlong(f).includes(a)))];
  const outer = axes.filter((a) => !inner.includes(a));
  const over = b.mul(total(b, node.op, product(b, left), inner), product(b, taken));
  return outer.length === 0 ? over : b.add(node.op, [over], { axes: outer });
};

/** A mean as a sum where it can be: the sum may be wanted elsewhere. */
function total(b: GraphBuilder, op: string, x: NodeId, axes: readonly number[]): NodeId {
  const count = productDim(axes.map((a) => b.shape(x)[a] ?? 1));
  return op === 'mean' && isStatic(count) ? b.scale(b.sum(x, axes), 1 / count) : b.add(op, [x], { axes });
}

export const factors: Rule = (b, node, shared) => smallFirst(b, node) ?? intoSums(b, node, shared) ?? outOfSums(b, node);
