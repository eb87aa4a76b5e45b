import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { applyFunction, evalFunction, gradFunction, inferFunction } from '../../compiler/functions.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { isLeaf, leafName, type Graph } from '../../compiler/ir/graph.js';
import { ndarray, scalar, zeros, type NdArray } from '../../compiler/ir/ndarray.js';
import { sound } from '../../compiler/ir/verify.js';
import type { OptimizerConfig, Program, TensorInfo } from '../../compiler/program.js';
import { B, feedsFor, input, maxDiff, numbers, param } from '../ir/support.js';

const tensor = (path: string, shape: readonly number[], more: Partial<TensorInfo> = {}): TensorInfo =>
  ({ path, kind: 'param', shape, perTask: path.includes('{task}'), frozen: false, init: { kind: 'constant', value: 0 }, ...more });

/** logits = drop ⊙ (x frozen) w_task + mean of the states of all tasks; loss_b = Σ (logits - truth)². */
function program(): Program {
  const graphOf = (training: boolean, outputs: readonly string[]): Graph => {
    const b = new GraphBuilder();
    const hidden = b.add('matmul', [input(b, 'x', [B, 3]), param(b, 'frozen', [3, 4])]);
    const kept = training ? b.mul(hidden, b.leaf('drop', { path: 'drop', rate: 0.5 }, b.type(hidden))) : hidden;
    const old = b.leaf('state', { path: 'proto.{task}' }, { dtype: 'f32', shape: [1, 2] });
    const all = b.leaf('every_task', { path: 'proto.{task}' }, { dtype: 'f32', shape: [2, 1, 2] });
    const logits = b.addition(b.add('matmul', [kept, param(b, 'head.{task}.weight', [4, 2])]), b.reshape(b.mean(all, [0]), [1, 2]));
    const error = b.sub(logits, input(b, 'truth', [B, 2]));
    const ids = {
      'logits': logits,
      'loss': b.reshape(b.sum(b.mul(error, error), [1]), [B]),
      'state:proto.{task}': b.addition(b.scale(old, 0.9), b.scale(b.mean(b.add('detach', [logits]), [0]), 0.1)),
    };
    return b.finish(Object.entries(ids).filter(([name]) => outputs.includes(name)).map(([name, id]) => ({ name, id })));
  };
  return {
    name: 'M', file: 'm.tps', settings: {}, inputs: [], schedules: [], readsTask: true, hash: '', resolved: '',
    tensors: [tensor('frozen', [3, 4], { frozen: true }), tensor('head.{task}.weight', [4, 2]), tensor('unread', [7]), tensor('proto.{task}', [1, 2], { kind: 'state' })],
    infer: graphOf(false, ['logits']), evaluate: graphOf(false, ['logits', 'loss']),
    train: graphOf(true, ['logits', 'loss', 'state:proto.{task}']), declared: graphOf(false, ['logits']),
  };
}
const names = (graph: Graph) => ({
  feeds: [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName).sort(),
  outputs: graph.outputs.map((o) => o.name),
});

