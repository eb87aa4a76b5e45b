// The way of a user: data, training, stopping and going on, evaluation, prediction, export. A tiny network on phantom pictures.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot, toolVersion } from '../../cli/host.js';
import { readSafetensors } from '../../runtime/state/safetensors.js';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const folder = folderOf({ 'tiny.tps': TINY, 'pair.tps': TINY.replace('TN "Thyroid nodule" { folder: "thyroid_nodule" }', 'TN "Thyroid nodule" { folder: "thyroid_nodule" }\n  BL "Breast lesion" { folder: "breast_lesion" }') });
const at = (name: string): string => join(folder, name);
const data = at('phantom');
const run = at('run');
const image = (): string => join(data, 'skin_lesion', 'images', readdirSync(join(data, 'skin_lesion', 'images'))[0]!);

beforeAll(async () => {
  expect(await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '32', '--train', '6', '--val', '2'])).toMatchObject({ code: 0, out: `64 pictures of 8 tasks in ${data}\n` });
  expect(await tpsc(['train', at('tiny.tps'), '--data', data, '--out', run])).toMatchObject({ code: 0, out: expect.stringContaining(`done: ${run}`) });
});

describe('data check', () => {
  it('counts what is there', async () => {
    const { code, out } = await tpsc(['data', 'check', data, '--spec', at('tiny.tps')]);
    expect(code).toBe(0);
    expect(out).toMatch(/^task +train +val +test\nTN +6 +2 +0\nSL +6 +2 +0\n\nsplit by manifest\.csv; ok\n$/);
  });
  it('explains what is wrong, grouped, and train refuses it before the first step', async () => {
    const bad = folderOf({});
    for (const part of ['thyroid_nodule', 'skin_lesion']) {
      for (const role of ['images', 'masks']) {
        mkdirSync(join(bad, part, role), { recursive: true });
        for (const name of readdirSync(join(data, part, role))) copyFileSync(join(data, part, role, name), join(bad, part, role, name));
      }
    }
    truncateSync(join(bad, 'skin_lesion', 'images', readdirSync(join(bad, 'skin_lesion', 'images'))[0]!), 200);
    const { code, out } = await tpsc(['data', 'check', bad]);
    expect(code).toBe(1);
    expect(out).toMatch(/^error\[DATA011\]\n {2}skin_lesion\/images\/\S+: .*\n {2}= help: /);
    const json = JSON.parse((await tpsc(['data', 'check', bad, '--format', 'json'])).out);
    expect(json).toMatchObject({ ok: false, splitBy: expect.stringContaining('ratio'), problems: [{ code: 'DATA011', severity: 'error' }] });
    const refused = await tpsc(['train', at('tiny.tps'), '--data', bad, '--out', at('never')]);
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('DATA011') });
    expect(existsSync(at('never'))).toBe(false);
  });
});

