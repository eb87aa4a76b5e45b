// Pictures of a report as data URIs: the image made small, and on it, as a picture of its own, what was predicted and what is true.
import { join } from 'node:path';
import sharp from 'sharp';
import { decodePair } from '../../data/decode.js';
import type { DataItem, Size } from '../../data/types.js';
import { PREDICTION, TINT, TRUTH } from '../figures/panels.js';
import { maskAt, outline, type Colour, type Prediction } from '../overlay.js';

/** The longer side, in pixels; smaller images stay as they are. */
const SIDE = 448;

/** An image with its true mask, at the size that a report shows. */
export interface Subject extends Size { readonly image: Uint8Array; readonly truth: Uint8Array }

/** At most `side` pixels wide and high. Throws UserError where a file cannot be read. */
export async function subjectOf(root: string, item: DataItem, side = SIDE): Promise<Subject> {
  const file = join(root, item.image), { width: w = side, height: h = side } = await sharp(file).metadata().catch(() => ({ width: side, height: side }));
  const scale = Math.min(1, side / Math.max(w, h)), size = { width: Math.max(1, Math.round(w * scale)), height: Math.max(1, Math.round(h * scale)) };
  const { image, mask: truth } = await decodePair(file, join(root, item.mask), size);
  return { image, truth, ...size };
}

export async function baseUri({ image, height, width }: Subject): Promise<string> {
  const bytes = await sharp(image, { raw: { height, width, channels: 3 } }).jpeg({ quality: 85, chromaSubsampling: '4:4:4' }).toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}

/** Red, green, blue, opacity of each pixel: the prediction tinted and outlined, the truth outlined over the tint, the rest clear. */
export function overlayPixels(mask: Uint8Array, truth: Uint8Array, size: Size): Uint8Array {
  const out = new Uint8Array(mask.length * 4), thickness = Math.max(1, Math.round(Math.min(size.height, size.width) / 200));
  const lay = (where: Uint8Array, [red, green, blue]: Colour, opacity: number): void => { where.forEach((on, i) => { if (on === 1) out.set([red, green, blue, Math.round(255 * opacity)], 4 * i); }); };
  lay(mask, PREDICTION, TINT);
  lay(outline(truth, size, thickness), TRUTH, 1);
  lay(outline(mask, size, thickness), PREDICTION, 1);
  return out;
}

export async function overlayUri({ truth, height, width }: Subject, prediction: Prediction): Promise<string> {
  const pixels = overlayPixels(maskAt(prediction, { height, width }), truth, { height, width });
  const bytes = await sharp(pixels, { raw: { height, width, channels: 4 } }).png({ palette: true, compressionLevel: 9 }).toBuffer();
  return `data:image/png;base64,${bytes.toString('base64')}`;
}
