// A prediction as people look at it: a mask PNG and the picture with the lesion tinted and outlined, both at the picture's own size.
import sharp from 'sharp';
import { decodeImage } from '../data/decode.js';
import type { Size } from '../data/types.js';
import { lesionMask } from '../metrics/counts.js';

export type Colour = readonly [red: number, green: number, blue: number];
const PREDICTION: Colour = [255, 60, 50];
const TRUTH: Colour = [60, 230, 90];
const TINT = 0.35;

export interface Prediction {
  /** Row by row, height * width. */
  readonly logits: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Lesion where sigmoid(logit) >= threshold. */
  readonly threshold: number;
}

/** Bilinear with half-pixel centres, as the network's own resize. */
export function resizeBilinear(values: Float32Array, from: Size, to: Size): Float32Array {
  if (from.height === to.height && from.width === to.width) return values;
  const taps = (n: number, m: number): { low: number; high: number; t: number }[] => Array.from({ length: m }, (_, k) => {
    const at = Math.min(n - 1, Math.max(0, ((k + 0.5) * n) / m - 0.5)), low = Math.floor(at);
    return { low, high: Math.min(n - 1, low + 1), t: at - low };
  });
  const rows = taps(from.height, to.height), columns = taps(from.width, to.width), out = new Float32Array(to.height * to.width);
  const value = (y: number, x: number): number => values[y * from.width + x] as number;
  rows.forEach((r, y) => columns.forEach((c, x) => {
    const top = value(r.low, c.low) * (1 - c.t) + value(r.low, c.high) * c.t, bottom = value(r.high, c.low) * (1 - c.t) + value(r.high, c.high) * c.t;
    out[y * to.width + x] = top * (1 - r.t) + bottom * r.t;
  }));
  return out;
}

/** The mask (0 or 1) at another size: logits are resized, then cut, so that outlines stay smooth. */
export const maskAt = (prediction: Prediction, size: Size): Uint8Array =>
  lesionMask(resizeBilinear(prediction.logits, prediction, size), prediction.threshold);

/** Pixels of the mask within `thickness` of its border. */
export function outline(mask: Uint8Array, { height, width }: Size, thickness: number): Uint8Array {
  const out = new Uint8Array(mask.length);
  const clear = (y: number, x: number): boolean => y >= 0 && x >= 0 && y < height && x < width && mask[y * width + x] === 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] === 0) continue;
      for (let d = 1; d <= thickness; d++) if (clear(y - d, x) || clear(y + d, x) || clear(y, x - d) || clear(y, x + d)) out[y * width + x] = 1;
    }
  }
  return out;
}

/** Mixes `colour` into the pixels of `where`, by `strength`. */
export function lay(rgb: Uint8Array, where: Uint8Array, colour: Colour, strength: number): void {
  where.forEach((on, i) => {
    if (on === 0) return;
    colour.forEach((c, k) => { rgb[i * 3 + k] = Math.round((rgb[i * 3 + k] as number) * (1 - strength) + c * strength); });
  });
}

/** The picture's pixels with the mask tinted and outlined in red, and the truth, where given, outlined in green. */
export function overlaid(image: Uint8Array, size: Size, mask: Uint8Array, truth?: Uint8Array): Uint8Array {
  const rgb = image.slice(), thickness = Math.max(1, Math.round(Math.min(size.height, size.width) / 256));
  lay(rgb, mask, PREDICTION, TINT);
  if (truth) lay(rgb, outline(truth, size, thickness), TRUTH, 1);
  lay(rgb, outline(mask, size, thickness), PREDICTION, 1);
  return rgb;
}

export interface WrittenPrediction extends Size {
  /** Share of the picture's pixels that are lesion. */
  readonly fraction: number;
}

/** Writes the mask (8-bit grey, 0 and 255) and the overlay (RGB) of one picture as PNG, at its own size. Throws a UserError where the picture cannot be read. */
export async function writePrediction(imagePath: string, prediction: Prediction, files: { readonly mask: string; readonly overlay: string }): Promise<WrittenPrediction> {
  const { data, height, width } = await decodeImage(imagePath), mask = maskAt(prediction, { height, width });
  await sharp(mask.map((v) => v * 255), { raw: { height, width, channels: 1 } }).toColourspace('b-w').png().toFile(files.mask);
  await sharp(overlaid(data, { height, width }, mask), { raw: { height, width, channels: 3 } }).png().toFile(files.overlay);
  return { height, width, fraction: mask.reduce((a, b) => a + b, 0) / mask.length };
}
