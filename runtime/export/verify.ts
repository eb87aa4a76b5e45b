// `--verify`: the written file in ONNX Runtime against the spec's own graph in the float64 evaluator, on real images.
import { evaluate } from '../../compiler/evaluate.js';
import { isLeaf, leafName } from '../../compiler/ir/graph.js';
import { taskCodes } from '../../compiler/program.js';
import { decodeImage, normalized, pipelineOf } from '../data/index.js';
import { f32, i64, type Feeds } from '../engines/engine.js';
import { toArray } from '../engines/feeds.js';
import { binderOf, pick, scheduleFeeds } from '../train/bind.js';
import { preprocessingOf } from '../train/export-metadata.js';
import { openOnnxFile } from '../train/onnx-file.js';
import { imageInput } from '../train/image-input.js';
import type { Trained } from './model-file.js';

export interface ImageVerification { readonly image: string; readonly task?: string; readonly maxAbsDiff: number; readonly scale: number }

export interface Verification {
  /** max |file - evaluator| over the logits of all images; infinite where one is not a number. */
  readonly maxAbsDiff: number;
  /** max |logit| of the evaluator. */
  readonly logitsScale: number;
  readonly images: readonly ImageVerification[];
}

export interface VerifyOptions {
  readonly file: string;
  /** Code of the task that is baked in. */
  readonly task?: string;
  readonly images: readonly string[];
  readonly progress?: (done: number, total: number) => void;
}

/** Image k is taken under task k mod T where the file leaves the task open. The evaluator runs the graph as the spec says it, before any pass. */
export async function verifyFile({ program, values, schedules }: Trained, options: VerifyOptions): Promise<Verification> {
  const { name: input, height, width } = imageInput(program);
  const codes = taskCodes(program), size = { height, width }, pipeline = pipelineOf(preprocessingOf(program, height, width));
  const graph = { nodes: program.infer.nodes, outputs: program.infer.outputs.filter((o) => o.name === 'logits') };
  const leaves = [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName);
  const binder = binderOf(program), tensors = new Map([...values].map(([path, { shape, read }]) => [path, f32(shape, read())]));
  const file = await openOnnxFile(options.file);
  const rows: ImageVerification[] = [];
  try {
    for (const [k, image] of options.images.entries()) {
      const { data } = await decodeImage(image, size);
      const pixels = f32([1, 3, height, width], normalized(data, size, pipeline));
      const task = !program.readsTask ? undefined : options.task === undefined ? k % codes.length : codes.indexOf(options.task);
      const feeds: Feeds = { ...binder.feeds(leaves, tensors, task), ...scheduleFeeds(schedules), [input]: pixels };
      const trusted = evaluate(graph, new Map(Object.entries(pick(feeds, leaves)).map(([name, tensor]) => [name, toArray(tensor)])));
      const given = await file.run(pick({ [input]: pixels, ...(task === undefined ? {} : { t: i64(task) }) }, file.inputs));
      rows.push({ image, ...(task === undefined ? {} : { task: codes[task] }), ...apart(given['logits']?.data as Float32Array | undefined, trusted.get('logits')?.data) });
      options.progress?.(k + 1, options.images.length);
    }
  } finally {
    await file.dispose();
  }
  return { maxAbsDiff: Math.max(...rows.map((r) => r.maxAbsDiff)), logitsScale: Math.max(...rows.map((r) => r.scale)), images: rows };
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
