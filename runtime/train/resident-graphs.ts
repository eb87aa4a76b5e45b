// The small functions that a step on a device needs beside gradients and updates: sums over groups, norms, what is read back, stacks of copies.
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { symbol, type Dim } from '../../compiler/ir/dim.js';
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import { ndarray } from '../../compiler/ir/ndarray.js';

export interface Shaped { readonly name: string; readonly shape: readonly number[] }

const input = (b: GraphBuilder, name: string, shape: readonly Dim[]): NodeId => b.leaf('input', { name }, { dtype: 'f32', shape });

/** Of `name` in `count` parts `i:name` with weights `part:i`: `name` = Σ part_i · x_i. */
export function blendGraph(tensors: readonly Shaped[], count: number): Graph {
  const b = new GraphBuilder();
  const parts = Array.from({ length: count }, (_, i) => input(b, `part:${i}`, []));
  return b.finish(tensors.map(({ name, shape }) => {
    const [first = 0, ...others] = parts.map((part, i) => b.mul(input(b, `${i}:${name}`, shape), part));
    return { name, id: others.reduce((sum, term) => b.addition(sum, term), first) };
  }));
}

/** `squares` f32[1]: Σ x² over all. */
export function squaresGraph(tensors: readonly Shaped[]): Graph {
  const b = new GraphBuilder();
  const sums = tensors.map(({ name, shape }) => {
    const x = input(b, name, shape);
    return b.reshape(b.sum(b.mul(x, x), shape.map((_, i) => i)), [1]);
  });
  return b.finish([{ name: 'squares', id: sums.length === 0 ? b.constant(ndarray([1], [0])) : sums.reduce((sum, s) => b.addition(sum, s)) }]);
}

/** `all`: the vectors `0`, `1`, … one after another, so that they are read at once. */
export function joinGraph(count: number): Graph {
  const b = new GraphBuilder();
  return b.finish([{ name: 'all', id: b.add('concat', Array.from({ length: count }, (_, i) => input(b, String(i), [symbol(`B${i}`)])), { axis: 0 }) }]);
}

/** `all`: tensors `0`, `1`, … of one shape on a new first axis. */
export function stackGraph(count: number, shape: readonly number[]): Graph {
  const b = new GraphBuilder();
  return b.finish([{ name: 'all', id: b.add('concat', Array.from({ length: count }, (_, i) => b.reshape(input(b, String(i), shape), [1, ...shape])), { axis: 0 }) }]);
}
