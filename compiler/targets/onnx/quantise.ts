// Products with stored weights in int8: which they are, and how they are written. Activations are quantised as they come (DynamicQuantizeLinear,
// one scale a tensor), weights beforehand (one scale a column of the product). The rest of the graph stays as it is.
import { storedPath, type Bindings, type TensorValue } from '../../bindings.js';
import { isStatic } from '../../ir/dim.js';
import { nodeOf, type Graph, type Node, type NodeId } from '../../ir/graph.js';
import type { Emitter } from './emitter.js';

/**
 * Weights are whole numbers from -64 to 64. Processors without VNNI add two products of a byte and a signed byte in 16 bits that do not
 * overflow but stop at 32767: 2 · 255 · 64 is below it, so all processors and WebAssembly compute the same.
 */
const LEVELS = 64;

export interface Int8Product { readonly weight: TensorValue; readonly path: string; readonly transposed: boolean }

/** The products of the graph whose right side is one matrix among `paths` (as the graph names parameters) that the bindings hold. */
export function int8Products(graph: Graph, bindings: Bindings, paths: ReadonlySet<string>): ReadonlyMap<NodeId, Int8Product> {
  const found = new Map<NodeId, Int8Product>();
  for (const node of graph.nodes.values()) {
    const [, right] = node.inputs;
    if (node.op !== 'matmul' || right === undefined) continue;
    const leaf = nodeOf(graph, right);
    if (leaf.op !== 'param' || leaf.type.shape.length !== 2 || !leaf.type.shape.every(isStatic) || !paths.has(String(leaf.attrs['path']))) continue;
    const path = storedPath(leaf, bindings), weight = path === undefined ? undefined : bindings.tensors?.get(path);
    if (path !== undefined && weight !== undefined) found.set(node.id, { weight, path, transposed: node.attrs['transpose_b'] === true });
  }
  return found;
}

/** Leaves that nothing but these products reads: their float values need not be in the file. */
export function onlyRead(graph: Graph, products: ReadonlyMap<NodeId, Int8Product>): ReadonlySet<NodeId> {
  const others = new Set([...graph.outputs.map((o) => o.id), ...[...graph.nodes.values()].flatMap((n) => (products.has(n.id) ? n.inputs.slice(0, 1) : n.inputs))]);
  return new Set([...products.keys()].map((id) => nodeOf(graph, id).inputs[1]).filter((id): id is NodeId => id !== undefined && !others.has(id)));
}

/** x · W = (s_x s_W) · (q_x - z_x) · q_W, the sum in int32. */
export function writeInt8Product(c: Emitter, node: Node, x: string, product: Int8Product): string {
  const left = node.attrs['transpose_a'] === true ? c.emit('Transpose', [x], { perm: { ints: swapped(node.type.shape.length) } }) : x;
  const { integers, scales } = quantised(c, product);
  const [bytes = '', scale = '', zero = ''] = c.emitMany('DynamicQuantizeLinear', [left], {}, 3);
  const sum = c.emit('Cast', [c.emit('MatMulInteger', [bytes, integers, zero])], { to: { int: FLOAT } });
  return c.emit('Mul', [sum, c.emit('Mul', [scale, scales])]);
}
const FLOAT = 1;
const swapped = (rank: number): readonly number[] => [...Array(rank - 2).keys(), rank - 1, rank - 2];

/** The weight as int8 [k, m] and its scales f32[m], each made when it is written; a weight that is read in both ways is there twice. */
function quantised(c: Emitter, { weight, path, transposed }: Int8Product): { readonly integers: string; readonly scales: string } {
  const [rows = 0, columns = 0] = weight.shape, [k, m] = transposed ? [columns, rows] : [rows, columns];
  const integers = `${path}:int8${transposed ? '' : ':rows'}`, scales = `${path}:scale${transposed ? '' : ':rows'}`;
  if (c.isTaken(integers)) return { integers, scales };
  const at = (i: number, j: number): number => (transposed ? j * k + i : i * m + j);
  const scalesOf = (data: Float32Array): Float32Array => Float32Array.from({ length: m }, (_, j) => {
    let most = 0;
    for (let i = 0; i < k; i++) most = Math.max(most, Math.abs(data[at(i, j)] as number));
    return most === 0 ? 1 : most / LEVELS;
  });
  c.initializer(c.reserve(integers), [k, m], 'i8', [() => {
    const data = weight.read(), scale = scalesOf(data), out = new Float32Array(k * m);
    for (let i = 0; i < k; i++) for (let j = 0; j < m; j++) out[i * m + j] = Math.round((data[at(i, j)] as number) / (scale[j] as number));
    return out;
  }]);
  c.initializer(c.reserve(scales), [m], 'f32', [() => scalesOf(weight.read())]);
  return { integers, scales };
}
