// Entries of a train block: values that no training could run with are told at their place, each once.
import { describe, expect, it } from 'vitest';
import type { CompileResult } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';
import { compileText, programOf, trained } from './support.js';

const body = '  let y = conv(1)(x)\n  return y';
const said = (entries: string, optimizer = 'adam(lr: 1e-3)'): string[] =>
  compileText(trained(body).replace('batch = 4', `batch = 4\n${entries}`).replace('adam(lr: 1e-3)', optimizer)).diagnostics.map((d) => `${d.code} ${d.message} | ${d.help ?? ''}`);

it.each([
  ['clip = -1.0', '`clip` cannot be `-1.0` | a number above 0'],
  ['threshold = 3.0', '`threshold` cannot be `3.0` | a number between 0 and 1'],
  ['validate = every(0, keep: best(dice))', '`epochs` cannot be `0` | a whole number above 0'],
  ['augment = [resize(0)]', '`size` cannot be `0` | a size, or [height, width]'],
  ['augment = [resize(16, masks: lanczos)]', '`masks` cannot be `lanczos` | bilinear, bicubic, nearest'],
  ['augment = [flip(horizontal: 4.0)]', '`horizontal` cannot be `4.0` | a number from 0 to 1'],
  ['augment = [normalize(mean: [0.5, 0.5], std: [1, 1, 1])]', '`mean` cannot be `[0.5, 0.5]` | three numbers, for red, green and blue'],
  ['augment = [normalize(mean: [0, 0, 0], std: [1, 0, 1])]', '`augment` cannot be `normalize(mean: [0, 0, 0], std: [1, 0, 1])` | normalize(mean, std): (x - mean) / std per channel, x in [0, 1]'],
  ['augment = [resize(16), resize(16)]', '`augment` cannot be `resize(16)` | keep one resize: each would blur the mask once more'],
])('%s', (entry, message) => expect(said(`  ${entry}`)).toEqual([`TPS6002 ${message}`]));

describe('the optimizer', () => {
  it('has a positive learning rate, once', () => {
    expect(said('', 'adam(lr: -1e-3)')).toEqual(['TPS6002 `lr` cannot be `-1e-3` | a number above 0, or anneal, cosine or plateau']);
    expect(said('', 'adam()')).toEqual(['TPS6002 `optimizer` cannot be `adam()` | it needs a learning rate: `lr: 3e-5`']);
    expect(said('', 'adam(1e-3, lr: 2e-3)')).toEqual([expect.stringMatching(/^TPS2004 `lr`/)]);
    expect(said('', 'adam(lr: anneal(1e-3, over: epochs))')).toEqual([expect.stringMatching(/^TPS3009 `anneal` needs `to`/)]);
  });
  it('keeps averages that forget', () => expect(said('', 'adam(lr: 1e-3, beta1: 1.0)')).toEqual(['TPS6002 `beta1` cannot be `1.0` | a number from 0 to below 1']));
});

it('a filter for masks is part of what a program is; the default is not said', () => {
  const resized = (more: string): Program => programOf(compileText(trained(body).replace('batch = 4', `batch = 4\n  augment = [resize(16${more})]`)));
  const [plain, bilinear, nearest, soft] = ['', ', masks: bilinear, soft: false', ', masks: nearest', ', masks: bicubic, soft: true'].map(resized);
  expect(plain!.training!.augment).toEqual([{ kind: 'resize', height: 16, width: 16 }]);
  expect(bilinear!.hash).toBe(plain!.hash);
  expect(nearest!.training!.augment).toEqual([{ kind: 'resize', height: 16, width: 16, masks: 'nearest' }]);
  expect(soft!.training!.augment).toEqual([{ kind: 'resize', height: 16, width: 16, masks: 'bicubic', soft: true }]);
  expect(new Set([plain, nearest, soft].map((p) => p!.hash)).size).toBe(3);
});

