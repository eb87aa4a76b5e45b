// The arithmetic of analyses on numbers whose answers are known.
import { describe, expect, it } from 'vitest';
import { pathForTask } from '../../compiler/program.js';
import { analyseGates, blockNumbers, readableGates, splitOf } from '../../runtime/analyze/gates.js';
import { chooseItems } from '../../runtime/analyze/panels.js';
import { analysePrototypes, analyseSeparation, mostAlike, prototypesOf } from '../../runtime/analyze/prototypes.js';
import { correlation, cosine } from '../../runtime/analyze/statistics.js';
import type { DataItem, Dataset } from '../../runtime/data/index.js';
import { f32, type Tensor } from '../../runtime/engines/engine.js';
import type { Scores } from '../../runtime/metrics/index.js';
import { countsCsv, parseCounts } from '../../runtime/train/evaluation-files.js';
import { compileText, programOf } from '../check/support.js';
import { ROLES } from './spec.js';

const program = programOf(compileText(ROLES));
const plain = programOf(compileText(ROLES, { variant: 'plain' }));

describe('statistics', () => {
  it('cosines: along, across, against; a zero has no direction', () => {
    expect([cosine([3, 4], [6, 8]), cosine([1, 0], [0, 2]), cosine([1, 2], [-1, -2])]).toEqual([1, 0, -1]);
    expect(cosine([0, 0], [1, 0])).toBeNaN();
  });
  it('Pearson’s r and the line of least squares (Anscombe’s first set)', () => {
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5], y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const fit = correlation(x.map((v, i) => ({ x: v, y: y[i]! })))!;
    expect(fit.n).toBe(11);
    expect(fit.r).toBeCloseTo(0.81642, 5);
    expect(fit.slope).toBeCloseTo(0.50009, 5);
    expect(fit.intercept).toBeCloseTo(3.00009, 5);
  });
  it('there is none for two points, nor where one side does not vary', () => {
    expect(correlation([{ x: 0, y: 0 }, { x: 1, y: 1 }])).toBeUndefined();
    expect(correlation([1, 2, 3].map((x) => ({ x, y: 5 })))).toBeUndefined();
    expect(correlation([1, 2, 3].map((y) => ({ x: 5, y })))).toBeUndefined();
  });
});

/** Rows [foreground, background] in the plane of the first two of eight axes, by angles in degrees. */
const rows = (foreground: number, background: number): Tensor => {
  const unit = (degrees: number): number[] => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180), 0, 0, 0, 0, 0, 0];
  return f32([2, 8], [...unit(foreground), ...unit(background).map((v) => 3 * v)]);
};
const angles: Readonly<Record<string, readonly [number, number]>> = { TN: [0, 90], CP: [60, 240], SL: [90, 90] };
const tensors = new Map(prototypesOf(program).flatMap((t) => Object.entries(angles).map(([code, [fg, bg]]) => [pathForTask(t.path, code), rows(fg, bg)] as const)));
const scoresOf = (dice: Readonly<Record<string, number>>): Scores =>
  ({ perTask: Object.fromEntries(Object.entries(dice).map(([task, d]) => [task, { dice: d, miou: 1 - d, images: 1 }])), average: { dice: 0, miou: 0 }, miouDefinition: 'dataset-both' });

describe('prototypes', () => {
  it('are what the text declares so, in its order; other states and learnt tensors are not', () => {
    expect(prototypesOf(program).map((t) => t.path)).toEqual(['d2.proto.{task}', 'd1.proto.{task}']);
    expect(prototypesOf(plain)).toEqual([]);
  });
  it('cosines of row 0 between tasks, 1 - cos of rows 0 and 1 in each', () => {
    const { tasks, banks } = analysePrototypes(program, tensors);
    expect(tasks).toEqual(['TN', 'CP', 'SL']);
    expect(banks.map((b) => b.name)).toEqual(['d2.proto', 'd1.proto']);
    const [{ cosines, separation }] = banks as [(typeof banks)[0]];
    const known = [[1, 0.5, 0], [0.5, 1, Math.sqrt(3) / 2], [0, Math.sqrt(3) / 2, 1]];
    known.forEach((row, i) => row.forEach((c, j) => { expect(cosines[i]![j]).toBeCloseTo(c, 6); }));
    [1, 2, 0].forEach((s, i) => { expect(separation![i]).toBeCloseTo(s, 6); });
    expect(mostAlike({ tasks, banks }, banks[0]!)).toEqual({ tasks: ['CP', 'SL'], cosine: expect.closeTo(Math.sqrt(3) / 2, 6) });
  });
  it('several prototypes a side count by their mean; a lone vector is a foreground', () => {
    const set = (shape: readonly number[]): typeof program => ({ ...program, tensors: [{ path: 'p.{task}', kind: 'state', shape, perTask: true, frozen: false, role: 'prototypes', init: { kind: 'constant', value: 0 } }] });
    const values: Record<string, number[]> = { TN: [1, 0, 0, 1, 1, 0, 1, 0], CP: [0, 1, 0, 1, 1, 0, 1, 0], SL: [1, 0, 1, 0, 1, 0, 1, 0] };
    const held = (shape: readonly number[], n: number): Map<string, Tensor> => new Map(Object.entries(values).map(([code, v]) => [`p.${code}`, f32(shape, v.slice(0, n))]));
    const many = analysePrototypes(set([2, 2, 2]), held([2, 2, 2], 8)).banks[0]!;
    expect(many.cosines[0]).toEqual([1, 0.5, 1]);
    expect(many.separation).toEqual([0.5, 0, 0]);
    const lone = analysePrototypes(set([2]), held([2], 2)).banks[0]!;
    expect(lone.cosines[0]).toEqual([1, 0, 1]);
    expect(lone.separation).toBeUndefined();
  });
  it('are set against the scores of the tasks that have some', () => {
    const analysis = analysePrototypes(program, tensors);
    const all = analyseSeparation(analysis, scoresOf({ SL: 0.5, CP: 0.9, TN: 0.7 }))!;
    expect(all.points.map((p) => [p.task, Math.round(p.separation * 1e6) / 1e6, p.dice])).toEqual([['TN', 1, 0.7], ['CP', 2, 0.9], ['SL', 0, 0.5]]);
    expect(all.correlation.dice).toMatchObject({ n: 3, r: expect.closeTo(1, 6), slope: expect.closeTo(0.2, 6), intercept: expect.closeTo(0.5, 6) });
    expect(all.correlation.miou!.r).toBeCloseTo(-1, 6);
    const some = analyseSeparation(analysis, scoresOf({ SL: 0.5, CP: 0.9 }))!;
    expect(some.points.map((p) => p.task)).toEqual(['CP', 'SL']);
    expect(some.correlation).toEqual({});
  });
});

