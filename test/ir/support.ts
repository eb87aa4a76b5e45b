// Small graphs and numbers for them, shared by the tests of graph, passes, targets and engines.
import type { GraphBuilder } from '../../compiler/ir/builder.js';
import { evaluateDim, symbol, type Dim } from '../../compiler/ir/dim.js';
import { isLeaf, leafName, type Graph, type NodeId } from '../../compiler/ir/graph.js';
import { ndarray, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';

export const B = symbol('B');

export const input = (b: GraphBuilder, name: string, shape: readonly Dim[]): NodeId => b.leaf('input', { name }, { dtype: 'f32', shape });
export const param = (b: GraphBuilder, path: string, shape: readonly Dim[]): NodeId => b.leaf('param', { path }, { dtype: 'f32', shape });

/** Numbers in (-1, 1) that repeat from nothing: a formula of name and index. */
export function numbers(name: string, shape: readonly number[]): NdArray {
  const offset = [...name].reduce((sum, c) => sum * 7 + c.charCodeAt(0), 1) % 1000;
  return ndarray(shape, Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(offset + 2.7 * i) * Math.cos(0.31 * i * i + offset)));
}

/** A value for every leaf, its symbols taking these sizes. */
export function feedsFor(graph: Graph, sizes: Readonly<Record<string, number>> = {}): Map<string, NdArray> {
  const leaves = [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant');
  return new Map(leaves.map((n) => [leafName(n), numbers(leafName(n), n.type.shape.map((d) => evaluateDim(d, sizes)))]));
}

export function maxDiff(a: NdArray | undefined, b: NdArray | undefined): number {
  if (a === undefined || b === undefined || a.shape.join() !== b.shape.join()) return Infinity;
  return a.data.reduce((worst, v, i) => Math.max(worst, Math.abs(v - (b.data[i] ?? NaN))), 0);
}

/** Ops of a graph in order, leaves left out: what a pass did, at a glance. */
export const opsOf = (graph: Graph): readonly string[] => [...graph.nodes.values()].filter((n) => !isLeaf(n.op)).map((n) => n.op);
