// Sums of one value over several sets of axes: the wider sum is made from the narrower one, and the value is read once.
// (The gradients of a norm's scale and of its input sum the same product, over the batch too and over the pixels alone.)
import { GraphBuilder } from '../ir/builder.js';
import type { Graph, Node, NodeId } from '../ir/graph.js';

export function nestSums(graph: Graph): Graph {
  const sums = new Map<NodeId, Node[]>();
  for (const node of graph.nodes.values()) {
    const [of] = node.inputs;
    if (node.op === 'sum' && of !== undefined) sums.set(of, [...(sums.get(of) ?? []), node]);
  }
  const b = new GraphBuilder(graph);
  for (const alike of sums.values()) for (const wide of alike) {
    const rank = wide.type.shape.length;
    const axes = axesOf(wide, rank);
    const narrow = alike.map((node) => ({ node, axes: axesOf(node, rank) }))
      .filter((n) => n.axes.length < axes.length && n.axes.every((a) => axes.includes(a)))
      .sort((x, y) => y.axes.length - x.axes.length)[0];
    if (narrow === undefined) continue;
    b.redefine(wide.id, { ...wide, inputs: [narrow.node.id], attrs: { axes: axes.filter((a) => !narrow.axes.includes(a)) } });
  }
  return b.finish(graph.outputs);
}

const axesOf = (node: Node, rank: number): readonly number[] => (node.attrs.axes as readonly number[]).map((a) => (a < 0 ? a + rank : a));
