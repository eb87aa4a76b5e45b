// Which values of a graph are made sample by sample: what a batch gives is what its samples give one by one, one after another.
// By shapes and ops alone; which leaves are of interest is the caller's matter.
import { equalDim, isStatic, type Dim } from '../ir/dim.js';
import { isLeaf, nodeOf, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { normalAxis } from '../ops/shared/attrs.js';
import { ELEMENTWISE } from './broadcast.js';

/** `common`: the same for every batch, and without a batch in its shape. `sample`: sample after sample along the first axis, each made of its own sample alone. */
export type Spread = 'common' | 'sample';

interface Place { readonly node: Node; readonly rank: number; readonly inputs: readonly { readonly node: Node; readonly spread: Spread }[] }
type Law = (place: Place) => boolean;

const spreads = ({ inputs }: Place): string => inputs.map((i) => (i.spread === 'sample' ? 's' : 'c')).join('');
const axisOf = ({ node, rank }: Place): number => normalAxis(Number(node.attrs.axis), rank);
/** Of the first input: an op may drop or add axes. */
const ofFirst = (place: Place): Place => ({ ...place, rank: place.inputs[0]?.node.type.shape.length ?? 0 });

const alongOther: Law = (place) => axisOf(ofFirst(place)) !== 0;
const overOthers: Law = (place) => (place.node.attrs.axes as readonly number[]).every((a) => normalAxis(a, ofFirst(place).rank) !== 0);
/** Images and weights. */
const firstAlone: Law = (place) => /^sc*$/.test(spreads(place));
/** Nothing crosses the first axis: every input has the output's, or is repeated along it. */
const inPlace: Law = ({ node, inputs }) => inputs.every(({ node: { type: { shape } }, spread }) =>
  (spread === 'sample' ? shape.length === node.type.shape.length && equalDim(shape[0] ?? 1, node.type.shape[0] ?? 1) : shape.length === 0 || shape[0] === 1));

const LAWS: Readonly<Record<string, Law>> = {
  ...Object.fromEntries([...ELEMENTWISE, 'identity', 'detach', 'expand'].map((op) => [op, inPlace])),
  // Row by row the elements keep their order, and a sample's are neighbours.
  reshape: () => true,
  transpose: ({ node }) => (node.attrs.perm as readonly number[])[0] === 0,
  concat: (place) => axisOf(place) !== 0 && /^s+$/.test(spreads(place)),
  slice: alongOther, softmax: alongOther, cumsum: alongOther,
  gather: (place) => alongOther(place) && spreads(place) === 'sc',
  sum: overOthers, mean: overOthers, max: overOthers, min: overOthers, normalize: overOthers, inverse_std: overOthers, flip: overOthers,
  pad: ({ node }) => (node.attrs.before as readonly number[])[0] === 0 && (node.attrs.after as readonly number[])[0] === 0,
  matmul: (place) => {
    const [a, b] = place.inputs.map((i) => i.node.type.shape.length), kinds = spreads(place);
    if (kinds === 'ss') return a !== undefined && a > 2 && a === b;
    return kinds === 'sc' && (a !== 2 || place.node.attrs.transpose_a !== true);
  },
  conv2d: firstAlone, conv_transpose2d: firstAlone, max_pool: firstAlone, avg_pool: firstAlone, resize: firstAlone, one_hot: firstAlone,
};

/** What `leaf` says of the leaves, and what follows of the rest; a value that is neither is not in the map. `batch` is the symbol of the batch. */
export function spreadsOf(graph: Graph, batch: string, leaf: (node: Node) => Spread | undefined): ReadonlyMap<NodeId, Spread> {
  const known = new Map<NodeId, Spread>();
  for (const node of graph.nodes.values()) {
    const spread = isLeaf(node.op) ? leaf(node) : spreadOf(graph, node, batch, known);
    if (spread !== undefined) known.set(node.id, spread);
  }
  return known;
}

function spreadOf(graph: Graph, node: Node, batch: string, known: ReadonlyMap<NodeId, Spread>): Spread | undefined {
  const inputs = node.inputs.flatMap((id) => {
    const spread = known.get(id);
    return spread === undefined ? [] : [{ node: nodeOf(graph, id), spread }];
  });
  if (inputs.length < node.inputs.length) return undefined;
  const { shape } = node.type;
  if (inputs.every((i) => i.spread === 'common') && shape.every(isStatic)) return 'common';
  const [first, ...others] = shape;
  if (first === undefined || !isMultiple(first, batch) || !others.every(isStatic)) return undefined;
  return LAWS[node.op]?.({ node, rank: shape.length, inputs }) === true ? 'sample' : undefined;
}

/** n B */
const isMultiple = (d: Dim, batch: string): boolean => !isStatic(d) && d.terms.length === 1 && d.terms[0]?.symbols.length === 1 && d.terms[0].symbols[0] === batch;
