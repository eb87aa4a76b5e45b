// The spec's augmentation list as what a sample needs: a size, flips, an affine map of the values. Writes samples into a batch.
import type { AugmentStep, ResizeStep } from '../../compiler/program.js';
import { UserError } from '../errors.js';
import type { Stream } from '../random.js';
import type { DecodedPair, Mirror, Pipeline, Sampling, Size } from './types.js';

/** Throws a UserError for a second resize or a mean or std that is not of three channels. */
export function pipelineOf(steps: readonly AugmentStep[]): Pipeline {
  let size: Sampling | undefined, scale = [1, 1, 1], shift = [0, 0, 0];
  const flips: { horizontal: number; vertical: number }[] = [];
  for (const step of steps) {
    switch (step.kind) {
      case 'resize':
        if (size) throw new UserError('augment resizes twice', 'Keep one resize: each would blur the mask once more.');
        size = samplingOf(step);
        break;
      case 'flip': flips.push({ horizontal: step.horizontal, vertical: step.vertical }); break;
      case 'normalize': {
        const { mean, std } = step;
        if (mean.length !== 3 || std.length !== 3 || std.some((s) => !(s > 0))) throw new UserError('normalize needs three means and three positive standard deviations', 'One for each of red, green and blue, on the scale 0 to 1.');
        scale = scale.map((s, c) => s / (std[c] ?? 1));
        shift = shift.map((s, c) => (s - (mean[c] ?? 0)) / (std[c] ?? 1));
        break;
      }
      default: step satisfies never;
    }
  }
  return { size, flips, scale, shift };
}

const samplingOf = ({ height, width, masks, soft }: ResizeStep): Sampling => ({ height, width, ...(masks === undefined ? {} : { masks }), ...(soft === undefined ? {} : { soft }) });

/** As `size`, but cut: truth is what a mask says, not how much of a pixel it covers. */
export const cutAt = (size: Sampling): Sampling => ({ height: size.height, width: size.width, ...(size.masks === undefined ? {} : { masks: size.masks }) });

export const upright: Mirror = { horizontal: false, vertical: false };

/** Always two draws a flip, so that one probability does not move the other's draw. */
export function drawMirror(pipeline: Pipeline, stream: Stream): Mirror {
  let { horizontal, vertical } = upright;
  for (const flip of pipeline.flips) {
    if (stream.next() < flip.horizontal) horizontal = !horizontal;
    if (stream.next() < flip.vertical) vertical = !vertical;
  }
  return { horizontal, vertical };
}

/** Writes sample `at` of image f32[B, 3, H, W] and truth f32[B, 1, H, W]. */
export function writeSample(pair: DecodedPair & Size, mirror: Mirror, pipeline: Pipeline, at: number, image: Float32Array, truth: Float32Array): void {
  const { height, width } = pair, area = height * width;
  const tables = [0, 1, 2].map((c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255) * (pipeline.scale[c] ?? 1) + (pipeline.shift[c] ?? 0)));
  const [red, green, blue] = tables as [Float32Array, Float32Array, Float32Array];
  const whole = pipeline.size?.soft === true ? 255 : 1;
  const r = at * 3 * area, g = r + area, b = g + area, m = at * area;
  for (let y = 0; y < height; y++) {
    const row = (mirror.vertical ? height - 1 - y : y) * width;
    for (let x = 0; x < width; x++) {
      const from = row + (mirror.horizontal ? width - 1 - x : x), to = y * width + x;
      image[r + to] = red[pair.image[from * 3] as number] as number;
      image[g + to] = green[pair.image[from * 3 + 1] as number] as number;
      image[b + to] = blue[pair.image[from * 3 + 2] as number] as number;
      truth[m + to] = (pair.mask[from] as number) / whole;
    }
  }
}

/** An image alone, as a model wants it: f32[3, H, W] of RGB bytes. For prediction, where there is no mask. */
export function normalized(rgb: Uint8Array, size: Size, pipeline: Pipeline): Float32Array {
  const area = size.height * size.width, out = new Float32Array(3 * area);
  writeSample({ image: rgb, mask: new Uint8Array(area), ...size }, upright, pipeline, 0, out, new Float32Array(area));
  return out;
}
