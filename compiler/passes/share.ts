// Common subexpressions: two nodes that say the same are one. Every op is a function of its inputs, so any two alike can be merged.
import { GraphBuilder } from '../ir/builder.js';
import { formatDim, type Dim } from '../ir/dim.js';
import { formatType, isLeaf, leafName, type AttrValue, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { isNdArray, type NdArray } from '../ir/ndarray.js';

const COMMUTATIVE: ReadonlySet<string> = new Set(['add', 'mul', 'maximum', 'minimum', 'and', 'or', 'equal', 'not_equal']);

export function share(graph: Graph): Graph {
  const b = new GraphBuilder();
  const moved = new Map<NodeId, NodeId>();
  const seen = new Map<string, NodeId>();
  const arrays = new ArrayKeys();
  for (const old of graph.nodes.values()) {
    const node: Node = { ...old, inputs: old.inputs.map((i) => moved.get(i) ?? i) };
    const key = keyOf(node, arrays);
    b.place = { path: node.path, ...(node.range ? { range: node.range } : {}) };
    const same = seen.get(key) ?? b.leaf(node.op, node.attrs, node.type, node.inputs);
    seen.set(key, same);
    moved.set(old.id, same);
  }
  return b.finish(graph.outputs.map(({ name, id }) => ({ name, id: moved.get(id) ?? id })));
}

function keyOf(node: Node, arrays: ArrayKeys): string {
  if (isLeaf(node.op) && node.op !== 'constant') return `${node.op} ${leafName(node)}`;
  const inputs = COMMUTATIVE.has(node.op) ? [...node.inputs].sort((x, y) => x - y) : node.inputs;
  const attrs = Object.entries(node.attrs).sort(([x], [y]) => (x < y ? -1 : 1)).map(([name, value]) => `${name}=${attrKey(value, arrays)}`);
  return `${node.op}(${inputs.join()})${attrs.join(';')}:${formatType(node.type)}`;
}

function attrKey(value: AttrValue, arrays: ArrayKeys): string {
  if (isNdArray(value)) return arrays.keyOf(value);
  return typeof value === 'object' ? (value as readonly Dim[]).map(formatDim).join() : String(value);
}

/** Numbers arrays by their values: equal arrays get one number. */
class ArrayKeys {
  private readonly byDigest = new Map<string, { readonly value: NdArray; readonly key: string }[]>();
  private count = 0;

  keyOf(value: NdArray): string {
    const digest = `${value.data.length}:${value.data.reduce((h, v) => (Math.imul(h, 31) + Math.fround(v) * 65537) | 0, 7)}`;
    const alike = this.byDigest.get(digest) ?? [];
    const same = alike.find((c) => c.value.data.every((v, i) => Object.is(v, value.data[i])));
    if (same !== undefined) return same.key;
    const key = `#${this.count++}`;
    this.byDigest.set(digest, [...alike, { value, key }]);
    return key;
  }
}
