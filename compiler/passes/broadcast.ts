// An `expand` before an elementwise op is work that broadcasting does for nothing, so it moves behind the op, where it is often no expand at all.
import type { GraphBuilder } from '../ir/builder.js';
import type { Node, NodeId } from '../ir/graph.js';
import { sameShape } from '../ir/builder.js';
import { inputOf, type Law } from './rewrite.js';

/** Ops whose output has at each place a function of the inputs there, by broadcasting. */
export const ELEMENTWISE: ReadonlySet<string> = new Set([
  'neg', 'abs', 'sign', 'exp', 'log', 'sqrt', 'reciprocal', 'tanh', 'sigmoid', 'relu', 'erf', 'gelu', 'softplus', 'not', 'cast',
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'less', 'less_equal', 'greater', 'greater_equal', 'equal', 'not_equal', 'and', 'or', 'where',
]);

/** The value before its expand, where a broadcast makes the same of it: of equal rank or a scalar. */
function unexpanded(b: GraphBuilder, node: Node): Node {
  if (node.op !== 'expand') return node;
  const source = inputOf(b, node, 0);
  const rank = source.type.shape.length;
  return rank === 0 || rank === node.type.shape.length ? source : node;
}

/** f(expand x, y) = expand f(x, y): elementwise ops commute with broadcasting. */
const expandLater: Law = (b, node) => {
  if (!ELEMENTWISE.has(node.op)) return undefined;
  const bare = node.inputs.map((_, i) => unexpanded(b, inputOf(b, node, i)).id);
  if (bare.every((id, i) => id === node.inputs[i])) return undefined;
  return b.expand(b.add(node.op, bare, node.attrs), node.type.shape);
};

/** What is left of an expand that does nothing, or follows another. */
const expandOnce: Law = (b, node) => {
  if (node.op !== 'expand') return undefined;
  const source = inputOf(b, node, 0);
  if (sameShape(source.type.shape, node.type.shape)) return source.id;
  const first = unexpanded(b, source);
  return first.id === source.id ? undefined : b.add('expand', [first.id], node.attrs);
};

/** Sum over repeated values is a product: done along axes whose size is a number. */
const sumOfExpand: Law = (b, node): NodeId | undefined => {
  if (node.op !== 'sum') return undefined;
  const expanded = inputOf(b, node, 0);
  const source = unexpanded(b, expanded);
  const rank = expanded.type.shape.length;
  if (source.id === expanded.id || source.type.shape.length !== rank) return undefined;
  const axes = (node.attrs.axes as readonly number[]).map((a) => (a < 0 ? a + rank : a));
  let repeats = 1;
  for (const a of axes) {
    const [from, to] = [source.type.shape[a], expanded.type.shape[a]];
    if (from !== 1 || to === 1) continue;
    if (typeof to !== 'number') return undefined;
    repeats *= to;
  }
  return repeats === 1 ? undefined : b.expand(b.scale(b.add('sum', [source.id], { axes }), repeats), node.type.shape);
};

export const broadcast: Law = (b, node) => expandOnce(b, node) ?? expandLater(b, node) ?? sumOfExpand(b, node);
