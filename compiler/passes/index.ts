// The passes that every compiled function goes through, and their order.
import type { Graph } from '../ir/graph.js';

export function optimise(graph: Graph): Graph { return graph; }
