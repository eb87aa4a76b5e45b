// The order of work: each gradient of a parameter is made as soon as what it needs is there, so that what it reads can go.
import { GraphBuilder } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';
import { depths, type Backward } from './backward.js';

/**
 * Outputs keep their order, nodes get theirs from the depth of the outputs. A product that is an output itself stands behind an `after`: ONNX Runtime, which
 * has its own order, puts off whatever it has fused.
 */
export function schedule(graph: Graph, { seed, isGradient }: Backward): Graph {
  const b = new GraphBuilder(graph), depth = depths(graph, seed), depthOf = (id: number): number => depth.get(id) ?? -1;
  const leaf = [...graph.nodes.values()].find((n) => depth.get(n.id) === 0);
  const outputs = graph.outputs.map((o) => {
    const node = b.node(o.id);
    b.place = { path: node.path };
    return leaf !== undefined && isGradient(o.name) && node.op === 'matmul' ? { name: o.name, id: b.add('after', [o.id, leaf.id]) } : o;
  });
  const soonest = graph.outputs.map((o, i) => ({ depth: depthOf(o.id), output: outputs[i] ?? o })).sort((x, y) => x.depth - y.depth);
  return { nodes: b.finish(soonest.map((o) => o.output)).nodes, outputs };
}
