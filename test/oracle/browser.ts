// Exported files in a headless Chromium with onnxruntime-web: the logits of onnxruntime-node, and the masks that `tpsc predict` writes.
//   npx tsx test/oracle/browser.ts --input IMAGE [--task SL] [--chromium PATH] [--web FOLDER] FILE.onnx…
// A file with preprocessing is given the picture as the page decodes it; the others the tensor that `tpsc predict` makes. --web is an unpacked onnxruntime-web;
// without it npm fetches the package into a temporary folder. Without a Chromium this says so and is done: no build depends on it.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeImage, normalized, pipelineOf } from '../../runtime/data/index.js';
import { f32 } from '../../runtime/engines/engine.js';
import { dataFile, dataLocation } from '../../runtime/export/onnx-files.js';
import { maskAt } from '../../runtime/report/overlay.js';
import { readExportMetadata } from '../../runtime/train/export-metadata.js';
import { openOnnxFile } from '../../runtime/train/onnx-file.js';
import { taskIndex } from '../../runtime/train/predict.js';
import { onnxPredictor } from '../../runtime/train/predictor.js';

const WEB = 'onnxruntime-web@1.30.0';
const LIMIT_SECONDS = 600;
const { values: { input, task, chromium, web }, positionals: files } = parseArgs({ allowPositionals: true, options: {
  input: { type: 'string' }, task: { type: 'string' }, chromium: { type: 'string' }, web: { type: 'string' },
} });
if (input === undefined || files.length === 0) throw new Error('give --input IMAGE and exported files');

const onPath = (name: string): string[] => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).filter(existsSync);
const browser = chromium ?? ['chromium', 'chromium-browser', 'google-chrome'].flatMap(onPath)[0];
if (browser === undefined) {
  process.stdout.write('skipped: there is no Chromium here (Debian: apt-get install chromium), and --chromium names none\n');
  process.exit(0);
}

interface Answer { readonly index: number; readonly seconds: number; readonly logits: number[] | null; readonly mask: number[] | null; readonly agent: string; readonly error?: string }
const scratch = mkdtempSync(join(tmpdir(), 'tpsc-browser-'));
const fetched = (): string => {
  execFileSync('npm', ['pack', WEB, '--silent'], { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('tar', ['xzf', `${WEB.replace('@', '-')}.tgz`], { cwd: scratch });
  return join(scratch, 'package');
};
const ort = join(web ?? fetched(), 'dist');

const picture = await decodeImage(input);
const jobs = await Promise.all(files.map(async (file, index) => {
  const predictor = await onnxPredictor(file, (f) => openOnnxFile(f, 1)), size = { height: predictor.height, width: predictor.width };
  const chosen = taskIndex(predictor, predictor.task === undefined && predictor.tasks.length > 0 ? task : undefined), { withPreprocessing, frozen } = readExportMetadata(file);
  const image = f32([1, 3, size.height, size.width], normalized((await decodeImage(input, size)).data, size, pipelineOf(predictor.preprocessing)));
  const start = performance.now();
  const logits = (await (predictor.ofPicture === undefined ? predictor.logits(image, chosen) : predictor.ofPicture(picture, chosen))).data as Float32Array;
  const seconds = (performance.now() - start) / 1000;
  const opened = await openOnnxFile(file, 1), name = opened.inputs.find((n) => n !== 't') ?? '', takesTask = opened.inputs.includes('t');
  await Promise.all([opened.dispose(), predictor.dispose()]);
  return {
    file, image, logits, seconds, size, frozen, threshold: predictor.threshold,
    said: { index, input: name, shape: image.shape, task: takesTask ? chosen ?? null : null, external: existsSync(dataFile(file)) ? dataLocation(file) : null, decodes: withPreprocessing },
  };
}));

const answers: Answer[] = [];
await new Promise<void>((done, fail) => {
  const server = createServer((request, response) => {
    const [, kind = '', rest = ''] = (request.url ?? '').split('/'), job = jobs[Number(rest)];
    const send = (body: string | Uint8Array, type = 'application/octet-stream'): void => { response.writeHead(200, { 'content-type': type }).end(body); };
    if (kind === '') send(readFileSync(fileURLToPath(new URL('browser.html', import.meta.url))), 'text/html');
    else if (kind === 'jobs') send(JSON.stringify(jobs.map((j) => j.said)), 'application/json');
    else if (kind === 'ort' && existsSync(join(ort, rest))) send(readFileSync(join(ort, rest)), rest.endsWith('.wasm') ? 'application/wasm' : 'text/javascript');
    else if (kind === 'picture') send(readFileSync(input));
    else if (kind === 'model' && job !== undefined) send(readFileSync(job.file));
    else if (kind === 'data' && job !== undefined) send(readFileSync(dataFile(job.file)));
    else if (kind === 'image' && job !== undefined) send(new Uint8Array((job.image.data as Float32Array).buffer));
    else if (kind === 'answer') {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
        answers.push(JSON.parse(Buffer.concat(parts).toString()) as Answer);
        send('', 'text/plain');
        if (answers.length === jobs.length) finish();
      });
    } else response.writeHead(404).end();
  }).listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    child = spawn(browser, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${join(scratch, 'profile')}`, `http://127.0.0.1:${address.port}/`], { stdio: 'ignore' });
    child.on('error', finish).on('exit', () => { if (answers.length < jobs.length) finish(new Error('Chromium ended before it answered')); });
  });
  let child: ReturnType<typeof spawn> | undefined;
  const timer = setTimeout(() => { finish(new Error(`no answer within ${LIMIT_SECONDS} s`)); }, LIMIT_SECONDS * 1000);
  const finish = (error?: Error): void => {
    clearTimeout(timer);
    child?.removeAllListeners('exit').kill();
    server.close();
    server.closeAllConnections();
    if (error === undefined) done(); else fail(error);
  };
}).finally(() => { rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }); });

process.stdout.write(`${answers[0]?.agent ?? ''}\n`);
let wrong = 0;
for (const { file, logits, seconds, size, threshold, frozen, said: { index } } of jobs) {
  const answer = answers.find((a) => a.index === index);
  if (answer?.error !== undefined || answer?.logits?.length !== logits.length) {
    process.stdout.write(`${file}: ${answer?.error ?? 'no logits'}\n`);
    wrong++;
    continue;
  }
  const theirs = Float32Array.from(answer.logits), apart = theirs.reduce((most, v, i) => Math.max(most, Math.abs(v - (logits[i] ?? NaN))), 0);
  const scale = logits.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  // The mask at the picture's own size, as the command line writes it; the file's own where it gives one.
  const ours = maskAt({ logits, ...size, threshold }, picture), mask = answer.mask ?? [...maskAt({ logits: theirs, ...size, threshold }, picture)];
  const pixels = ours.reduce((count, v, i) => count + (v === mask[i] ? 0 : 1), 0) + Math.abs(mask.length - ours.length);
  process.stdout.write(`${file}: largest difference ${apart.toExponential(1)} at scale ${scale.toFixed(2)}; ${pixels} of ${ours.length} pixels of the mask differ (${ours.filter((v) => v === 1).length} are lesion); ${answer.seconds.toFixed(2)} s, node ${seconds.toFixed(2)} s\n`);
  // An int8 file rounds activations: where two runtimes' sums differ in the last bit, one may fall into the next step.
  if (pixels > (frozen === 'int8' ? 1e-3 * ours.length : 0)) wrong++;
}
process.exit(wrong > 0 ? 1 : 0);
