import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { mulDim } from '../../compiler/ir/dim.js';
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import { filled, ndarray } from '../../compiler/ir/ndarray.js';
import { sound } from '../../compiler/ir/verify.js';
import { algebra } from '../../compiler/passes/algebra.js';
import { broadcast } from '../../compiler/passes/broadcast.js';
import { dead } from '../../compiler/passes/dead.js';
import { factors } from '../../compiler/passes/factors.js';
import { fold } from '../../compiler/passes/fold.js';
import { optimise } from '../../compiler/passes/index.js';
import { movement } from '../../compiler/passes/movement.js';
import { places } from '../../compiler/passes/places.js';
import { rewrite, type Rule } from '../../compiler/passes/rewrite.js';
import { rows } from '../../compiler/passes/rows.js';
import { share } from '../../compiler/passes/share.js';
import { nestSums } from '../../compiler/passes/sums.js';
import { B, feedsFor, input, maxDiff, opsOf, param } from '../ir/support.js';

const graphOf = (make: (b: GraphBuilder) => NodeId): Graph => {
  const b = new GraphBuilder();
  return b.finish([{ name: 'y', id: make(b) }]);
};
const by = (rule: Rule) => (graph: Graph): Graph => {
  let current = { graph, changed: true };
  while (current.changed) current = rewrite(current.graph, [rule]);
  return current.graph;
};

/** The pass gives these ops, leaves a sound graph, and changes no value. */
function expectOps(pass: (graph: Graph) => Graph, make: (b: GraphBuilder) => NodeId, before: readonly string[], after: readonly string[]): Graph {
  const graph = graphOf(make);
  expect(opsOf(graph)).toEqual(before);
  const passed = sound(pass(sound(graph)));
  expect(opsOf(passed)).toEqual(after);
  const feeds = feedsFor(graph, { B: 2 });
  expect(maxDiff(evaluate(passed, feeds).get('y'), evaluate(graph, feeds).get('y'))).toBeLessThan(1e-14);
  return passed;
}

describe('folding', () => {
  test('what depends on constants alone becomes one', () => {
    expectOps(by(fold), (b) => b.addition(input(b, 'x', [2]), b.add('exp', [b.scale(b.constant(ndarray([2], [1, 2])), 3)])), ['mul', 'exp', 'add'], ['add']);
  });
  test('a small constant does not swell to a large one', () => {
    expectOps(by(fold), (b) => b.expand(b.constant(filled([1, 1], 0)), [200, 200]), ['expand'], ['expand']);
  });
  test('an expand to a symbolic size stays', () => {
    expectOps(by(fold), (b) => b.addition(input(b, 'x', [B, 1]), b.zerosLike(input(b, 'x', [B, 1]))), ['expand', 'add'], ['expand', 'add']);
  });
});

describe('common subexpressions', () => {
  test('equal nodes are one, whichever way round they add; leaves by their name', () => {
    expectOps(share, (b) => {
      const [x, again, y] = [input(b, 'x', [3]), input(b, 'x', [3]), input(b, 'y', [3])];
      return b.mul(b.addition(x, y), b.addition(y, again));
    }, ['add', 'add', 'mul'], ['add', 'mul']);
  });
  test('other attributes, other order of a difference, other constants keep two nodes', () => {
    const kept = ['sub', 'sum', 'sub', 'sum', 'mul', 'mul', 'mul', 'mul'];
    expectOps(share, (b) => {
      const [x, y] = [input(b, 'x', [3, 3]), input(b, 'y', [3, 3])];
      const sums = b.mul(b.sum(b.sub(x, y), [0]), b.sum(b.sub(y, x), [1]));
      return b.mul(b.mul(sums, b.scalar(2)), b.scalar(2 + 1e-12));
    }, kept.slice(0, 7), kept.slice(0, 7));
  });
});

test('dead code goes, also from a graph that was put together by hand', () => {
  const b = new GraphBuilder();
  const x = input(b, 'x', [3]);
  b.add('exp', [x]);
  const y = b.neg(x);
  expect(opsOf(dead({ nodes: b.nodes, outputs: [{ name: 'y', id: y }] }))).toEqual(['neg']);
});

