// Files -> pixels, by sharp. One way to read a picture and one way to read a mask, for training, evaluation and prediction alike.
// EXIF orientation and ICC profiles are ignored for both (as PyTorch pipelines on OpenCV or PIL do), alpha is dropped, 16 bits are refused.
import sharp, { type ResizeOptions, type Sharp } from 'sharp';
import { UserError } from '../errors.js';
import type { DecodedPair, Sampling, Size } from './types.js';

// libvips keeps files and operations of its own; our cache is explicit.
sharp.cache(false);

const OPEN = { failOn: 'truncated', ignoreIcc: true, autoOrient: false } as const;

/**
 * Downscaling by sharp's `linear` kernel: a triangle filter as wide as the scale, so bilinear with antialiasing; upscaling by it is bilinear that samples half a pixel of the result further up and left than half-pixel centres would (docs/exported-files.md).
 * `cubic` (a = -1/2) likewise. Shrink-on-load stays off: it would make the result depend on the file format.
 */
const resizeTo = (size: Size, kernel: 'linear' | 'cubic' = 'linear'): ResizeOptions => ({ width: size.width, height: size.height, fit: 'fill', kernel, fastShrinkOnLoad: false });

const refuse = (path: string, why: string): UserError =>
  new UserError(`${path}: ${why}`, 'Replace the file or write it anew as 8-bit PNG; `tpsc data check` explains each file of a data folder.');

async function raw(path: string, pipeline: Sharp): Promise<{ data: Uint8Array; channels: number } & Size> {
  try {
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), channels: info.channels, height: info.height, width: info.width };
  } catch (e) {
    throw refuse(path, (e as Error).message);
  }
}

/** A pipeline on the file's pixels without alpha. Throws a UserError. */
async function open(path: string): Promise<Sharp> {
  const source = sharp(path, OPEN);
  const { depth, hasAlpha } = await source.metadata().catch((e: Error) => { throw refuse(path, e.message); });
  if (depth !== 'uchar') throw refuse(path, `is ${depthText(depth)}, and 8 bits are needed`);
  if (!hasAlpha) return source;
  // Alpha goes before any resize: sharp resizes premultiplied colours, and what is transparent would turn black.
  const { data, height, width, channels } = await raw(path, source.removeAlpha());
  return sharp(data, { raw: { height, width, channels: channels as 1 | 3 } });
}

export const depthText = (depth: string): string =>
  ({ ushort: '16-bit', short: '16-bit signed', uint: '32-bit', int: '32-bit signed', float: '32-bit floating-point', double: '64-bit floating-point' })[depth] ?? depth;

/** RGB, interleaved, at `size` (bilinear), or at the file's own size. Grey becomes three equal channels. Throws a UserError. */
export async function decodeImage(path: string, size?: Size): Promise<{ data: Uint8Array } & Size> {
  const source = (await open(path)).toColourspace('srgb');
  const { data, channels, height, width } = await raw(path, size ? source.resize(resizeTo(size)) : source);
  if (channels === 3) return { data, height, width };
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) rgb.fill(data[i * channels] ?? 0, i * 3, i * 3 + 3);
  return { data: rgb, height, width };
}

/** The grey values of a mask, 0..255, at `size` by its filter, or at the file's own size. Throws a UserError. */
async function decodeGrey(path: string, size?: Sampling): Promise<{ data: Uint8Array } & Size> {
  const source = (await open(path)).toColourspace('b-w');
  const filtered = size !== undefined && size.masks !== 'nearest';
  const { data, channels, height, width } = await raw(path, filtered ? source.resize(resizeTo(size, size.masks === 'bicubic' ? 'cubic' : 'linear')) : source);
  const grey = channels === 1 ? data : data.filter((_, i) => i % channels === 0);
  return size === undefined || filtered ? { data: grey, height, width } : { data: nearest(grey, { height, width }, size), height: size.height, width: size.width };
}

/** The value under each new pixel's centre, row by row. */
export function nearest(values: Uint8Array, from: Size, to: Size): Uint8Array {
  const under = (k: number, n: number, m: number): number => Math.floor(((k + 0.5) * n) / m);
  return Uint8Array.from({ length: to.height * to.width }, (_, i) =>
    values[under(Math.floor(i / to.width), from.height, to.height) * from.width + under(i % to.width, from.width, to.width)] as number);
}

/** A mask alone at its own size, 0 or 1. Throws a UserError. */
export async function decodeMask(path: string): Promise<{ mask: Uint8Array } & Size> {
  const { data, height, width } = await decodeGrey(path);
  return { mask: cutMask(data), height, width };
}

/** 1 where the (resized) mask is above half of 255. */
function cutMask(grey: Uint8Array): Uint8Array {
  const out = new Uint8Array(grey.length);
  for (let i = 0; i < grey.length; i++) out[i] = (grey[i] ?? 0) > 127 ? 1 : 0;
  return out;
}

export async function decodePair(imagePath: string, maskPath: string, size?: Sampling): Promise<DecodedPair & Size> {
  const [image, grey] = await Promise.all([decodeImage(imagePath, size), decodeGrey(maskPath, size)]);
  if (image.height !== grey.height || image.width !== grey.width) throw refuse(maskPath, `the mask has ${grey.width} x ${grey.height} pixels, its image ${image.width} x ${image.height}`);
  return { image: image.data, mask: size?.soft === true ? grey.data : cutMask(grey.data), height: image.height, width: image.width };
}
