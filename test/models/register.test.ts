// The ambiguity register: every alternative that it names is an argument or a one-line change of the spec, checks, and takes a training step.
// The network is the smallest that has every part: four blocks, one gate, one decoder.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileSpec } from '../../compiler/index.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import { diskHost } from '../../cli/host.js';
import type { Batch } from '../../runtime/data/index.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { freshState, makeStepper } from '../../runtime/train/step.js';
import { discs, images } from './formula.js';
import { compiled, parameterCount } from './specs.js';

const GATE = 'cumulative_sigmoid(logits: param f32[4] init zeros, temperature: anneal(1.0, 0.3, over: epochs))';
const ROUTE = 'shared: bottleneck(4), specific: per t bottleneck(4), weight: split[b]';
const PARTS = {
  first: '',
  trunk: 'body()(image)',
  gate: GATE,
  adapter: `route(${ROUTE}, scale: per t scaled())`,
  levels: 'enc.stages |> rfb([8, 16], field: conv_unit)',
  decoder: '',
  logits: 'd.logits |> resize([32, 32], mode: bilinear, align_corners: true)',
  loss: 'structure(d.logits, truth)',
  train: 'optimizer = adam(lr: 3e-5)\n  sampler = inverse_frequency(by: t)',
  augment: '[resize(32)]',
};
type Parts = Partial<Record<keyof typeof PARTS, string>>;

const text = (change: Parts): string => {
  const p = { ...PARTS, ...change };
  return `edition 1
from std.gate import alike, clamped, cumulative_sigmoid, cumulative_softmax, falls, fixed_split, hard_outside_training, hazard, indecision, independent, naive_cumulative, position, too_cold, undecided
from std.peft import additive, bottleneck, layer_scale, normed, residual, route, scaled, task_scales
from std.pgtd import bare_attention, channel_head, condense, conv_unit, fuse_at, in_batch, own_head, pgtd, project_groups, project_pixels, receptive_field_batch, resized, rfb, shared_head
from std.prototypes import banded_sides, pooled, sequential
from std.loss import infonce, prototype_cosine, side_margin, structure, structure_iou
tasks two {
  A "a" { folder: "a" }
  B "b" { folder: "b" }
}
block body(norm: block = identity)(x: f32[B, 3, H, W]) -> { stages: [f32[B, _, _, _]] } {
  layer stem = conv(8, kernel: 4, stride: 4)
  carry y = stem(x) |> norm |> channels_last
  for i in 0..4 {
    layer blocks[i] = feed_forward(8)
    next y = y + blocks[i](y)
  }
  emit stages = y |> channels_first
  emit stages = y |> channels_first |> max_pool(2)
}
model Mini(image: f32[B, 3, 32, 32], t: task of two) -> f32[B, 1, 32, 32] {
  encoder enc = ${p.trunk}
  ${p.first}
  gate split per t over enc.blocks = ${p.gate}
  adapter tca before enc.blocks[* as b] = ${p.adapter}
  let levels = ${p.levels}
  decoder d = pgtd(t, 16, 2${p.decoder === '' ? '' : `, ${p.decoder}`})(levels[0], levels[1])
  let logits = ${p.logits}
  return logits
}
train main of Mini {
  loss = ${p.loss}
  ${p.train}
  epochs = 4, batch = 3, drop_last = true
  augment = ${p.augment}
}
`;
};

/** Diagnostics of the text, without those about imports that a case has no use for. */
function checked(change: Parts): { readonly program: Program | undefined; readonly said: readonly string[] } {
  const disk = diskHost(), source = text(change);
  const { program, diagnostics } = compileSpec({ file: 'mini.tps' }, { ...disk, read: (path) => (path === 'mini.tps' ? source : disk.read(path)) });
  return { program, said: diagnostics.filter((d) => d.code !== 'TPS7005').map((d) => `${d.code} ${d.range.start.line} ${d.message}`) };
}

