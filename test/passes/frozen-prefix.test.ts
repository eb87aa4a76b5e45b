// What is cut off as frozen, where, and that prefix and rest together are the function.
import { describe, expect, test } from 'vitest';
import { compileSpec } from '../../compiler/index.js';
import { evaluate } from '../../compiler/evaluate.js';
import { evalFunction, wholeGradient } from '../../compiler/functions.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { mulDim } from '../../compiler/ir/dim.js';
import { isLeaf, leafName, type Graph, type NodeId } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { hashGraph } from '../../compiler/ir/print.js';
import { sound } from '../../compiler/ir/verify.js';
import { splitFrozen, type FrozenSplit } from '../../compiler/passes/frozen-prefix.js';
import type { Program } from '../../compiler/program.js';
import { diskHost } from '../../cli/host.js';
import { B, feedsFor, input, maxDiff, opsOf, param } from '../ir/support.js';

const graphOf = (make: (b: GraphBuilder) => NodeId): Graph => {
  const b = new GraphBuilder();
  return b.finish([{ name: 'y', id: make(b) }]);
};
const FROZEN = new Set(['frozen', 'other']);
const leaves = (graph: Graph): readonly string[] => [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName).sort();
const sample = (x: NdArray, i: number): NdArray => ndarray([1, ...x.shape.slice(1)], x.data.slice(i * (x.data.length / x.shape[0]!), (i + 1) * (x.data.length / x.shape[0]!)));

/** Splits, and checks in float64 that the features of single images, put together, make the rest give what the function gives. */
function split(graph: Graph, image = 'x', frozen: ReadonlySet<string> = FROZEN): FrozenSplit | undefined {
  const made = splitFrozen(sound(graph), image, frozen);
  if (made === undefined) return undefined;
  const feeds = feedsFor(graph, { B: 3 }), pictures = feeds.get(image)!;
  const each = [0, 1, 2].map((i) => evaluate(sound(made.prefix), new Map(feeds).set(image, sample(pictures, i))));
  for (const { name, shape: [first = 1, ...others] } of made.features) {
    const parts = each.map((outputs) => outputs.get(name)!);
    feeds.set(name, ndarray([3 * first, ...others], parts.flatMap((p) => [...p.data])));
  }
  const [whole, rest] = [evaluate(graph, feeds), evaluate(sound(made.rest), feeds)];
  for (const [name, value] of whole) expect(maxDiff(rest.get(name), value), name).toBeLessThan(1e-12);
  return made;
}

describe('before and after', () => {
  test('a frozen layer under a trained one: the cut is behind the cheap op that follows it', () => {
    const graph = graphOf((b) => b.add('matmul', [b.add('gelu', [b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'frozen', [6, 8])])]), param(b, 'trained', [8, 2])]));
    const made = split(graph)!;
    expect([opsOf(made.prefix), leaves(made.prefix)]).toEqual([['matmul', 'gelu'], ['frozen', 'x']]);
    expect([opsOf(made.rest), leaves(made.rest)]).toEqual([['matmul'], ['frozen:0', 'trained']]);
    expect(made.features).toEqual([{ name: 'frozen:0', shape: [1, 8] }]);
  });
  test('what a cheap op makes larger is made again in the rest', () => {
    const graph = graphOf((b) => {
      const y = b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'frozen', [6, 8])]);
      return b.mul(b.add('concat', [y, b.add('relu', [b.neg(y)])], { axis: 1 }), param(b, 'trained', [1, 16]));
    });
    const made = split(graph)!;
    expect([opsOf(made.prefix), opsOf(made.rest)]).toEqual([['matmul'], ['neg', 'relu', 'concat', 'mul']]);
  });
  test('of a residual sum the sum is kept, not its terms', () => {
    const graph = graphOf((b) => {
      const x = b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'frozen', [6, 8])]);
      return b.mul(b.addition(x, b.add('matmul', [x, param(b, 'other', [8, 8])])), param(b, 'trained', [1, 8]));
    });
    expect(split(graph)!.features).toEqual([{ name: 'frozen:0', shape: [1, 8] }]);
  });
  test('the cut may be of several values, at several depths', () => {
    const graph = graphOf((b) => {
      const x = b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'frozen', [6, 8])]), deep = b.add('softmax', [b.add('matmul', [x, param(b, 'other', [8, 3])])], { axis: -1 });
      return b.addition(b.add('matmul', [x, param(b, 'trained', [8, 3])]), b.mul(deep, param(b, 'trained2', [1, 3])));
    });
    expect(split(graph)!.features.map((f) => f.shape[1]).sort()).toEqual([3, 8]);
  });
});