describe('algebra', () => {
  const x = (b: GraphBuilder): NodeId => input(b, 'x', [B, 3]);
  test.each<[string, (b: GraphBuilder) => NodeId, string[], string[]]>([
    ['x · 1', (b) => b.neg(b.mul(x(b), b.scalar(1))), ['mul', 'neg'], ['neg']],
    ['x · ones of its rank', (b) => b.neg(b.mul(b.constant(filled([1, 3], 1)), x(b))), ['mul', 'neg'], ['neg']],
    ['x + 0', (b) => b.neg(b.addition(x(b), b.scalar(0))), ['add', 'neg'], ['neg']],
    ['0 - x is no x', (b) => b.sub(b.scalar(0), x(b)), ['sub'], ['sub']],
    ['x / 1', (b) => b.neg(b.div(x(b), b.scalar(1))), ['div', 'neg'], ['neg']],
    ['(x · 2) · 3 = x · 6', (b) => b.mul(b.scalar(3), b.mul(x(b), b.scalar(2))), ['mul', 'mul'], ['mul']],
    ['x · -1 = -x', (b) => b.scale(x(b), -1), ['mul'], ['neg']],
    ['-(-x) = x', (b) => b.add('exp', [b.neg(b.neg(x(b)))]), ['neg', 'neg', 'exp'], ['exp']],
    ['x + (-y) = x - y', (b) => b.addition(x(b), b.neg(input(b, 'y', [B, 3]))), ['neg', 'add'], ['sub']],
    ['x - (-y) = x + y', (b) => b.sub(x(b), b.neg(input(b, 'y', [B, 3]))), ['neg', 'sub'], ['add']],
    ['x ^ 2 = x · x', (b) => b.add('pow', [x(b), b.scalar(2)]), ['pow'], ['mul']],
  ])('%s', (_, make, before, after) => { expectOps(by(algebra), make, before, after); });
  test('a one that makes the shape larger is no neutral element', () => {
    expectOps(by(algebra), (b) => b.mul(input(b, 'x', [1, 3]), b.constant(filled([4, 3], 1))), ['mul'], ['mul']);
  });
});

describe('broadcasts', () => {
  test('an expand before a product is left to broadcasting', () => {
    expectOps(by(broadcast), (b) => b.mul(b.expand(input(b, 'x', [B, 1]), [B, 4]), input(b, 'y', [B, 4])), ['expand', 'mul'], ['mul']);
  });
  test('elementwise ops are done before the expand, and one expand is left', () => {
    const graph = expectOps(by(broadcast), (b) => b.add('exp', [b.neg(b.expand(b.expand(input(b, 'x', [1, 1]), [1, 4]), [5, 4]))]),
      ['expand', 'expand', 'neg', 'exp'], ['neg', 'exp', 'expand']);
    expect([...graph.nodes.values()].find((n) => n.op === 'exp')?.type.shape).toEqual([1, 1]);
  });
  test('a sum over repeats is a product', () => {
    expectOps(by(broadcast), (b) => b.sum(b.expand(input(b, 'x', [B, 1, 3]), [B, 5, 3]), [1, 2]), ['expand', 'sum'], ['sum', 'mul']);
  });
  test('a sum over a symbolic number of repeats stays', () => {
    expectOps(by(broadcast), (b) => b.mul(b.sum(b.expand(input(b, 'x', [1, 3]), [B, 3]), [0]), b.sum(input(b, 'z', [B, 1]), [0])),
      ['expand', 'sum', 'sum', 'mul'], ['expand', 'sum', 'sum', 'mul']);
  });
});

describe('movement', () => {
  const x = (b: GraphBuilder): NodeId => input(b, 'x', [B, 2, 6]);
  test.each<[string, (b: GraphBuilder) => NodeId, string[], string[]]>([
    ['a reshape of a reshape', (b) => b.reshape(b.reshape(x(b), [mulDim(B, 12)]), [B, 3, 4]), ['reshape', 'reshape'], ['reshape']],
    ['a reshape there and back', (b) => b.neg(b.reshape(b.reshape(x(b), [B, 12]), [B, 2, 6])), ['reshape', 'reshape', 'neg'], ['neg']],
    ['transposes that cancel', (b) => b.neg(b.transpose(b.transpose(x(b), [1, 2, 0]), [2, 0, 1])), ['transpose', 'transpose', 'neg'], ['neg']],
    ['transposes that do not', (b) => b.transpose(b.transpose(x(b), [1, 2, 0]), [1, 2, 0]), ['transpose', 'transpose'], ['transpose']],
    ['a slice of everything', (b) => b.neg(b.add('slice', [x(b)], { axis: 2, from: 0, to: 6 })), ['slice', 'neg'], ['neg']],
    ['a slice of something', (b) => b.add('slice', [x(b)], { axis: 2, from: 1, to: 6 }), ['slice'], ['slice']],
    ['a concatenation of one', (b) => b.neg(b.add('concat', [x(b)], { axis: 0 })), ['concat', 'neg'], ['neg']],
    ['a pad by nothing', (b) => b.neg(b.add('pad', [x(b)], { before: [0, 0, 0], after: [0, 0, 0] })), ['pad', 'neg'], ['neg']],
    ['a mean over one element', (b) => b.neg(b.mean(input(b, 'x', [B, 1, 6]), [1])), ['mean', 'neg'], ['neg']],
    ['detach and identity', (b) => b.neg(b.add('detach', [b.add('identity', [x(b)])])), ['identity', 'detach', 'neg'], ['neg']],
  ])('%s', (_, make, before, after) => { expectOps(by(movement), make, before, after); });
});

