// What a baked task makes of a graph: gates become numbers, vanishing routes go with their tensors, and no value changes by more than they weighed.
import { describe, expect, test } from 'vitest';
import type { Bindings, TensorValue } from '../../compiler/bindings.js';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { isLeaf, leafName, type Graph, type NodeId } from '../../compiler/ir/graph.js';
import { filled, ndarray, scalar, type NdArray } from '../../compiler/ir/ndarray.js';
import { sound } from '../../compiler/ir/verify.js';
import { optimise } from '../../compiler/passes/index.js';
import { specialise, type Specialised } from '../../compiler/passes/specialise.js';
import { B, input, maxDiff, numbers, opsOf, param } from '../ir/support.js';

const values = (all: Readonly<Record<string, NdArray>>): ReadonlyMap<string, TensorValue> =>
  new Map(Object.entries(all).map(([path, { shape, data }]) => [path, { shape, read: () => Float32Array.from(data) }]));
const graphOf = (make: (b: GraphBuilder) => NodeId): Graph => {
  const b = new GraphBuilder();
  return b.finish([{ name: 'y', id: make(b) }]);
};
const leavesOf = (graph: Graph): readonly string[] => [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName).sort();

/** Specialised to SL: a sound graph whose values differ from the open one's by at most `tolerance`. */
function specialised(graph: Graph, bindings: Bindings, dropBelow: number, tolerance = 1e-12): Specialised {
  const made = specialise(sound(graph), { tasks: ['WA', 'SL'], task: 'SL', ...bindings }, dropBelow);
  const feeds = new Map<string, NdArray>([['x', numbers('x', [2, 4])], ['t', scalar(1)]]);
  for (const [path, { shape, read }] of bindings.tensors ?? []) feeds.set(path.replace('SL', '{task}'), ndarray(shape, Float64Array.from(read())));
  for (const [name, value] of Object.entries(bindings.schedules ?? {})) feeds.set(`schedule:${name}`, scalar(value));
  for (const path of new Set([...graph.nodes.values()].filter((n) => n.op === 'every_task').map((n) => String(n.attrs.path)))) {
    const copies = ['WA', 'SL'].map((code) => [...bindings.tensors?.get(path.replace('{task}', code))?.read() ?? []]);
    feeds.set(`every_task:${path}`, ndarray([2, copies[0]!.length], copies.flat()));
  }
  for (const after of [made.graph, optimise(made.graph)]) expect(maxDiff(evaluate(sound(after), feeds).get('y'), evaluate(graph, feeds).get('y'))).toBeLessThanOrEqual(tolerance);
  return made;
}

/** x + scale ((1 - g) x shared + g x own), g = sigmoid(logit / temperature). */
const routes = graphOf((b) => {
  const x = input(b, 'x', [B, 4]);
  const g = b.add('sigmoid', [b.div(param(b, 'gate.{task}.logit', []), b.leaf('schedule', { name: 'temperature' }, { dtype: 'f32', shape: [] }))]);
  const through = (path: string): NodeId => b.add('matmul', [x, param(b, `${path}.weight`, [4, 4])]);
  b.place = { path: 'mix' };
  const mixed = b.addition(b.mul(b.sub(b.scalar(1), g), through('adapter.shared.up')), b.mul(g, through('adapter.own.{task}.up')));
  return b.addition(x, b.mul(param(b, 'adapter.scale.{task}', []), mixed));
});
const bound = (logit: number, scale = 0.5): Bindings => ({
  schedules: { temperature: 0.5 },
  tensors: values({ 'gate.SL.logit': scalar(logit), 'adapter.scale.SL': scalar(scale), 'adapter.shared.up.weight': numbers('a', [4, 4]), 'adapter.own.SL.up.weight': numbers('b', [4, 4]) }),
});

describe('a gate between two routes', () => {
  test('a soft gate becomes two numbers, and both routes stay', () => {
    const { graph, dropped, folded } = specialised(routes, bound(0.5), 1e-6);
    expect(leavesOf(graph)).toEqual(['adapter.own.{task}.up.weight', 'adapter.scale.{task}', 'adapter.shared.up.weight', 'x']);
    expect(opsOf(graph)).toEqual(['matmul', 'mul', 'matmul', 'mul', 'add', 'mul', 'add']);
    expect([dropped, [...folded]]).toEqual([[], ['gate.{task}.logit', 'schedule:temperature']]);
  });
  test('a closed one drops the task\'s own route with its weight; an open one the shared route', () => {
    const closed = specialised(routes, bound(-10), 1e-6, 1e-8);
    expect(leavesOf(closed.graph)).toEqual(['adapter.scale.{task}', 'adapter.shared.up.weight', 'x']);
    expect(closed.dropped).toEqual([{ route: 'adapter.own.{task}.up', weight: expect.closeTo(2.06e-9, 11) as number, tensors: ['adapter.own.{task}.up.weight'] }]);
    const open = specialised(routes, bound(10), 1e-6, 1e-8);
    expect(open.dropped.map((d) => d.route)).toEqual(['adapter.shared.up']);
  });
  test('the threshold is the caller\'s, and 0 keeps what weighs nothing', () => {
    expect(specialised(routes, bound(-3), 1e-2, 1e-2).dropped).toHaveLength(1);
    expect(specialised(routes, bound(-3), 1e-3).dropped).toHaveLength(0);
    expect(specialised(routes, bound(-10), 0).dropped).toHaveLength(0);
    expect(specialised(routes, bound(0.5, 0), 0).dropped).toHaveLength(0);
  });
  test('both routes under a scale of nothing go as one, named by what they share', () => {
    expect(specialised(routes, bound(0.5, 1e-9), 1e-6, 1e-8).dropped).toEqual([
      { route: 'adapter', weight: expect.closeTo(1e-9, 10) as number, tensors: expect.arrayContaining(['adapter.shared.up.weight', 'adapter.own.{task}.up.weight']) as string[] },
    ]);
  });
});