describe('what is not cut off', () => {
  test.each<[string, (b: GraphBuilder, y: NodeId) => NodeId]>([
    ['a task\'s own tensor', (b, y) => b.mul(y, param(b, 'own.{task}', [1, 8]))],
    ['a schedule', (b, y) => b.mul(y, b.leaf('schedule', { name: 's' }, { dtype: 'f32', shape: [] }))],
    ['a dropout mask', (b, y) => b.mul(y, b.leaf('drop', { path: 'd', rate: 0.5 }, b.type(y)))],
    ['a state', (b, y) => b.mul(y, b.leaf('state', { path: 'p' }, { dtype: 'f32', shape: [1, 8] }))],
    ['the truth', (b, y) => b.mul(y, input(b, 'truth', [B, 8]))],
    ['a mean over the batch', (b, y) => b.sub(y, b.mean(y, [0]))],
    ['a product over the batch', (b, y) => b.add('matmul', [y, b.add('matmul', [y, y], { transpose_a: true })])],
    ['the batch turned round', (b, y) => b.add('flip', [y], { axes: [0] })],
  ])('what reads %s', (_, read) => {
    const graph = graphOf((b) => b.add('softmax', [b.add('matmul', [read(b, b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'frozen', [6, 8])])), param(b, 'other', [8, 8])])], { axis: -1 }));
    expect(opsOf(split(graph)!.prefix)).toEqual(['matmul']);
  });
  test('nothing where only the image and cheap ops are there, or the tensor is trained', () => {
    expect(split(graphOf((b) => b.mul(b.add('tanh', [input(b, 'x', [B, 6])]), param(b, 'trained', [1, 6]))))).toBeUndefined();
    expect(split(graphOf((b) => b.add('matmul', [input(b, 'x', [B, 6]), param(b, 'trained', [6, 8])])))).toBeUndefined();
  });
});

test('windows fold into the first axis and out of it: a sample stays a sample', () => {
  const graph = graphOf((b) => {
    const windows = b.reshape(b.transpose(b.reshape(input(b, 'x', [B, 4, 6]), [B, 2, 2, 6]), [0, 2, 1, 3]), [mulDim(2, B), 2, 6]);
    const y = b.add('normalize', [b.add('matmul', [windows, param(b, 'frozen', [6, 3])])], { axes: [-1] });
    return b.addition(b.reshape(b.mul(y, param(b, 'trained', [1, 1, 3])), [B, 2, 2, 3]), input(b, 'truth', [B, 2, 2, 3]));
  });
  expect(split(graph)!.features).toEqual([{ name: 'frozen:0', shape: [2, 2, 3] }]);
});

describe('variants of tpseg-nano', { timeout: 60_000 }, () => {
  const compiled = new Map<string, Program>();
  const program = (variant: string): Program => {
    const known = compiled.get(variant) ?? compileSpec({ file: 'models/tpseg-nano.tps', variant, set: { size: '32' }, tasks: ['CP', 'SL'], knownVariant: true }, diskHost()).program!;
    compiled.set(variant, known);
    return known;
  };
  const frozenOf = (p: Program): ReadonlySet<string> => new Set(p.tensors.filter((t) => t.frozen && !t.perTask).map((t) => t.path));
  const cut = (variant: string, of: (p: Program) => Graph = wholeGradient): FrozenSplit => {
    const p = program(variant);
    return splitFrozen(of(p), 'image', frozenOf(p))!;
  };
  test('without adapters the whole trunk is cut off, and is one prefix for both variants, in training and in evaluation', () => {
    const prefixes = [cut('A1'), cut('A2'), cut('A2', evalFunction)];
    expect(prefixes[0]!.features.map((f) => f.shape.join()).sort()).toEqual(['1,128,2,2', '1,256,1,1', '1,32,8,8', '1,64,4,4']);
    expect(new Set(prefixes.map((p) => hashGraph(p.prefix))).size).toBe(1);
  });
  test('adapters before every block leave the patches; low rank beside each product leaves the first product', () => {
    expect(opsOf(cut('A4').prefix)).not.toContain('softmax');
    expect(opsOf(cut('B1').prefix).filter((op) => op === 'matmul')).toHaveLength(1);
  });
  test('prefix of single images and rest are the evaluation, in float64', () => {
    const p = program('A2');
    expect(split(evalFunction(p), 'image', frozenOf(p))).toBeDefined();
  });
});
