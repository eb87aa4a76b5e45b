// An update in pieces is the update of every tensor by itself.
import { beforeAll, describe, expect, it } from 'vitest';
import { applyFunction } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import type { TensorInfo } from '../../compiler/program.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { streamOf } from '../../runtime/random.js';
import type { TrainState } from '../../runtime/state/checkpoint.js';
import { makeUpdate } from '../../runtime/train/update.js';
import { adam, constantSchedule } from './tiny.js';

let engine: Engine;
beforeAll(async () => { engine = await createEngine('ort', { threads: 1 }); });

const OPTIMIZER = adam(constantSchedule('lr', 0.01)), SCALARS = { lr: 0.01, clip: 0.5 };
const SHAPES = { 'a.weight': [7, 33], 'a.bias': [1], scale: [], 'b.weight': [16, 4, 3], 'b.bias': [250] } as const;
const info = (path: string, shape: readonly number[]): TensorInfo => ({ path, kind: 'param', shape, perTask: path.includes('{task}'), frozen: false, init: { kind: 'constant', value: 0 } });
const SET = { tensors: Object.entries(SHAPES).map(([path, shape]) => info(path, shape)), perTask: false, waits: false };
const stored = (leaf: string): string => leaf;
const drawn = (name: string, shape: readonly number[]): Tensor => {
  const random = streamOf(0, name);
  return f32(shape, Float32Array.from({ length: sizeOf(shape) }, () => random.normal()));
};
const begin = (): TrainState => ({
  tensors: new Map(Object.entries(SHAPES).map(([path, shape]) => [path, drawn(path, shape)])), updates: new Map(),
  moments: new Map(Object.entries(SHAPES).flatMap(([path, shape]) => ['m', 'v'].map((kind) => [`${kind}:${path}`, f32(shape, new Float32Array(sizeOf(shape)))] as const))),
});
const numbers = (state: TrainState): unknown => Object.fromEntries([...state.tensors, ...state.moments].map(([name, { shape, data }]) => [name, [shape, [...data as Float32Array]]]));

/** Each tensor by a graph of its own. */
async function alone(state: TrainState, step: number): Promise<void> {
  for (const [path, shape] of Object.entries(SHAPES)) {
    const fn = await engine.compile(applyFunction([{ path, shape }], OPTIMIZER));
    const results = await fn.run({
      lr: f32([], [SCALARS.lr]), clip: f32([], [SCALARS.clip]), step: f32([], [step]), [path]: state.tensors.get(path)!, [`grad:${path}`]: drawn(`${path} ${step}`, shape),
      [`m:${path}`]: state.moments.get(`m:${path}`)!, [`v:${path}`]: state.moments.get(`v:${path}`)!,
    });
    state.tensors.set(path, results[path]!);
    for (const kind of ['m', 'v']) state.moments.set(`${kind}:${path}`, results[`${kind}:${path}`]!);
    await fn.dispose();
  }
}

describe('an update in pieces', () => {
  for (const [name, most] of [['one piece', { piece: 1 << 18, pieces: 64 }], ['pieces that cut tensors', { piece: 48, pieces: 64 }], ['several runs', { piece: 48, pieces: 4 }]] as const) {
    it(`gives each tensor the bits of an update by itself: ${name}`, async () => {
      const update = await makeUpdate(SET, OPTIMIZER, engine, stored, new Map(), most), state = begin(), other = begin();
      for (const step of [1, 2, 3]) {
        const gradients = update.room();
        for (const [i, [path, shape]] of Object.entries(SHAPES).entries()) (gradients.tensors[i]!.data as Float32Array).set(drawn(`${path} ${step}`, shape).data as Float32Array);
        await update.run(state, undefined, gradients, SCALARS);
        update.free(gradients);
        await alone(other, step);
        expect(numbers(state)).toEqual(numbers(other));
      }
      expect([...state.updates.values()]).toEqual(SET.tensors.map(() => 3));
      await update.fn.dispose();
    });
  }

  it('takes what somebody has put into the state, and leaves it and other states as they are', async () => {
    const update = await makeUpdate(SET, OPTIMIZER, engine, stored, new Map()), a = begin(), b = begin(), gradients = update.room();
    gradients.all.fill(1);
    await update.run(a, undefined, gradients, SCALARS);
    const mine = numbers(a);
    await update.run(b, undefined, gradients, SCALARS);
    expect(numbers(a)).toEqual(mine);
    expect(numbers(b)).toEqual(mine);
    const put = f32([1], [5]);
    a.tensors.set('a.bias', put);
    await update.run(a, undefined, gradients, { lr: 0, clip: 1 });
    expect(put.data[0]).toBe(5);
    expect(a.tensors.get('a.bias')!.data[0]).toBe(5);
    expect(a.tensors.get('a.bias')).not.toBe(put);
    await update.fn.dispose();
  });

  it('of a tensor with a table, what is not marked stays', async () => {
    const own = new Uint8Array(250).fill(1, 100, 110), update = await makeUpdate(SET, OPTIMIZER, engine, stored, new Map([['b.bias', own]])), state = begin(), gradients = update.room();
    const before = [...state.tensors.get('b.bias')!.data as Float32Array];
    gradients.all.fill(1);
    await update.run(state, undefined, gradients, SCALARS);
    expect([...state.tensors.get('b.bias')!.data as Float32Array].map((v, i) => v !== before[i])).toEqual([...own].map((m) => m === 1));
    await update.fn.dispose();
  });
});
