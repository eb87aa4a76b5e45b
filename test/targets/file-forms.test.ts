// Files that keep their weights smaller, or that take pictures and give masks, in ONNX Runtime.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import type { TensorValue } from '../../compiler/bindings.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { int8Products, toOnnx, type OnnxOptions } from '../../compiler/targets/onnx/index.js';
import { decodeImage } from '../../runtime/data/index.js';
import { maskAt, resizeBilinear } from '../../runtime/report/overlay.js';
import { B, input, param } from '../ir/support.js';
import { random } from '../ops/values.js';

const folder = mkdtempSync(join(tmpdir(), 'tpsc-forms-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const drawn = (seed: number, count: number, scale = 1): Float32Array => { const draw = random(seed); return Float32Array.from({ length: count }, () => scale * (2 * draw() - 1)); };
const file = (graph: Graph, options: Partial<OnnxOptions>) => toOnnx(graph, { producerVersion: '0', ...options });
const content = (bytes: Uint8Array) => {
  const { graph } = onnxProto.onnx.ModelProto.decode(bytes);
  return { ops: (graph?.node ?? []).map((n) => n.opType), tensors: Object.fromEntries((graph?.initializer ?? []).map((t) => [t.name, t])) };
};
async function run(bytes: Uint8Array, feeds: Readonly<Record<string, ort.Tensor>>): Promise<Readonly<Record<string, ort.Tensor>>> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return results;
}
const floats = (t: ort.Tensor | undefined): Float32Array => t!.data as Float32Array;

describe('weights in fewer bits', () => {
  const K = 24, M = 5, weight = drawn(1, M * K), bias = drawn(2, M);
  // A column of zeros, and one a thousand times the others.
  weight.fill(0, 0, K);
  for (let i = K; i < 2 * K; i++) weight[i]! *= 1000;
  const b = new GraphBuilder();
  const graph = b.finish([{ name: 'y', id: b.addition(b.add('matmul', [input(b, 'x', [B, 3, K]), param(b, 'w', [M, K])], { transpose_b: true }), b.reshape(param(b, 'b', [M]), [1, 1, M])) }]);
  const tensors = new Map<string, TensorValue>([['w', { shape: [M, K], read: () => weight }], ['b', { shape: [M], read: () => bias }]]);
  const x = new ort.Tensor('float32', drawn(3, 2 * 3 * K), [2, 3, K]);
  const y = async (options: Partial<OnnxOptions>) => floats((await run(file(graph, { tensors, ...options }).bytes, { x }))['y']);

  test('half precision keeps matrices as halves and computes in floats', async () => {
    const { ops, tensors: written } = content(file(graph, { tensors, halfWeights: true }).bytes);
    expect(ops).toContain('Cast');
    expect([written['w']?.dataType, written['w']?.rawData?.length, written['b']?.dataType]).toEqual([10, 2 * M * K, 1]);
    const [plain, halved] = [await y({}), await y({ halfWeights: true })];
    // Half an ulp a weight: |Δy_j| <= 2^-11 Σ |x| |w_j|
    plain.forEach((v, i) => { expect(Math.abs(v - halved[i]!)).toBeLessThanOrEqual(2 ** -11 * K * (i % M === 1 ? 1000 : 1)); });
    expect(halved).not.toEqual(plain);
  });

  test('a named matrix is int8 with a scale a column, and its product is one of integers', async () => {
    const model = file(graph, { tensors, int8: int8Products(graph, { tensors }, new Set(['w'])) }), { ops, tensors: written } = content(model.bytes);
    expect(model.int8).toEqual(['w']);
    expect(ops).toEqual(['DynamicQuantizeLinear', 'MatMulInteger', 'Cast', 'Mul', 'Mul', 'Reshape', 'Add']);
    expect(Object.keys(written)).toEqual(expect.arrayContaining(['b', 'w:int8', 'w:scale']));
    expect(written['w']).toBeUndefined();
    const integers = new Int8Array(Uint8Array.from(written['w:int8']!.rawData!).buffer);
    expect(Math.max(...integers.map(Math.abs))).toBe(64);
    const [plain, quantised] = [await y({}), await y({ int8: int8Products(graph, { tensors }, new Set(['w'])) })];
    // Each column has its own scale: an error of 1/128 of its largest weight and 1/255 of the activations' range, K times, as noise.
    plain.forEach((v, i) => { expect(Math.abs(v - quantised[i]!)).toBeLessThan(0.05 * Math.sqrt(K) * (i % M === 1 ? 1000 : 1)); });
    expect(quantised.filter((_, i) => i % M === 0)).toEqual(plain.filter((_, i) => i % M === 0));
  });

  test('what else reads the matrix still finds its floats', () => {
    const g = new GraphBuilder(), w = param(g, 'w', [M, K]);
    const twice = g.finish([{ name: 'y', id: g.add('matmul', [input(g, 'x', [B, K]), w], { transpose_b: true }) }, { name: 'norm', id: g.sum(g.mul(w, w), [0, 1]) }]);
    expect(Object.keys(content(file(twice, { tensors, int8: int8Products(twice, { tensors }, new Set(['w'])) }).bytes).tensors)).toEqual(expect.arrayContaining(['w', 'w:int8']));
  });

  test('a matrix that is not named, or has no value, is left alone', () => {
    expect(file(graph, { tensors, int8: int8Products(graph, { tensors }, new Set(['other'])) }).int8).toEqual([]);
    expect(file(graph, { int8: int8Products(graph, {}, new Set(['w'])) }).int8).toEqual([]);
  });
});

describe('pictures in, masks out', () => {
  const SIDE = 16, b = new GraphBuilder(), image = input(b, 'image', [B, 3, SIDE, SIDE]);
  const graph = b.finish([{ name: 'logits', id: b.add('slice', [image], { axis: 1, from: 0, to: 1 }) }, { name: 'seen', id: b.neg(image) }]);
  const pictures = { input: 'image', size: [SIDE, SIDE], scale: [2 / 255, 1 / 255, 4 / 255], shift: [-1, 0, 0.5] } as const;
  const picture = (seed: number, height: number, width: number): Uint8Array => { const draw = random(seed); return Uint8Array.from({ length: height * width * 3 }, (_, i) => 120 + 60 * Math.sin(i / 37) + 70 * (draw() - 0.5)); };
  const feed = (data: Uint8Array, height: number, width: number) => ({ image: new ort.Tensor('uint8', data, [data.length / (height * width * 3), height, width, 3]) });
  /** Bytes that the network saw: the affine map turned back. */
  const seen = (t: ort.Tensor | undefined): Float64Array => Float64Array.from(floats(t), (v, i) => {
    const c = Math.floor(i / SIDE ** 2) % 3;
    return (-v - pictures.shift[c]!) / pictures.scale[c]!;
  });
  const { bytes } = file(graph, { pictures, masks: { logits: 'logits', threshold: 0.45 } });

  test('a picture of the network\'s size only changes its layout and scale; a batch is a batch', async () => {
    const two = Uint8Array.from([...picture(1, SIDE, SIDE), ...picture(2, SIDE, SIDE)]);
    const found = seen((await run(bytes, feed(two, SIDE, SIDE)))['seen']);
    found.forEach((v, i) => {
      const [sample, c, at] = [Math.floor(i / (3 * SIDE ** 2)), Math.floor(i / SIDE ** 2) % 3, i % SIDE ** 2];
      expect(v).toBeCloseTo(two[(sample * SIDE ** 2 + at) * 3 + c]!, 3);
    });
  });

  test.each([[40, 24], [31, 61], [16, 33]])('one of %i x %i is made smaller as `tpsc predict` does, to a grey level, but for the border', async (height, width) => {
    const data = picture(3, height, width), path = join(folder, `${height}x${width}.png`);
    await sharp(data, { raw: { height, width, channels: 3 } }).png().toFile(path);
    const wanted = await decodeImage(path, { height: SIDE, width: SIDE });
    const found = seen((await run(bytes, feed(data, height, width)))['seen']);
    const apart = found.map((v, i) => Math.abs(v - wanted.data[(i % SIDE ** 2) * 3 + Math.floor(i / SIDE ** 2)]!));
    const inside = apart.filter((_, i) => [i % SIDE, Math.floor(i / SIDE) % SIDE].every((at) => at > 0 && at < SIDE - 1));
    expect(Math.max(...inside)).toBeLessThan(1.01);
    expect(Math.max(...apart)).toBeLessThan(12);
  });

  test('a smaller one is enlarged with half-pixel centres', async () => {
    const [height, width] = [9, 12], data = picture(6, height, width), found = seen((await run(bytes, feed(data, height, width)))['seen']);
    for (const c of [0, 1, 2]) {
      const wanted = resizeBilinear(Float32Array.from({ length: height * width }, (_, i) => data[i * 3 + c]!), { height, width }, { height: SIDE, width: SIDE });
      // Rounded after each axis.
      wanted.forEach((v, i) => { expect(Math.abs(v - found[c * SIDE ** 2 + i]!)).toBeLessThan(1.01); });
    }
  });

  test('masks have the picture\'s size and are those of `tpsc predict`', async () => {
    const [height, width] = [23, 37], results = await run(bytes, feed(picture(4, height, width), height, width));
    expect([results['probability']!.dims, results['mask']!.dims]).toEqual([[1, 1, height, width], [1, 1, height, width]]);
    const mask = results['mask']!.data as Uint8Array;
    expect([...mask]).toEqual([...maskAt({ logits: floats(results['logits']), height: SIDE, width: SIDE, threshold: 0.45 }, { height, width })]);
    expect(new Set(mask)).toEqual(new Set([0, 1]));
    floats(results['probability']).forEach((p, i) => { expect(p > 0.45 + 1e-6 ? 1 : p < 0.45 - 1e-6 ? 0 : mask[i]).toBe(mask[i]); });
  });

  test('without pictures the masks have the network\'s size', async () => {
    const x = new ort.Tensor('float32', drawn(5, 3 * SIDE * SIDE), [1, 3, SIDE, SIDE]);
    const results = await run(file(graph, { masks: { logits: 'logits', threshold: 0.5 } }).bytes, { image: x });
    expect([...results['mask']!.data as Uint8Array]).toEqual([...floats(results['logits'])].map((v) => (v >= 0 ? 1 : 0)));
  });
});
