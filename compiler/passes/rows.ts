// A product with one matrix works on every row by itself, so it can be taken before its rows are filled up with zeros, and after some of them are cut
// away. (Windows of attention that do not divide an image are filled up: at 352 px every other token of a stage would be a zero.)
import { sameShape, type GraphBuilder } from '../ir/builder.js';
import { equalDim, type Dim } from '../ir/dim.js';
import type { Node, NodeId } from '../ir/graph.js';
import { normalAxis } from '../ops/shared/attrs.js';
import { inputOf, type Rule } from './rewrite.js';

/** Whether an op moves whole rows: the last axis stays what it is, and where rows are added they are zeros. */
function movesRows(b: GraphBuilder, node: Node): boolean {
  const { shape } = node.type;
  switch (node.op) {
    case 'reshape': {
      const before = inputOf(b, node, 0).type.shape;
      return shape.length > 1 && before.length > 1 && equalDim(before.at(-1) ?? 0, shape.at(-1) ?? 0);
    }
    case 'transpose': return (node.attrs.perm as readonly number[]).at(-1) === shape.length - 1;
    case 'pad': return fills(node) && (node.attrs.before as readonly number[]).at(-1) === 0 && (node.attrs.after as readonly number[]).at(-1) === 0;
    case 'slice': return cuts(node);
    default: return false;
  }
}
const fills = (node: Node): boolean => node.op === 'pad' && node.attrs.mode === 'constant' && node.attrs.value === 0
  && [...(node.attrs.before as readonly number[]), ...(node.attrs.after as readonly number[])].every((n) => n >= 0);
const cuts = ({ op, attrs, type: { shape } }: Node): boolean => op === 'slice' && normalAxis(Number(attrs.axis), shape.length) !== shape.length - 1;

/** The same move on rows of another length. */
function again(b: GraphBuilder, move: Node, x: NodeId): NodeId {
  if (move.op !== 'reshape') return b.add(move.op, [x], move.attrs);
  return b.reshape(x, [...move.type.shape.slice(0, -1), b.shape(x).at(-1) ?? 1]);
}

/** The moves that lead to a value, in order, and what they begin with. Values that somebody else reads too are where it ends: they are made anyway. */
function movesTo(b: GraphBuilder, node: Node, shared: (id: NodeId) => boolean): { readonly moves: readonly Node[]; readonly from: Node } {
  const moves: Node[] = [];
  let from = node;
  while (movesRows(b, from) && !shared(from.id)) {
    moves.unshift(from);
    from = inputOf(b, from, 0);
  }
  return { moves, from };
}

/** x W where W is one matrix. */
const isProduct = (b: GraphBuilder, node: Node): boolean => node.op === 'matmul' && node.attrs.transpose_a !== true && inputOf(b, node, 1).type.shape.length === 2 && node.type.shape.length > 1;

/** W after zeros were added: (moves x) W = moves (x W). */
const beforeFilling: Rule = (b, node, shared) => {
  if (!isProduct(b, node)) return undefined;
  const { moves, from } = movesTo(b, inputOf(b, node, 0), shared), [, matrix = 0] = node.inputs;
  if (!moves.some(fills) || moves.some(cuts)) return undefined;
  return moves.reduce((x, move) => again(b, move, x), b.add('matmul', [from.id, matrix], node.attrs));
};

/** One value for each place of the last axis. */
const alongLast = (node: Node, rank: number): boolean => node.type.shape.length === rank && node.type.shape.slice(0, -1).every((d: Dim) => d === 1);

/** x W + bias before rows are cut away: cut (moves (x W + bias)) = (cut (moves x)) W + bias. */
const afterCutting: Rule = (b, node, shared) => {
  if (!cuts(node)) return undefined;
  const { moves, from } = movesTo(b, inputOf(b, node, 0), shared);
  if (moves.some(fills) || shared(from.id)) return undefined;
  const rank = from.type.shape.length, at = from.op === 'add' ? [0, 1].find((i) => alongLast(inputOf(b, from, 1 - i), rank)) : undefined;
  const product = at === undefined ? from : inputOf(b, from, at);
  if (!isProduct(b, product) || (at !== undefined && (shared(product.id) || !sameShape(product.type.shape, from.type.shape)))) return undefined;
  const [x = 0, matrix = 0] = product.inputs, kept = [...moves, node].reduce((rows, move) => again(b, move, rows), x);
  const y = b.add('matmul', [kept, matrix], product.attrs);
  if (at === undefined) return y;
  const bias = inputOf(b, from, 1 - at), length = bias.type.shape.at(-1) ?? 1;
  return b.addition(y, b.reshape(bias.id, [...b.shape(y).slice(0, -1).map(() => 1), length]));
};

export const rows: Rule = (b, node, shared) => beforeFilling(b, node, shared) ?? afterCutting(b, node, shared);
