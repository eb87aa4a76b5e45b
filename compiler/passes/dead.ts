// Dead code: what no output reads goes. (The rewriting engine does this after each sweep; here it stands alone for graphs put together by hand.)
import { GraphBuilder } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';

export const dead = (graph: Graph): Graph => new GraphBuilder(graph).finish(graph.outputs);
