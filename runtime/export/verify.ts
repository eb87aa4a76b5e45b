// `--verify`: the written file in ONNX Runtime against the spec's own graph in the float64 evaluator, on real images.
import { evaluate } from '../../compiler/evaluate.js';
import { isLeaf, leafName } from '../../compiler/ir/graph.js';
import { taskCodes } from '../../compiler/program.js';
import { decodeImage, normalized, pipelineOf } from '../data/index.js';
import { f32, i64, type Feeds } from '../engines/engine.js';
import { toArray } from '../engines/feeds.js';
import { binderOf, pick, scheduleFeeds } from '../train/bind.js';
import { lesionMask } from '../metrics/counts.js';
import { preprocessingOf, readExportMetadata } from '../train/export-metadata.js';
import { openOnnxFile, type FileTensor } from '../train/onnx-file.js';
import type { Picture } from '../train/predictor.js';
import { imageInput } from '../train/image-input.js';
import type { Trained } from './model-file.js';

export interface ImageVerification {
  readonly image: string;
  readonly task?: string;
  readonly maxAbsDiff: number;
  readonly scale: number;
  /** Share of the mask's pixels, at the network's size, that are others where the file resizes the picture itself. */
  readonly maskDiff?: number;
}

export interface Verification {
  /** max |file - evaluator| over the logits of all images; infinite where one is not a number. */
  readonly maxAbsDiff: number;
  /** max |logit| of the evaluator. */
  readonly logitsScale: number;
  /** Mean of the images' `maskDiff`, where the file does its preprocessing. */
  readonly maskDiff?: number;
  readonly images: readonly ImageVerification[];
}

export interface VerifyOptions {
  readonly file: string;
  /** Code of the task that is baked in. */
  readonly task?: string;
  readonly images: readonly string[];
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Image k is taken under task k mod T where the file leaves the task open. The evaluator runs the graph as the spec says it, before any pass.
 * A file with preprocessing is given the picture at the network's size, where its resize does nothing, and for `maskDiff` at its own.
 */
export async function verifyFile({ program, values, schedules }: Trained, options: VerifyOptions): Promise<Verification> {
  const { name: input, height, width } = imageInput(program);
  const codes = taskCodes(program), size = { height, width }, pipeline = pipelineOf(preprocessingOf(program, height, width));
  const graph = { nodes: program.infer.nodes, outputs: program.infer.outputs.filter((o) => o.name === 'logits') };
  const leaves = [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName);
  const binder = binderOf(program), tensors = new Map([...values].map(([path, { shape, read }]) => [path, f32(shape, read())]));
  const { withPreprocessing, threshold } = readExportMetadata(options.file);
  const file = await openOnnxFile(options.file);
  const rows: ImageVerification[] = [];
  try {
    for (const [k, image] of options.images.entries()) {
      const { data } = await decodeImage(image, size);
      const pixels = f32([1, 3, height, width], normalized(data, size, pipeline));
      const task = !program.readsTask ? undefined : options.task === undefined ? k % codes.length : codes.indexOf(options.task);
      const feeds: Feeds = { ...binder.feeds(leaves, tensors, task), ...scheduleFeeds(schedules), [input]: pixels };
      const trusted = evaluate(graph, new Map(Object.entries(pick(feeds, leaves)).map(([name, tensor]) => [name, toArray(tensor)])));
      const logits = async (given: FileTensor): Promise<Float32Array | undefined> =>
        (await file.run({ [input]: given, ...(task === undefined || !file.inputs.includes('t') ? {} : { t: i64(task) }) }))['logits']?.data as Float32Array | undefined;
      const bytes = ({ data: rgb, ...of }: Picture): FileTensor => ({ dtype: 'u8', shape: [1, of.height, of.width, 3], data: rgb });
      const right = trusted.get('logits')?.data;
      rows.push({
        image, ...(task === undefined ? {} : { task: codes[task] }), ...apart(await logits(withPreprocessing ? bytes({ data, ...size }) : pixels), right),
        ...(withPreprocessing ? { maskDiff: masksApart(await logits(bytes(await decodeImage(image))), right, threshold) } : {}),
      });
      options.progress?.(k + 1, options.images.length);
    }
  } finally {
    await file.dispose();
  }
  return { maxAbsDiff: Math.max(...rows.map((r) => r.maxAbsDiff)), logitsScale: Math.max(...rows.map((r) => r.scale)), ...(withPreprocessing ? { maskDiff: rows.reduce((sum, r) => sum + (r.maskDiff ?? 0), 0) / rows.length } : {}), images: rows };
}

/** Share of the pixels whose masks differ. */
function masksApart(a: Float32Array | undefined, b: Float64Array | undefined, threshold: number): number {
  if (a === undefined || b === undefined || a.length !== b.length) return 1;
  const mask = lesionMask(a, threshold);
  return lesionMask(Float32Array.from(b), threshold).reduce((count, v, i) => count + (v === mask[i] ? 0 : 1), 0) / b.length;
}

/** The evaluator's float64 must not be rounded first. */
function apart(a: Float32Array | undefined, b: Float64Array | undefined): { readonly maxAbsDiff: number; readonly scale: number } {
  if (a === undefined || b === undefined || a.length !== b.length) return { maxAbsDiff: Infinity, scale: 0 };
  let [maxAbsDiff, scale] = [0, 0];
  b.forEach((y, i) => {
    const diff = Math.abs((a[i] ?? Number.NaN) - y);
    maxAbsDiff = Number.isNaN(diff) ? Infinity : Math.max(maxAbsDiff, diff);
    scale = Math.max(scale, Math.abs(y));
  });
  return { maxAbsDiff, scale };
}
