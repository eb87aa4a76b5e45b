// makePhantom: a small data set of drawn lesion pictures, for the demo and the tests. Nothing here comes from a patient.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { MisuseError, UserError } from '../../errors.js';
import { streamOf, type Stream } from '../../random.js';
import { MANIFEST } from '../manifest.js';
import type { TaskFolder } from '../types.js';
import type { Picture } from './canvas.js';
import { dermoscopy, endoscopy, histology } from './colour.js';
import { ct, mri, oct } from './grey.js';
import { drawStyle, type Style } from './style.js';
import { ultrasound } from './ultrasound.js';

type Draw = (stream: Stream, style: Style, size: number) => Picture;

/** TN and BL draw the same pictures; the task alone says which of two structures is the lesion. */
const KINDS: readonly (TaskFolder & { readonly draw: Draw })[] = [
  { code: 'WA', folder: 'wet_amd', draw: oct },
  { code: 'BT', folder: 'brain_tumor', draw: mri },
  { code: 'ADC', folder: 'adenocarcinoma', draw: histology },
  { code: 'TN', folder: 'thyroid_nodule', draw: ultrasound('nodule') },
  { code: 'CP', folder: 'colon_polyp', draw: endoscopy },
  { code: 'LI', folder: 'lung_infection', draw: ct },
  { code: 'BL', folder: 'breast_lesion', draw: ultrasound('mass') },
  { code: 'SL', folder: 'skin_lesion', draw: dermoscopy },
];

export const phantomTasks: readonly TaskFolder[] = KINDS.map(({ code, folder }) => ({ code, folder }));

export interface PhantomOptions {
  readonly seed: number;
  /** Side of the square pictures in pixels, at least 32. */
  readonly size?: number;
  /** Pictures per task. */
  readonly train?: number;
  readonly val?: number;
  readonly progress?: (done: number, total: number) => void;
}

export interface PhantomSummary { readonly pictures: number; readonly tasks: readonly TaskFolder[] }

/** Pictures of one group share a style, as a patient's do. */
const PER_GROUP = 2;

/** Picture `index` of a task, as drawn: pixels before they are written. */
export function drawPhantom(code: string, index: number, seed: number, size: number): Picture {
  const kind = KINDS.find((k) => k.code === code);
  if (!kind) throw new Error(`no phantom of task ${code}`);
  const style = drawStyle(streamOf(seed, `phantom/${code}/group/${Math.floor(index / PER_GROUP)}`));
  return kind.draw(streamOf(seed, `phantom/${code}/${index}`), style, size);
}

const bytes = (values: Float32Array, scale: number): Buffer => Buffer.from(Uint8ClampedArray.from(values, (v) => Math.round(v * scale)));

/** Holds how a folder was made; where it lies, the folder may be made anew. */
const MARKER = 'phantom.json';

/** Throws a UserError where `out` holds anything that is no phantom: real images must never be written over. */
async function makeRoom(out: string): Promise<void> {
  const there = await readdir(out).catch((e: NodeJS.ErrnoException): string[] => {
    if (e.code === 'ENOENT') return [];
    throw new UserError(`${out}: ${e.code === 'ENOTDIR' ? 'is a file, not a folder' : e.message}`);
  });
  if (there.length > 0 && !there.includes(MARKER)) throw new UserError(`${out}: holds files that are no phantom`, 'Choose an empty or new folder; nothing was written.');
  for (const name of [MANIFEST, ...KINDS.map((k) => k.folder)]) await rm(join(out, name), { recursive: true, force: true });
  for (const { folder } of KINDS) for (const role of ['images', 'masks']) await mkdir(join(out, folder, role), { recursive: true });
}

async function writePicture(root: string, image: string, mask: string, picture: Picture, size: number): Promise<void> {
  const raw = (channels: 1 | 3) => ({ raw: { width: size, height: size, channels } });
  await Promise.all([
    sharp(bytes(picture.rgb, 255), raw(3)).png({ compressionLevel: 2 }).toFile(join(root, image)),
    sharp(bytes(picture.mask, 255), raw(1)).toColourspace('b-w').png({ compressionLevel: 2 }).toFile(join(root, mask)),
  ]);
}

/**
 * Writes `<out>/<folder>/{images,masks}/NAME.png` for eight tasks, `<out>/manifest.csv` and `<out>/phantom.json`. The same options give the same pixels.
 * An earlier phantom in `out` is replaced. Throws a UserError where `out` holds something else, a MisuseError for counts or sizes that make no data set.
 */
export async function makePhantom(out: string, options: PhantomOptions): Promise<PhantomSummary> {
  const { seed, size = 160, train = 40, val = 10 } = options;
  if (!(Number.isInteger(size) && size >= 32)) throw new MisuseError(`a phantom of ${size} pixels cannot be drawn`, 'Choose a size of 32 or more.');
  if (!(Number.isInteger(train) && Number.isInteger(val) && train >= 1 && val >= 0)) throw new MisuseError(`${train} training and ${val} validation pictures make no data set`, 'Choose whole numbers, at least one training picture.');
  await makeRoom(out);
  await writeFile(join(out, MARKER), `${JSON.stringify({ madeBy: 'tpsc data phantom', seed, size, train, val }, undefined, 2)}\n`);
  const rows = ['task,file,mask,group,split'], total = KINDS.length * (train + val);
  // Validation starts with a group of its own.
  const firstVal = Math.ceil(train / PER_GROUP) * PER_GROUP;
  let written: Promise<void> = Promise.resolve();
  for (const { code, folder } of KINDS) {
    for (let k = 0; k < train + val; k++) {
      const index = k < train ? k : firstVal + k - train, low = code.toLowerCase(), padded = (n: number, width: number): string => String(n).padStart(width, '0');
      const name = `${low}_${padded(index, 4)}.png`, image = `${folder}/images/${name}`, mask = `${folder}/masks/${name}`;
      const picture = drawPhantom(code, index, seed, size);
      // One picture is compressed while the next is drawn.
      await written;
      written = writePicture(out, image, mask, picture, size);
      rows.push([folder, image, mask, `${low}_p${padded(Math.floor(index / PER_GROUP), 3)}`, k < train ? 'train' : 'val'].join(','));
      options.progress?.(rows.length - 1, total);
    }
  }
  await written;
  await writeFile(join(out, MANIFEST), `${rows.join('\n')}\n`);
  return { pictures: total, tasks: phantomTasks };
}
