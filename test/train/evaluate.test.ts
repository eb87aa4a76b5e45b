// Evaluation and prediction of a trained tiny run: scores that can be counted again, what a wrong task costs, and an ONNX file that predicts as the run does.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferFunction } from '../../compiler/functions.js';
import type { TensorValue } from '../../compiler/bindings.js';
import { toOnnx } from '../../compiler/targets/onnx/index.js';
import { makeCache, type Dataset } from '../../runtime/data/index.js';
import type { Engine } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { writeBaseline } from '../../runtime/train/baseline.js';
import { evaluateRun, type EvaluateRunOptions } from '../../runtime/train/evaluate.js';
import { exportMetadata, readExportMetadata } from '../../runtime/train/export-metadata.js';
import { train } from '../../runtime/train/loop.js';
import { exportOnnx, trainedRun } from '../../runtime/export/model-file.js';
import { writeOnnx } from '../../runtime/export/onnx-files.js';
import { openOnnxFile } from '../../runtime/train/onnx-file.js';
import { predict } from '../../runtime/train/predict.js';
import { onnxPredictor, runPredictor } from '../../runtime/train/predictor.js';
import { openTrainedRun } from '../../runtime/train/trained-run.js';
import { adam, constantSchedule, TASKS, tinyData, tinyProgram, tinyScan } from './tiny.js';

const program = tinyProgram({ training: { epochs: 10, optimizer: adam(constantSchedule('lr', 0.05)) } });
let root: string, run: string, dataset: Dataset, engine: Engine;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'evaluate-'));
  run = join(root, 'run');
  dataset = await tinyData(join(root, 'data'));
  engine = await createEngine('ort', { threads: 1 });
  await train({ program, engine, dataset, cache: makeCache(), out: run, seed: 7 });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const evaluate = (more: Partial<EvaluateRunOptions> = {}) => evaluateRun({ run, program, engine, dataset, cache: makeCache(), split: 'val', ...more });

