// A checkpoint is a pair of files behind one atomic switch: what is read is always a pair that was saved together.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { f32 } from '../../runtime/engines/engine.js';
import { UserError } from '../../runtime/errors.js';
import { loadCheckpoint, saveCheckpoint, type TrainState } from '../../runtime/state/checkpoint.js';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'checkpoint-')); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const state = (value: number): TrainState => ({
  tensors: new Map([['w', f32([2], [value, -value])], ['proto.AA', f32([1], [value])]]),
  moments: new Map([['m:w', f32([2], [0.1, value])]]), updates: new Map([['w', value]]),
});
const best = { epoch: 1, step: 2, value: 0.1 + 0.2 };
const save = (step: number, name = 'last'): void => saveCheckpoint(folder, name, state(step), {
  program: 'hash', run: 'run', seed: 7, schedules: { temperature: 1 / 3, lr: 1e-7 }, logBytes: 12,
  progress: { epoch: 1, position: 2, step, lossSum: 0.1 + 0.7, history: [best], best },
});

describe('a checkpoint', () => {
  it('gives back state and progress exactly', () => {
    save(3);
    const { record, state: read } = loadCheckpoint(folder, 'last');
    expect(record).toMatchObject({ seed: 7, schedules: { temperature: 1 / 3, lr: 1e-7 }, progress: { step: 3, lossSum: 0.1 + 0.7, best } });
    expect([...read.tensors.keys(), ...read.moments.keys()]).toEqual(['w', 'proto.AA', 'm:w']);
    expect([...read.tensors.get('w')!.data]).toEqual([3, -3]);
    expect(read.updates).toEqual(new Map([['w', 3]]));
  });

  it('replaces the one before and leaves best alone; only two pairs are on the disk', () => {
    save(1, 'best');
    for (const step of [1, 2, 3]) save(step);
    expect(readdirSync(folder).sort()).toEqual(['best-000000001.safetensors', 'best.json', 'last-000000003.safetensors', 'last.json']);
    expect(loadCheckpoint(folder, 'best').record.progress.step).toBe(1);
  });

  it('is still the old one where the machine stopped between tensors and switch, and clears what was left', () => {
    save(1);
    const old = readFileSync(join(folder, 'last.json'));
    save(2);
    save(1, 'old');
    renameSync(join(folder, 'old-000000001.safetensors'), join(folder, 'last-000000001.safetensors'));
    writeFileSync(join(folder, 'last.json'), old);
    writeFileSync(join(folder, '.last-000000005.safetensors.123.tmp'), 'half');
    expect(loadCheckpoint(folder, 'last').record.progress.step).toBe(1);
    save(4);
    expect(readdirSync(folder).filter((f) => f.includes('last')).sort()).toEqual(['last-000000004.safetensors', 'last.json']);
  });

  it.each([
    ['no JSON', '{"format":1,', /not JSON/], ['null', 'null', /fields/], ['another format', '{"format":2}', /fields/],
    ['a path out of the folder', undefined, /fields/],
  ])('that holds %s is refused', (_, text, message) => {
    save(1);
    const path = join(folder, 'last.json');
    writeFileSync(path, text ?? readFileSync(path, 'utf8').replace('last-000000001', '../../secret'));
    expect(() => loadCheckpoint(folder, 'last')).toThrow(message);
    expect(() => loadCheckpoint(folder, 'last')).toThrow(UserError);
  });

  it('whose tensors are another step\'s is refused', () => {
    save(1);
    save(2, 'other');
    renameSync(join(folder, 'other-000000002.safetensors'), join(folder, 'last-000000001.safetensors'));
    expect(() => loadCheckpoint(folder, 'last')).toThrow(/not the file that last\.json was written with/);
  });

  it('that is not there is said so', () => {
    expect(() => loadCheckpoint(folder, 'best')).toThrow(/best\.json does not exist/);
  });
});