describe('train', () => {
  it('says in plain lines where it stands, where no terminal is', async () => {
    const { err } = await tpsc(['train', at('tiny.tps'), '--data', data, '--out', at('lines'), '--epochs', '1']);
    expect(err).toMatch(/^Tiny [0-9a-f]{12} on ort \S+ \(cpu, \d+ threads\), seed 0\n12 images, 1 epoch of 3 steps\n3\/3 {2}epoch 1\/1 {2}loss \S+ {2}lr 1\.0e-2 {2}0 s left\nepoch 1: Dice 0\.\d{3}, mIoU/);
    expect(err).not.toContain('\u001b');
  });
  it('stops at --max-steps and at Ctrl-C, says how to go on, and goes on to the same numbers', async () => {
    const out = at('stopped');
    const first = await tpsc(['train', at('tiny.tps'), '--data', data, '--out', out, '--max-steps', '2']);
    expect(first).toMatchObject({ code: 0, out: expect.stringContaining(`tpsc train ${at('tiny.tps')} --data ${data} --out ${out} --resume`) });
    const second = await tpsc(['train', at('tiny.tps'), '--data', data, '--out', out, '--resume'], { onInterrupt: (stop) => { setTimeout(stop, 0); return () => undefined; } });
    expect(second.out).toContain('stopped; saved in');
    expect((await tpsc(['train', at('tiny.tps'), '--data', data, '--out', out, '--resume'])).out).toContain('done');
    expect(readFileSync(join(out, 'metrics.jsonl'), 'utf8')).toBe(readFileSync(join(run, 'metrics.jsonl'), 'utf8'));
  });
  it('does not write over a run, nor resume another', async () => {
    expect(await tpsc(['train', at('tiny.tps'), '--data', data, '--out', run])).toMatchObject({ code: 1, err: expect.stringContaining('holds a run already') });
    expect(await tpsc(['train', at('tiny.tps'), '--data', data, '--out', run, '--resume', '--seed', '1'])).toMatchObject({ code: 1, err: expect.stringContaining('the seed (was 0, is 1)') });
  });
  it('says plainly that a device is not there', async () => {
    expect(await tpsc(['train', at('tiny.tps'), '--data', data, '--out', at('gpu'), '--device', 'tpu'])).toMatchObject({ code: 2 });
  });
});

describe('eval', () => {
  it('gives the JSON of the contract and writes the counts of every image', async () => {
    const { out } = await tpsc(['eval', run, '--data', data, '--format', 'json', '--checkpoint', 'last']);
    const json = JSON.parse(out);
    expect(Object.keys(json)).toEqual(['perTask', 'average']);
    expect(Object.keys(json.perTask)).toEqual(['TN', 'SL']);
    expect(Object.keys(json.perTask.SL)).toEqual(['dice', 'miou', 'images']);
    expect(json.average.dice).toBeCloseTo((json.perTask.TN.dice + json.perTask.SL.dice) / 2, 12);
    expect(readFileSync(join(run, 'eval', 'val-last.csv'), 'utf8').split('\n')[0]).toBe('task,image,tp,fp,fn,tn');
  });
  it('scores the trivial answers, and shows them beside the run', async () => {
    const foreground = JSON.parse((await tpsc(['eval', run, '--data', data, '--baseline', 'foreground', '--format', 'json'])).out);
    expect(foreground.perTask.SL.dice).toBeGreaterThan(0);
    const { out } = await tpsc(['eval', run, '--data', data]);
    expect(out).toMatch(/task +images +Tiny Dice +mIoU +mean-mask Dice +mIoU +foreground Dice +mIoU/);
    expect(out).toContain(foreground.perTask.SL.dice.toFixed(3));
  });
  it('compares masks at each image’s own size where asked', async () => {
    const { out } = await tpsc(['eval', run, '--data', data, '--at', 'original']);
    expect(out).toContain('at each image\'s own size');
    for (const answer of ['best-original', 'mean-mask-original', 'foreground-original']) expect(existsSync(join(run, 'eval', `val-${answer}.csv`)), answer).toBe(true);
    expect(await tpsc(['eval', run, '--data', data, '--at', 'half'])).toMatchObject({ code: 2 });
  });
  it('binds another task where asked', async () => {
    const [own, bound] = await Promise.all([[], ['--bind-as', 'TN=SL']].map(async (flags) => JSON.parse((await tpsc(['eval', run, '--data', data, '--format', 'json', ...flags])).out)));
    expect(bound.perTask.SL).toEqual(own.perTask.SL);
    expect(await tpsc(['eval', run, '--data', data, '--bind-as', 'TN'])).toMatchObject({ code: 2 });
    expect(await tpsc(['eval', run, '--data', data, '--bind-as', 'TN=XX'])).toMatchObject({ code: 2, err: expect.stringContaining('no task XX') });
  });
  it('works where the spec has gone, by the copy that the run keeps', async () => {
    const moved = folderOf({ 'gone.tps': TINY });
    await tpsc(['train', join(moved, 'gone.tps#wide'), '--data', data, '--out', join(moved, 'run'), '--epochs', '1']);
    truncateSync(join(moved, 'gone.tps'), 0);
    expect((await tpsc(['eval', join(moved, 'run'), '--data', data])).out).toContain('Tiny#wide Dice');
  });
  it('refuses what is no run', async () => {
    expect(await tpsc(['eval', data, '--data', data])).toMatchObject({ code: 1, err: expect.stringContaining('is no run directory') });
  });
});