describe('what is trained after an improvement', () => {
  const net = (entry: string): CompileResult => compileText(trained('  encoder enc = x |> conv(8) with { frozen: true, weights: main }\n  layer stem = conv(4)\n  layer own = per t conv(1)\n  let y = own(stem(enc))\n  return y').replace('batch = 4', `batch = 4\n  after_improvement = ${entry}`));
  it('is named by paths of trained parameters, from any step of theirs down', () => {
    expect(programOf(net('["own.*.weight", "stem"]')).training!.afterImprovement).toEqual(['stem.weight', 'stem.bias', 'own.{task}.weight']);
  });
  it('is part of what a program is; none named, nothing is', () => {
    const plain = programOf(compileText(trained(body)));
    expect('afterImprovement' in plain.training!).toBe(false);
    expect(programOf(compileText(trained(body).replace('batch = 4', 'batch = 4\n  after_improvement = ["conv"]'))).hash).not.toBe(plain.hash);
  });
  it('names something that is trained', () => {
    const told = (entry: string): string[] => net(entry).diagnostics.map((d) => `${d.code} ${d.message} | ${d.help ?? ''}`);
    expect(told('["sten"]')).toEqual(['TPS6002 `after_improvement` cannot be `"sten"` | did you mean `stem`?']);
    expect(told('["enc"]')).toEqual([expect.stringMatching(/^TPS6002 `after_improvement` cannot be `"enc"` \| there are: /)]);
    expect(told('[conv]')).toEqual([expect.stringMatching(/^TPS6002 .*\| a path in quotes: `"split"`/)]);
    expect(told('[]')).toEqual([expect.stringMatching(/^TPS6002 .*paths of parameters in quotes/)]);
  });
});

it('two schedules under one argument’s name are two', () => {
  const fade = 'block fade(by: f32[])(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return v * by\n}';
  const program = programOf(compileText(trained('  let y = conv(1)(x) |> fade(by: anneal(1.0, 0.5)) |> fade(by: anneal(2.0, 0.5))\n  return y', fade)));
  expect(program.schedules.map((s) => [s.name, s.from])).toEqual([['by', 1], ['by_2', 2]]);
});

describe('copies a task', () => {
  const diagnosed = (text: string): string[] => compileText(trained(text)).diagnostics.map((d) => `${d.code} ${d.message}`);
  const message = ['TPS3013 `per` takes a block, not the layer `f`, which is one for all tasks'];
  it('are of a block, not of a layer that has its place', () => {
    expect(diagnosed('  layer f = conv(1)\n  let y = x |> per t f\n  return y')).toEqual(message);
    expect(diagnosed('  layer f = conv(1)\n  let y = per t f(x)\n  return y')).toEqual(message);
    expect(diagnosed('  layer f = per t conv(1)\n  let y = f(x)\n  return y')).toEqual([]);
  });
});

it('an unnamed layer takes no name that a layer has', () => {
  const program = programOf(compileText(trained('  layer conv_2 = conv(1)\n  let y = x |> conv(8) |> conv(8) |> conv_2\n  return y')));
  expect(program.tensors.map((t) => t.path)).toEqual(['conv.weight', 'conv.bias', 'conv_3.weight', 'conv_3.bias', 'conv_2.weight', 'conv_2.bias']);
});

it('a product that contracts the batch is a statistic over it', () => {
  const across = '  let y = conv(1)(x)\n  let flat = y |> reshape([B, 256])\n  let weight = matmul(flat, flat, transpose_a: true) |> mean(axes: [0, 1]) |> reshape([1, 1, 1, 1])\n  let z = per t conv(1)(y * weight)\n  return z';
  expect(compileText(trained(across).replace('mean(y,', 'mean(z,')).diagnostics.map((d) => d.code)).toEqual(['TPS4012']);
});

describe('the law of a gate', () => {
  const trunk = 'block trunk()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  carry y = v\n  for i in 0..3 {\n    layer blocks[i] = conv(C)\n    next y = blocks[i](y)\n  }\n  return y\n}';
  const codes = (value: string): string[] => compileText(trained(`  encoder enc = trunk()(x)\n  gate g per t over enc.blocks = ${value}\n  let y = conv(1)(enc) * g[0]\n  return y`, trunk)).diagnostics.map((d) => d.code);
  it('is about the axis of the nodes: what is equal along another shows nothing', () => {
    expect(codes('sigmoid(param f32[1, 3] init zeros) |> reshape([3])')).toEqual(['TPS4004']);
    expect(codes('cumsum(softmax(param f32[3, 2] init zeros, axis: 1), axis: 1)[:, 0]')).toEqual(['TPS4004']);
    expect(codes('sigmoid(cumsum(softplus(param f32[3, 1] init zeros), axis: 0)) |> reshape([3])')).toEqual([]);
  });
});