describe('eval', () => {
  it('gives the scores that the loop saw at that checkpoint', async () => {
    const last = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n').map((l) => JSON.parse(l)).filter((l) => l.kind === 'validation').at(-1);
    const { average, perTask, loss, epoch } = await evaluate({ checkpoint: 'last' });
    expect({ epoch, average, perTask, loss }).toEqual({ epoch: 10, average: { dice: last.dice, miou: last.miou }, perTask: last.perTask, loss: last.loss });
  });

  it('writes each image\'s counts, from which the scores can be counted again', async () => {
    const report = await evaluate();
    const [head, ...lines] = readFileSync(join(run, report.counts), 'utf8').trim().split('\n');
    expect(head).toBe('task,image,tp,fp,fn,tn');
    const rows = lines.map((line) => line.split(','));
    expect(rows.map(([task]) => task)).toEqual(['AA', 'AA', 'BB', 'BB', 'CC', 'CC']);
    for (const code of TASKS) {
      const dices = rows.filter(([task]) => task === code).map(([, , tp, fp, fn]) => (2 * +tp! + 1e-5) / (2 * +tp! + +fp! + +fn! + 1e-5));
      expect(report.perTask[code]!.dice).toBeCloseTo(dices.reduce((a, b) => a + b) / dices.length, 12);
    }
    expect(rows.every(([, , ...n]) => n.reduce((a, b) => a + +b, 0) === 64)).toBe(true);
    expect(JSON.parse(readFileSync(join(run, 'eval', `val-${report.checkpoint}.json`), 'utf8'))).toMatchObject({ perTask: report.perTask, checkpoint: report.checkpoint });
  });

  it('under another task\'s id changes that task\'s scores alone', async () => {
    const own = await evaluate(), other = await evaluate({ bindAs: { AA: 'CC' } });
    expect(other.loss).toBeGreaterThan(own.loss);
    expect(other.perTask['BB']).toEqual(own.perTask['BB']);
    expect(existsSync(join(run, 'eval', `val-${own.checkpoint}-AA-as-CC.csv`))).toBe(true);
  });

  it('at each image\'s own size counts that size\'s pixels, the logits resized before they are cut', async () => {
    // a data set whose images are three times as large: at the network's size the same pixels, and at their own nine times as many
    const large = join(root, 'large');
    for (const item of dataset.items) for (const file of [item.image, item.mask]) {
      mkdirSync(dirname(join(large, file)), { recursive: true });
      await sharp(join(dataset.root, file)).resize(24, 24, { kernel: 'nearest' }).toFile(join(large, file));
    }
    copyFileSync(join(dataset.root, 'manifest.csv'), join(large, 'manifest.csv'));
    const wide = await tinyScan(large), network = await evaluate({ dataset: wide }), own = await evaluate({ dataset: wide, original: true });
    const counted = (counts: string): number[][] => readFileSync(join(run, counts), 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').slice(2).map(Number));
    expect(own.counts).toBe(network.counts.replace('.csv', '-original.csv'));
    const sum = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);
    expect(counted(network.counts).map(sum)).toEqual([64, 64, 64, 64, 64, 64]);
    expect(counted(own.counts).map(sum)).toEqual([576, 576, 576, 576, 576, 576]);
    // the lesion is the same square
    counted(own.counts).forEach(([tp = 0, , fn = 0], k) => expect((tp + fn) / 9).toBe((counted(network.counts)[k]![0] ?? 0) + (counted(network.counts)[k]![2] ?? 0)));
    expect(own.loss).toBe(network.loss);
    expect(own.average.dice).toBeGreaterThan(0.6);
    expect(own.average.dice).not.toBe(network.average.dice);
    expect(own.at).toBe('original');
    const baseline = { run, program, dataset: wide, split: 'val', cache: makeCache(), original: true } as const;
    const everywhere = await writeBaseline({ ...baseline, baseline: 'foreground' }), same = await writeBaseline({ ...baseline, baseline: 'foreground', original: false });
    expect(everywhere.average.dice).toBeCloseTo(same.average.dice, 6);
    expect((await writeBaseline({ ...baseline, baseline: 'mean-mask' })).average.dice).toBeGreaterThan(0.2);
    expect(existsSync(join(run, 'eval', 'val-mean-mask-original.csv'))).toBe(true);
  });

  it('refuses what does not fit, saying what', async () => {
    await expect(evaluate({ bindAs: { AA: 'XX' } })).rejects.toThrow(/has no task XX/);
    await expect(evaluate({ checkpoint: 'first' })).rejects.toThrow(MisuseError);
    await expect(evaluate({ split: 'test' })).rejects.toThrow(/no image in the split test/);
    await expect(evaluate({ run: join(root, 'nowhere') })).rejects.toThrow(/is no run directory/);
    await expect(evaluate({ program: tinyProgram() })).rejects.toThrow(/trained from another spec/);
  });
});

