// `--frozen int8`: the forward of frozen linear layers in int8, everything else in floats; a part of the run's identity.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { economical, evalFunction, frozenProducts, gradFunction, wholeGradient } from '../../compiler/functions.js';
import { leafName, nodeOf, type Graph } from '../../compiler/ir/graph.js';
import { madeOf } from '../../compiler/passes/backward.js';
import type { Program } from '../../compiler/program.js';
import { makeCache, type Dataset } from '../../runtime/data/index.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createOrtEngine } from '../../runtime/engines/ort.js';
import { createReferenceEngine } from '../../runtime/engines/reference.js';
import { memoryShelves } from '../../runtime/features/memory.js';
import { FeatureCache } from '../../runtime/features/cache.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { binderOf, pick } from '../../runtime/train/bind.js';
import { frozenValues, int8Of } from '../../runtime/train/frozen-int8.js';
import { train, type RunSummary, type TrainOptions } from '../../runtime/train/loop.js';
import { compileText, programOf } from '../check/support.js';
import { temporaryFolder } from '../temporary.js';
import { FROZEN_SPEC } from './frozen.js';
import { tinyData } from './tiny.js';

/** Two frozen linear layers an adapter apart: the gradient of the adapter goes through the second. */
const SPEC = FROZEN_SPEC.replace(/block stem[^]*?\n\}/, `block stem()(x: f32[B, 3, H, W]) -> f32[B, H / 2, W / 2, 64] {
  return x |> conv(64, kernel: 3, padding: 1, stride: 2) |> transpose([0, 2, 3, 1]) |> linear(64) |> gelu |> linear(64) |> gelu
}

block top()(x: f32[B, H, W, 64]) -> f32[B, 256, H, W] {
  return x |> linear(256) |> gelu |> transpose([0, 3, 1, 2])
}`).replace('let y = enc |> conv(4) |> gelu', `let between = enc + (enc |> linear(64))
  encoder up = top()(between) with { frozen: true }
  let y = up |> conv(4) |> gelu`).replace(/variant deep[^]*$/, '');

let root: string, dataset: Dataset, engine: Engine, program: Program;
beforeAll(async () => {
  root = temporaryFolder('frozen-int8');
  dataset = await tinyData(join(root, 'data'));
  engine = await createOrtEngine({ device: 'cpu', threads: 1 });
  program = programOf(compileText(SPEC));
}, 60_000);

const run = (name: string, more: Partial<TrainOptions> = {}): Promise<RunSummary> =>
  train({ program, engine, dataset, cache: makeCache(), out: join(root, name), seed: 7, weights: 'random', ...more });
const log = (name: string): string => readFileSync(join(root, name, 'metrics.jsonl'), 'utf8');
const losses = (name: string): readonly number[] => log(name).split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { loss: number }).loss]));
const identity = (name: string): Readonly<Record<string, unknown>> => (JSON.parse(readFileSync(join(root, name, 'run.json'), 'utf8')) as { identity: Record<string, unknown> }).identity;
const values = (): ReturnType<typeof frozenValues> => frozenValues(program, engine, startingTensors(program, 0, 'random').tensors);

describe('which products', () => {
  const matrices = (graph: Graph): readonly string[] => [...frozenProducts(program, graph, values()).values()].map((p) => p.path).sort();
  const FROZEN = ['enc.linear.weight', 'enc.linear_2.weight', 'up.linear.weight'];
  it('are the forward\'s with frozen matrices, in training and evaluation; the adapter\'s is none', () => {
    expect([matrices(wholeGradient(program)), matrices(evalFunction(program))]).toEqual([FROZEN, FROZEN]);
  });
  it('and what the backward computes again, but none of its own', () => {
    const graph = economical(program, wholeGradient(program), { recomputation: { price: Infinity, batch: 4096 } }), found = frozenProducts(program, graph, values());
    expect(matrices(graph).length).toBeGreaterThan(FROZEN.length);
    const gradient = madeOf(graph, 'weights');
    expect([...found.keys()].filter((id) => gradient.has(id))).toEqual([]);
    // the gradient of the adapter goes through the second encoder's matrix
    const reads = [...graph.nodes.values()].filter((n) => n.op === 'matmul' && gradient.has(n.id) && n.inputs.some((i) => nodeOf(graph, i).op === 'param' && leafName(nodeOf(graph, i)) === 'up.linear.weight'));
    expect(reads.length).toBeGreaterThan(0);
  });
});