let engine: Engine;
beforeAll(async () => { engine = await createEngine('ort', { threads: 1 }); });

const plain = (a: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }): Tensor => f32(a.shape, Float32Array.from(a.data));

/** A step on three images of the first task: what it held before and after, and its loss. */
async function step(program: Program): Promise<{ readonly before: ReadonlyMap<string, Tensor>; readonly after: ReadonlyMap<string, Tensor>; readonly loss: number; readonly trained: readonly string[] }> {
  const stepper = await makeStepper(program, program.training!, engine);
  const { tensors } = startingTensors(program, 3, 'random');
  const before = new Map(tensors);
  const state = freshState(new Map(tensors), stepper, taskCodes(program));
  const batch: Batch = {
    image: plain(images('register', 3, 32)), truth: plain(discs(3, 32)), step: 0, tasks: [0, 0, 0],
    items: ['x', 'y', 'z'].map((stem) => ({ task: 'A', stem, image: '', mask: '', group: '', split: 'train' as const })),
  };
  const { loss } = await stepper.run(state, batch, { lr: 1e-3, schedules: Object.fromEntries(program.schedules.map((s) => [s.name, s.from])), seed: 0, step: 0 });
  await stepper.dispose();
  return { before, after: state.tensors, loss, trained: [...state.updates.keys()] };
}

const one = { train: 'optimizer = adam(lr: 3e-5)\n  sampler = shuffle(one_task: true)' };
const gate = (law: string): Parts => ({ gate: `${law}(logits: param f32[4] init zeros, temperature: anneal(1.0, 0.3, over: epochs))` });

/** A temperature that the loss can read too. */
const TEMPERED: Parts = { first: 'let tem = anneal(1.0, 0.3, over: epochs)', gate: 'cumulative_sigmoid(logits: param f32[4] init zeros, temperature: tem)' };
/** Gates whose logits are the rows of one table, so that a loss can read those of every task. */
const TABLE: Parts = {
  first: `${TEMPERED.first!}
  param table: f32[len(tasks), 4] init normal(std: 1.0)
  let all = concat([cumulative_sigmoid(table[k], tem) |> reshape([1, 4]) for k in 0..len(tasks)], axis: 0)`,
  gate: 'cumulative_sigmoid(logits: gather(table, t, axis: 0), temperature: tem)',
};

/** Two decoders, the finer on what the coarser gives. */
const TWO: Parts = {
  first: 'let base = enc.stages |> rfb([8, 16], field: conv_unit)\n  decoder coarse = pgtd(t, 16, 2)(base[0], base[1])',
  levels: '[base[0], coarse.feature]',
};

