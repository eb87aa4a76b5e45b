// Tiny data sets in a temporary folder, for the tests of this folder.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => Promise.all(made.map((dir) => rm(dir, { recursive: true, force: true }))));

export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tpsc-data-'));
  made.push(dir);
  return dir;
}

export async function put(root: string, file: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), content);
}

/** A picture of one value per pixel and channel: `f(x, y, channel)` in 0..255. The format follows the file's ending. */
export async function picture(root: string, file: string, width: number, height: number, f: (x: number, y: number, c: number) => number, channels: 1 | 3 | 4 = 3): Promise<void> {
  const data = Buffer.from(Uint8ClampedArray.from({ length: width * height * channels }, (_, i) => f(Math.floor(i / channels) % width, Math.floor(i / channels / width), i % channels)));
  await mkdir(dirname(join(root, file)), { recursive: true });
  const image = sharp(data, { raw: { width, height, channels } });
  await (channels === 1 ? image.toColourspace('b-w') : image).toFile(join(root, file));
}

/** A noisy image and a mask whose left half is lesion. `seed` varies the pixels. */
export async function pair(root: string, folder: string, stem: string, options: { width?: number; height?: number; seed?: number; ext?: string } = {}): Promise<void> {
  const { width = 16, height = 12, seed = 0, ext = 'png' } = options;
  await picture(root, `${folder}/images/${stem}.${ext}`, width, height, (x, y, c) => (x * 37 + y * 91 + c * 53 + seed * 17) % 256);
  await picture(root, `${folder}/masks/${stem}.png`, width, height, (x) => (x < width / 2 ? 255 : 0), 1);
}
