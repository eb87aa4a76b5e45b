// The reference evaluator as an engine: float64 inside, float32 at its doors. Slow, and right.
import { evaluate } from '../../compiler/evaluate.js';
import { leafName, nodeOf } from '../../compiler/ir/graph.js';
import type { Engine } from './engine.js';
import { checkFeeds, deliver, fedLeaves, toArray, toTensor } from './feeds.js';

export const createReferenceEngine = (): Engine => ({
  name: 'reference',
  version: 'float64',
  device: 'cpu',
  threads: 1,
  compile: async (graph) => {
    const leaves = fedLeaves(graph);
    return {
      inputs: leaves.map(leafName),
      outputs: graph.outputs.map((o) => o.name),
      run: async (feeds, { into } = {}) => {
        const sizes = checkFeeds(graph, leaves, feeds);
        const arrays = new Map(leaves.map(leafName).flatMap((name) => {
          const tensor = feeds[name];
          return tensor === undefined ? [] : [[name, toArray(tensor)] as const];
        }));
        const values = evaluate(graph, arrays);
        return deliver(graph, sizes, Object.fromEntries(graph.outputs.flatMap(({ name, id }) => {
          const value = values.get(name);
          return value === undefined ? [] : [[name, toTensor(value, nodeOf(graph, id).type.dtype)]];
        })), into);
      },
      dispose: async () => undefined,
    };
  },
});
