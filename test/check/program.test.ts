// What a program is: parameters by stable paths, identity by meaning, variants, tasks, settings, resolved text.
import { describe, expect, it } from 'vitest';
import { storedPaths, taskCodes, type Program } from '../../compiler/program.js';
import { format, parse } from '../../grammar/index.js';
import { readdirSync, readFileSync } from 'node:fs';
import { compileFile, compileText, hostOf, programOf, repoPath, spec, trained } from './support.js';
import { compileSpec } from '../../compiler/index.js';

const parameters = (p: Program): number => p.tensors.filter((t) => t.kind === 'param')
  .reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1) * storedPaths(t, taskCodes(p)).length, 0);
const paths = (p: Program): string[] => p.tensors.map((t) => t.path);
const hashOf = (text: string): string => programOf(compileText(text)).hash;

describe('models of the repository', () => {
  it('UNet has the parameters of the reference', () => {
    expect(parameters(programOf(compileFile('models/unet.tps')))).toBe(31_037_633);
  });
  it.each(['models/unet.tps', 'models/tpseg-nano.tps', 'examples/unetpp.tps'])('%s checks clean, every block and variant', (file) => {
    expect(compileFile(file, { everything: true }).diagnostics).toEqual([]);
  });
  it.each(readdirSync(repoPath('models/std')).map((file) => file.replace('.tps', '')))('std.%s checks clean by itself: its blocks are right for all sizes', (name) => {
    expect(compileFile(`models/std/${name}.tps`, { everything: true }).diagnostics).toEqual([]);
  });
  it('the encoder of both train blocks of the nano network has the same tensors', () => {
    const encoder = (block: string): string[] => paths(programOf(compileFile('models/tpseg-nano.tps', { block }))).filter((p) => p.startsWith('enc.'));
    expect(encoder('pretrain')).toEqual(encoder('main'));
    expect(encoder('main').length).toBeGreaterThan(80);
  });
  it('freezes the encoder and nothing else', () => {
    const p = programOf(compileFile('models/tpseg-nano.tps', { block: 'main' }));
    expect(p.tensors.filter((t) => t.kind === 'param' && t.frozen).every((t) => t.path.startsWith('enc.'))).toBe(true);
    expect(p.tensors.filter((t) => t.path.startsWith('enc.') && t.kind === 'param').every((t) => t.frozen)).toBe(true);
  });
  it('variants without adapters, gate or prototypes have none of their tensors', () => {
    const of = (variant: string): Program => programOf(compileFile('models/tpseg-nano.tps', { variant }));
    expect(paths(of('no_adapters')).filter((p) => /^(tca|split)/.test(p))).toEqual([]);
    expect(paths(of('no_gate')).filter((p) => p.startsWith('split'))).toEqual([]);
    expect(of('no_prototypes').tensors.filter((t) => t.kind === 'state')).toEqual([]);
  });
});

describe('paths', () => {
  it('named layers carry their names, unnamed ones their block and a number', () => {
    const p = programOf(compileText(spec('  layer head = conv(1)\n  let a = x |> conv(8) |> relu |> conv(8)\n  return head(a)')));
    expect(paths(p)).toEqual(['conv.weight', 'conv.bias', 'conv_2.weight', 'conv_2.bias', 'head.weight', 'head.bias']);
  });
  it('a layer called twice has one set of parameters', () => {
    const p = programOf(compileText(spec('  layer same = conv(8)\n  return conv(1)(same(same(x)))')));
    expect(paths(p)).toEqual(['same.weight', 'same.bias', 'conv.weight', 'conv.bias']);
  });
  it('what is per task is marked in its path, and stored once a task', () => {
    const p = programOf(compileText(spec('  return per t conv(1)(x)')));
    expect(p.tensors.map((t) => [t.path, t.perTask, storedPaths(t, taskCodes(p))])).toEqual([
      ['conv.{task}.weight', true, ['conv.SL.weight', 'conv.CP.weight']], ['conv.{task}.bias', true, ['conv.SL.bias', 'conv.CP.bias']],
    ]);
    expect(p.readsTask).toBe(true);
  });
});

describe('adapters', () => {
  const trunk = 'block trunk()(x: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  carry y = x\n  for i in 0..2 {\n    layer blocks[i] = conv(C)\n    next y = blocks[i](y)\n  }\n  return y\n}\nblock grow(x: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return 2.0 * x\n}\n';
  const graphOf = (adapter: string): string[] => {
    const p = programOf(compileText(spec(`  encoder enc = trunk()(x)\n  ${adapter}\n  return enc[:, 0:1]`, trunk)));
    return [...p.infer.nodes.values()].filter((n) => ['conv2d', 'mul', 'add', 'identity'].includes(n.op)).map((n) => n.op);
  };
  it('before: the node reads the adapted input', () => expect(graphOf('adapter a before enc.blocks[*] = grow')).toEqual(['mul', 'conv2d', 'mul', 'conv2d']));
  it('after: all readers read the adapted output', () => expect(graphOf('adapter a after enc.blocks[1] = grow')).toEqual(['conv2d', 'conv2d', 'mul', 'identity']));
  it('beside a linear layer: a low-rank pair takes the width of its input and of its output', () => {
    const layer = 'block trunk()(x: f32[B, C, H, W]) -> f32[B, H, W, 12] {\n  layer wide = linear(12)\n  return wide(x |> channels_last)\n}\n';
    const p = programOf(compileText(`from std.peft import low_rank\n${spec('  encoder enc = trunk()(x)\n  adapter lora beside enc.wide = low_rank(rank: 2)\n  return channels_first(enc)[:, 0:1]', layer)}`));
    expect(p.tensors.map((t) => [t.path, t.shape])).toEqual([['enc.wide.weight', [12, 8]], ['enc.wide.bias', [12]], ['lora.down.weight', [2, 8]], ['lora.up.weight', [12, 2]]]);
  });
  it('beside: its output is added to the node’s', () => expect(graphOf('adapter a beside enc.blocks[0] = grow')).toEqual(['conv2d', 'mul', 'add', 'conv2d']));
});