describe('places', () => {
  const at = (b: GraphBuilder, name: string, before: number, after: number): NodeId => b.add('pad', [input(b, name, [B, 2, 3])], { before: [0, 0, before], after: [0, 0, after] });
  test('parts that fill an axis are a concatenation, in whatever order they were added', () => {
    const graph = expectOps(by(places), (b) => b.addition(b.addition(at(b, 'v', 6, 0), at(b, 'k', 3, 3)), at(b, 'q', 0, 6)), ['pad', 'pad', 'add', 'pad', 'add'], ['concat']);
    expect([...graph.nodes.values()].filter((n) => n.op === 'input').map((n) => n.attrs.name)).toEqual(['q', 'k', 'v']);
  });
  test('neighbours that leave room keep one pad', () => {
    expectOps(by(places), (b) => b.addition(at(b, 'k', 3, 4), at(b, 'q', 0, 7)), ['pad', 'pad', 'add'], ['concat', 'pad']);
  });
  test('parts that overlap, or leave a gap, are added', () => {
    expectOps(by(places), (b) => b.addition(at(b, 'k', 2, 4), at(b, 'q', 0, 6)), ['pad', 'pad', 'add'], ['pad', 'pad', 'add']);
    expectOps(by(places), (b) => b.addition(at(b, 'k', 4, 2), at(b, 'q', 0, 6)), ['pad', 'pad', 'add'], ['pad', 'pad', 'add']);
  });
});

describe('factors', () => {
  const x = (b: GraphBuilder): NodeId => input(b, 'x', [B, 4, 6, 6]);
  const channel = (b: GraphBuilder): NodeId => input(b, 'channel', [1, 4, 1, 1]);
  const sample = (b: GraphBuilder): NodeId => input(b, 'sample', [B, 1, 1, 1]);
  /** Ops whose result is as large as x: the passes over it. */
  const wide = (graph: Graph): readonly string[] => [...graph.nodes.values()].filter((n) => n.inputs.length > 0 && n.type.shape[2] === 6).map((n) => n.op);

  test('small factors are multiplied with each other', () => {
    const graph = expectOps(by(factors), (b) => b.mul(b.mul(x(b), channel(b)), sample(b)), ['mul', 'mul'], ['mul', 'mul']);
    expect(wide(graph)).toEqual(['mul']);
  });
  test('not where the small ones make a large one', () => {
    const make = (b: GraphBuilder): NodeId => b.mul(b.mul(x(b), input(b, 'row', [1, 1, 1, 6])), input(b, 'rest', [B, 4, 6, 1]));
    expect(wide(expectOps(by(factors), make, ['mul', 'mul'], ['mul', 'mul']))).toEqual(['mul', 'mul']);
  });
  test('a small factor goes into a sum whose terms can take it', () => {
    const make = (b: GraphBuilder): NodeId => b.mul(b.sub(b.mul(x(b), channel(b)), b.addition(sample(b), b.mul(input(b, 'y', [B, 4, 6, 6]), sample(b)))), sample(b));
    const graph = expectOps(by(factors), make, ['mul', 'mul', 'add', 'sub', 'mul'], ['mul', 'mul', 'mul', 'mul', 'mul', 'add', 'sub']);
    expect(wide(graph)).toEqual(['mul', 'mul', 'add', 'sub']);
  });
  test('but not where the sum is read elsewhere, or a term cannot', () => {
    expectOps(by(factors), (b) => {
      const sum = b.sub(b.mul(x(b), channel(b)), sample(b));
      return b.mul(b.mul(sum, sample(b)), sum);
    }, ['mul', 'sub', 'mul', 'mul'], ['mul', 'sub', 'mul', 'mul']);
    expectOps(by(factors), (b) => b.mul(b.sub(x(b), sample(b)), sample(b)), ['sub', 'mul'], ['sub', 'mul']);
  });
  test('a factor leaves a sum along the axes on which it does not vary', () => {
    const graph = expectOps(by(factors), (b) => b.sum(b.mul(b.mul(x(b), channel(b)), input(b, 'y', [B, 4, 6, 6])), [1, 2, 3]), ['mul', 'mul', 'sum'], ['mul', 'sum', 'mul', 'sum']);
    expect(wide(graph)).toEqual(['mul']);
  });
  test('a mean becomes a sum and a scale', () => {
    expectOps(by(factors), (b) => b.mean(b.mul(x(b), channel(b)), [2, 3]), ['mul', 'mean'], ['sum', 'mul', 'mul']);
  });
});

