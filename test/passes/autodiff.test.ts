import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { isStatic } from '../../compiler/ir/dim.js';
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { sound } from '../../compiler/ir/verify.js';
import { gradients } from '../../compiler/passes/autodiff.js';
import { optimise } from '../../compiler/passes/index.js';
import { B, feedsFor, input, opsOf, param } from '../ir/support.js';

interface Net { readonly loss: NodeId; readonly params: readonly NodeId[] }
const total = (b: GraphBuilder, x: NodeId): NodeId => b.reshape(b.sum(x, b.shape(x).map((_, i) => i)), []);

/** Loss and the gradient of every param, as `grad:PATH`. */
function differentiated(make: (b: GraphBuilder) => Net): Graph {
  const b = new GraphBuilder();
  const { loss, params } = make(b);
  const found = gradients(b, loss, params);
  return sound(b.finish([{ name: 'loss', id: loss }, ...params.flatMap((p, i) => {
    const id = found[i];
    return id === undefined ? [] : [{ name: `grad:${String(b.node(p).attrs.path)}`, id }];
  })]));
}

/** Largest difference between a gradient and central differences of the loss, in proportion to the gradient's scale. */
function finiteDifferenceError(graph: Graph, feeds: ReadonlyMap<string, NdArray>): number {
  const lossAt = (at: ReadonlyMap<string, NdArray>): number => evaluate(lossOnly, at).get('loss')?.data[0] ?? NaN;
  const lossOnly = new GraphBuilder(graph).finish(graph.outputs.filter((o) => o.name === 'loss'));
  const values = evaluate(graph, feeds);
  let error = 0;
  for (const { name } of graph.outputs.filter((o) => o.name.startsWith('grad:'))) {
    const path = name.slice('grad:'.length);
    const [value, gradient] = [feeds.get(path)!, values.get(name)!];
    const scale = Math.max(...gradient.data.map(Math.abs));
    expect(scale, `${name} is not zero`).toBeGreaterThan(1e-6);
    for (let i = 0; i < value.data.length; i += Math.max(1, Math.floor(value.data.length / 12))) {
      const nudged = (by: number) => lossAt(new Map(feeds).set(path, ndarray(value.shape, value.data.map((v, k) => (k === i ? v + by : v)))));
      error = Math.max(error, Math.abs((nudged(1e-5) - nudged(-1e-5)) / 2e-5 - (gradient.data[i] ?? NaN)) / scale);
    }
  }
  return error;
}

