// The passes that decide what a step keeps and in which order it works: which ops there are before and after, and that no number changes.
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { sound } from '../../compiler/ir/verify.js';
import { gradients } from '../../compiler/passes/autodiff.js';
import type { Backward } from '../../compiler/passes/backward.js';
import { rematerialise } from '../../compiler/passes/rematerialise.js';
import { schedule } from '../../compiler/passes/schedule.js';
import { share } from '../../compiler/passes/share.js';
import { feedsFor, input, maxDiff, opsOf, param } from '../ir/support.js';

const BACKWARD: Backward = { seed: 'weights', isGradient: (name) => name.startsWith('grad:') };
const ROWS = 128, WIDTH = 256;

/** loss = Σ weights · softplus(softplus(x W) V): a product, a cheap op, a product, a cheap op. */
function twoLayers(): Graph {
  const b = new GraphBuilder(), parameters = [param(b, 'w', [WIDTH, WIDTH]), param(b, 'v', [WIDTH, WIDTH])] as const;
  const hidden = b.add('softplus', [b.add('matmul', [input(b, 'x', [ROWS, WIDTH]), parameters[0]])]);
  const loss = b.add('softplus', [b.add('matmul', [hidden, parameters[1]])]);
  const total = b.reshape(b.sum(b.mul(input(b, 'weights', [ROWS, 1]), loss), [0, 1]), []);
  const found = gradients(b, total, parameters);
  return share(b.finish([{ name: 'loss', id: loss }, { name: 'grad:w', id: found[0]! }, { name: 'grad:v', id: found[1]! }]));
}

function expectSame(a: Graph, b: Graph): void {
  const feeds = feedsFor(a), [x, y] = [evaluate(a, feeds), evaluate(sound(b), feeds)];
  expect([...y.keys()]).toEqual([...x.keys()]);
  for (const [name, value] of x) expect(maxDiff(value, y.get(name)), name).toBe(0);
}

describe('what a step keeps', () => {
  const count = (graph: Graph, op: string): number => opsOf(graph).filter((o) => o === op).length;

  test('at no price everything', () => {
    const graph = twoLayers(), made = rematerialise(graph, BACKWARD, { price: 0, batch: 1 });
    expect(made.graph).toBe(graph);
    expect(made.work).toBe(0);
  });

  test('a cheap op is done again from what is kept anyway, and waits for the gradient; a product is not', () => {
    const graph = twoLayers(), all = rematerialise(graph, BACKWARD, { price: 0, batch: 1 }), made = rematerialise(graph, BACKWARD, { price: 50, batch: 1 });
    expect([count(graph, 'softplus'), count(graph, 'matmul'), count(graph, 'after')]).toEqual([2, 5, 0]);
    expect([count(made.graph, 'softplus'), count(made.graph, 'matmul')]).toEqual([3, 5]);
    expect(count(made.graph, 'after')).toBeGreaterThan(0);
    // softplus of the first layer, and its derivative, which only has to be made before it is read
    expect(all.kept - made.kept).toBe(2 * 4 * ROWS * WIDTH);
    expect(made.work).toBe(90 * ROWS * WIDTH);
    expectSame(graph, made.graph);
  });

  test('at any price only what cannot be computed again', () => {
    const graph = twoLayers(), made = rematerialise(graph, BACKWARD, { price: Infinity, batch: 1 });
    expect(made.kept).toBe(0);
    expect(count(made.graph, 'matmul')).toBe(7);
    expectSame(graph, made.graph);
  });

  test('a running sum is kept: one value of it would ask for all before', () => {
    const b = new GraphBuilder();
    let x = input(b, 'x', [ROWS, WIDTH]);
    const parameters = [0, 1, 2].map((i) => param(b, `w${i}`, [1, WIDTH]));
    for (const w of parameters) x = b.addition(b.add('tanh', [x]), b.add('sigmoid', [b.mul(x, w)]));
    const found = gradients(b, b.reshape(b.sum(b.mul(input(b, 'weights', [ROWS, 1]), x), [0, 1]), []), parameters);
    const graph = share(b.finish([{ name: 'loss', id: x }, ...found.map((id, i) => ({ name: `grad:w${i}`, id: id! }))])), made = rematerialise(graph, BACKWARD, { price: Infinity, batch: 1 });
    expect(made.kept).toBe(2 * 4 * ROWS * WIDTH);
    expectSame(graph, made.graph);
  });

  test('a dearer byte never keeps more', () => {
    const kept = [0, 10, 50, 100, 500, Infinity].map((price) => rematerialise(twoLayers(), BACKWARD, { price, batch: 1 }).kept);
    expect(kept).toEqual([...kept].sort((x, y) => y - x));
  });
});

describe('the order of a step', () => {
  test('the gradient of the last layer comes before the work on the first, and outputs keep their order', () => {
    const graph = twoLayers(), made = schedule(graph, BACKWARD), place = (name: string): number => [...made.nodes.keys()].indexOf(made.outputs.find((o) => o.name === name)!.id);
    expect(made.outputs.map((o) => o.name)).toEqual(['loss', 'grad:w', 'grad:v']);
    expect(place('loss')).toBeLessThan(place('grad:v'));
    expect(place('grad:v')).toBeLessThan(place('grad:w'));
    expectSame(graph, made);
  });
});
