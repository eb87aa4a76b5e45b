import { describe, expect, test } from 'vitest';
import { applyFunction } from '../../compiler/functions.js';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import { scalar, type NdArray } from '../../compiler/ir/ndarray.js';
import { gradients } from '../../compiler/passes/autodiff.js';
import { optimise } from '../../compiler/passes/index.js';
import { toOnnx } from '../../compiler/targets/onnx/index.js';
import { f32, i64, type Feeds } from '../../runtime/engines/engine.js';
import { toTensor } from '../../runtime/engines/feeds.js';
import { createEngine, engineNames } from '../../runtime/engines/index.js';
import { compare, compareTensors, worst } from './compare.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { B, feedsFor, input, param } from '../ir/support.js';

const tensors = (feeds: ReadonlyMap<string, NdArray>): Feeds => Object.fromEntries([...feeds].map(([name, v]) => [name, toTensor(v, 'f32')]));
const engines = async () => [await createEngine('ort', { threads: 1 }), await createEngine('reference')] as const;

/** A small convolutional net with attention over its pixels, its loss, and every gradient. */
function trainingGraph(): Graph {
  const b = new GraphBuilder();
  const shapes: Record<string, readonly number[]> = { conv: [8, 3, 3, 3], bias: [8], scale: [1, 8, 1, 1], qkv: [8, 24], up: [8, 1, 2, 2] };
  const w = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, param(b, name, shape)])) as Record<keyof typeof shapes, NodeId>;
  const x = b.add('conv2d', [input(b, 'image', [B, 3, 16, 16]), w.conv!, w.bias!], { stride: [2, 2], padding: [1, 1] });
  const normal = b.add('gelu', [b.mul(b.add('normalize', [x], { axes: [1, 2, 3] }), w.scale!)]);
  const pixels = b.transpose(b.reshape(normal, [B, 8, 64]), [0, 2, 1]);
  const all = b.add('matmul', [pixels, w.qkv!]);
  const part = (i: number): NodeId => b.add('slice', [all], { axis: 2, from: 8 * i, to: 8 * i + 8 });
  const scores = b.scale(b.add('matmul', [part(0), part(1)], { transpose_b: true }), 8 ** -0.5);
  const mixed = b.addition(pixels, b.add('matmul', [b.add('softmax', [scores], { axis: -1 }), part(2)]));
  const back = b.reshape(b.transpose(mixed, [0, 2, 1]), [B, 8, 8, 8]);
  const logits = b.add('resize', [b.add('conv_transpose2d', [back, w.up!], { stride: [2, 2] })], { size: [12, 12], mode: 'bilinear' });
  const error = b.sub(b.add('sigmoid', [logits]), input(b, 'truth', [B, 1, 12, 12]));
  const loss = b.reshape(b.sum(b.mul(error, error), [0, 1, 2, 3]), []);
  const found = gradients(b, loss, Object.values(w));
  return optimise(b.finish([{ name: 'logits', id: logits }, { name: 'loss', id: loss }, ...Object.keys(w).map((name, i) => ({ name: `grad:${name}`, id: found[i]! }))]));
}

describe('a training step of a small net', () => {
  test('ONNX Runtime gives what the evaluator gives, at batch 1 and 3 of one session', async () => {
    const graph = trainingGraph();
    const [ort, reference] = await engines();
    const [fast, slow] = [await ort.compile(graph), await reference.compile(graph)];
    for (const batch of [1, 3]) {
      const feeds = tensors(feedsFor(graph, { B: batch }));
      const comparisons = compare(await fast.run(feeds), await slow.run(feeds));
      expect(comparisons.map((c) => c.name)).toEqual(graph.outputs.map((o) => o.name));
      for (const c of comparisons) expect(c.maxAbsDiff / c.scale, c.name).toBeLessThan(1e-5);
    }
    await fast.dispose();
  });
});

test('the optimiser step keeps its digits in float32, at the first step and late', async () => {
  const graph = applyFunction([{ path: 'w', shape: [64] }],
    { kind: 'adam', lr: { name: 'lr', kind: 'constant', from: 1, to: 1, over: 'steps' }, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, momentum: 0 });
  const apply = await (await createEngine('ort', { threads: 1 })).compile(graph);
  for (const step of [1, 2, 50, 5000, 200000]) {
    const feeds = feedsFor(graph);
    feeds.set('lr', scalar(1)).set('step', scalar(step)).set('clip', scalar(1)).set('v:w', { shape: [64], data: feeds.get('v:w')!.data.map(Math.abs) });
    const expected = Object.fromEntries([...evaluate(graph, feeds)].map(([name, v]) => [name, toTensor(v, 'f32')]));
    expect(worst(compare(await apply.run(tensors(feeds)), expected))?.relative).toBeLessThan(1e-6);
  }
});

test('a parameter goes in and comes out under one name', async () => {
  const b = new GraphBuilder();
  const graph = b.finish([{ name: 'w', id: b.shift(param(b, 'w', [2]), 1) }]);
  for (const engine of await engines()) {
    const compiled = await engine.compile(graph);
    expect([compiled.inputs, compiled.outputs]).toEqual([['w'], ['w']]);
    expect((await compiled.run({ w: f32([2], [1, 2]) })).w).toEqual(f32([2], [2, 3]));
  }
});