/** |a - b| / |b| */
const apart = (a: Tensor | undefined, b: Tensor | undefined): number => {
  const [x, y] = [a?.data as Float32Array, b?.data as Float32Array];
  return Math.sqrt(x.reduce((sum, v, i) => sum + (v - (y[i] as number)) ** 2, 0) / y.reduce((sum, v) => sum + v * v, 0));
};

describe.each(['direct', 'addon'] as const)('gradients by the %s route', (route) => {
  it('are near those of floats, and not the same', async () => {
    const ort = await createOrtEngine({ device: 'cpu', threads: 1, route }), graph = gradFunction(program), { tensors } = startingTensors(program, 0, 'random');
    const noise = (size: number, seed: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) * seed));
    const given = { image: f32([2, 3, 16, 16], noise(2 * 3 * 256, 1)), truth: f32([2, 1, 16, 16], noise(512, 3).map((v) => (v > 0 ? 1 : 0))), weights: f32([2], [0.5, 0.5]) };
    const [plain = {}, int8 = {}] = await Promise.all([undefined, values()].map(async (frozen) => {
      const fn = await ort.compile(graph, int8Of(program, graph, frozen));
      // what the backward reads is fed; what the products in int8 alone read is not
      expect(fn.inputs.includes('enc.linear.weight')).toBe(frozen === undefined);
      expect(fn.inputs).toContain('up.linear.weight');
      const results = await fn.run(pick({ ...binderOf(program).feeds(fn.inputs, tensors, 0), ...given }, fn.inputs));
      await fn.dispose();
      return results;
    }));
    const gradients = Object.keys(plain).filter((name) => name.startsWith('grad:'));
    expect(gradients.length).toBeGreaterThan(4);
    for (const name of gradients) {
      expect([name, apart(int8[name], plain[name]) < 0.1]).toEqual([name, true]);
      expect([name, apart(int8[name], plain[name]) > 0]).toEqual([name, true]);
    }
    expect(apart(int8['loss'], plain['loss'])).toBeLessThan(0.01);
  });
});

describe('a training', () => {
  it('has losses near those of floats, whether its features are kept or not, and says in run.json what it is', async () => {
    await run('plain', { maxSteps: 8 });
    await run('int8', { maxSteps: 8, frozen: 'int8' });
    await run('kept', { maxSteps: 8, frozen: 'int8', features: new FeatureCache(memoryShelves(1e8), '1') });
    expect(log('int8')).toBe(log('kept'));
    expect(log('int8')).not.toBe(log('plain'));
    const plain = losses('plain');
    losses('int8').forEach((loss, i) => { expect(Math.abs(loss - (plain[i] as number))).toBeLessThan(0.05 * (plain[i] as number)); });
    expect([identity('plain')['frozen'], identity('int8')['frozen']]).toEqual([undefined, 'int8']);
  });
  it('that is resumed stays what it was, and refuses to become the other', async () => {
    await run('whole', { frozen: 'int8', maxSteps: 10 });
    await run('parts', { frozen: 'int8', maxSteps: 3 });
    await expect(run('parts', { resume: true, frozen: 'fp32' })).rejects.toThrow(/Different: the number format of frozen layers \(was int8, is none\)/);
    await run('parts', { resume: true, maxSteps: 10 });
    expect(log('parts')).toBe(log('whole'));
    await run('floats', { maxSteps: 2 });
    await expect(run('floats', { resume: true, frozen: 'int8' })).rejects.toThrow(/number format of frozen layers \(was none, is int8\)/);
  });
  it('without a frozen linear layer, or on another engine, is refused before anything is written', async () => {
    await expect(run('convolutions', { frozen: 'int8', program: programOf(compileText(FROZEN_SPEC)) })).rejects.toThrow(/has no frozen linear layer for --frozen int8/);
    await expect(run('elsewhere', { frozen: 'int8', engine: await createReferenceEngine() })).rejects.toThrow(/--frozen int8 is for ONNX Runtime on the processor, not for reference/);
    expect(() => identity('convolutions')).toThrow();
  });
});
