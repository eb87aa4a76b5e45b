// Sizes of the networks that the standard library says, against the published or independently counted ones.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, printExpr } from '../../grammar/index.js';
import { inspectProgram } from '../../runtime/report/counts.js';
import { compiled, compiledText, parameterCount } from './specs.js';

const trunk = (config: string, size: number): string => `edition 1
from std.hiera import hiera
model Trunk(image: f32[B, 3, ${size}, ${size}]) -> f32[B, 1, ${size}, ${size}] {
  encoder enc = hiera(${config})(image)
  let x = sum(mean(s, axes: [1]) |> resize([${size}, ${size}]) for s in enc.stages)
  return x
}`;
const T = 'embed: 96, heads: 1, depths: [1, 2, 7, 2], global: [5, 7, 9], windows: [8, 4, 14, 7]';
const L = 'embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8]';

describe('the Hiera trunk has the parameters of the official checkpoints', () => {
  it.each([
    ['T', T, 26_849_472, 154],
    ['S', 'embed: 96, heads: 1, depths: [1, 2, 11, 2], global: [7, 10, 13], windows: [8, 4, 14, 7]', 33_947_328, 202],
    ['B+', 'embed: 112, heads: 2, depths: [2, 3, 16, 3], global: [12, 16, 20], windows: [8, 4, 14, 7], background: 14', 68_675_712, 298],
    ['L', L, 212_149_296, 586],
  ])('%s', (_, config, parameters, tensors) => {
    const program = compiledText(trunk(config, 256));
    expect(parameterCount(program)).toBe(parameters);
    expect(program.tensors).toHaveLength(tensors);
  });
});

describe('and its multiply-adds, windows filled with zeros among them', () => {
  it.each([
    ['T at 352', T, 352, 12.4744, 1.1281],
    ['T at 512', T, 512, 26.7491, 3.7182],
    ['L at 352', L, 352, 121.4028, 11.1925],
    ['L at 512', L, 512, 201.1323, 14.5144],
  ])('%s', (_, config, size, convLinear, attention) => {
    const { macs } = inspectProgram(compiledText(trunk(config, size)));
    expect(macs.convLinear / 1e9).toBeCloseTo(convLinear, 4);
    expect(macs.attention / 1e9).toBeCloseTo(attention, 4);
  });
});

describe('the map of official weights', () => {
  it('names one key for each tensor of the large trunk', () => {
    const path = fileURLToPath(new URL('../../models/std/hiera.tps', import.meta.url));
    const rows = parse(readFileSync(path, 'utf8'), path).file.declarations.flatMap((d) => (d.kind === 'weights' ? d.rows : []));
    const patterns = rows.map(({ pattern, path: target }) => ({
      pattern, path: new RegExp(`^enc\\.${[target.root.text, ...target.steps.map((s) => (s.kind === 'member' ? s.name.text : s.kind === 'every' ? '(\\d+)' : printExpr(s.index)))].join('\\.')}$`),
    }));
    const keys = compiledText(trunk(L, 256)).tensors.map((t) => {
      const matches = patterns.flatMap(({ pattern, path: p }) => { const m = p.exec(t.path); return m === null ? [] : [pattern.replace('{i}', m[1] ?? '')]; });
      expect(matches, t.path).toHaveLength(1);
      return matches[0];
    });
    expect(new Set(keys).size).toBe(586);
    for (const block of [2, 8, 44]) expect(keys).toContain(`image_encoder.trunk.blocks.${block}.proj.weight`);
    expect(keys).toContain('image_encoder.trunk.blocks.47.mlp.layers.1.bias');
    expect(keys).toContain('image_encoder.trunk.pos_embed_window');
  });
});

