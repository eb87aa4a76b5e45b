// The part of a function that depends on the image and on frozen tensors alone, cut off: what it gives for an image is the same in every epoch.
// Nothing is changed but where the function is cut; what is kept of the cut values is the runtime's matter.
import { dimAt, symbolsOf, type Dim } from '../ir/dim.js';
import { GraphBuilder } from '../ir/builder.js';
import { leafName, nodeOf, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { sizeOf } from '../ir/ndarray.js';
import { hashGraph } from '../ir/print.js';
import { ELEMENTWISE } from './broadcast.js';
import { sinkSide, type Edge } from './min-cut.js';
import { spreadsOf } from './per-sample.js';

export interface Feature {
  /** The name of its output of the prefix, and of the input of the rest. */
  readonly name: string;
  /** For one image. */
  readonly shape: readonly number[];
}

export interface FrozenSplit {
  /** image; frozen tensors -> features, image by image. */
  readonly prefix: Graph;
  /** The function with the features for inputs. */
  readonly rest: Graph;
  readonly features: readonly Feature[];
}

/** Ops that may be done again in the rest where what they are made of is fewer bytes. */
const CHEAP: ReadonlySet<string> = new Set([...ELEMENTWISE, 'identity', 'detach', 'reshape', 'transpose', 'slice', 'concat', 'pad', 'expand', 'flip']);

/** `frozen`: paths of tensors that never change, of no single task. Undefined where nothing but cheap ops could be cut off. */
export function splitFrozen(graph: Graph, image: string, frozen: ReadonlySet<string>): FrozenSplit | undefined {
  const leaf = [...graph.nodes.values()].find((n) => n.op === 'input' && leafName(n) === image);
  const [batch] = leaf === undefined ? [] : symbolsOf(leaf.type.shape[0] ?? 1);
  if (leaf === undefined || batch === undefined) return undefined;
  const spreads = spreadsOf(graph, batch, (node) => {
    if (node.op === 'constant' || (node.op === 'param' && frozen.has(leafName(node)))) return 'common';
    return node.op === 'input' && leafName(node) === image ? 'sample' : undefined;
  });
  const cut = cheapestCut(graph, new Set([...spreads].flatMap(([id, spread]) => (spread === 'sample' && id !== leaf.id ? [id] : []))));
  return cut.length === 0 ? undefined : apart(graph, cut);
}

/** The values to keep: fewest bytes for an image, and of equal cuts the one that leaves the rest least to do. */
function cheapestCut(graph: Graph, inside: ReadonlySet<NodeId>): readonly Node[] {
  const nodes = [...inside].map((id) => nodeOf(graph, id)), places = new Map(nodes.map((n, i) => [n.id, i]));
  // Value i comes in at vertex 2i and goes out at 2i + 1; an edge between the two is its bytes.
  const count = 2 * nodes.length + 2, source = count - 2, sink = count - 1;
  const edges: Edge[] = nodes.map((n, i) => ({ from: 2 * i, to: 2 * i + 1, capacity: n.type.dtype === 'f32' ? 4 * sizeOf(ofOne(n.type.shape)) : Infinity }));
  const free = (from: number, to: number): void => void edges.push({ from, to, capacity: Infinity });
  for (const [i, node] of nodes.entries()) if (!CHEAP.has(node.op)) free(source, 2 * i);
  for (const reader of graph.nodes.values()) {
    const place = places.get(reader.id);
    for (const id of reader.inputs) {
      const from = places.get(id);
      if (from !== undefined && (place === undefined || CHEAP.has(reader.op))) free(2 * from + 1, place === undefined ? sink : 2 * place);
    }
  }
  for (const { id } of graph.outputs) {
    const from = places.get(id);
    if (from !== undefined) free(2 * from + 1, sink);
  }
  const behind = sinkSide(count, edges, source, sink);
  return behind === undefined ? [] : nodes.filter((_, i) => !behind.has(2 * i) && behind.has(2 * i + 1));
}

/** Prefix and rest; features are in an order that depends on what they are alone, so that equal prefixes of two networks are equal texts. */
function apart(graph: Graph, cut: readonly Node[]): FrozenSplit {
  const b = new GraphBuilder(graph);
  const ordered = cut.map((node) => ({ node, hash: hashGraph(b.finish([{ name: 'x', id: node.id }])) })).sort((x, y) => (x.hash < y.hash ? -1 : 1)).map(({ node }, i) => ({ node, name: `frozen:${i}` }));
  const prefix = b.finish(ordered.map(({ node, name }) => ({ name, id: node.id })));
  for (const { node, name } of ordered) b.redefine(node.id, { op: 'input', inputs: [], attrs: { name }, type: node.type, path: node.path });
  const rest = b.finish(graph.outputs).nodes;
  // in the order of the graph, which is the order of work
  const nodes = new Map([...graph.nodes.keys()].flatMap((id) => (rest.has(id) ? [[id, b.node(id)] as const] : [])));
  return { prefix, rest: { nodes, outputs: graph.outputs }, features: ordered.map(({ node, name }) => ({ name, shape: ofOne(node.type.shape) })) };
}

/** A shape where the batch, the only symbol, is 1. */
const ofOne = (shape: readonly Dim[]): readonly number[] => shape.map((d) => dimAt(d, 1));
