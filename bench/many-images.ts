// A data set of 100,000 images, trained on for an epoch: `npx tsx bench/many-images.ts [--images 100000] [--side 64] [--cache 64] [--batch 16] [--steps N]`.
// The pictures are a few dozen PNGs under many names (hard links) in a temporary folder that goes when it is done; nothing in tpsc knows that they are equal.
// Prints JSON: seconds (wall, and processor for a machine that is not quiet) of reading the file list, hashing and opening every file; resident memory over the steps, and its slope by least squares over the second half,
// beside what all decoded pixels would take. `--cache` is in MB: what decoded pairs may hold (a training's own default is 1024), so that it is full early.
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { checkedDataset, scanDataset, startLoader, type TaskFolder } from '../runtime/data/index.js';
import { survey } from '../runtime/data/survey.js';
import { createEngine } from '../runtime/engines/index.js';
import { streamOf } from '../runtime/random.js';
import { train } from '../runtime/train/loop.js';
import { median, taken, trainable } from './subject.js';

const { values } = parseArgs({ options: {
  images: { type: 'string', default: '100000' }, side: { type: 'string', default: '64' }, cache: { type: 'string', default: '64' }, batch: { type: 'string', default: '16' }, steps: { type: 'string' },
} });
const images = Number(values.images), side = Number(values.side), cacheBytes = Number(values.cache) * 1e6, batch = Number(values.batch);
const PICTURES = 48, TASKS: readonly TaskFolder[] = ['A', 'B'].map((code) => ({ code, folder: code.toLowerCase() }));

const SPEC = `edition 1
from std.loss import structure

tasks kinds {
  A "A" { folder: "a" }
  B "B" { folder: "b" }
}

model Small(image: f32[B, 3, ${side}, ${side}], t: task of kinds) -> f32[B, 1, ${side}, ${side}] {
  let y = image |> conv(8, kernel: 4, stride: 4) |> group_norm(4) |> gelu
  let logits = y |> per t conv(1) |> resize([${side}, ${side}], mode: bilinear)
  return logits
}

train main of Small {
  loss      = structure(logits, truth)
  optimizer = adam(lr: 1e-3)
  sampler   = shuffle
  epochs = 1, batch = ${batch}
  augment   = [resize(${side}), flip(horizontal: 0.5, vertical: 0.5), imagenet_normalize]
}
`;

/** Noise with a bright disc, and the disc. */
async function drawPictures(folder: string): Promise<readonly { readonly image: string; readonly mask: string }[]> {
  return Promise.all(Array.from({ length: PICTURES }, async (_, k) => {
    const random = streamOf(k, 'many-images'), x0 = random.int(side), y0 = random.int(side), inside = (i: number): boolean => (i % side - x0) ** 2 + (Math.floor(i / side) - y0) ** 2 < (side / 4) ** 2;
    const image = Uint8Array.from({ length: side * side * 3 }, (_, i) => random.int(128) + (inside(Math.floor(i / 3)) ? 127 : 0));
    const mask = Uint8Array.from({ length: side * side }, (_, i) => (inside(i) ? 255 : 0)), files = { image: join(folder, `image${k}.png`), mask: join(folder, `mask${k}.png`) };
    await sharp(image, { raw: { width: side, height: side, channels: 3 } }).png().toFile(files.image);
    await sharp(mask, { raw: { width: side, height: side, channels: 1 } }).toColourspace('b-w').png().toFile(files.mask);
    return files;
  }));
}

