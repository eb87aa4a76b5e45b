// `predict`: images in, a mask and an overlay out for each, both at the image's own size.
import { basename, extname, join } from 'node:path';
import { decodeImage, normalized, pipelineOf } from '../data/index.js';
import { f32 } from '../engines/engine.js';
import { MisuseError } from '../errors.js';
import { writePrediction } from '../report/overlay.js';
import { makeFolder } from '../state/atomic.js';
import type { Predictor } from './predictor.js';

export interface PredictOptions {
  readonly inputs: readonly string[];
  /** Code of the task; may be left out where the model reads none or has one baked in. */
  readonly task?: string;
  /** Folder of the PNGs; made where it does not exist. */
  readonly out: string;
  readonly onImage?: (done: number, total: number) => void;
}

export interface PredictedImage {
  readonly input: string;
  readonly mask: string;
  readonly overlay: string;
  readonly height: number;
  readonly width: number;
  /** Share of the image's pixels that are lesion. */
  readonly fraction: number;
}

/** Writes `OUT/STEM_mask.png` and `OUT/STEM_overlay.png` for each input. Throws MisuseError for a task that the model does not have, UserError for an image that cannot be read. */
export async function predict(predictor: Predictor, { inputs, task, out, onImage }: PredictOptions): Promise<readonly PredictedImage[]> {
  const index = taskIndex(predictor, task), size = { height: predictor.height, width: predictor.width }, pipeline = pipelineOf(predictor.preprocessing);
  makeFolder(out);
  const stems = uniqueStems(inputs), results: PredictedImage[] = [];
  for (const [k, input] of inputs.entries()) {
    const logits = predictor.ofPicture === undefined
      ? await predictor.logits(f32([1, 3, size.height, size.width], normalized((await decodeImage(input, size)).data, size, pipeline)), index)
      : await predictor.ofPicture(await decodeImage(input), index);
    const files = { mask: join(out, `${stems[k] ?? k}_mask.png`), overlay: join(out, `${stems[k] ?? k}_overlay.png`) };
    results.push({ input, ...files, ...await writePrediction(input, { logits: logits.data as Float32Array, ...size, threshold: predictor.threshold }, files) });
    onImage?.(k + 1, inputs.length);
  }
  return results;
}

/** The index of a task's code, undefined where the model reads none. Throws MisuseError. */
export function taskIndex({ name, tasks, task: baked }: Predictor, task: string | undefined): number | undefined {
  if (baked !== undefined) {
    if (task !== undefined && task !== baked) throw new MisuseError(`${name} was exported for the task ${baked} alone, not for ${task}`, 'Leave --task out, or use a model that holds all tasks.');
    return tasks.indexOf(baked);
  }
  if (tasks.length === 0) return undefined;
  if (task === undefined) throw new MisuseError(`${name} needs --task`, `one of: ${tasks.join(', ')}`);
  if (!tasks.includes(task)) throw new MisuseError(`${name} has no task ${task}`, `one of: ${tasks.join(', ')}`);
  return tasks.indexOf(task);
}

/** File names without their ending; equal ones are numbered, so that none overwrites another. */
function uniqueStems(inputs: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return inputs.map((input) => {
    const stem = basename(input, extname(input));
    let name = stem;
    for (let k = 2; taken.has(name); k++) name = `${stem}-${k}`;
    taken.add(name);
    return name;
  });
}