describe('the functions of a program', () => {
  test('infer and eval read no drop', () => {
    expect(names(sound(inferFunction(program())))).toEqual({ feeds: ['every_task:proto.{task}', 'frozen', 'head.{task}.weight', 'x'], outputs: ['logits'] });
    expect(names(sound(evalFunction(program()))).outputs).toEqual(['logits', 'loss']);
  });

  test('grad gives the loss, gradients of what is trained and read, and the states after the step', () => {
    expect(names(sound(gradFunction(program())))).toEqual({
      feeds: ['drop:drop', 'every_task:proto.{task}', 'frozen', 'head.{task}.weight', 'proto.{task}', 'truth', 'weights', 'x'],
      outputs: ['loss', 'grad:head.{task}.weight', 'state:proto.{task}'],
    });
  });

  test('the gradient is that of the weighted sum of the samples\' losses', () => {
    const graph = gradFunction(program());
    const feeds = feedsFor(graph, { B: 3 });
    const lossOf = (w: NdArray): number => {
      const loss = evaluate(graph, new Map(feeds).set('head.{task}.weight', w)).get('loss')!;
      return loss.data.reduce((sum, l, i) => sum + l * feeds.get('weights')!.data[i]!, 0);
    };
    const w = feeds.get('head.{task}.weight')!;
    const numeric = w.data.map((_, k) => {
      const nudged = (by: number) => lossOf(ndarray(w.shape, w.data.map((v, i) => (i === k ? v + by : v))));
      return (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
    });
    expect(maxDiff(evaluate(graph, feeds).get('grad:head.{task}.weight'), ndarray(w.shape, numeric))).toBeLessThan(1e-8);
  });

  test('two groups of a batch, their gradients added, are the whole batch', () => {
    const graph = gradFunction(program());
    const whole = feedsFor(graph, { B: 4 });
    const part = (from: number, to: number) => new Map([...whole].map(([name, v]) => {
      if (v.shape[0] !== 4 || ['head.{task}.weight'].includes(name)) return [name, v];
      const row = v.data.length / 4;
      return [name, ndarray([to - from, ...v.shape.slice(1)], v.data.slice(from * row, to * row))];
    }));
    const gradientOf = (feeds: ReadonlyMap<string, NdArray>) => evaluate(graph, feeds).get('grad:head.{task}.weight')!;
    const [a, b] = [gradientOf(part(0, 1)), gradientOf(part(1, 4))];
    expect(maxDiff(ndarray(a.shape, a.data.map((v, i) => v + b.data[i]!)), gradientOf(whole))).toBeLessThan(1e-13);
  });

  test('a program without a train block has no grad: told by its file', () => {
    expect(() => gradFunction({ ...program(), train: undefined })).toThrow('m.tps has no train block');
  });
});

interface Golden { readonly lrs: readonly number[]; readonly start: readonly number[]; readonly gradients: readonly number[][]; readonly after: Readonly<Record<string, number[][]>> }
const golden = JSON.parse(readFileSync(new URL('../oracle/golden/adam.json', import.meta.url), 'utf8')) as Golden;

const optimizer = (kind: OptimizerConfig['kind'], more: Partial<OptimizerConfig> = {}): OptimizerConfig =>
  ({ kind, lr: { name: 'lr', kind: 'constant', from: 1, to: 1, over: 'epochs' }, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, momentum: 0, ...more });

describe('apply is PyTorch\'s step (test/oracle/adam.py)', () => {
  test.each<[string, OptimizerConfig, readonly string[]]>([
    ['adam', optimizer('adam'), ['w', 'm:w', 'v:w']],
    ['adam with L2', optimizer('adam', { beta2: 0.99, eps: 1e-6, weightDecay: 0.1 }), ['w', 'm:w', 'v:w']],
    ['adamw', optimizer('adamw', { weightDecay: 0.05 }), ['w', 'm:w', 'v:w']],
    ['sgd', optimizer('sgd'), ['w']],
    ['sgd with momentum and L2', optimizer('sgd', { momentum: 0.9, weightDecay: 0.1 }), ['w', 'm:w']],
  ])('%s', (name, config, outputs) => {
    const graph = sound(applyFunction([tensor('w', [6])], config));
    expect(graph.outputs.map((o) => o.name)).toEqual(outputs);
    let state = new Map<string, NdArray>([['w', ndarray([6], golden.start)], ['m:w', zeros([6])], ['v:w', zeros([6])]]);
    for (const [i, lr] of golden.lrs.entries()) {
      const feeds = new Map([...state, ['grad:w', ndarray([6], golden.gradients[i]!)], ['lr', scalar(lr)], ['step', scalar(i + 1)], ['clip', scalar(1)]]);
      state = new Map([...state, ...evaluate(graph, feeds)]);
      expect(maxDiff(state.get('w'), ndarray([6], golden.after[name]![i]!))).toBeLessThan(1e-12);
    }
  });

  test('clip is a factor on the gradient, and each tensor moves by its own moments only', () => {
    const config = optimizer('adam');
    const graph = applyFunction([tensor('a', [2, 2]), tensor('b', [3])], config);
    const feeds = feedsFor(graph);
    feeds.set('lr', scalar(0.1)).set('step', scalar(3)).set('clip', scalar(0.25));
    for (const v of ['v:a', 'v:b']) feeds.set(v, ndarray(feeds.get(v)!.shape, feeds.get(v)!.data.map(Math.abs)));
    const alone = applyFunction([tensor('b', [3])], config);
    const scaled = new Map(feeds).set('clip', scalar(1)).set('grad:b', ndarray([3], numbers('grad:b', [3]).data.map((g) => g / 4)));
    const [both, one] = [evaluate(graph, feeds), evaluate(alone, scaled)];
    for (const name of ['b', 'm:b', 'v:b']) expect(maxDiff(both.get(name), one.get(name))).toBeLessThan(1e-15);
  });
});
