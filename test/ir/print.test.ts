import { expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import { hashGraph, printGraph } from '../../compiler/ir/print.js';
import { B, input, param } from './support.js';

interface Variation { readonly paramFirst?: boolean; readonly path?: string; readonly unused?: boolean; readonly bias?: number }

function graphOf({ paramFirst = false, path = 'head', unused = false, bias = 1 }: Variation = {}): Graph {
  const b = new GraphBuilder();
  b.place = { path, range: undefined };
  const w1 = paramFirst ? param(b, 'head.weight', [1, 4]) : undefined;
  const x = input(b, 'x', [B, 4]);
  const w = w1 ?? param(b, 'head.weight', [1, 4]);
  if (unused) b.neg(x);
  return b.finish([{ name: 'y', id: b.addition(b.sum(b.mul(x, w), [1]), b.constant(ndarray([1, 1], [bias]))) }]);
}

test('a graph is printed one node a line, attributes sorted, places behind', () => {
  expect(printGraph(graphOf())).toBe([
    '%0 = input name="x" : f32[B, 4]  # head',
    '%1 = param path="head.weight" : f32[1, 4]  # head',
    '%2 = mul(%0, %1) : f32[B, 4]  # head',
    '%3 = sum(%2) axes=[1] : f32[B, 1]  # head',
    '%4 = constant value=[1, 1]{1} : f32[1, 1]  # head',
    '%5 = add(%3, %4) : f32[B, 1]  # head',
    'output y = %5',
    '',
  ].join('\n'));
});

test('the canonical text does not depend on order, ids, dead nodes or instance paths', () => {
  const plain = printGraph(graphOf(), { canonical: true });
  expect(printGraph(graphOf({ paramFirst: true, path: 'elsewhere', unused: true }), { canonical: true })).toBe(plain);
});

test('the hash tells constants apart, bit for bit', () => {
  expect(hashGraph(graphOf({ bias: 1 + Number.EPSILON }))).not.toBe(hashGraph(graphOf()));
  expect(hashGraph(graphOf())).toMatch(/^[0-9a-f]{64}$/);
});
