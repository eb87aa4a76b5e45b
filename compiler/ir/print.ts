// The graph as text. The canonical form depends on what is computed and on nothing else: not on ids, order of making, places in the source.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { GraphBuilder } from './builder.js';
import { formatDim, type Dim } from './dim.js';
import { formatType, type AttrValue, type Graph, type Node } from './graph.js';
import { isNdArray, type NdArray } from './ndarray.js';

export interface PrintOptions {
  /** Nodes that no output reads are left out, ids follow the outputs, constants are hashed, paths of instances are not said. */
  readonly canonical?: boolean;
}

/** One line a node, `%3 = conv2d(%0, %1) groups=1 padding=[1, 1] … : f32[B, 8, 16, 16]`, then one an output. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const canonical = options.canonical ?? false;
  const shown = canonical ? new GraphBuilder(graph).finish(graph.outputs) : graph;
  const ids = new Map([...shown.nodes.keys()].map((id, i) => [id, `%${i}`]));
  const nameOf = (id: number): string => ids.get(id) ?? `%?${id}`;
  const lines = [...shown.nodes.values()].map((node) => `${nameOf(node.id)} = ${printNode(node, nameOf, canonical)}`);
  return [...lines, ...shown.outputs.map((o) => `output ${o.name} = ${nameOf(o.id)}`), ''].join('\n');
}

/** An attribute's value as the canonical text has it. */
export const printAttr = (value: AttrValue): string => printValue(value, true);

/** SHA-256 of the canonical text, hexadecimal. */
export const hashGraph = (graph: Graph): string => hashText(printGraph(graph, { canonical: true }));
export const hashText = (text: string): string => bytesToHex(sha256(new TextEncoder().encode(text)));

function printNode(node: Node, nameOf: (id: number) => string, canonical: boolean): string {
  const inputs = node.inputs.length === 0 ? '' : `(${node.inputs.map(nameOf).join(', ')})`;
  const attrs = Object.entries(node.attrs).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ` ${name}=${printValue(value, canonical)}`).join('');
  const place = canonical || node.path === '' ? '' : `  # ${node.path}`;
  return `${node.op}${inputs}${attrs} : ${formatType(node.type)}${place}`;
}

function printValue(value: AttrValue, canonical: boolean): string {
  if (isNdArray(value)) return printArray(value, canonical);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object') return `[${(value as readonly Dim[]).map(formatDim).join(', ')}]`;
  return String(value);
}

/** Few values are spelled; many are hashed, bit for bit. */
function printArray(value: NdArray, canonical: boolean): string {
  const shape = `[${value.shape.join(', ')}]`;
  if (!canonical && value.data.length <= 8) return `${shape}{${value.data.join(', ')}}`;
  const { buffer, byteOffset, byteLength } = value.data;
  return `${shape}#${bytesToHex(sha256(new Uint8Array(buffer, byteOffset, byteLength))).slice(0, 32)}`;
}
