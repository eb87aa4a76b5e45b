// Starting from other weights: by path and shape, with every misfit named; what is frozen never starts by chance.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32 } from '../../runtime/engines/engine.js';
import { UserError } from '../../runtime/errors.js';
import { saveCheckpoint } from '../../runtime/state/checkpoint.js';
import { writeSafetensors } from '../../runtime/state/safetensors.js';
import { writeTorch } from '../../runtime/state/torch.js';
import { loadWeights, startingTensors } from '../../runtime/state/weights.js';
import { tinyProgram } from '../train/tiny.js';

let root: string;
beforeAll(() => { root = mkdtempSync(join(tmpdir(), 'weights-')); });
afterAll(() => rmSync(root, { recursive: true, force: true }));

const stem = f32([4, 3, 1, 1], Array.from({ length: 12 }, (_, i) => i));
function file(name: string, tensors: Record<string, ReturnType<typeof f32>>): string {
  const path = join(root, `${name}.safetensors`);
  writeSafetensors(path, new Map(Object.entries(tensors)));
  return path;
}
const frozen = tinyProgram({ frozen: true });

describe('weights', () => {
  it('are taken by path and shape, and every misfit is named', () => {
    const path = file('mixed', { 'stem.weight': stem, 'stem.bias': f32([5], [1, 2, 3, 4, 5]), 'old.weight': f32([1], [1]), 'm:stem.weight': stem });
    const { report } = loadWeights(tinyProgram(), path);
    expect(report).toMatchObject({
      file: path, taken: ['stem.weight'], extra: ['old.weight'], misshapen: [{ path: 'stem.bias', file: [5], program: [4] }],
      missing: ['head.AA.weight', 'head.BB.weight', 'head.CC.weight', 'proto.AA', 'proto.BB', 'proto.CC'],
    });
  });

  it('in a PyTorch checkpoint are imported first, and the message says how', () => {
    const path = join(root, 'foreign.pt');
    writeTorch(path, []);
    expect(() => startingTensors(frozen, 1, path)).toThrow(/zip archive as PyTorch writes/);
  });

  it('in a safetensors file whose header is 19,280 bytes long, which is "PK" as zip archives begin, are taken', () => {
    const path = join(root, 'pk.safetensors'), header = Buffer.from(JSON.stringify({ 'stem.weight': { dtype: 'F32', shape: stem.shape, data_offsets: [0, 48] } }).padEnd(0x4b50));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    expect(length.toString('latin1', 0, 2)).toBe('PK');
    writeFileSync(path, Buffer.concat([length, header, Buffer.from((stem.data as Float32Array).buffer)]));
    expect(loadWeights(tinyProgram(), path).tensors.get('stem.weight')?.data).toEqual(stem.data);
  });

  it('fill the frozen tensors; trained ones and states may start from their initial values', () => {
    const { tensors, identity } = startingTensors(frozen, 1, file('stem', { 'stem.weight': stem }));
    expect(tensors.get('stem.weight')!.data).toEqual(stem.data);
    expect(tensors.get('head.AA.weight')!.data).toEqual(startingTensors(frozen, 1, 'random').tensors.get('head.AA.weight')!.data);
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
  });

  it('may come from a run: its best checkpoint, else its last', () => {
    const run = join(root, 'run'), folder = join(run, 'checkpoints');
    const record = { program: 'p', run: 'r', seed: 0, schedules: {}, logBytes: 0 };
    const save = (name: string, step: number, value: number): void => saveCheckpoint(folder, name,
      { tensors: new Map([['stem.weight', f32([4, 3, 1, 1], new Float32Array(12).fill(value))]]), moments: new Map(), updates: new Map() },
      { ...record, progress: { epoch: 0, position: step, step, lossSum: 0, history: [] } });
    mkdirSync(run);
    expect(() => startingTensors(frozen, 1, run)).toThrow(/holds no checkpoint/);
    save('last', 2, 2);
    expect(startingTensors(frozen, 1, run).tensors.get('stem.weight')!.data[0]).toBe(2);
    save('best', 1, 1);
    expect(startingTensors(frozen, 1, run).tensors.get('stem.weight')!.data[0]).toBe(1);
  });

  it('that a frozen tensor lacks are an error, unless random ones are asked for', () => {
    expect(() => startingTensors(frozen, 1)).toThrow(/1 frozen tensors of Tiny have no weights: stem\.weight/);
    expect(() => startingTensors(frozen, 1, file('biased', { 'stem.bias': f32([4], [0, 0, 0, 0]) }))).toThrow(/have no weights in .*biased\.safetensors: stem\.weight/);
    expect(() => startingTensors(frozen, 1, file('narrow', { 'stem.weight': f32([2, 3], [0, 0, 0, 0, 0, 0]), 'stem.bias': f32([4], [0, 0, 0, 0]) })))
      .toThrow(/stem\.weight is \[2, 3\] in the file and \[4, 3, 1, 1\] in the spec/);
    expect(startingTensors(frozen, 1, 'random').identity).toBe('random');
    expect(startingTensors(tinyProgram(), 1).identity).toBe('init');
  });

  it('of which nothing fits are an error, not a silent start from scratch', () => {
    expect(() => startingTensors(tinyProgram(), 1, file('foreign', { 'encoder.weight': stem }))).toThrow(/no tensor of .*foreign\.safetensors fits Tiny/);
    expect(() => startingTensors(tinyProgram(), 1, join(root, 'nowhere'))).toThrow(UserError);
  });
});