const nets: Readonly<Record<string, (b: GraphBuilder) => Net>> = {
  'a residual chain, where gradients of two ways are added': (b) => {
    const w = param(b, 'w', [1, 5]);
    const hidden = b.add('tanh', [b.mul(input(b, 'x', [B, 5]), w)]);
    const out = b.addition(b.mul(hidden, hidden), b.mul(hidden, w));
    return { loss: total(b, out), params: [w] };
  },
  'two dense layers with a shared weight, softmax and cross entropy': (b) => {
    const [w, v] = [param(b, 'w', [6, 6]), param(b, 'v', [6, 3])];
    const hidden = b.add('gelu', [b.add('matmul', [b.add('gelu', [b.add('matmul', [input(b, 'x', [B, 6]), w])]), w])]);
    const p = b.add('softmax', [b.add('matmul', [hidden, v])], { axis: -1 });
    return { loss: total(b, b.neg(b.mul(input(b, 'truth', [B, 3]), b.add('log', [p])))), params: [w, v] };
  },
  'convolution, normalisation, pooling, resize': (b) => {
    const [w, bias, scale, up] = [param(b, 'w', [4, 2, 3, 3]), param(b, 'bias', [4]), param(b, 'scale', [1, 4, 1, 1]), param(b, 'up', [4, 2, 2, 2])];
    const x = b.add('conv2d', [input(b, 'x', [B, 2, 8, 8]), w, bias], { stride: [1, 1], padding: [1, 1] });
    const normal = b.mul(b.add('normalize', [x], { axes: [1, 2, 3] }), scale);
    const pooled = b.add('avg_pool', [b.add('sigmoid', [normal])], { kernel: [2, 2], stride: [2, 2] });
    const wide = b.add('conv_transpose2d', [pooled, up], { stride: [2, 2] });
    const resized = b.add('resize', [wide], { size: [5, 5], mode: 'bilinear' });
    return { loss: total(b, b.mul(resized, input(b, 'weight', [B, 2, 5, 5]))), params: [w, bias, scale, up] };
  },
  'self-attention with a gathered task vector': (b) => {
    const [qkv, table] = [param(b, 'qkv', [4, 12]), param(b, 'table', [3, 4])];
    const task = b.constant(ndarray([], [1]), 'i64');
    const x = b.addition(input(b, 'x', [B, 6, 4]), b.reshape(b.add('gather', [table, task], { axis: 0 }), [1, 1, 4]));
    const all = b.add('matmul', [x, qkv]);
    const part = (i: number): NodeId => b.add('slice', [all], { axis: 2, from: 4 * i, to: 4 * i + 4 });
    const scores = b.scale(b.add('matmul', [part(0), part(1)], { transpose_b: true }), 0.5);
    const out = b.add('matmul', [b.add('softmax', [scores], { axis: -1 }), part(2)]);
    return { loss: total(b, b.mul(out, input(b, 'weight', [B, 6, 4]))), params: [qkv, table] };
  },
};

describe('the gradient agrees with finite differences, before and after the passes', () => {
  test.each(Object.entries(nets))('%s', (_, make) => {
    const graph = differentiated(make);
    const feeds = feedsFor(graph, { B: 2 });
    expect(finiteDifferenceError(graph, feeds)).toBeLessThan(1e-6);
    expect(finiteDifferenceError(sound(optimise(graph)), feeds)).toBeLessThan(1e-6);
  });
});

test('nothing is built for weights that are not asked for', () => {
  const net = (frozen: boolean) => (b: GraphBuilder): Net => {
    const [w, v] = [param(b, 'w', [6, 6]), param(b, 'v', [6, 3])];
    const out = b.add('matmul', [b.add('matmul', [input(b, 'x', [B, 6]), w]), v]);
    return { loss: total(b, b.mul(out, out)), params: frozen ? [v] : [w, v] };
  };
  const products = (frozen: boolean): number => opsOf(differentiated(net(frozen))).filter((op) => op === 'matmul').length;
  // Forward 2, for v 1; for w also the way back through v, and w itself.
  expect([products(true), products(false)]).toEqual([3, 5]);
});

test('no gradient passes a detach, a comparison, or comes from what the loss does not read', () => {
  const b = new GraphBuilder();
  const [w, v, u] = [param(b, 'w', [3]), param(b, 'v', [3]), param(b, 'u', [3])];
  const steps = b.add('cast', [b.add('less', [v, b.scalar(0)])], { to: 'f32' });
  const loss = total(b, b.addition(b.add('detach', [w]), steps));
  expect(gradients(b, loss, [w, v, u])).toEqual([undefined, undefined, undefined]);
});

test('only a scalar has a gradient, and its own is one', () => {
  const b = new GraphBuilder();
  const w = param(b, 'w', [3]);
  expect(() => gradients(b, w, [w])).toThrow('only a scalar');
  const s = param(b, 's', []);
  const [ds] = gradients(b, s, [s]);
  expect(evaluate(b.finish([{ name: 'ds', id: ds! }]), new Map()).get('ds')?.data[0]).toBe(1);
});

test('gradients have the types of what they are of, with a symbolic batch too', () => {
  const b = new GraphBuilder();
  const x = input(b, 'x', [B, 3]);
  const [dx] = gradients(b, total(b, b.mul(x, x)), [x]);
  expect(b.shape(dx!).map((d) => isStatic(d))).toEqual([false, true]);
});