/** `warns` are the codes that it is told, `idle` the parameters that no loss reaches, if any. */
const ALTERNATIVES: readonly (readonly [letter: string, what: string, change: Parts, warns?: readonly string[], idle?: RegExp])[] = [
  ['G1', 'the register’s defaults, but 1 x 1 in place of receptive fields (P3)', {}],
  ['G1', 'share of a softmax', gate('cumulative_softmax')],
  ['G1', 'hazard', gate('hazard')],
  ['G1', 'position', gate('position')],
  ['G1', 'running sums, not monotone', { gate: 'free(naive_cumulative(logits: param f32[4] init zeros, temperature: 0.5))' }, ['TPS4006']],
  ['G1', 'the released gate, not monotone', { gate: 'free(independent(closed: 1)(logits: param f32[3] init zeros, temperature: 0.5))' }, ['TPS4006']],
  ['G1', 'fixed at a block', { gate: 'fixed_split(4, at: 2)()' }],
  ['G1', 'all shared', { gate: 'fixed_split(4, at: 4)()' }],
  ['G1', 'all a task’s own', { gate: 'fixed_split(4, at: 0)()' }],
  ['3.3', 'monotone hinge and sparsity', { loss: 'structure(d.logits, truth) + falls(0.15)(split) + indecision(split)' }],
  ['3.3', 'temperature', { ...TEMPERED, loss: 'structure(d.logits, truth) + 0.1 * too_cold(0.5)(tem)' }],
  ['3.3', 'diversity, over one table of logits', { ...TABLE, loss: 'structure(d.logits, truth) + 0.1 * alike(all)' }],
  ['3.3', 'exploration, and the loss-guided form, growing with the epochs', { loss: 'structure(d.logits, truth) + anneal(0.0, 0.5, over: epochs) * undecided(1, 3)(split) + 0.3 * undecided(1, 3, slope: 1.0)(split)' }],
  ['G2', 'shared + g own', { adapter: `route(${ROUTE}, mix: additive)` }],
  ['G3', 'a norm for each route', { adapter: 'route(shared: normed(bottleneck(4)), specific: per t normed(bottleneck(4)), weight: split[b], norm: identity)' }],
  ['G4', 'no scale', { adapter: `route(${ROUTE}, scale: identity)` }],
  ['G4', 'a scale for each channel', { adapter: `route(${ROUTE}, scale: per t layer_scale())` }],
  ['G4', 'one table of scales', { adapter: `route(${ROUTE}, scale: task_scales(t))` }],
  ['G5', 'wider, with biases', { adapter: 'route(shared: bottleneck(8, biased: true), specific: per t bottleneck(8, biased: true), weight: split[b])' }],
  ['G6', 'a horizon of its own', { gate: GATE.replace('over: epochs', 'over: epochs, horizon: 50') }],
  ['G6', 'per step', { gate: GATE.replace('over: epochs', 'over: steps') }],
  ['G7', 'ends held', gate('clamped(cumulative_sigmoid)')],
  ['G8', 'a step at evaluation', gate('hard_outside_training(cumulative_sigmoid)')],
  ['G9', 'trained after an improvement', { train: `${PARTS.train}\n  after_improvement = ["split"]` }],
  ['P1', 'plain concat', { decoder: 'fused: false' }],
  ['P2', 'corners not aligned', { decoder: 'rise: resized("bilinear", corners: false)' }],
  ['P2', 'nearest', { decoder: 'rise: resized("nearest", corners: false)' }],
  ['P3', '1 x 1', {}],
  ['P3', 'receptive fields, the default', { levels: 'enc.stages |> rfb([8, 16])' }],
  ['P3', 'batch norm', { levels: 'enc.stages |> rfb([8, 16], field: receptive_field_batch)', ...one }],
  ['P3', 'none', { levels: 'enc.stages' }],
  ['P4', 'groups', { decoder: 'entry: project_groups' }],
  ['P4', 'pixels', { decoder: 'entry: project_pixels' }],
  ['P5', 'attention over f itself', { decoder: 'attention_reads_scale: false' }],
  ['P6', 'one bare head', { decoder: 'attention_form: bare_attention' }],
  ['P7', 'two layers', { decoder: 'summary: condense' }],
  ['P8', '5 x 5', { decoder: 'kernel: 5' }],
  ['P9', 'generated kernels alone', { decoder: 'blended: false' }],
  ['P10', 'raw d', { decoder: 'similarity: identity' }],
  ['P11', 'sigmoid of d', { decoder: 'centre: sigmoid' }],
  ['P12', 'mean over the batch', { decoder: 'centre: in_batch', ...one }],
  ['P13', 'a fixed temperature', { decoder: 'cooled: false' }],
  ['P14', 'rho per task', { decoder: 'amplifier_per_task: true' }],
  ['P15', 'one table of rows', { decoder: 'head_form: channel_head' }],
  ['P15', 'a head for each task', { decoder: 'head_form: own_head' }],
  ['P15', 'one head', { decoder: 'head_form: shared_head' }],
  ['P16', 'alpha', { decoder: 'alpha: 0.6' }],
  ['P17', 'twice as much', { decoder: 'lambda_p: 10.0' }],
  ['P17', 'no prototype logits', { decoder: 'lambda_p: 0.0' }],
  ['P18', 'momentum', { decoder: 'law: pooled(0.995)' }],
  ['P19', 'from f', { decoder: 'law_reads_scale: false' }],
  ['P20', 'image after image', { decoder: 'law: sequential(0.995, most: 4)' }],
  ['P21', 'a band that counts for neither', { decoder: 'law: pooled(sides: banded_sides)' }],
  ['P23', 'a parameter', { decoder: 'bank: "param"' }],
  ['P25', 'made by a trained MLP', { decoder: 'bank: "made"' }],
  ['O1', 'fused', { logits: '[d.logits, channel_head(t, 16)(levels[1])] |> fuse_at(t, 32)', loss: 'structure(logits, truth) + structure(d.logits, truth)' }],
  ['O2', 'every decoder’s', { ...TWO, loss: 'structure(d.logits, truth) + structure(coarse.logits, truth)' }],
  ['O2', 'the finest decoder’s alone', { ...TWO, loss: 'structure(d.logits, truth)' }, ['TPS7001'], /^coarse\.(head|rho|sharpness)/],
  ['O2', 'and those of a head on the coarsest features', { loss: 'structure(d.logits, truth) + structure(channel_head(t, 16)(levels[1]), truth)' }],
  ['O3', 'a fixed size', { logits: 'd.logits |> resize([16, 16]) |> resize([32, 32])' }],
  ['O4', 'weighted IoU', { loss: 'structure_iou(d.logits, truth)' }],
  ['T1', 'AdamW with a plateau', { train: 'optimizer = adamw(lr: plateau(5e-4, to: 1e-7), weight_decay: 5e-4)\n  sampler = inverse_frequency(by: t)' }],
  ['T1', 'and its extras: warm-up, clipping', { train: 'optimizer = adamw(lr: plateau(5e-4, to: 1e-7, warmup: 2), weight_decay: 5e-4)\n  sampler = inverse_frequency(by: t)\n  clip = 1.0' }],
  ['T2', 'no weights', { train: 'optimizer = adam(lr: 3e-5)\n  sampler = shuffle' }],
  ['T3', 'a frozen trunk with batch norm', { trunk: 'body(batch_norm)(image) with { frozen: true, weights: main }' }],
  ['D2', 'masks to the nearest pixel', { augment: '[resize(32, masks: nearest)]' }],
  ['D2', 'masks by cubics, as the released code', { augment: '[resize(32, masks: bicubic)]' }],
  ['4.7', 'InfoNCE over all tasks’ prototypes', { loss: 'structure(d.logits, truth) + infonce(0.1)(d.scaled, d.prototypes, d.bank, truth)' }],
  ['4.7', 'margin between the sides', { loss: 'structure(d.logits, truth) + side_margin(0.0)(d.scaled, d.prototypes, truth)' }],
  ['4.7', 'margin between the sides, over the batch', { loss: 'structure(d.logits, truth) + side_margin(0.0, pooled: true)(d.scaled, d.prototypes, truth)', ...one }],
  ['4.7', 'the released number without gradient', { loss: 'structure(d.logits, truth) + prototype_cosine(d.prototypes, truth)' }],
];

