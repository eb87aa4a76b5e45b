// What TensorBoard is shown of a validation besides its numbers: of each task the middle image with its truth and its prediction, and the gates.
import sharp from 'sharp';
import type { Program } from '../../compiler/program.js';
import { analyseGates, readableGates } from '../analyze/gates.js';
import { chooseItems } from '../analyze/panels.js';
import type { DataItem, Dataset } from '../data/index.js';
import type { Tensor } from '../engines/engine.js';
import { PREDICTION, TINT, TRUTH } from '../report/figures/panels.js';
import { lay, maskAt, outline, type Prediction } from '../report/overlay.js';
import { subjectOf, type Subject } from '../report/page/pictures.js';
import { mean } from '../statistics/index.js';
import type { EventImage, EventValue } from './events.js';

/** The longer side of each of the three pictures, in pixels. */
const SIDE = 192;

/** The images of the validation split that are shown: the middle one of each task, in order of their names. */
export const shownItems = (dataset: Dataset): readonly DataItem[] => chooseItems(dataset, 'val', 1);

/** Side by side: the image, its truth, and the prediction with the outline of the truth. */
export async function strip({ image, truth, height, width }: Subject, prediction: Prediction): Promise<EventImage> {
  const size = { height, width }, mask = maskAt(prediction, size);
  const tile = (under: Uint8Array, colour: typeof TRUTH, more?: Uint8Array): Uint8Array => {
    const rgb = image.slice();
    lay(rgb, under, colour, TINT);
    if (more !== undefined) lay(rgb, outline(more, size, 1), TRUTH, 1);
    lay(rgb, outline(under, size, 1), colour, 1);
    return rgb;
  };
  const tiles = [image, tile(truth, TRUTH), tile(mask, PREDICTION, truth)], rgb = new Uint8Array(height * 3 * width * 3);
  for (let y = 0; y < height; y++) tiles.forEach((t, k) => { rgb.set(t.subarray(y * width * 3, (y + 1) * width * 3), (y * 3 + k) * width * 3); });
  return { height, width: 3 * width, encoded: await sharp(rgb, { raw: { height, width: 3 * width, channels: 3 } }).jpeg({ quality: 90, chromaSubsampling: '4:4:4' }).toBuffer() };
}

/** `masks/SL/sl_0017` */
export async function panelValues(root: string, predictions: ReadonlyMap<DataItem, Prediction>): Promise<readonly EventValue[]> {
  return Promise.all([...predictions].map(async ([item, prediction]) => ({ tag: `masks/${item.task}/${item.stem}`, image: await strip(await subjectOf(root, item, SIDE), prediction) })));
}

/** Of each gate and task its mean over the nodes, and its split b* (the first node with g >= 0.5; no point where there is none). */
export async function gateValues(program: Program, state: { readonly tensors: ReadonlyMap<string, Tensor>; readonly schedules: Readonly<Record<string, number>> }): Promise<readonly EventValue[]> {
  if (readableGates(program).length === 0) return [];
  return (await analyseGates(program, state)).flatMap(({ name, tasks }) => tasks.flatMap(({ task, values, split }) => {
    const tag = (what: string): string => `gate ${name}/${what}${task === undefined ? '' : ` ${task}`}`;
    return [{ tag: tag('mean'), scalar: mean(values) }, ...(split === null ? [] : [{ tag: tag('split'), scalar: split }])];
  }));
}