test('integers and truth values pass both ways', async () => {
  const b = new GraphBuilder();
  const t = b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] });
  const row = b.add('gather', [param(b, 'table', [3, 2]), t], { axis: 0 });
  const graph = b.finish([{ name: 'row', id: row }, { name: 'positive', id: b.add('greater', [row, b.scalar(0)]) }, { name: 'next', id: b.add('add', [t, b.constant({ shape: [], data: Float64Array.of(1) }, 'i64')]) }]);
  for (const engine of await engines()) {
    const out = await (await engine.compile(graph)).run({ t: i64(1), table: f32([3, 2], [1, 2, -3, 4, 5, 6]) });
    expect(out).toEqual({ row: f32([2], [-3, 4]), positive: { dtype: 'bool', shape: [2], data: Uint8Array.of(0, 1) }, next: i64(2) });
  }
});

test('every engine refuses a missing feed, another shape and another dtype, by name', async () => {
  const b = new GraphBuilder();
  const graph = b.finish([{ name: 'y', id: b.neg(input(b, 'x', [B, 2])) }]);
  for (const engine of await engines()) {
    const { run } = await engine.compile(graph);
    await expect(run({})).rejects.toThrow('x (f32[B, 2]) is not fed');
    await expect(run({ x: f32([1, 3], [1, 2, 3]) })).rejects.toThrow('x is fed with shape [1, 3]; the graph says f32[B, 2]');
    await expect(run({ x: f32([2, 2], [1, 2, 3]) })).rejects.toThrow('x is fed with 3 values for shape [2, 2]');
    await expect(run({ x: i64(1) })).rejects.toThrow('x is fed with i64; the graph says f32');
  }
});

test('a task baked in gives what the open file gives for that task', async () => {
  const b = new GraphBuilder();
  const graph = b.finish([{ name: 'y', id: b.mul(input(b, 'x', [2]), param(b, 'scale.{task}', [2])) }]);
  const bound = { producerVersion: '', tasks: ['WA', 'BT'], tensors: new Map([['scale.WA', { shape: [2], read: () => Float32Array.of(1, 2) }], ['scale.BT', { shape: [2], read: () => Float32Array.of(3, 4) }]]) };
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const x = new Tensor('float32', Float32Array.of(1, 1), [2]);
  const t = new Tensor('int64', BigInt64Array.of(1n), []);
  const open = await (await InferenceSession.create(toOnnx(graph, bound).bytes)).run({ x, t });
  const baked = await (await InferenceSession.create(toOnnx(graph, { ...bound, task: 'BT' }).bytes)).run({ x });
  expect([...(open.y?.data as Float32Array)]).toEqual([3, 4]);
  expect(baked.y?.data).toEqual(open.y?.data);
});

describe('engines by name', () => {
  test('an unknown engine, device or number of threads is misuse, and says what there is', async () => {
    expect(engineNames).toEqual(['ort', 'tfjs', 'reference']);
    await expect(createEngine('torch')).rejects.toMatchObject({ message: 'there is no engine torch', help: 'one of: ort, tfjs, reference' });
    await expect(createEngine('toString')).rejects.toBeInstanceOf(MisuseError);
    await expect(createEngine('ort', { device: 'tpu' })).rejects.toMatchObject({ message: 'there is no device tpu', help: 'one of: cpu, cuda' });
    await expect(createEngine('ort', { threads: 0 })).rejects.toBeInstanceOf(MisuseError);
  });
  test('an engine says what it is', async () => {
    const ort = await createEngine('ort', { threads: 2 });
    expect(ort).toMatchObject({ name: 'ort', device: 'cpu', threads: 2 });
    expect(ort.version).toMatch(/^1\.\d+\.\d+/);
  });
  test('cuda without its provider says how to get it', async () => {
    const error = await createEngine('ort', { device: 'cuda' }).then(() => undefined, (e: unknown) => e);
    if (error === undefined) return; // this machine has it
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(/^device cuda: /);
    expect((error as UserError).help).toMatch(/--device cpu/);
  });
});

describe('comparing results', () => {
  test('largest difference and scale per output', () => {
    const [c] = compare({ y: f32([2], [1, -4]) }, { y: f32([2], [1.5, -8]) });
    expect(c).toMatchObject({ name: 'y', maxAbsDiff: 4, scale: 8 });
    expect(c?.relative).toBeCloseTo(Math.sqrt(16.25 / 66.25));
  });
  test('what is not a number, missing or of another shape is infinitely far', () => {
    expect(compareTensors('y', f32([1], [NaN]), f32([1], [1])).maxAbsDiff).toBe(Infinity);
    expect(compareTensors('y', f32([1], [NaN]), f32([1], [NaN])).maxAbsDiff).toBe(Infinity);
    expect(compareTensors('y', undefined, f32([1], [1])).maxAbsDiff).toBe(Infinity);
    expect(compareTensors('y', f32([1, 1], [1]), f32([1], [1])).maxAbsDiff).toBe(Infinity);
    expect(compareTensors('y', f32([2], [Infinity, 0]), f32([2], [Infinity, 0])).maxAbsDiff).toBe(0);
  });
  test('the worst is the furthest in proportion to its scale', () => {
    expect(worst(compare({ a: f32([1], [101]), b: f32([1], [1.5]) }, { a: f32([1], [100]), b: f32([1], [1]) }))?.name).toBe('b');
  });
});
