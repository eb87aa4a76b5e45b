// Reverse-mode differentiation from the gradient column of the op table. The gradient is more nodes of the same graph.
import { sameShape, type GraphBuilder } from '../ir/builder.js';
import { formatType, type Node, type NodeId } from '../ir/graph.js';
import { isLeaf } from '../ir/graph.js';
import { opOf } from '../ops/index.js';

/**
 * ∂of/∂wrt for a scalar `of` (f32, shape []), one entry for each of `wrt`, of its type; undefined where `of` does not depend on it.
 * Only nodes that one of `wrt` reaches by differentiable ops are visited; what reaches a node on several ways is added.
 */
export function gradients(b: GraphBuilder, of: NodeId, wrt: readonly NodeId[]): readonly (NodeId | undefined)[] {
  const target = b.node(of);
  if (target.type.dtype !== 'f32' || target.type.shape.length !== 0) throw new Error(`the gradient of ${formatType(target.type)} was asked; only a scalar has one`);
  const order = [...b.finish([{ name: 'of', id: of }]).nodes.values()];
  const reached = reachedFrom(order, new Set(wrt));
  const contributions = new Map<NodeId, NodeId[]>();
  if (reached.has(of)) contributions.set(of, [b.scalar(1)]);
  const gradientOf = (id: NodeId): NodeId | undefined => {
    const parts = contributions.get(id);
    if (parts === undefined) return undefined;
    const total = parts.reduce((x, y) => b.addition(x, y));
    contributions.set(id, [total]);
    return total;
  };
  const place = b.place;
  for (const node of order.reverse()) {
    if (!reached.has(node.id) || isLeaf(node.op)) continue;
    // What an op's gradient is made of belongs where the op stands.
    b.place = { path: node.path, ...(node.range ? { range: node.range } : {}) };
    const dy = gradientOf(node.id);
    if (dy === undefined) continue;
    for (const [i, dx] of backward(b, node, dy, reached).entries()) {
      const input = node.inputs[i];
      if (dx === undefined || input === undefined || !reached.has(input)) continue;
      expectType(b, node, i, dx, input);
      contributions.set(input, [...(contributions.get(input) ?? []), dx]);
    }
  }
  const result = wrt.map(gradientOf);
  b.place = place;
  return result;
}

function backward(b: GraphBuilder, node: Node, dy: NodeId, reached: ReadonlySet<NodeId>): readonly (NodeId | undefined)[] {
  const needs = (i: number): boolean => reached.has(node.inputs[i] ?? -1);
  return opOf(node.op).gradient?.({ b, node, inputs: node.inputs, output: node.id, dy, needs }) ?? [];
}

/** `sources` and the f32 values that they reach through ops with a gradient. */
function reachedFrom(order: readonly Node[], sources: ReadonlySet<NodeId>): Set<NodeId> {
  const reached = new Set<NodeId>();
  for (const node of order) {
    const passes = !isLeaf(node.op) && node.type.dtype === 'f32' && opOf(node.op).gradient !== undefined && node.inputs.some((i) => reached.has(i));
    if (sources.has(node.id) || passes) reached.add(node.id);
  }
  return reached;
}

function expectType(b: GraphBuilder, node: Node, i: number, dx: NodeId, input: NodeId): void {
  const [have, want] = [b.type(dx), b.type(input)];
  if (have.dtype === want.dtype && sameShape(have.shape, want.shape)) return;
  throw new Error(`gradient of ${node.op} for input ${i}: ${formatType(have)} for ${formatType(want)}`);
}