describe('gates', () => {
  const path = program.tensors.find((t) => t.path.startsWith('split.'))!.path;
  // softplus(-30) is 0 and softplus(30) is 30: the whole rise is at one block
  const steep = (at: number): Tensor => f32([4], [0, 1, 2, 3].map((i) => (i === at ? 30 : -30)));

  it('a program says what each weighs', () => {
    expect(program.gates!.map(({ path: name, over, nodes }) => ({ name, over, nodes }))).toEqual([{ name: 'split', over: 'enc.blocks', nodes: [0, 1, 2, 3].map((i) => `enc.blocks.${i}`) }]);
    expect(readableGates(plain)).toEqual([]);
  });
  it('follow each task’s logits and the checkpoint’s temperature', async () => {
    const held = new Map([['TN', f32([4], [0, 0, 0, 0])], ['CP', steep(1)], ['SL', steep(3)]].map(([code, t]) => [pathForTask(path, code as string), t as Tensor]));
    const [gate] = await analyseGates(program, { tensors: held, schedules: { 'split.temperature': 0.5 } });
    expect(gate!.tasks.map((t) => [t.task, t.split])).toEqual([['TN', 1], ['CP', 1], ['SL', 3]]);
    // eq. (3): sigmoid((cumsum(softplus) - half their sum) / temperature)
    const step = Math.log(2), expected = [1, 2, 3, 4].map((k) => 1 / (1 + Math.exp(-(k * step - 2 * step) / 0.5)));
    gate!.tasks[0]!.values.forEach((g, i) => { expect(g).toBeCloseTo(expected[i]!, 6); });
    gate!.tasks[2]!.values.forEach((g, i) => { expect(g).toBeCloseTo(i === 3 ? 1 : 0, 6); });
  });
  it('b* is the number of the first block at one half or more; null where none is', () => {
    expect(splitOf([0.1, 0.5, 0.9], [0, 1, 2])).toBe(1);
    expect(splitOf([0.1, 0.5, 0.9], [4, 5, 6])).toBe(5);
    expect(splitOf([0.1, 0.2], [0, 1])).toBeNull();
  });
  it('blocks are numbered as their paths are, where these rise', () => {
    expect(blockNumbers(['enc.blocks.2', 'enc.blocks.3'])).toEqual([2, 3]);
    expect(blockNumbers(['enc.blocks.2.attn.qkv', 'enc.blocks.5.attn.qkv'])).toEqual([2, 5]);
    expect(blockNumbers(['a.1', 'b.0'])).toEqual([0, 1]);
    expect(blockNumbers(['stem', 'head'])).toEqual([0, 1]);
  });
});

it('what a report calls a tensor is no part of a program’s identity', () => {
  const said = 'prototypes proto per t: f32[2, c] {\n    init   = embedding(c)(t) |> feed_forward(8, out: 2 * c) |> reshape([2, c]) |> l2_normalize(axis: 1)\n    update = pooled()(old, x, truth)';
  expect(ROLES).toContain(said);
  expect(programOf(compileText(ROLES.replace('prototypes proto', 'state proto'))).hash).toBe(program.hash);
});

it('counts are read back as they were written', () => {
  const counts = [{ task: 'SL', image: 'a "b", c.png', tp: 1, fp: 2, fn: 3, tn: 4 }, { task: 'CP', image: 'd.png', tp: 0, fp: 0, fn: 0, tn: 9 }];
  expect(parseCounts(countsCsv(counts))).toEqual(counts);
  expect(parseCounts('task,image,tp\nSL,a,1\n')).toBeUndefined();
  expect(parseCounts('task,image,tp,fp,fn,tn\nSL,a,1,2,x,4\n')).toBeUndefined();
});

it('panels show the middles of equal parts of each task’s images', () => {
  const item = (task: string, k: number): DataItem => ({ task, stem: `${k}`, image: `${task}/images/${k}.png`, mask: `${task}/masks/${k}.png`, group: `${k}`, split: k < 10 ? 'val' : 'train' });
  const dataset = { root: '', tasks: ['B', 'A'], items: [...Array.from({ length: 12 }, (_, k) => item('B', k)), item('A', 0)], fingerprint: '', splitBy: '', problems: [] } satisfies Dataset;
  expect(chooseItems(dataset, 'val', 1).map((i) => i.image)).toEqual(['B/images/5.png', 'A/images/0.png']);
  expect(chooseItems(dataset, 'val', 2).map((i) => i.stem)).toEqual(['2', '7', '0']);
  expect(chooseItems(dataset, 'test', 1)).toEqual([]);
});
