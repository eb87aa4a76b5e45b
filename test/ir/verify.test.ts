import { expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { nodeOf, type Graph, type Node } from '../../compiler/ir/graph.js';
import { zeros } from '../../compiler/ir/ndarray.js';
import { sound, verifyGraph } from '../../compiler/ir/verify.js';
import { B, input } from './support.js';

function graphOf(): Graph {
  const b = new GraphBuilder();
  const x = input(b, 'x', [B, 4]);
  return b.finish([{ name: 'y', id: b.sum(b.mul(x, b.constant(zeros([1, 4]))), [1]) }]);
}

/** The graph with the first node of an op changed. */
function tampered(op: string, change: Partial<Node>): Graph {
  const graph = graphOf();
  return { ...graph, nodes: new Map([...graph.nodes].map(([id, n]) => [id, n.op === op ? { ...n, ...change } : n])) };
}

test('a graph from the builder is sound', () => {
  expect(verifyGraph(graphOf())).toEqual([]);
});

test.each<[string, Graph, RegExp]>([
  ['a wrong type', tampered('sum', { type: { dtype: 'f32', shape: [B, 4] } }), /\(sum\): a type is what the table infers: says f32\[B, 4\], the table f32\[B, 1\]/],
  ['a poison left over', tampered('mul', { op: 'poison' }), /every op is in the table: no op poison/],
  ['a node before its input', { ...graphOf(), nodes: new Map([...graphOf().nodes].reverse()) }, /a node comes after its inputs: reads/],
  ['an input too many', tampered('sum', { inputs: [0, 0] }), /an op has the inputs of its row: 2 inputs/],
  ['an attribute of no row', tampered('sum', { attrs: { axes: [1], slope: 2 } }), /unknown slope/],
  ['a constant of another shape', tampered('constant', { attrs: { value: zeros([4]) } }), /a constant has as many values as its shape/],
  ['an input without a name', tampered('input', { attrs: {} }), /no name/],
  ['an output that is not there', { ...graphOf(), outputs: [{ name: 'y', id: 99 }] }, /output y is node 99/],
])('%s is found', (_, graph, message) => {
  expect(verifyGraph(graph).join('\n')).toMatch(message);
  expect(() => sound(graph)).toThrow(message);
});

test('a rule of the table that throws is a fault of the node, not of the verifier', () => {
  const graph = graphOf();
  const x = [...graph.nodes.values()].find((n) => n.op === 'input')!;
  const bad: Node = { ...nodeOf(graph, graph.outputs[0]!.id), attrs: { axes: [7] } };
  expect(verifyGraph({ ...graph, nodes: new Map(graph.nodes).set(bad.id, { ...bad, inputs: [x.id] }) })).toHaveLength(1);
});