describe('identity', () => {
  const text = trained('  let wide = x |> conv(4) |> relu\n  let y = wide |> conv(1)\n  return y');
  it('does not see comments, layout or local names', () => {
    const same = text.replaceAll('wide', 'broad').replace('  let broad', '\n  # a comment\n  let   broad');
    expect(same).not.toBe(text);
    expect(hashOf(same)).toBe(hashOf(text));
  });
  it('does not see what a train block is called', () => {
    expect(hashOf(text.replace('train main of', 'train second "the other one" of'))).toBe(hashOf(text));
  });
  it('sees whatever can change a number', () => {
    const others = [['conv(4)', 'conv(5)'], ['relu', 'gelu'], ['lr: 1e-3', 'lr: 2e-3'], ['epochs = 2', 'epochs = 3'], ['batch = 4', 'batch = 5'], ['mean(y', 'sum(y']] as const;
    const hashes = [text, ...others.map(([a, b]) => text.replace(a, b))].map(hashOf);
    expect(new Set(hashes).size).toBe(others.length + 1);
  });
  it('an initial value and a frozen encoder are part of it', () => {
    const a = trained('  param s: f32[] init 0.3\n  let y = s * conv(1)(x)\n  return y');
    expect(hashOf(a.replace('init 0.3', 'init 0.4'))).not.toBe(hashOf(a));
  });
  it.each([
    ['main', {}], ['pretrain', {}], [undefined, { variant: 'no_gate' }], ['main', { set: { experts: '4', alpha: '0.6' }, tasks: ['SL', 'CP'], epochs: 7 }],
  ] as const)('the resolved text of the nano network (%s, %o) is the same program', (block, request) => {
    const first = programOf(compileFile('models/tpseg-nano.tps', { ...request, ...('tasks' in request ? { tasks: [...request.tasks] } : {}), ...(block === undefined ? {} : { block }) }));
    const again = programOf(compileSpec({ file: 'resolved.tps', ...(first.training === undefined ? {} : { block: first.training.name }) }, hostOf({ 'resolved.tps': first.resolved })));
    expect(again.hash).toBe(first.hash);
    expect(again.settings).toEqual(first.settings);
  });
  it('the formatter does not change it', () => {
    const nano = readFileSync(repoPath('models/tpseg-nano.tps'), 'utf8');
    expect(hashOf(format(parse(nano, 'x').file))).toBe(hashOf(nano));
  });
});

describe('settings', () => {
  const text = spec('  return x |> conv(n) |> conv(1)', 'setting n: int = 4 where n % 2 == 0\n');
  const said = (set: Record<string, string>): string => compileText(text, { set }).diagnostics.map((d) => `${d.code} ${d.message}`).join();
  it('take the value that is asked for', () => expect(programOf(compileText(text, { set: { n: '6' } })).tensors[0]?.shape).toEqual([6, 8, 1, 1]));
  it('refuse what is not there, not of the type, or breaks a condition', () => {
    expect(said({ m: '6' })).toBe('TPS5005 there is no setting `m`');
    expect(said({ n: 'six' })).toBe('TPS5006 setting `n` is an int; `six` is not');
    expect(said({ n: '5' })).toBe('TPS5007 setting `n` = 5 breaks `n % 2 == 0`');
  });
});

describe('imports', () => {
  it('read files by path, under other names', () => {
    const text = `from "./parts.tps" import twice as double\n${spec('  return x |> double |> conv(1)')}`;
    expect(programOf(compileText(text, {}, { 'parts.tps': 'block twice(x: f32) -> f32 {\n  return 2.0 * x\n}\n' })).tensors).toHaveLength(2);
  });
  it('name what is missing, with what is there', () => {
    const text = `from std.loss import structur\n${spec('  return x |> conv(1)')}`;
    expect(compileText(text).diagnostics[0]).toMatchObject({ code: 'TPS2003', help: 'did you mean `structure`?' });
    expect(compileText(`from "./no.tps" import a\n${spec('  return x |> conv(1)')}`).diagnostics[0]).toMatchObject({ code: 'TPS2002' });
  });
  it('refuse a circle', () => {
    expect(compileText('from "./b.tps" import b', { everything: true }, { 'b.tps': 'from "./spec.tps" import a\nblock b(x: f32) -> f32 {\n  return x\n}' }).diagnostics.map((d) => d.code)).toContain('TPS2005');
  });
});