describe('predict and compile', () => {
  it('an exported file predicts what the run predicts, is verified, and knows its task', async () => {
    const file = at('tiny.onnx');
    const json = JSON.parse((await tpsc(['compile', run, '--target', 'onnx', '--out', file, '--verify', image(), '--format', 'json'])).out);
    expect(Object.keys(json)).toEqual(['file', 'data', 'bytes', 'opset', 'nodes', 'parameters', 'trainingOnly', 'saving', 'inputs', 'outputs', 'int8Layers', 'maxAbsDiff', 'logitsScale', 'maskDiff']);
    expect(json).toMatchObject({ file, opset: 20, parameters: 426 });
    expect(json.maxAbsDiff).toBeLessThan(1e-5 * Math.max(1, json.logitsScale));
    const fromRun = await tpsc(['predict', run, '--task', 'SL', '--input', image(), '--out', at('a')]);
    expect(fromRun.out).toMatch(/% lesion, .*_mask\.png, .*_overlay\.png\n$/);
    await tpsc(['predict', file, '--task', 'SL', '--input', image(), '--out', at('b')]);
    for (const name of readdirSync(at('a'))) expect(readFileSync(join(at('b'), name)).equals(readFileSync(join(at('a'), name))), name).toBe(true);
    expect(await tpsc(['predict', file, '--input', image(), '--out', at('c')])).toMatchObject({ code: 2, err: expect.stringContaining('one of: TN, SL') });

    const baked = at('skin.onnx');
    const own = JSON.parse((await tpsc(['compile', run, '--target', 'onnx', '--task', 'SL', '--out', baked, '--verify', image(), '--format', 'json'])).out);
    expect(own).toMatchObject({ parameters: 417, data: null, saving: { task: 'SL', dropBelow: 1e-6, parameters: { before: 417, after: 417 }, dropped: [] } });
    expect(own.saving.nodes.after).toBeLessThan(own.saving.nodes.before);
    expect(own.maxAbsDiff).toBeLessThan(1e-5 * Math.max(1, own.logitsScale));
    expect((await tpsc(['predict', baked, '--input', image(), '--out', at('c')])).code).toBe(0);
    expect(await tpsc(['compile', run, '--target', 'onnx', '--task', 'XX', '--out', baked])).toMatchObject({ code: 2, err: expect.stringContaining('one of: TN, SL') });
  });
  it('large files are two, and predict the same', async () => {
    const file = at('large.onnx');
    const { out } = await tpsc(['compile', run, '--target', 'onnx', '--task', 'SL', '--external-data', '0', '--out', file, '--verify', image()]);
    expect(out).toMatch(/large\.onnx and .*large\.onnx\.data: .* 417 parameters.*\nSL alone: 417 of 417 parameters, \d+ of them folded into constants; nodes \d+ -> \d+; .*\nno route weighs less than 0\.000001\nverified on 1 image/);
    await tpsc(['predict', file, '--input', image(), '--out', at('d')]);
    for (const name of readdirSync(at('a'))) expect(readFileSync(join(at('d'), name)).equals(readFileSync(join(at('a'), name))), name).toBe(true);
    await tpsc(['compile', run, '--target', 'onnx', '--task', 'SL', '--out', file]);
    expect(existsSync(`${file}.data`)).toBe(false);
  });
  it.each([
    [['--drop-below', '0.1'], '--drop-below belongs to --task'],
    [['--task', 'SL', '--drop-below', '1'], '--drop-below needs a number from 0 to below 1, not 1'],
    [['--external-data', '2048'], '--external-data needs a whole number from 0 to 2000, not 2048'],
  ])('%j is misuse', async (flags, message) => {
    expect(await tpsc(['compile', run, '--target', 'onnx', '--out', at('never.onnx'), ...flags])).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    expect(existsSync(at('never.onnx'))).toBe(false);
  });
  it('a spec is exported with the weights that are asked for, and not without', async () => {
    expect(await tpsc(['compile', at('tiny.tps'), '--target', 'onnx', '--out', at('x.onnx')])).toMatchObject({ code: 1, err: expect.stringContaining('--weights random') });
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'onnx', '--out', at('x.onnx'), '--weights', 'random'])).out).toContain('426 parameters');
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'onnx', '--out', at('x.onnx'), '--weights', run])).code).toBe(0);
    expect(await tpsc(['compile', at('pair.tps'), '--target', 'onnx', '--out', at('x.onnx'), '--weights', run])).toMatchObject({ code: 1, err: expect.stringContaining('lacks 2 tensors of Tiny: ') });
  });
  it('writes the training functions with a manifest, and the graph as text', async () => {
    const steps = at('steps');
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'onnx-train', '--out', steps])).code).toBe(0);
    expect(readdirSync(steps).sort()).toEqual(['apply.onnx', 'apply_task.onnx', 'eval.onnx', 'grad.onnx', 'infer.onnx', 'manifest.json', 'spec.tps']);
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'onnx-train', '--out', steps, '--weights', 'random'])).out).toContain('tensors.safetensors');
    expect(readSafetensors(join(steps, 'tensors.safetensors')).tensors.size).toBeGreaterThan(0);
    const manifest = JSON.parse(readFileSync(join(steps, 'manifest.json'), 'utf8'));
    expect(manifest.functions.grad.outputs.map((o: { name: string }) => o.name)).toContain('grad:conv.{task}.weight');
    const modules = at('modules');
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'tfjs-train', '--out', modules])).code).toBe(0);
    const { functions, ...rest } = JSON.parse(readFileSync(join(modules, 'manifest.json'), 'utf8'));
    expect([...functions].sort()).toEqual(Object.keys(manifest.functions).sort());
    expect(readdirSync(modules).sort()).toEqual([...functions.flatMap((f: string) => [`${f}.bin`, `${f}.js`]), 'manifest.json', 'spec.tps'].sort());
    expect(manifest).toMatchObject(rest);
    expect((await tpsc(['compile', at('tiny.tps'), '--target', 'ir'])).out).toMatch(/^# infer\n%0 = input name="image"/);
    expect(await tpsc(['compile', at('tiny.tps'), '--target', 'ir', '--task', 'SL'])).toMatchObject({ code: 2 });
    expect(await tpsc(['compile', at('tiny.tps'), '--target', 'onnx'])).toMatchObject({ code: 2, err: expect.stringContaining('needs --out FILE.onnx') });
  });
});

it('runs as a program: exit codes and streams are the process’s', () => {
  const node = (...argv: readonly string[]): ReturnType<typeof spawnSync> => spawnSync(process.execPath, ['--import', 'tsx', join(packageRoot, 'cli', 'main.ts'), ...argv], { encoding: 'utf8', cwd: packageRoot });
  expect(node('--version')).toMatchObject({ status: 0, stdout: `${toolVersion}\n`, stderr: '' });
  const wrong = node('check', at('tiny.tps'), '--set', 'width=6', '--format', 'json');
  expect(wrong).toMatchObject({ status: 1, stderr: '' });
  expect(JSON.parse(String(wrong.stdout))).toMatchObject({ ok: false, diagnostics: [{ code: 'TPS5007' }] });
});
