// The forms of an exported file beside each other: size, seconds an image, Dice, and how far logits and masks are from those of the plain file.
//   npx tsx bench/exports.ts RUN DATA [--split val] [--threads 1] [--opset N] [--format json]
// Every image of the split goes through every file, one image a run (int8 takes its scales from the whole batch), forms in turn, so that all see the same load.
import { mkdtempSync, rmSync, statSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRunProgram } from '../cli/trained.js';
import { toolVersion } from '../cli/host.js';
import { taskCodes } from '../compiler/program.js';
import { decodeImage, evalBatches, makeCache, scanDataset, taskFolders, type Split } from '../runtime/data/index.js';
import { exportOnnx, trainedRun, type FileForm } from '../runtime/export/model-file.js';
import { dataFile, writeOnnx } from '../runtime/export/onnx-files.js';
import { batchCounts, lesionMask, scoresOf, type ImageCounts } from '../runtime/metrics/index.js';
import { renderTable } from '../runtime/report/table.js';
import { openOnnxFile } from '../runtime/train/onnx-file.js';
import { onnxPredictor, type Predictor } from '../runtime/train/predictor.js';

const { values, positionals: [run, data] } = parseArgs({ allowPositionals: true, options: {
  split: { type: 'string', default: 'val' }, threads: { type: 'string', default: '1' }, opset: { type: 'string' }, format: { type: 'string', default: 'text' },
} });
if (run === undefined || data === undefined) throw new Error('name a run and a data folder');

const FORMS: Readonly<Record<string, FileForm>> = {
  fp32: {}, fp16: { precision: 'fp16' }, int8: { frozen: 'int8' }, 'fp16 and int8': { precision: 'fp16', frozen: 'int8' }, 'with preprocessing': { preprocessing: true },
};
interface Tally { readonly bytes: number; readonly predictor: Predictor; readonly counts: ImageCounts[]; seconds: number; square: number; largest: number; pixels: number }

const { program } = openRunProgram(run), trained = trainedRun(run, program, undefined), codes = taskCodes(program);
const folder = mkdtempSync(join(tmpdir(), 'tpsc-exports-'));
const tallies = new Map<string, Tally>();
for (const [name, form] of Object.entries(FORMS)) {
  const file = join(folder, `${name.replaceAll(' ', '-')}.onnx`);
  writeOnnx(file, exportOnnx(trained, { file, toolVersion, ...form, ...(values.opset === undefined ? {} : { opset: Number(values.opset) }) }));
  const bytes = [file, dataFile(file)].filter(existsSync).reduce((sum, f) => sum + statSync(f).size, 0);
  tallies.set(name, { bytes, predictor: await onnxPredictor(file, (f) => openOnnxFile(f, Number(values.threads))), counts: [], seconds: 0, square: 0, largest: 0, pixels: 0 });
}

const dataset = await scanDataset(data, await taskFolders(data, program.tasks?.rows ?? []));
const plain = tallies.get('fp32')?.predictor;
if (plain === undefined) throw new Error('no plain file');
const { height, width, threshold } = plain;
let images = 0, scale = 0;
for await (const { image, truth, tasks, items } of evalBatches(dataset, values.split as Split, { batch: 1, augment: plain.preprocessing, size: { height, width }, cache: makeCache({ bytes: 0 }), codes })) {
  const [item] = items, task = program.readsTask ? tasks[0] : undefined;
  if (item === undefined) continue;
  const picture = await decodeImage(join(data, item.image));
  let right: Float32Array | undefined;
  for (const tally of tallies.values()) {
    const { predictor } = tally, start = performance.now();
    const logits = (await (predictor.ofPicture === undefined ? predictor.logits(image, task) : predictor.ofPicture(picture, task))).data as Float32Array;
    tally.seconds += (performance.now() - start) / 1000;
    right ??= logits.slice();
    tally.counts.push(...batchCounts(logits, truth.data as Float32Array, threshold, items));
    const [mask, trusted] = [lesionMask(logits, threshold), lesionMask(right, threshold)];
    for (const [i, v] of right.entries()) {
      const off = Math.abs(v - (logits[i] ?? NaN));
      tally.square += off * off;
      tally.largest = Math.max(tally.largest, off);
      if (mask[i] !== trusted[i]) tally.pixels++;
      scale += tally.predictor === plain ? v * v : 0;
    }
  }
  images++;
}
const pixels = images * height * width;
const rows = [...tallies].map(([name, t]) => ({
  form: name, bytes: t.bytes, secondsPerImage: t.seconds / images, dice: scoresOf(t.counts).average.dice,
  rms: Math.sqrt(t.square / pixels), largest: t.largest, pixelsChanged: t.pixels / pixels,
}));
for (const { predictor } of tallies.values()) await predictor.dispose();
rmSync(folder, { recursive: true });
if (values.format === 'json') process.stdout.write(`${JSON.stringify({ run, images, rmsLogit: Math.sqrt(scale / pixels), rows }, null, 2)}\n`);
else {
  process.stdout.write(renderTable(['file', 'MiB', 'ms an image', 'Dice', 'RMS difference', 'largest', 'pixels changed'].map((title) => ({ title })), rows.map((r) => [
    r.form, (r.bytes / 2 ** 20).toFixed(2), (1000 * r.secondsPerImage).toFixed(1), r.dice.toFixed(4), r.rms.toExponential(1), r.largest.toExponential(1), `${(100 * r.pixelsChanged).toFixed(3)} %`,
  ])));
  process.stdout.write(`${images} images of ${values.split}; logits of RMS ${Math.sqrt(scale / pixels).toFixed(2)}\n`);
}