describe('predict', () => {
  /** The run's best checkpoint as an ONNX file, with all tasks or one. */
  function exported(task?: string): string {
    const { tensors, schedules } = openTrainedRun(run, program), file = join(root, `${task ?? 'all'}.onnx`);
    const values = new Map([...tensors].map(([path, t]): [string, TensorValue] => [path, { shape: t.shape, read: () => t.data as Float32Array }]));
    const baked = task === undefined ? {} : { task };
    writeFileSync(file, toOnnx(inferFunction(program), { tensors: values, tasks: TASKS, schedules, producerVersion: '0', metadata: exportMetadata(program, { toolVersion: '0', schedules, ...baked }), ...baked }).bytes);
    return file;
  }
  const inputs = (): string[] => dataset.items.filter((i) => i.task === 'BB').slice(0, 2).map((i) => join(dataset.root, i.image));
  const pixels = (path: string): Promise<Buffer> => sharp(path).raw().toBuffer();

  it('writes masks and overlays at the image\'s own size, under names of their own', async () => {
    const large = join(root, 'p0.png');
    await sharp(inputs()[0]!).resize(40, 24, { fit: 'fill' }).toFile(large);
    const predictor = await runPredictor({ run, program, engine });
    const results = await predict(predictor, { inputs: [inputs()[0]!, large], task: 'BB', out: join(root, 'masks') });
    expect(results.map((r) => [r.width, r.height])).toEqual([[8, 8], [40, 24]]);
    expect(new Set(results.flatMap((r) => [r.mask, r.overlay])).size).toBe(4);
    const [, second] = results;
    expect(await sharp(second!.mask).metadata()).toMatchObject({ width: 40, height: 24, channels: 1 });
    expect(await sharp(second!.overlay).metadata()).toMatchObject({ width: 40, height: 24, channels: 3 });
    const mask = await pixels(second!.mask);
    expect(new Set(mask)).toEqual(new Set([0, 255]));
    expect(mask.filter((v) => v === 255).length / mask.length).toBeCloseTo(second!.fraction, 12);
    await predictor.dispose();
  });

  it('from an ONNX file alone gives the run\'s masks, with all tasks in the file or one', async () => {
    const ofRun = await runPredictor({ run, program, engine });
    const wanted = await predict(ofRun, { inputs: inputs(), task: 'BB', out: join(root, 'of-run') });
    for (const [baked, task] of [[undefined, 'BB'], ['BB', undefined]] as const) {
      const predictor = await onnxPredictor(exported(baked), (file) => openOnnxFile(file, 1));
      const got = await predict(predictor, { inputs: inputs(), task, out: join(root, `of-${baked ?? 'all'}`) });
      for (const [k, result] of got.entries()) expect((await pixels(result.mask)).equals(await pixels(wanted[k]!.mask))).toBe(true);
      await predictor.dispose();
    }
    await ofRun.dispose();
  });

  it('from a file with the preprocessing inside gives the same masks, of pictures at their own size', async () => {
    const ofRun = await runPredictor({ run, program, engine }), file = join(root, 'pictures.onnx'), large = join(root, 'large.png');
    await sharp(inputs()[1]!).resize(24, 16, { fit: 'fill', kernel: 'nearest' }).toFile(large);
    writeOnnx(file, exportOnnx(trainedRun(run, program, undefined), { file, preprocessing: true, postprocessing: true, toolVersion: '0' }));
    const predictor = await onnxPredictor(file, (f) => openOnnxFile(f, 1)), asked = [inputs()[0]!, large];
    const wanted = await predict(ofRun, { inputs: asked, task: 'BB', out: join(root, 'wanted') }), got = await predict(predictor, { inputs: asked, task: 'BB', out: join(root, 'got') });
    for (const [k, { mask }] of got.entries()) {
      const [a, b] = [await pixels(mask), await pixels(wanted[k]!.mask)];
      // The first has the network's size: no resize is between the two.
      expect(a.filter((v, i) => v !== b[i]).length / a.length).toBeLessThanOrEqual(k === 0 ? 0 : 0.05);
    }
    await Promise.all([ofRun.dispose(), predictor.dispose()]);
  });

  it('says which tasks there are where none or a wrong one is given', async () => {
    const all = await onnxPredictor(exported(), (file) => openOnnxFile(file, 1)), one = await onnxPredictor(exported('CC'), (file) => openOnnxFile(file, 1));
    const ask = (p: typeof all, task?: string) => predict(p, { inputs: [], task, out: join(root, 'none') });
    await expect(ask(all)).rejects.toThrow(/needs --task/);
    await expect(ask(all, 'XX')).rejects.toThrow(/has no task XX/);
    await expect(ask(one, 'AA')).rejects.toThrow(/exported for the task CC alone/);
    await Promise.all([all.dispose(), one.dispose()]);
  });
});

describe('metadata of an exported file', () => {
  it('come back as they were written, whatever the graph is like', () => {
    const file = join(root, 'metadata.onnx');
    const metadata = exportMetadata(program, { toolVersion: '1.2', schedules: { temperature: 0.5 } });
    writeFileSync(file, toOnnx(inferFunction(program), { producerVersion: '0', metadata }).bytes);
    expect(readExportMetadata(file)).toEqual({
      precision: 'fp32', frozen: 'fp32', withPreprocessing: false, withPostprocessing: false,
      model: 'Tiny', specHash: program.hash, toolVersion: '1.2', tasks: TASKS, size: [8, 8], threshold: 0.5, schedules: { temperature: 0.5 },
      preprocessing: program.training!.augment.filter((s) => s.kind !== 'flip'),
    });
  });

  it('that are missing, or no ONNX file at all, are a plain error', () => {
    const bare = join(root, 'bare.onnx'), text = join(root, 'text.onnx'), empty = join(root, 'empty.onnx');
    writeFileSync(bare, toOnnx(inferFunction(program), { producerVersion: '0' }).bytes);
    writeFileSync(text, 'this is not a model at all');
    writeFileSync(empty, '');
    for (const file of [bare, text, empty, join(root, 'absent.onnx')]) expect(() => readExportMetadata(file), file).toThrow(UserError);
  });
});
