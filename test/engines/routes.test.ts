// Two routes to ONNX Runtime: what the direct one gives beyond onnxruntime-node, and that their results are the same.
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { symbol } from '../../compiler/ir/dim.js';
import type { NodeId } from '../../compiler/ir/graph.js';
import { applyFunction } from '../../compiler/functions.js';
import { createReferenceEngine } from '../../runtime/engines/reference.js';
import { createOrtEngine } from '../../runtime/engines/ort.js';
import { ortLibrary } from '../../runtime/engines/ort-library.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';

const B = symbol('B');
const have = await ortLibrary().then(() => true, () => false);
const direct = (): Promise<Engine> => createOrtEngine({ device: 'cpu', threads: 2, route: 'direct' });
const addon = (): Promise<Engine> => createOrtEngine({ device: 'cpu', threads: 2, route: 'addon' });

const input = (b: GraphBuilder, name: string, shape: Parameters<GraphBuilder['leaf']>[2]['shape']): NodeId => b.leaf('input', { name }, { dtype: 'f32', shape });
const noise = (shape: readonly number[], seed = 1): Tensor => f32(shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(12.9898 * (i + 1) * seed) * 0.7));

test('this platform has the direct route', () => {
  expect(have || process.platform !== 'linux' || process.arch !== 'x64').toBe(true);
});

describe.skipIf(!have)('the direct route', () => {
  /** A chain of products that takes some hundred milliseconds. */
  const slow = (): { readonly graph: ReturnType<GraphBuilder['finish']>; readonly feeds: Record<string, Tensor> } => {
    const b = new GraphBuilder(), w = input(b, 'w', [768, 768]);
    let x = input(b, 'x', [B, 768]);
    for (let i = 0; i < 24; i++) x = b.add('tanh', [b.add('matmul', [x, w], { transpose_a: false, transpose_b: i % 2 === 0 })]);
    return { graph: b.finish([{ name: 'y', id: x }]), feeds: { w: noise([768, 768]), x: noise([512, 768], 3) } };
  };

  test('JavaScript goes on during a run: timers tick', async () => {
    const { graph, feeds } = slow(), fn = await (await direct()).compile(graph);
    let ticks = 0, done = false;
    const run = fn.run(feeds).finally(() => { done = true; });
    const began = performance.now();
    while (!done) { await new Promise((resolve) => setTimeout(resolve, 2)); ticks++; }
    await run;
    expect(performance.now() - began).toBeGreaterThan(20);
    expect(ticks).toBeGreaterThan(3);
  });

  test('results are those of onnxruntime-node to the bit, denormals aside', async () => {
    const { graph, feeds } = slow();
    const [a, b] = await Promise.all([direct(), addon()].map(async (engine) => (await (await (await engine).compile(graph)).run(feeds))['y'] as Tensor));
    const bits = (t: Tensor | undefined): Uint32Array => new Uint32Array(Float32Array.from(t?.data as Float32Array, (v) => (Math.abs(v) < 1.2e-38 ? 0 : v)).buffer);
    expect(Buffer.compare(Buffer.from(bits(a).buffer), Buffer.from(bits(b).buffer))).toBe(0);
    expect((await direct()).version).toBe((await addon()).version);
  });

  test('runs that overlap in time keep their results apart', async () => {
    const b = new GraphBuilder(), fn = await (await direct()).compile(b.finish([{ name: 'y', id: b.scale(input(b, 'x', [B]), 2) }]));
    const results = await Promise.all([1, 2, 3, 4].map((n) => fn.run({ x: f32([n], new Float32Array(n).fill(n)) })));
    expect(results.map((r) => [...r['y']!.data])).toEqual([1, 2, 3, 4].map((n) => new Array(n).fill(2 * n)));
  });

  test('what ONNX Runtime refuses is an error, and the next run goes on', async () => {
    const b = new GraphBuilder(), x = input(b, 'x', [B]);
    const fn = await (await direct()).compile(b.finish([{ name: 'y', id: b.add('reshape', [x], { shape: [B, 1] }) }]));
    await expect(fn.run({ x: f32([2, 1], [1, 2]) })).rejects.toThrow('x is fed with shape [2, 1]');
    expect((await fn.run({ x: f32([2], [1, 2]) }))['y']).toEqual(f32([2, 1], [1, 2]));
  });

  test('hundreds of tensors, with the heap moved about at every call, arrive as what they are', async () => {
    const b = new GraphBuilder(), count = 400;
    const fn = await (await direct()).compile(b.finish(Array.from({ length: count }, (_, i) => ({ name: `y${i}`, id: b.scale(input(b, `x${i}`, [1 + (i % 5), 8]), 1 + i) }))));
    const feeds = Object.fromEntries(Array.from({ length: count }, (_, i) => [`x${i}`, f32([1 + (i % 5), 8], new Float32Array(8 * (1 + (i % 5))).fill(1))]));
    for (let round = 0; round < 30; round++) {
      const results = await fn.run(feeds);
      for (let i = 0; i < count; i++) expect((results[`y${i}`]!.data as Float32Array).every((v) => v === 1 + i)).toBe(true);
    }
  });

  test('a function that is disposed of during a run finishes it first', async () => {
    const { graph, feeds } = slow(), fn = await (await direct()).compile(graph);
    const run = fn.run(feeds);
    await fn.dispose();
    expect((await run)['y']!.shape).toEqual([512, 768]);
  });

  test('small arrays stay where they are while the heap is moved about', async () => {
    const b = new GraphBuilder(), fn = await (await direct()).compile(b.finish([{ name: 'y', id: b.shift(input(b, 'x', [B]), 1) }]));
    for (let i = 0; i < 200; i++) {
      const run = fn.run({ x: f32([3], [i, i, i]) });
      Array.from({ length: 2000 }, () => ({ garbage: [1, 2, 3] }));
      expect([...(await run)['y']!.data]).toEqual([i + 1, i + 1, i + 1]);
    }
  });
});

