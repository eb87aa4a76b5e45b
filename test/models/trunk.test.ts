// The trunk's text against the official class in PyTorch, at a small width: window lag, windows larger than their maps or filled on one side, pooled
// queries, global blocks, both position embeddings. The checkpoint goes through a file with the official keys. What made the golden: test/oracle/trunk.py.
// The four true sizes are compared by test/oracle/trunk.ts, which needs PyTorch.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { inferFunction } from '../../compiler/functions.js';
import type { NdArray } from '../../compiler/ir/ndarray.js';
import type { Program } from '../../compiler/program.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { importWeights, type ImportReport } from '../../runtime/state/import.js';
import { readSafetensors } from '../../runtime/state/safetensors.js';
import { writeTorch } from '../../runtime/state/torch.js';
import { distance, golden, noise, valueOf, type Sketch } from './formula.js';
import { compiled } from './specs.js';

interface Stage extends Sketch { readonly scale: number; readonly stride: number; readonly strided: readonly number[] }
interface Golden {
  /** The official state dict, by name. */
  readonly keys: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly { readonly height: number; readonly width: number; readonly stages: readonly Stage[] }[];
}
const expected = golden<Golden>('trunk.json');
const small = (height: number, width: number): Program => compiled('test/oracle/trunk.tps', { variant: 'small', set: { height: `${height}`, width: `${width}` } });

/** Path in the spec of an official key. */
const pathOf = (key: string): string => key.replace('image_encoder.trunk.', 'enc.').replace('patch_embed.proj.', 'patch_embed.');
const bytesOf = (a: NdArray): Uint8Array => new Uint8Array(Float32Array.from(a.data).buffer);
const official = (key: string, shape: readonly number[]) => ({ name: key, dtype: 'f32' as const, shape, bytes: () => bytesOf(valueOf(pathOf(key), shape)) });

let folder: string;
let report: ImportReport;
let weights: ReadonlyMap<string, Tensor>;
let engine: Engine;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trunk-'));
  const [file, out] = [join(folder, 'official.pt'), join(folder, 'weights.safetensors')];
  writeTorch(file, [...Object.entries(expected.keys).map(([key, shape]) => official(key, shape)), official('image_encoder.neck.convs.0.conv.bias', [4])], 'model');
  report = importWeights({ program: small(64, 64), file, out });
  weights = readSafetensors(out).tensors;
  engine = await createEngine('ort', { threads: 2 });
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

it('the official keys are all of the trunk’s tensors, and no others', () => {
  expect(report).toMatchObject({ map: 'sam2', untouched: [], dropped: [], outside: ['image_encoder.neck.convs.0.conv.bias'] });
  expect(report.imported.map((i) => i.path).sort()).toEqual(Object.keys(expected.keys).map(pathOf).sort());
});

describe.each(expected.cases)('$height x $width', ({ height, width, stages }) => {
  const image = noise('image:trunk', [1, 3, height, width]);

  // in float64 the meaning itself is compared; the larger maps take too long for that
  it.runIf(height * width <= 64 * 64)('gives PyTorch’s stages in float64', () => {
    const program = small(height, width);
    const feeds = new Map([['image', image], ...program.tensors.map((t): [string, NdArray] => [t.path, valueOf(t.path, t.shape)])]);
    const found = evaluate(inferFunction(program), feeds);
    stages.forEach((stage, i) => {
      const { shape, data } = found.get(`stage${i + 1}`)!;
      expect(shape).toEqual(stage.shape);
      expect(furthest(data, stage)).toBeLessThan(1e-8);
      expect(distance(data, stage) / stage.norm).toBeLessThan(1e-8);
    });
  });

  it('gives them in ONNX Runtime within 1e-5 of their scale', async () => {
    const fn = await engine.compile(inferFunction(small(height, width)));
    const found = await fn.run(Object.fromEntries(fn.inputs.map((name) => [name, name === 'image' ? f32(image.shape, Float32Array.from(image.data)) : weights.get(name)!])));
    await fn.dispose();
    stages.forEach((stage, i) => {
      const { shape, data } = found[`stage${i + 1}`]!;
      expect(shape).toEqual(stage.shape);
      expect(furthest(data as Float32Array, stage)).toBeLessThan(1e-5);
      expect(distance(data as Float32Array, stage) / stage.norm).toBeLessThan(1e-5);
    });
  });
});

/** Largest |difference| over the values that the golden keeps, relative to the stage's scale. */
const furthest = (data: ArrayLike<number>, { strided, stride, scale }: Stage): number => Math.max(...strided.map((v, i) => Math.abs(v - data[i * stride]!))) / scale;