describe('what is no route without weight', () => {
  const x = (b: GraphBuilder): NodeId => input(b, 'x', [B, 4]);
  const own = (b: GraphBuilder): NodeId => param(b, 'w.{task}', []);
  const tiny = (value = 1e-8): Bindings => ({ tensors: values({ 'w.SL': scalar(value) }) });
  const kept = (make: (b: GraphBuilder) => NodeId, bindings = tiny()): void => { expect(specialised(graphOf(make), bindings, 1e-6).dropped).toEqual([]); };

  test('a small number that the spec says: 1/n of a mean', () => { kept((b) => b.addition(x(b), b.scale(b.add('exp', [x(b)]), 1e-8))); });
  test('two terms that are small alike', () => { kept((b) => b.addition(b.mul(own(b), x(b)), b.mul(own(b), b.add('exp', [x(b)])))); });
  test('one beside a number that is small too', () => { kept((b) => b.addition(b.mul(own(b), x(b)), b.scalar(1e-9))); });
  test('one that a norm brings back to size', () => {
    kept((b) => {
      const small = b.mul(own(b), x(b));
      return b.addition(x(b), b.mul(small, b.add('reciprocal', [b.sum(b.add('abs', [small]), [1])])));
    });
  });
  test('a product of two activations', () => { kept((b) => b.addition(x(b), b.mul(x(b), b.add('exp', [x(b)])))); });
  test('a scale per channel of which one counts', () => {
    kept((b) => b.addition(x(b), b.mul(param(b, 'w.{task}', [1, 4]), b.add('exp', [x(b)]))), { tensors: values({ 'w.SL': ndarray([1, 4], [0, 0, 1e-3, 0]) }) });
  });

  test('but a factor is seen through what only moves it, and on either side of a difference', () => {
    const moved = (b: GraphBuilder): NodeId => b.reshape(b.mul(b.expand(b.reshape(own(b), [1, 1]), [B, 4]), b.add('exp', [x(b)])), [B, 4]);
    expect(opsOf(specialised(graphOf((b) => b.sub(x(b), moved(b))), tiny(), 1e-6, 1e-7).graph)).toEqual([]);
    expect(opsOf(specialised(graphOf((b) => b.sub(moved(b), x(b))), tiny(), 1e-6, 1e-7).graph)).toEqual(['neg']);
  });
  test('and what is dropped may have given the sum its size', () => {
    const graph = graphOf((b) => b.addition(b.sum(x(b), [1]), b.mul(own(b), x(b))));
    expect(opsOf(specialised(graph, tiny(0), 1e-6).graph)).toEqual(['sum', 'expand']);
  });
});

describe('what the task and its tensors say', () => {
  test('a row of a table is a constant, though the table is too large to be one', () => {
    const graph = graphOf((b) => {
      const row = b.add('gather', [param(b, 'table', [40_000, 4]), b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] })], { axis: 0 });
      return b.mul(input(b, 'x', [B, 4]), b.reshape(row, [1, 4]));
    });
    const { graph: rest, folded } = specialised(graph, { tensors: values({ table: numbers('e', [40_000, 4]) }) }, 1e-6);
    expect([opsOf(rest), leavesOf(rest), [...folded]]).toEqual([['mul'], ['x'], ['table', 't']]);
  });
  test('all copies of a state, of which the task picks one', () => {
    const graph = graphOf((b) => {
      const row = b.add('gather', [b.leaf('every_task', { path: 'bank.{task}' }, { dtype: 'f32', shape: [2, 4] }), b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] })], { axis: 0 });
      return b.mul(input(b, 'x', [B, 4]), b.reshape(row, [1, 4]));
    });
    const { graph: rest, folded } = specialised(graph, { tensors: values({ 'bank.WA': filled([4], 1), 'bank.SL': numbers('c', [4]) }) }, 1e-6);
    expect([opsOf(rest), leavesOf(rest), [...folded]]).toEqual([['mul'], ['x'], ['bank.{task}', 't']]);
  });
  test('a large tensor stays a leaf, and so does what has no value', () => {
    const make = (b: GraphBuilder): NodeId => b.add('matmul', [input(b, 'x', [B, 4]), b.add('exp', [param(b, 'large', [4, 20_000])])]);
    const { graph } = specialised(graphOf(make), { tensors: values({ large: numbers('d', [4, 20_000]) }) }, 1e-6);
    expect([opsOf(graph), leavesOf(graph)]).toEqual([['exp', 'matmul'], ['large', 'x']]);
    expect(leavesOf(specialise(routes, { tasks: ['SL'], task: 'SL' }, 1e-6).graph)).toEqual(leavesOf(routes));
  });
});