describe('docs/register.md', () => {
  const at = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
  const rows = at('docs/register.md').split('\n').filter((line) => /^\| [A-Z0-9]/.test(line)).map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()));
  const spans = (cell: string | undefined): readonly string[] => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? '');
  const range = (letter: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${letter}${i + 1}`);

  it('has every point of the register, and so do the comments of the spec', () => {
    const points = [...range('G', 9), ...range('P', 25), ...range('O', 4), ...range('T', 3), ...range('D', 4)];
    expect(rows.map(([id]) => id).sort()).toEqual([...points, '3.3', '4.7'].sort());
    const spec = [...at('models/tpseg.tps').matchAll(/#.*$/gm)].map(String).join('\n') + [...at('models/tpseg.tps').matchAll(/\/\/\/.*$/gm)].map(String).join('\n');
    expect(points.filter((id) => !new RegExp(`\\b${id}\\b`).test(spec))).toEqual([]);
  });
  it('says alternatives that take a step in this file, or names the test that shows them', () => {
    const untold = rows.flatMap(([id, , , alternatives, tested = '']) => {
      if (tested === '') return alternatives?.startsWith('not built') === true ? [] : [`${id}: tested nowhere`];
      for (const [, file = '', title = ''] of tested.matchAll(/`([^`]+)` "([^"]+)"/g)) expect(at(file).replaceAll("\\'", "'").includes(title), `${file}: ${title}`).toBe(true);
      if (!tested.startsWith('step')) return [];
      const texts = ALTERNATIVES.filter(([letter]) => letter === id || (id === 'O2' && letter === 'O1')).map(([, , change]) => text(change));
      const pattern = (span: string): RegExp => new RegExp(span.split('…').map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[^]*?'));
      return spans(alternatives).filter((span) => /[(:=]/.test(span) && !span.startsWith('--') && span !== 'soft: true' && !texts.some((t) => pattern(span).test(t))).map((span) => `${id}: ${span}`);
    });
    expect(untold).toEqual([]);
  });
  it('says every point that a step is taken for', () => {
    expect([...new Set(ALTERNATIVES.map(([letter]) => letter))].filter((letter) => !rows.some(([id, , , , tested = '']) => id === letter && tested.startsWith('step')))).toEqual([]);
  });
});

