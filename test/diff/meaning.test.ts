// What makes a difference and what does not: each test edits one small spec.
import { describe, expect, it } from 'vitest';
import { diffPrograms, type Diff } from '../../compiler/diff/index.js';
import { groupPaths, pathsText } from '../../compiler/diff/ranges.js';
import { comparePrograms } from '../../runtime/report/diff/compare.js';
import { deltaInWords } from '../../runtime/report/diff/words.js';
import { diffText } from '../../runtime/report/diff/text.js';
import { textProgram } from './support.js';

const SPEC = `edition 1
from std.peft import bottleneck, residual
from std.loss import structure

setting width: int = 8
tasks lesions {
  SL "Skin lesion"
  CP "Colon polyp"
}

block tower(depth: int)(x: f32[B, C, H, W]) -> { y: f32[B, C, H, W] } {
  carry z = x |> channels_last
  for i in 0..depth {
    layer blocks[i] = feed_forward(2 * C)
    next z = z + blocks[i](z)
  }
  return { y: z |> channels_first }
}

model M(image: f32[B, 3, 16, 16], t: task of lesions) -> f32[B, 1, 16, 16] {
  layer stem = conv(width, kernel: 3, padding: 1)
  let start = stem(image) |> relu
  encoder enc = tower(4)(start)
  adapter tca before enc.blocks[*] = residual(per t bottleneck(2))
  let logits = enc.y |> conv(1)
  return logits
}

train main of M {
  loss = structure(logits, truth)
  optimizer = adam(lr: 1e-3)
  epochs = 2, batch = 4
  augment = [resize(16)]
}
`;
const base = textProgram(SPEC);

function edited(...pairs: readonly (readonly [string | RegExp, string])[]): Diff {
  let text = SPEC;
  for (const [from, to] of pairs) {
    const next = text.replace(from, to);
    if (next === text) throw new Error(`nothing is like ${String(from)}`);
    text = next;
  }
  return diffPrograms(base, textProgram(text));
}

const said = (d: Diff): string => diffText({ ...d, costs: comparePrograms(base, base).costs }, { colour: false, showPath: (p) => p });

describe('nothing differs', () => {
  it.each<readonly [string, readonly (readonly [string | RegExp, string])[]]>([
    ['comments and layout', [['  let start = stem(image) |> relu', '  # the stem\n\n  let   start =\n    stem(image)\n    |> relu']]],
    ['a local by another name', [[/start/g, 'beginning']]],
    ['a loop variable and a carried value by other names', [['carry z = x', 'carry state_of = x'], ['next z = z + blocks[i](z)', 'next state_of = state_of + blocks[k](state_of)'], ['layer blocks[i]', 'layer blocks[k]'], ['for i in', 'for k in'], ['y: z |>', 'y: state_of |>']]],
    ['labels of tasks', [['"Skin lesion"', '"Melanoma"']]],
    ['the name of the train block', [['train main', 'train other']]],
    ['a setting that stands for its number', [['conv(width, kernel', 'conv(8, kernel'], ['setting width: int = 8\n', '']]],
    ['an identical block under another name', [[/\btower\b/g, 'pile']]],
  ])('%s', (_, edits) => {
    const d = edited(...edits);
    expect(d.b.hash).toBe(base.hash);
    expect({ ...d, a: 0, b: 0, elements: 0, load: { ...d.load, same: 0 } }).toEqual({
      a: 0, b: 0, elements: 0, equal: true, declarations: [], settings: [], tasks: [], modules: [], shapes: [], outputs: [], tensors: [], tensorOrder: false, training: [], schedules: [],
      load: { same: 0, reshaped: 0, new: 0, dropped: 0, moved: 0, groups: [] },
    });
    expect(deltaInWords(d)).toBe('–');
  });
});