test('a sum over more axes is made from one over fewer', () => {
  const graph = expectOps(nestSums, (b) => {
    const x = input(b, 'x', [B, 4, 6]);
    return b.mul(b.sum(x, [0, 2]), b.sum(x, [2]));
  }, ['sum', 'sum', 'mul'], ['sum', 'sum', 'mul']);
  expect([...graph.nodes.values()].filter((n) => n.op === 'sum').map((n) => n.attrs.axes)).toEqual([[2], [0]]);
});

test('the driver composes them: gradient-like debris comes down to one op', () => {
  expectOps(optimise, (b) => {
    const x = input(b, 'x', [B, 4]);
    const one = b.expand(b.mul(b.scalar(0.25), b.scalar(4)), [B, 1]);
    const scaled = b.mul(b.expand(one, [B, 4]), x);
    return b.addition(b.reshape(b.reshape(scaled, [mulDim(B, 4)]), [B, 4]), b.neg(b.neg(b.mul(x, b.scalar(1)))));
  }, ['mul', 'expand', 'expand', 'mul', 'reshape', 'reshape', 'mul', 'neg', 'neg', 'add'], ['add']);
});

describe('rows', () => {
  const filled = (b: GraphBuilder): NodeId => b.add('pad', [input(b, 'x', [B, 3, 4, 5])], { before: [0, 0, 0, 0], after: [0, 1, 2, 0] });
  const windows = (b: GraphBuilder, x: NodeId): NodeId => b.reshape(b.transpose(b.reshape(x, [B, 2, 2, 3, 2, b.shape(x).at(-1)!]), [0, 1, 3, 2, 4, 5]), [mulDim(B, 6), 4, b.shape(x).at(-1)!]);

  test('a product comes before its rows are filled up with zeros', () => {
    const passed = expectOps(by(rows), (b) => b.add('matmul', [windows(b, filled(b)), param(b, 'w', [7, 5])], { transpose_b: true }),
      ['pad', 'reshape', 'transpose', 'reshape', 'matmul'], ['matmul', 'pad', 'reshape', 'transpose', 'reshape']);
    expect(passed.nodes.get(passed.outputs[0]!.id)!.type.shape.at(-1)).toBe(7);
  });

  test('a product and its bias come after rows are cut away', () => {
    expectOps(by(rows), (b) => {
      const y = b.addition(b.add('matmul', [input(b, 'x', [12, 4, 5]), param(b, 'w', [5, 7])]), b.reshape(param(b, 'bias', [7]), [1, 1, 7]));
      const whole = b.reshape(b.transpose(b.reshape(y, [2, 2, 3, 2, 2, 7]), [0, 1, 3, 2, 4, 5]), [2, 4, 6, 7]);
      return b.add('slice', [b.add('slice', [whole], { axis: 1, from: 0, to: 3, step: 1 })], { axis: 2, from: 0, to: 4, step: 1 });
    }, ['matmul', 'reshape', 'add', 'reshape', 'transpose', 'reshape', 'slice', 'slice'], ['reshape', 'transpose', 'reshape', 'slice', 'slice', 'matmul', 'reshape', 'reshape', 'add']);
  });

  test('filling with ones, along the summed axis, or for other readers too stays where it is', () => {
    const ones = ['pad', 'matmul'];
    expectOps(by(rows), (b) => b.add('matmul', [b.add('pad', [input(b, 'x', [3, 5])], { before: [1, 0], after: [0, 0], value: 1 }), param(b, 'w', [5, 2])]), ones, ones);
    expectOps(by(rows), (b) => b.add('matmul', [b.add('pad', [input(b, 'x', [3, 5])], { before: [0, 1], after: [0, 0] }), param(b, 'w', [6, 2])]), ones, ones);
    const twice = ['pad', 'matmul', 'mul'];
    expectOps(by(rows), (b) => {
      const x = b.add('pad', [input(b, 'x', [3, 5])], { before: [1, 0], after: [0, 0] });
      return b.mul(b.add('matmul', [x, param(b, 'w', [5, 5])]), x);
    }, twice, twice);
  });
});