it('D1 at sides of 352, 384 and 1024 the network is the same, its logits as large as its image', () => {
  for (const size of [352, 384, 1024]) {
    const program = compiled('models/tpseg.tps', { tasks: ['SL'], set: { size: String(size) } });
    expect(parameterCount(program)).toBe(267_309_326);
    const logits = program.infer.outputs[0]!;
    expect(program.infer.nodes.get(logits.id)!.type.shape.slice(1)).toEqual([1, size, size]);
  }
});

describe('the register’s alternatives check and take a step', () => {
  for (const [letter, what, change, warns = [], idle = /^$/] of ALTERNATIVES) it(`${letter} ${what}`, async () => {
    const { program, said } = checked(change);
    expect(said.map((s) => s.slice(0, 7)), said.join('\n')).toEqual(warns);
    const { before, after, loss, trained } = await step(program!);
    expect(Number.isFinite(loss)).toBe(true);
    for (const [path, tensor] of after) expect([...tensor.data as Float32Array].every(Number.isFinite), path).toBe(true);
    const params = program!.tensors.filter((t) => t.kind === 'param' && !t.frozen && !idle.test(t.path)).map((t) => t.path.replace('{task}', 'A'));
    expect([...trained].sort()).toEqual([...params].sort());
    const moved = (path: string): boolean => (after.get(path)!.data as Float32Array).some((v, i) => v !== (before.get(path)!.data as Float32Array)[i]);
    for (const state of program!.tensors.filter((t) => t.path.includes('proto.') && t.kind === 'state')) {
      expect([moved(state.path.replace('{task}', 'A')), moved(state.path.replace('{task}', 'B'))]).toEqual([true, false]);
    }
    expect(program!.tensors.some((t) => t.path.includes('proto.') && t.kind === 'state')).toBe(letter !== 'P23' && letter !== 'P25');
  });

  it('P17 also for one decoder of several: lambda_p 0 leaves no parameter of it', () => {
    expect(checked({ decoder: 'lambda_p: 0.0' }).program!.tensors.filter((t) => /rho|sharpness/.test(t.path))).toEqual([]);
  });
  it('prototypes that nothing writes are warned about', () => {
    expect(checked({ decoder: 'bank: "kept"' }).said.map((s) => s.slice(0, 7))).toEqual(['TPS7010']);
  });
});
