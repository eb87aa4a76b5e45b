// `tpsc analyze` on a network trained for moments on phantom pictures, and what it says where a run has not what is asked for.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../analyze/spec.js';
import { folderOf, tpsc } from './harness.js';

const folder = folderOf({ 'roles.tps': ROLES });
const at = (name: string): string => join(folder, name);
const [data, run, plain, one] = [at('phantom'), at('runs/roles'), at('runs/plain'), at('runs/one')];
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const train = (spec: string, out: string, ...more: string[]): ReturnType<typeof tpsc> => tpsc(['train', spec, '--data', data, '--out', out, '--threads', '1', ...more]);

beforeAll(async () => {
  await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '32', '--train', '4', '--val', '2']);
  for (const said of [await train(at('roles.tps'), run), await train(`${at('roles.tps')}#plain`, plain, '--epochs', '1'), await train(at('roles.tps'), one, '--epochs', '1', '--tasks', 'SL')]) {
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('done') });
  }
}, 60_000);

describe('one run', () => {
  it('needs scores for the separation, and says how to come by them', async () => {
    const { code, out, err } = await tpsc(['analyze', run]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(`has no scores of its checkpoint best on the split val`);
    expect(err).toContain(`tpsc eval ${run} --data DIR --split val --checkpoint best`);
    expect(existsSync(join(run, 'analysis'))).toBe(false);
  });
  it('without a flag, all that its network has: with data, predictions too', async () => {
    const { code, out } = await tpsc(['analyze', run, '--data', data, '--threads', '1']);
    expect(code).toBe(0);
    expect(readdirSync(join(run, 'analysis')).sort()).toEqual(['gates', 'panels', 'separation', 'similarity'].flatMap((n) => ['json', 'png', 'svg'].map((e) => `${n}.${e}`)));
    expect(out).toMatch(/similarity\.svg, \.png, \.json\n {2}d2\.proto: foregrounds are most alike in \w+ and \w+, cosine -?\d\.\d\d\n/);
    expect(out).toMatch(/split: split b\* TN \d, CP \d, SL \d\n/);
    expect(json(join(run, 'analysis', 'similarity.json'))).toMatchObject({ run, model: 'Roles', checkpoint: 'best', tasks: ['TN', 'CP', 'SL'], prototypes: [{ name: 'd2.proto' }, { name: 'd1.proto' }] });
    expect(existsSync(join(run, 'eval', 'val-best.csv'))).toBe(true);
  });
  it('afterwards finds the scores in the run, and they are the same', async () => {
    const before = json(join(run, 'analysis', 'separation.json'));
    const { code, out } = await tpsc(['analyze', run, '--prototypes', '--out', at('again'), '--format', 'json']);
    expect(code).toBe(0);
    const { figures } = JSON.parse(out) as { figures: { name: string; files: { png: string }; data: unknown }[] };
    expect(figures.map((f) => f.name)).toEqual(['similarity', 'separation']);
    expect(figures[1]!.data).toEqual(before);
    expect(figures[1]!.files.png).toBe(at('again/separation.png'));
    expect(before).toMatchObject({ split: 'val', miouDefinition: 'dataset-both', points: [{ task: 'TN' }, { task: 'CP' }, { task: 'SL' }] });
    const scores = json(join(run, 'eval', 'val-best.json')) as { perTask: Record<string, { dice: number }> };
    expect((before as { points: { dice: number }[] }).points[2]!.dice).toBe(scores.perTask['SL']!.dice);
  });
  it('gates are those of the checkpoint’s temperature', async () => {
    const gates = json(join(run, 'analysis', 'gates.json')) as { schedules: Record<string, number>; gates: { over: string; tasks: { values: number[]; split: number }[] }[] };
    expect(gates.schedules['split.temperature']).toBeGreaterThan(0.4);
    for (const { values, split } of gates.gates[0]!.tasks) {
      expect(values).toHaveLength(4);
      expect(split).toBe(values.findIndex((g) => g >= 0.5));
      expect([...values].sort((a, b) => a - b)).toEqual(values);
    }
  });
});

describe('panels', () => {
  it('have a column a run, headed by its variant’s label; Dice is what eval counts', async () => {
    const out = at('figures');
    expect(await tpsc(['analyze', run, plain, one, '--panels', '--data', data, '--images', '2', '--out', out, '--threads', '1'])).toMatchObject({ code: 0, out: expect.stringContaining('without prototypes & gate') });
    expect(readdirSync(out).sort()).toEqual(['panels.json', 'panels.png', 'panels.svg']);
    const { columns, images } = json(join(out, 'panels.json')) as { columns: unknown; images: { task: string; image: string; dice: (number | null)[] }[] };
    expect(columns).toEqual([{ name: 'Roles', run }, { name: 'without prototypes & gate', run: plain }, { name: 'Roles', run: one }]);
    expect(images.map((i) => i.task)).toEqual(['TN', 'TN', 'CP', 'CP', 'SL', 'SL']);
    expect(images.map((i) => i.dice[2] === null)).toEqual([true, true, true, true, false, false]);
    const counts = new Map(readFileSync(join(run, 'eval', 'val-best.csv'), 'utf8').trim().split('\n').slice(1).map((l) => l.split(',')).map(([, image, ...n]) => [image, n.map(Number)]));
    for (const { image, dice } of images) {
      const [tp, fp, fn] = counts.get(image) as [number, number, number];
      expect(dice[0]).toBeCloseTo((2 * tp + 1e-5) / (2 * tp + fp + fn + 1e-5), 12);
    }
    expect(readFileSync(join(out, 'panels.svg'), 'utf8')).toContain('not of TN');
  });
});

describe('what is not there', () => {
  it.each([
    [['--prototypes'], 1, 'Roles#plain has no prototypes per task'],
    [['--gates'], 1, 'Roles#plain has no gate'],
    [[], 1, 'Roles#plain has no prototypes and no gate'],
    [['--panels'], 2, '--panels needs --data'],
    [['--panels', '--data', data, '--images', '0'], 2, '--images needs a whole number from 1 to 100'],
    [['--panels', '--data', data, '--split', 'test'], 1, 'has no image in the split test'],
  ])('%j', async (flags, code, said) => {
    expect(await tpsc(['analyze', plain, ...flags])).toMatchObject({ code, out: '', err: expect.stringContaining(said) });
    expect(existsSync(join(plain, 'analysis'))).toBe(false);
  });
  it('a sheet has an end', async () => {
    const many = at('many');
    await tpsc(['data', 'phantom', '--out', many, '--seed', '3', '--size', '32', '--train', '31', '--val', '1']);
    expect(await tpsc(['analyze', run, '--panels', '--data', many, '--split', 'train', '--images', '31', '--out', at('long')])).toMatchObject({ code: 1, err: expect.stringContaining('93 images are too many for one sheet of panels: 90 at most') });
  });
  it('prototypes and gates are of one run; several without a flag are panels', async () => {
    expect(await tpsc(['analyze', run, plain, '--gates'])).toMatchObject({ code: 2, err: expect.stringContaining('--gates is drawn for one run, and 2 are given') });
    expect(await tpsc(['analyze', run, plain])).toMatchObject({ code: 2, err: expect.stringContaining('several runs are drawn as panels, which need --data') });
    expect(await tpsc(['analyze', folder])).toMatchObject({ code: 1, err: expect.stringContaining('is no run directory') });
  });
  it('an evaluation of an earlier step does not count', async () => {
    expect(await tpsc(['eval', run, '--data', data, '--checkpoint', 'last', '--threads', '1'])).toMatchObject({ code: 0 });
    expect(await tpsc(['analyze', run, '--prototypes', '--checkpoint', 'last', '--out', at('last')])).toMatchObject({ code: 0 });
    const path = join(run, 'eval', 'val-last.json');
    writeFileSync(path, JSON.stringify({ ...(json(path) as object), step: 1 }));
    expect(await tpsc(['analyze', run, '--prototypes', '--checkpoint', 'last'])).toMatchObject({ code: 1, err: expect.stringContaining('has no scores of its checkpoint last') });
  });
});
