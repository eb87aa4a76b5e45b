// TensorFlow.js as the engine of a training: the same numbers as ONNX Runtime, variables that stay, memory that does not grow, a module for others.
// On wasm, or on the backend that TPSC_TEST_TFJS names.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as tfjsCore from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { inferFunction } from '../../compiler/functions.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import type { Batch } from '../../runtime/data/index.js';
import { ResidentTensor } from '../../runtime/engines/device.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { createTfjsEngine, type TfjsEngine } from '../../runtime/engines/tfjs/index.js';
import { openTfjs, TFJS_BACKENDS } from '../../runtime/engines/tfjs/backend.js';
import { trainedFrom } from '../../runtime/export/model-file.js';
import { writeTfjs } from '../../runtime/export/tfjs-files.js';
import { streamOf } from '../../runtime/random.js';
import type { TrainState } from '../../runtime/state/checkpoint.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { freshState, makeStepper, type Stepper } from '../../runtime/train/step.js';
import { compiled } from '../models/specs.js';
import { SIZE, TASKS, tinyProgram } from '../train/tiny.js';
import { B, input, param } from '../ir/support.js';
import { compareTensors } from './compare.js';

const backend = TFJS_BACKENDS.find((b) => b === process.env['TPSC_TEST_TFJS']) ?? 'wasm';
let tfjs: TfjsEngine, ort: Engine;
beforeAll(async () => {
  tfjs = await createTfjsEngine({ device: 'cpu', backend, threads: 1 });
  ort = await createEngine('ort', { threads: 1 });
});

function stateOf(program: Program, stepper: Stepper): TrainState {
  const { tensors } = startingTensors(program, 1, 'random');
  // what begins at zero would hide half of the gradient
  for (const [path, { shape, data }] of tensors) {
    const noise = streamOf(2, path);
    if (program.tensors.some((t) => t.kind === 'param' && !t.frozen && t.init.kind === 'constant' && path.startsWith(t.path.split('{')[0] ?? ''))) {
      tensors.set(path, f32(shape, Float32Array.from(data as Float32Array, (v) => v + 0.02 * noise.normal())));
    }
  }
  return freshState(tensors, stepper, taskCodes(program));
}

function batchOf(program: Program, size: number, tasks: readonly number[]): Batch {
  const n = tasks.length, noise = streamOf(0, 'batch');
  const disc = (i: number): number => ((i % size - size / 2) ** 2 + (Math.floor(i / size) % size - size / 3) ** 2 < (size / 4) ** 2 ? 1 : 0);
  return {
    image: f32([n, 3, size, size], Float32Array.from({ length: n * 3 * size * size }, () => noise.normal())),
    truth: f32([n, 1, size, size], Float32Array.from({ length: n * size * size }, (_, i) => disc(i))),
    step: 0, tasks: [...tasks], items: tasks.map((t, i) => ({ task: taskCodes(program)[t] ?? '', stem: `${i}`, image: '', mask: '', group: '', split: 'train' as const })),
  };
}

const scalarsOf = (program: Program, step: number) => ({ lr: 3e-4, schedules: Object.fromEntries(program.schedules.map((s) => [s.name, 0.7])), seed: 3, step });

const norm = (t: Tensor): number => Math.sqrt((t.data as Float32Array).reduce((sum, v) => sum + v * v, 0));

describe('ten steps of training are those of ONNX Runtime', () => {
  const check = async (program: Program, batch: Batch, steps: number): Promise<void> => {
    const [a, b] = [await makeStepper(program, program.training!, tfjs), await makeStepper(program, program.training!, ort)];
    const [x, y] = [stateOf(program, a), stateOf(program, b)];
    for (let step = 0; step < steps; step++) {
      const [p, q] = [await a.run(x, batch, scalarsOf(program, step)), await b.run(y, batch, scalarsOf(program, step))];
      expect(Math.abs(p.loss - q.loss) / Math.abs(q.loss), `loss of step ${step}`).toBeLessThan(1e-3);
      if (step === 0) {
        // Adam's first step leaves m = (1 - β₁) g; both are in float32, each allowed 1e-3 from the exact gradient
        const total = Math.hypot(...[...y.moments].filter(([name]) => name.startsWith('m:')).map(([, t]) => norm(t)));
        for (const [name, m] of y.moments) {
          if (name.startsWith('m:') && norm(m) > 1e-6 * total) expect(compareTensors(name, x.moments.get(name), m).relative, name).toBeLessThan(2e-3);
        }
      }
    }
    for (const [path, t] of y.tensors) if (t.shape.length > 1) expect(compareTensors(path, x.tensors.get(path), t).relative, path).toBeLessThan(2e-2);
    expect([...x.updates]).toEqual([...y.updates]);
    await Promise.all([a.dispose(), b.dispose()]);
  };

  it('of a small net with dropout, prototypes and a head a task, over batches of all tasks', async () => {
    const program = tinyProgram();
    await check(program, batchOf(program, SIZE, [0, 2, 1, 0]), 10);
  });
  it('of tpseg-nano', async () => {
    const program = compiled('models/tpseg-nano.tps', { set: { size: '32' } });
    await check(program, batchOf(program, 32, [1]), 10);
  }, 300_000);
});

