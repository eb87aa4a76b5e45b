// For tools: with --format json standard output holds the JSON alone, whatever is wrong; and nothing is written where a command refuses.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const root = folderOf({ 'net.tps': TINY, 'broken.tps': TINY.replace('conv(width,', 'conv(widht,') });
const net = join(root, 'net.tps');

describe('a spec that cannot be compiled', () => {
  it.each([
    ['check', ['check', join(root, 'no.tps')], 'TPS2002'],
    ['inspect', ['inspect', join(root, 'no.tps')], 'TPS2002'],
    ['inspect of a folder', ['inspect', root], 'TPS2002'],
    ['inspect of a faulty one', ['inspect', join(root, 'broken.tps')], 'TPS2001'],
    ['compile', ['compile', join(root, 'broken.tps'), '--target', 'onnx', '--weights', 'random', '--out', join(root, 'x.onnx')], 'TPS2001'],
    ['data check', ['data', 'check', root, '--spec', join(root, 'broken.tps')], 'TPS2001'],
  ])('%s: its diagnostics as JSON, exit code 1', async (_, argv, code) => {
    const said = await tpsc([...argv, '--format', 'json']);
    expect(said).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(said.out)).toMatchObject({ ok: false, diagnostics: [{ code, severity: 'error' }] });
    expect(existsSync(join(root, 'x.onnx'))).toBe(false);
  });
});

describe('compile', () => {
  it('writes a graph to a file and says so', async () => {
    const out = join(root, 'graph.txt');
    const said = await tpsc(['compile', net, '--target', 'ir', '--out', out, '--format', 'json']);
    expect(JSON.parse(said.out)).toEqual({ file: out, nodes: expect.any(Number) });
    expect(readFileSync(out, 'utf8')).toMatch(/^# infer\n%0 = input name="image"/);
  });
  it.each([
    ['a graph beside the JSON', ['--target', 'ir', '--format', 'json'], '--target ir needs --out'],
    ['an opset that the ops are not of', ['--target', 'onnx', '--weights', 'random', '--out', join(root, 'y.onnx'), '--opset', '16'], '--opset needs a whole number from 17 to 23'],
    ['an opset for what has none', ['--target', 'ir', '--opset', '20'], '--opset means nothing'],
  ])('refuses %s', async (_, argv, message) => {
    expect(await tpsc(['compile', net, ...argv])).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
  });
});

it.each([
  ['a folder of training files', ['compile', net, '--target', 'onnx-train', '--out', net]],
  ['a file in a folder that is not there', ['compile', net, '--target', 'onnx', '--weights', 'random', '--out', join(root, 'no', 'x.onnx')]],
  ['a file where a folder is', ['compile', net, '--target', 'ir', '--out', root]],
])('a path that cannot be written is the user’s mistake: %s', async (_, argv) => {
  expect(await tpsc(argv)).toMatchObject({ code: 1, out: '', err: expect.stringContaining('cannot be written') });
  expect(readFileSync(net, 'utf8')).toBe(TINY);
});
