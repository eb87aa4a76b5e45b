// What a training refuses or tells before its first step: data that leave something out, networks that no data set can feed.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../compiler/program.js';
import { makeCache, type Dataset } from '../../runtime/data/index.js';
import { createEngine } from '../../runtime/engines/index.js';
import { UserError } from '../../runtime/errors.js';
import { gapsOf } from '../../runtime/train/gaps.js';
import { imageInput } from '../../runtime/train/image-input.js';
import { train, type TrainEvent, type TrainOptions } from '../../runtime/train/loop.js';
import { SIZE, tinyData, tinyProgram } from './tiny.js';

let root: string, dataset: Dataset;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'gaps-'));
  dataset = await tinyData(join(root, 'data'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const without = (task: string, split?: string): Dataset => ({ ...dataset, items: dataset.items.filter((i) => i.task !== task || (split !== undefined && i.split !== split)) });

describe('gaps', () => {
  it('are none where every task has both splits', () => {
    expect(gapsOf(tinyProgram(), dataset)).toEqual({ untrained: [], statesReadByAll: false, unvalidated: [], noValidation: false });
  });
  it('name tasks without training images, and what stays as it begins', () => {
    expect(gapsOf(tinyProgram(), without('BB', 'train'))).toMatchObject({ untrained: [{ task: 'BB', tensors: 1, states: 1 }], unvalidated: [] });
    expect(gapsOf(tinyProgram({ perTask: false }), without('BB'))).toMatchObject({ untrained: [{ task: 'BB', tensors: 0, states: 0 }], unvalidated: ['BB'] });
  });
  it('are told with the start', async () => {
    const events: TrainEvent[] = [];
    await run('told', { dataset: { ...dataset, items: dataset.items.filter((i) => i.split === 'train') }, maxSteps: 1, onEvent: (e) => events.push(e) });
    expect(events[0]).toMatchObject({ kind: 'start', gaps: { noValidation: true } });
  });
});

const run = async (name: string, more: Partial<TrainOptions>) =>
  train({ program: tinyProgram(), engine: await createEngine('ort', { threads: 1 }), dataset, cache: makeCache(), out: join(root, name), seed: 7, ...more });

describe('a network that no data set can feed', () => {
  const of = (inputs: Program['inputs']): Program => ({ ...tinyProgram(), inputs });
  const image = tinyProgram().inputs[0]!;
  it.each([
    ['two tensors', [image, { ...image, name: 'other' }], 'Tiny takes 2 tensors (image, other), not one image'],
    ['none', [], 'Tiny takes no image'],
    ['four channels', [{ ...image, type: { ...image.type, shape: [image.type.shape[0]!, 4, SIZE, SIZE] } }], `Tiny takes image: f32[B, 4, ${SIZE}, ${SIZE}]`],
    ['a batch of its own', [{ ...image, type: { ...image.type, shape: [2, 3, SIZE, SIZE] } }], `Tiny takes image: f32[2, 3, ${SIZE}, ${SIZE}]`],
  ])('%s', async (_, inputs, message) => {
    expect(() => imageInput(of(inputs))).toThrow(message);
    await expect(run('never', { program: of(inputs) })).rejects.toThrow(UserError);
    expect(existsSync(join(root, 'never', 'run.json'))).toBe(false);
  });
});

it('images of another size than the network’s are refused by name, and a wrong resize before anything is written', async () => {
  await expect(run('resized', { program: tinyProgram({ training: { augment: [{ kind: 'resize', height: 4, width: 4 }] } }) })).rejects.toThrow(`augment resizes to 4 x 4, and the network takes ${SIZE} x ${SIZE}`);
  expect(existsSync(join(root, 'resized', 'run.json'))).toBe(false);
  const program = tinyProgram({ training: { augment: [] } });
  const smaller: Program = { ...program, inputs: [{ name: 'image', type: { dtype: 'f32', shape: [program.inputs[0]!.type.shape[0]!, 3, 4, 4] } }] };
  await expect(run('unsized', { program: smaller })).rejects.toThrow(new RegExp(`\\.png: ${SIZE} x ${SIZE} pixels, where the network takes 4 x 4`));
});