describe('the models', () => {
  it('UNet has the 31,037,633 parameters of the reference', () => {
    expect(parameterCount(compiled('models/unet.tps'))).toBe(31_037_633);
  });

  it('TP-Seg nano has between one and three million', () => {
    const count = parameterCount(compiled('models/tpseg-nano.tps'));
    expect(count).toBeGreaterThan(1e6);
    expect(count).toBeLessThan(3e6);
  });

  it('without adapters nano loses them and the gate, and nothing else', () => {
    const whole = compiled('models/tpseg-nano.tps').tensors.map((t) => t.path);
    const variant = compiled('models/tpseg-nano.tps', { variant: 'no_adapters' }).tensors.map((t) => t.path);
    expect(variant).toEqual(whole.filter((p) => !p.startsWith('tca.') && !p.startsWith('split.')));
  });

  it('without prototypes nano holds no state', () => {
    const variant = compiled('models/tpseg-nano.tps', { variant: 'no_prototypes' });
    expect(variant.tensors.filter((t) => t.kind === 'state')).toEqual([]);
  });

  it('without gate nano keeps each task’s route alone', () => {
    const paths = compiled('models/tpseg-nano.tps', { variant: 'no_gate' }).tensors.map((t) => t.path);
    expect(paths.filter((p) => p.startsWith('split.') || p.includes('.shared.'))).toEqual([]);
    expect(paths.filter((p) => p.startsWith('tca.') && p.includes('{task}'))).toHaveLength(7 * 3);
  });
});

/** Parameters of one decoder of the released code (reference, 4.2), less what has no part in the paper's network: the MLP that begins the prototypes and the scale router. */
const decoder = (low: number, high: number, c: number, tasks: number, experts = 6): number =>
  low * c / 2 + c + (high * c + 2 * c) + (1.5 * c * c + 2 * c) + (36 * c + c + 2 * c + c * c + c) + (4 * c * c + 4 * c) + (3 * c * c + c)
  + (2 * c * c + 2 * c + 18 * experts * c * c + 9 * experts * c) + (c * experts + experts) + (10 * c + 2 * c + c * tasks + tasks) + 3;

describe('at the width of the paper', () => {
  it.each([[256, 512, 256], [128, 256, 128], [64, 128, 128]])('a decoder on %i and %i channels of width %i has the counted parameters', (low, high, c) => {
    const program = compiledText(`edition 1
from std.pgtd import pgtd
from std.loss import dice
tasks two {
  A "a" { folder: "a" }
  B "b" { folder: "b" }
}
model M(image: f32[B, 3, 32, 32], t: task of two) -> f32[B, 1, 32, 32] {
  layer low = conv(${low})
  layer high = conv(${high}, stride: 2)
  decoder d = pgtd(t, ${c})(low(image), high(image))
  return d.logits
}
train main of M {
  loss = dice(d.logits, truth)
  optimizer = adam(lr: 1e-3)
  epochs = 1, batch = 1
}`);
    const own = program.tensors.filter((x) => x.kind === 'param' && x.path.startsWith('d.'));
    const count = own.reduce((sum, x) => sum + x.shape.reduce((a, b) => a * b, 1) * (x.perTask ? 2 : 1), 0);
    expect(count).toBe(decoder(low, high, c, 2));
  });

  it('adapters on the large trunk have the 3,373,056 parameters a route', () => {
    const program = compiledText(`edition 1
from std.hiera import hiera
from std.gate import cumulative_sigmoid
from std.peft import bottleneck, route
tasks two {
  A "a" { folder: "a" }
  B "b" { folder: "b" }
}
model M(image: f32[B, 3, 128, 128], t: task of two) -> f32[B, 1, 128, 128] {
  encoder enc = hiera(embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8])(image)
  gate split per t over enc.blocks = cumulative_sigmoid(logits: param f32[48] init zeros, temperature: anneal(1.0, 0.3, over: epochs))
  adapter tca before enc.blocks[* as b] = route(shared: bottleneck(64), specific: per t bottleneck(64), weight: split[b])
  return mean(enc.stages[0], axes: [1]) |> resize([128, 128])
}`);
    const count = (part: string): number => program.tensors.filter((x) => x.path.startsWith('tca.') && x.path.includes(part)).reduce((sum, x) => sum + x.shape.reduce((a, b) => a * b, 1), 0);
    expect(count('.shared.')).toBe(3_373_056);
    expect(count('.specific.{task}.')).toBe(3_373_056);
    expect(count('.norm.')).toBe(52_704);
    expect(count('.scale.')).toBe(48);
  });
});
