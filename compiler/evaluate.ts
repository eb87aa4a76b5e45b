// The reference evaluator: any graph in plain float64, from the `evaluate` column of the op table.
// It is the independent side of every check of an engine, so it takes no short cut that an engine might take.
import { evaluateDim, formatDim, isStatic, symbolsOf, type Dim } from './ir/dim.js';
import { formatType, isLeaf, leafName, type Attrs, type Graph, type Node, type NodeId } from './ir/graph.js';
import { isNdArray, type NdArray } from './ir/ndarray.js';
import { opOf } from './ops/index.js';

export type Sizes = Readonly<Record<string, number>>;

/** A feed is missing or has not the shape that the graph says. */
export class FeedError extends Error {}

/**
 * Values of the outputs, by name. `feeds` has a value for every leaf but the constants, by `leafName`; symbolic dimensions take
 * their sizes from the feeds' shapes. A value is dropped after its last use. Throws FeedError.
 */
export function evaluate(graph: Graph, feeds: ReadonlyMap<string, NdArray>): Map<string, NdArray> {
  const sizes = bindSizes(graph, (leaf) => feeds.get(leafName(leaf))?.shape);
  const uses = countUses(graph);
  const values = new Map<NodeId, NdArray>();
  const read = (id: NodeId): NdArray => {
    const value = values.get(id);
    if (value === undefined) throw new Error(`node ${id} is used before it is made`);
    return value;
  };
  for (const node of graph.nodes.values()) {
    values.set(node.id, isLeaf(node.op) ? leafValue(node, feeds) : evaluateNode(node, node.inputs.map(read), sizes));
    for (const id of node.inputs) {
      const left = (uses.get(id) ?? 0) - 1;
      uses.set(id, left);
      if (left === 0) values.delete(id);
    }
    if (uses.get(node.id) === 0) values.delete(node.id);
  }
  return new Map(graph.outputs.map(({ name, id }) => [name, read(id)]));
}

/** One op on values. */
function evaluateNode(node: Node, inputs: readonly NdArray[], sizes: Sizes): NdArray {
  const shape = node.type.shape.map((d) => evaluateDim(d, sizes));
  return opOf(node.op).evaluate(inputs, staticAttrs(node, sizes), shape);
}

/** The value of an op whose inputs are constants and whose dims are numbers; undefined where a dim is symbolic. */
export function evaluateConstant(node: Node, inputs: readonly NdArray[]): NdArray | undefined {
  const symbolic = [...node.type.shape, ...dimsIn(node)].some((d) => !isStatic(d));
  return symbolic ? undefined : evaluateNode(node, inputs, {});
}

/** Sizes of the symbols in the leaves' types, as the shapes say them. Throws FeedError where two disagree. */
export function bindSizes(graph: Graph, shapeOf: (leaf: Node) => readonly number[] | undefined): Sizes {
  const sizes: Record<string, number> = {};
  const leaves = [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant');
  const fed = leaves.map((leaf) => ({ leaf, shape: shapeOf(leaf) ?? missing(leaf) }));
  for (const { leaf, shape } of fed) {
    if (shape.length !== leaf.type.shape.length) misfit(leaf, shape);
    for (const [i, d] of leaf.type.shape.entries()) {
      const name = loneSymbol(d);
      if (name !== undefined) sizes[name] ??= shape[i] ?? 0;
    }
  }
  for (const { leaf, shape } of fed) {
    for (const [i, d] of leaf.type.shape.entries()) {
      const unbound = symbolsOf(d).find((s) => sizes[s] === undefined);
      if (unbound !== undefined) throw new FeedError(`no input says the size of ${unbound} in ${formatDim(d)} of ${leafName(leaf)}`);
      if (evaluateDim(d, sizes) !== shape[i]) misfit(leaf, shape);
    }
  }
  return sizes;
}

/** `B` where a dimension is that symbol and nothing else. */
function loneSymbol(d: Dim): string | undefined {
  if (isStatic(d)) return undefined;
  const [term, ...others] = d.terms;
  return term !== undefined && others.length === 0 && term.coefficient === 1 && term.symbols.length === 1 ? term.symbols[0] : undefined;
}

function leafValue(leaf: Node, feeds: ReadonlyMap<string, NdArray>): NdArray {
  const value = leaf.op === 'constant' ? leaf.attrs.value : feeds.get(leafName(leaf));
  return isNdArray(value) ? value : missing(leaf);
}

function dimsIn(node: Node): readonly Dim[] {
  return Object.entries(opOf(node.op).attrs).flatMap(([name, spec]) => (spec.kind === 'dims' ? (node.attrs[name] as readonly Dim[]) : []));
}

function staticAttrs(node: Node, sizes: Sizes): Attrs {
  if (dimsIn(node).every(isStatic)) return node.attrs;
  const specs = opOf(node.op).attrs;
  return Object.fromEntries(Object.entries(node.attrs).map(([name, value]) =>
    [name, specs[name]?.kind === 'dims' ? (value as readonly Dim[]).map((d) => evaluateDim(d, sizes)) : value]));
}

function countUses(graph: Graph): Map<NodeId, number> {
  const uses = new Map<NodeId, number>([...graph.nodes.keys()].map((id) => [id, 0]));
  const use = (id: NodeId): void => void uses.set(id, (uses.get(id) ?? 0) + 1);
  for (const node of graph.nodes.values()) node.inputs.forEach(use);
  for (const { id } of graph.outputs) use(id);
  return uses;
}

function missing(leaf: Node): never { throw new FeedError(`${leafName(leaf)} (${formatType(leaf.type)}) is not fed`); }
function misfit(leaf: Node, shape: readonly number[]): never {
  throw new FeedError(`${leafName(leaf)} is fed with shape [${shape.join(', ')}]; the graph says ${formatType(leaf.type)}`);
}