/** A twelfth of the pictures validates, wherever they stand: no picture is in two splits. */
async function makeData(root: string): Promise<void> {
  const sources = join(root, 'sources'), rows = ['task,file,mask,split'];
  mkdirSync(sources, { recursive: true });
  const pictures = await drawPictures(sources);
  for (const { folder } of TASKS) for (const kind of ['images', 'masks']) mkdirSync(join(root, folder, kind), { recursive: true });
  for (let k = 0; k < images; k++) {
    const { folder } = TASKS[k % TASKS.length] as TaskFolder, picture = pictures[k % PICTURES], file = `${folder}/images/p${k}.png`, mask = `${folder}/masks/p${k}.png`;
    if (picture === undefined) throw new Error('no picture');
    linkSync(picture.image, join(root, file));
    linkSync(picture.mask, join(root, mask));
    rows.push(`${folder},${file},${mask},${k % PICTURES % 24 < 2 ? 'val' : 'train'}`);
  }
  writeFileSync(join(root, 'manifest.csv'), `${rows.join('\n')}\n`);
}

const MB = (bytes: number): number => Math.round(bytes / 1e5) / 10;
const rss = (): number => process.memoryUsage().rss;
/** Wall and processor. */
const seconds = async <T>(work: () => Promise<T>): Promise<readonly [{ readonly wall: number; readonly processor: number }, T]> => {
  const { wall, processor, value } = await taken(work);
  return [{ wall: Math.round(100 * wall) / 100, processor: Math.round(100 * processor) / 100 }, value];
};

/** Of the least squares line through [x, y]. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (f: (p: readonly [number, number]) => number): number => points.reduce((sum, p) => sum + f(p), 0) / points.length, [x, y] = [mean((p) => p[0]), mean((p) => p[1])];
  return mean((p) => (p[0] - x) * (p[1] - y)) / mean((p) => (p[0] - x) ** 2);
}

const root = mkdtempSync(join(tmpdir(), 'many-images-'));
try {
  const data = join(root, 'data');
  const [made] = await seconds(() => makeData(data));
  const before = rss();
  const [listed, found] = await seconds(() => survey(data, TASKS));
  const [scanned] = await seconds(() => scanDataset(data, TASKS));
  const [checked, dataset] = await seconds(() => checkedDataset(data, TASKS));
  const afterCheck = rss();

  writeFileSync(join(root, 'small.tps'), SPEC);
  const { program } = trainable({ file: join(root, 'small.tps') });
  const cache = startLoader({ bytes: cacheBytes }), samples: { step: number; rss: number; at: number }[] = [];
  const [trained, summary] = await seconds(async () => train({
    program, engine: await createEngine('ort', { threads: availableParallelism() }), dataset, cache, out: join(root, 'run'), seed: 0, ...(values.steps === undefined ? {} : { maxSteps: Number(values.steps) }),
    onEvent: (e) => { if (e.kind === 'step' && (e.step === 1 || e.step % 100 === 0)) samples.push({ step: e.step, rss: rss(), at: performance.now() }); },
  }));
  await cache.close();

  const late = samples.slice(Math.floor(samples.length / 2)), steps = late.map((s, i) => (s.at - (late[i - 1]?.at ?? NaN)) / (s.step - (late[i - 1]?.step ?? NaN))).slice(1);
  console.log(JSON.stringify({
    images, side, batch, cacheMB: MB(cacheBytes), allPixelsMB: MB(images * side * side * 4), problems: dataset.problems.length, files: found.files.length,
    seconds: { make: made, list: listed, listAndHash: scanned, listHashAndOpen: checked, train: trained }, steps: summary.steps, stepMilliseconds: Math.round(median(steps) * 10) / 10,
    rssMB: { before: MB(before), afterCheck: MB(afterCheck), start: MB(samples[0]?.rss ?? NaN), quarter: MB(samples[Math.floor(samples.length / 4)]?.rss ?? NaN), middle: MB(late[0]?.rss ?? NaN), end: MB(late.at(-1)?.rss ?? NaN), most: MB(Math.max(...samples.map((s) => s.rss))) },
    slopeMBPer1000Steps: Math.round(slope(late.map((s) => [s.step / 1000, s.rss / 1e6])) * 100) / 100,
  }, null, 2));
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exit(0);