describe('results into given memory', () => {
  const engines = (): Promise<readonly Engine[]> => Promise.all([...(have ? [direct()] : []), addon(), Promise.resolve(createReferenceEngine())]);

  test('a result lands in the tensor that is given, the others in new ones', async () => {
    const b = new GraphBuilder(), x = input(b, 'x', [B, 2]);
    const graph = b.finish([{ name: 'twice', id: b.scale(x, 2) }, { name: 'more', id: b.shift(x, 1) }]);
    for (const engine of await engines()) {
      const own = f32([1, 2], [0, 0]), out = await (await engine.compile(graph)).run({ x: f32([1, 2], [1, 2]) }, { into: { twice: own } });
      expect(out['twice']).toBe(own);
      expect([[...own.data], [...out['more']!.data]]).toEqual([[2, 4], [2, 3]]);
    }
  });

  test('a tensor of another shape or dtype is refused', async () => {
    const b = new GraphBuilder(), graph = b.finish([{ name: 'y', id: b.neg(input(b, 'x', [B, 2])) }]);
    for (const engine of await engines()) {
      const { run } = await engine.compile(graph), feeds = { x: f32([1, 2], [1, 2]) };
      await expect(run(feeds, { into: { y: f32([2], [0, 0]) } })).rejects.toThrow('y is to be written into f32[2] of 2 values; it is f32[1, 2]');
      await expect(run(feeds, { into: { y: { dtype: 'bool', shape: [1, 2], data: new Uint8Array(2) } } })).rejects.toThrow('y is to be written into bool[1, 2]');
    }
  });

  test.each(['adam', 'adamw', 'sgd'] as const)('%s in place is %s out of place', async (kind) => {
    const graph = applyFunction([{ path: 'w', shape: [64, 33] }],
      { kind, lr: { name: 'lr', kind: 'constant', from: 1, to: 1, over: 'steps' }, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1, momentum: 0.9 });
    for (const engine of await engines()) {
      const fn = await engine.compile(graph);
      const state = (): Record<string, Tensor> => Object.fromEntries(fn.inputs.map((name, i) => [name, name.includes('w') ? f32([64, 33], Float32Array.from(noise([64, 33], i + 1).data as Float32Array, Math.abs)) : f32([], [0.01 * (i + 1)])]));
      const there = state(), here = state();
      for (let step = 0; step < 3; step++) {
        Object.assign(there, await fn.run(there));
        const kept = Object.fromEntries(fn.outputs.map((name) => [name, here[name] as Tensor]));
        expect(Object.values(await fn.run(here, { into: kept }))).toEqual(Object.values(kept));
      }
      expect(here).toEqual(there);
    }
  });

  test('where the value is still read after it would be overwritten, or at other places, the engine takes care', async () => {
    const b = new GraphBuilder(), x = input(b, 'x', [2, 2]);
    const graph = b.finish([
      { name: 'turned', id: b.add('transpose', [x], { perm: [1, 0] }) },
      { name: 'product', id: b.add('matmul', [x, x], { transpose_a: false, transpose_b: false }) },
      { name: 'more', id: b.shift(x, 1) },
      { name: 'x', id: x },
    ]);
    for (const engine of await engines()) for (const name of ['turned', 'product', 'more']) {
      const fn = await engine.compile(graph), expected = await fn.run({ x: f32([2, 2], [1, 2, 3, 4]) });
      const own = f32([2, 2], [1, 2, 3, 4]), out = await fn.run({ x: own }, { into: { [name]: own } });
      expect(out[name]).toBe(own);
      for (const other of fn.outputs) expect([other, ...out[other]!.data]).toEqual([other, ...expected[other]!.data]);
    }
  });
});