describe('what differs is told where it is', () => {
  it('an adapter taken away: one line for all its places', () => {
    const d = edited(['  adapter tca before enc.blocks[*] = residual(per t bottleneck(2))\n', '']);
    const [gone, ...others] = d.modules;
    expect(gone).toMatchObject({ path: 'tca[0..3]', change: 'removed', block: { a: 'residual' }, at: { place: 'before', node: 'enc.blocks[0..3]' } });
    expect(others.every((m) => m.change === 'changed' && m.rewired !== null)).toBe(true);
    expect(said(d)).toMatch(/- enc\.blocks\[0\.\.3\]\.tca +-1 residual \(-\d+ ops each\), before it; tensors under tca\[0\.\.3\]/);
    expect(deltaInWords(d)).toMatch(/^− adapter tca; −\d+ parameters$/);
    expect(d.load).toMatchObject({ reshaped: 0, new: 0, dropped: 4 * (2 + 1 + 2 * 2) });
  });
  it('an op for another', () => {
    const d = edited(['|> relu', '|> gelu']);
    expect(d.modules).toEqual([expect.objectContaining({ path: '', change: 'changed', rewired: null, ops: expect.objectContaining({ both: { added: { gelu: 1 }, removed: { relu: 1 } } }) })]);
    expect(d.declarations).toEqual([{ kind: 'let', name: 'start', change: 'changed', a: 'let start = stem(image) |> relu', b: 'let start = stem(image) |> gelu' }]);
    expect(d.tensors).toEqual([]);
  });
  it('a value of an attribute', () => {
    const d = edited(['kernel: 3, padding: 1', 'kernel: 3, padding: 2, dilation: 2']);
    expect(d.modules.map((m) => [m.path, m.changed])).toEqual([['stem', [{ op: 'conv2d', attr: 'dilation', a: '[1, 1]', b: '[2, 2]', count: 1 }, { op: 'conv2d', attr: 'padding', a: '[1, 1]', b: '[2, 2]', count: 1 }]]]);
  });
  it('a constant, where it is read', () => {
    const times = (factor: string): string => SPEC.replace('|> relu', '|> relu |> part').replace('block tower', `block part(x: f32) -> f32 {\n  return ${factor} * x\n}\n\nblock tower`);
    const d = diffPrograms(textProgram(times('0.5')), textProgram(times('0.25')));
    expect(d.modules.every((m) => m.rewired === null)).toBe(true);
    expect(d.modules.filter((m) => m.changed.length > 0).map((m) => [m.path, m.changed])).toEqual([['part', [{ op: 'constant', attr: 'value', a: '0.5', b: '0.25', count: 1 }]]]);
    // the text of a block that is used is a declaration
    expect(d.declarations).toEqual([{ kind: 'block', name: 'part', change: 'changed', a: null, b: null }]);
  });
  it('a width: what is downstream has other shapes, and tensors do not load', () => {
    const d = edited(['width: int = 8', 'width: int = 12']);
    expect(d.settings).toEqual([{ key: 'width', a: '8', b: '12' }]);
    expect(d.modules.filter((m) => m.change !== 'changed')).toEqual([]);
    expect(d.shapes).toContainEqual(expect.objectContaining({ path: 'stem', a: 'f32[B, 8, 16, 16]', b: 'f32[B, 12, 16, 16]' }));
    expect(d.load.groups.map((g) => g.kind)).toEqual(d.load.groups.map(() => 'reshaped'));
    expect(deltaInWords(d)).toMatch(/^width 8 → 12; \+[\d.]+( k)? parameters$/);
  });
  it('another block under a name, with what it keeps', () => {
    const d = edited(['residual(per t bottleneck(2))', 'plain(per t bottleneck(2))'], ['bottleneck, residual', 'bottleneck, plain']);
    expect(d.modules).toContainEqual(expect.objectContaining({ path: 'tca[0..3]', change: 'replaced', block: { a: 'residual', b: 'plain' } }));
    expect(d.load.groups.map((g) => `${g.kind} ${g.path}`)).toEqual(['dropped tca[0..3].norm', 'dropped tca[0..3].scale']);
  });
  it('a layer by another name has moved: its tensors do not load, and it is said why', () => {
    const d = edited(['encoder enc = tower(4)(start)', 'encoder trunk = tower(4)(start)'], ['before enc.', 'before trunk.'], ['enc.y', 'trunk.y']);
    expect(d.modules.map((m) => [m.change, m.path, m.to])).toEqual([['moved', 'enc', 'trunk']]);
    expect(d.tensors.every((t) => t.change === 'moved')).toBe(true);
    expect(d.load).toMatchObject({ new: 16, dropped: 16, moved: 16 });
  });
  it('how a tensor begins, and whether it is frozen', () => {
    const d = edited(['tower(4)(start)', 'tower(4)(start) with { frozen: true, weights: main }']);
    expect(d.tensors.map((t) => t.fields)).toEqual(d.tensors.map(() => [{ key: 'frozen', a: 'no', b: 'yes' }]));
    expect(d.elements.b.frozen).toBeGreaterThan(0);
  });
  it('the loss, in training alone', () => {
    const d = edited(['loss = structure(logits, truth)', 'loss = 2.0 * structure(logits, truth)']);
    expect(d.modules.map((m) => m.mode)).toEqual(['training']);
    expect(d.declarations).toEqual([{ kind: 'loss', name: '', change: 'changed', a: 'loss = structure(logits, truth)', b: 'loss = 2.0 * structure(logits, truth)' }]);
  });
  it('the training block, entry by entry', () => {
    const d = edited(['optimizer = adam(lr: 1e-3)', 'optimizer = adamw(lr: 1e-3, weight_decay: 0.01)'], ['epochs = 2', 'epochs = 3']);
    expect(d.training).toEqual([{ key: 'epochs', a: '2', b: '3' }, { key: 'optimizer.kind', a: 'adam', b: 'adamw' }, { key: 'optimizer.weightDecay', a: '0', b: '0.01' }]);
    expect(d.modules).toEqual([]);
  });
  it('a task more', () => {
    const d = edited(['  CP "Colon polyp"', '  CP "Colon polyp"\n  BT "Brain tumor"']);
    expect(d.tasks).toEqual([{ key: 'BT', a: null, b: 'BT' }]);
    expect(d.load).toMatchObject({ reshaped: 0, dropped: 0, new: 4 * 2 });
    expect(d.load.groups.map((g) => g.path)).toEqual(['tca[0..3].inner.BT']);
  });
});

describe('paths told together', () => {
  it.each<readonly [readonly string[], readonly string[]]>([
    [['a.0.b', 'a.1.b', 'a.2.b'], ['a[0..2].b']],
    [['a.0', 'a.1', 'a.5'], ['a[0, 1, 5]']],
    [['d1', 'd2', 'd3'], ['d{1..3}']],
    [['r.0.u.0', 'r.0.u.1', 'r.1.u.0', 'r.1.u.1'], ['r[0, 1].u[0, 1]']],
    [['r.0.u.0', 'r.1.u.1'], ['r[0].u[0]', 'r[1].u[1]']],
    [['conv', 'conv_2'], ['conv', 'conv_2']],
    [['x', ''], ['x', '']],
  ])('%j', (paths, groups) => { expect(pathsText(paths)).toEqual(groups); });
  it('only where the same is said of them', () => {
    expect(groupPaths([{ path: 'a.0', key: 'x' }, { path: 'a.1', key: 'y' }, { path: 'a.2', key: 'x' }])).toEqual([{ path: 'a[0, 2]', members: [0, 2] }, { path: 'a[1]', members: [1] }]);
  });
});