describe('a step stays on the device', () => {
  const steps = async (count: number, each?: (state: TrainState) => void) => {
    const program = tinyProgram(), stepper = await makeStepper(program, program.training!, tfjs), state = stateOf(program, stepper), batch = batchOf(program, SIZE, [0, 2, 1, 0]);
    for (let step = 0; step < count; step++) {
      await stepper.run(state, batch, scalarsOf(program, step));
      each?.(state);
    }
    return { stepper, state };
  };

  it('no tensor is left behind, over 100 steps, and the peak is told', async () => {
    const before = tfjs.tfjs.tensors(), seen: number[] = [];
    tfjs.takePeakBytes();
    const { stepper } = await steps(100, () => seen.push(tfjs.tfjs.tensors()));
    expect(new Set(seen.slice(1)).size).toBe(1);
    expect(tfjs.takePeakBytes()).toBeGreaterThan(tfjs.tfjs.bytes());
    await stepper.dispose();
    expect(tfjs.tfjs.tensors()).toBe(before);
  });
  it('one readback a step; parameters are read when somebody looks, and can be read after the end', async () => {
    const before = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(tfjs.tfjs.make(Float32Array.of(1), [1], 'float32')) as object, 'dataSync')!;
    const proto = Object.getPrototypeOf(tfjs.tfjs.make(Float32Array.of(1), [1], 'float32')) as { dataSync: () => unknown };
    let reads = 0;
    const read = before.value as () => unknown;
    proto.dataSync = function (this: unknown) { reads++; return read.call(this); };
    const perStep: number[] = [];
    const { stepper, state } = await steps(5, () => { perStep.push(reads); reads = 0; });
    proto.dataSync = read;
    expect(perStep).toEqual([1, 1, 1, 1, 1]);
    const weight = state.tensors.get('stem.weight');
    expect(weight).toBeInstanceOf(ResidentTensor);
    await stepper.dispose();
    expect((weight?.data as Float32Array).every(Number.isFinite)).toBe(true);
    expect(state.tensors.size).toBeGreaterThan(TASKS.length);
  });
});

describe('an engine like the others', () => {
  it('parameters that stay are uploaded once, and again where they were written over', async () => {
    const b = new GraphBuilder();
    const fn = await tfjs.compile(b.finish([{ name: 'w', id: b.addition(param(b, 'w', [2]), input(b, 'x', [2])) }]));
    const w = f32([2], [1, 2]), x = f32([2], [10, 20]);
    expect((await fn.run({ w, x })).w).toEqual(f32([2], [11, 22]));
    expect((await fn.run({ w, x }, { into: { w } })).w).toBe(w);
    expect((await fn.run({ w, x })).w).toEqual(f32([2], [21, 42]));
    await fn.dispose();
  });
  it('refuses what does not fit, by name', async () => {
    const b = new GraphBuilder();
    const fn = await tfjs.compile(b.finish([{ name: 'y', id: b.neg(input(b, 'x', [B, 2])) }]));
    await expect(fn.run({})).rejects.toThrow('x (f32[B, 2]) is not fed');
    await expect(fn.run({ x: f32([1, 3], [1, 2, 3]) })).rejects.toThrow('x is fed with shape [1, 3]; the graph says f32[B, 2]');
  });
  it('says what it is, and why no better one was taken', async () => {
    expect(tfjs).toMatchObject({ name: 'tfjs', device: backend, version: '4.22.0' });
    const { refused } = await openTfjs(['node-gpu', 'node', 'wasm'], { threads: 1 });
    for (const reason of refused) expect(reason).toMatch(/^node(-gpu)?: /);
  });
  it('without its package, cuda says what to install', async () => {
    const error = await createTfjsEngine({ device: 'cuda' }).then(() => undefined, (e: unknown) => e as { message: string; help: string });
    if (error === undefined) return; // this machine has it
    expect(error.message).toMatch(/^no backend of TensorFlow.js starts: node-gpu: /);
    expect(error.help).toContain('npm install @tensorflow/tfjs-node-gpu@4.22.0');
  });
});

it('a module for TensorFlow.js gives what the engine gives, for each task, and leaves nothing behind', async () => {
  const program = compiled('models/tpseg-nano.tps', { set: { size: '32' } }), trained = trainedFrom(program, 'random');
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-module-'));
  try {
    const { file, data } = writeTfjs(trained, { file: join(folder, 'net.mjs'), toolVersion: '0' });
    const tf = tfjs.tfjs.tf as typeof tfjsCore;
    const module = (await import(pathToFileURL(file).href)) as { load(tf: unknown, bytes: Uint8Array): { run(x: object): Promise<Record<string, { dataSync(): Float32Array; shape: number[]; dispose(): void }>>; dispose(): void } };
    const before = tf.memory().numTensors, net = module.load(tf, readFileSync(data));
    const graph = inferFunction(program), fn = await ort.compile(graph), { image } = batchOf(program, 32, [0, 0]);
    for (const [task, code] of taskCodes(program).entries()) {
      const [x, t] = [tf.tensor(image.data as Float32Array, [2, 3, 32, 32]), tf.scalar(task, 'int32')];
      const { logits } = await net.run({ image: x, t });
      const feeds = Object.fromEntries(fn.inputs.map((name): [string, Tensor] => {
        if (name === 'image') return [name, image];
        if (name === 't') return [name, { dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(task)) }];
        if (name.startsWith('schedule:')) return [name, f32([], [trained.schedules[name.slice('schedule:'.length)] ?? 0])];
        const { shape, read } = trained.values.get(name.replace('{task}', code))!;
        return [name, f32(shape, read())];
      }));
      const expected = (await fn.run(feeds)).logits!;
      const apart = compareTensors('logits', f32(logits!.shape, logits!.dataSync()), expected);
      expect(apart.maxAbsDiff / apart.scale).toBeLessThan(1e-4);
      for (const tensor of [x, t, logits!]) tensor.dispose();
    }
    net.dispose();
    expect(tf.memory().numTensors).toBe(before);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
