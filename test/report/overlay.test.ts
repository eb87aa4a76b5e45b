import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { maskAt, overlaid, resizeBilinear, writePrediction } from '../../runtime/report/overlay.js';
import { picture, temporaryFolder } from '../data/fixtures.js';

describe('predictions as pictures', () => {
  it('have the picture\'s own size: mask 0 and 255, overlay tinted inside, untouched outside', async () => {
    const dir = await temporaryFolder();
    await picture(dir, 'photo.png', 40, 30, () => 100);
    const logits = Float32Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 3 : -3));
    const files = { mask: join(dir, 'mask.png'), overlay: join(dir, 'overlay.png') };
    expect(await writePrediction(join(dir, 'photo.png'), { logits, height: 8, width: 8, threshold: 0.5 }, files)).toEqual({ height: 30, width: 40, fraction: 0.5 });
    const mask = await sharp(files.mask).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true }), overlay = await sharp(files.overlay).raw().toBuffer({ resolveWithObject: true });
    expect(await sharp(files.mask).metadata()).toMatchObject({ format: 'png', width: 40, height: 30, channels: 1, depth: 'uchar' });
    expect([...mask.data.subarray(18, 22)]).toEqual([255, 255, 0, 0]);
    const at = (x: number, y: number): number[] => [...overlay.data.subarray((y * 40 + x) * 3, (y * 40 + x) * 3 + 3)];
    expect(at(30, 15)).toEqual([100, 100, 100]);
    expect(at(10, 15)[0]).toBeGreaterThan(at(10, 15)[1]! + 40);
    expect(at(19, 15)).toEqual([255, 60, 50]);
  });

  it('resize logits with half-pixel centres', () => {
    expect([...resizeBilinear(Float32Array.of(0, 4), { height: 1, width: 2 }, { height: 1, width: 4 })]).toEqual([0, 1, 3, 4]);
    expect([...maskAt({ logits: Float32Array.of(-1, 3), height: 1, width: 2, threshold: 0.5 }, { height: 1, width: 4 })]).toEqual([0, 1, 1, 1]);
  });

  it('outline the truth in green under the prediction\'s red', () => {
    const grey = new Uint8Array(27).fill(50), truth = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1), mask = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0);
    const rgb = overlaid(grey, { height: 3, width: 3 }, mask, truth);
    expect([[...rgb.subarray(0, 3)], [...rgb.subarray(12, 15)], [...rgb.subarray(24, 27)]]).toEqual([[255, 60, 50], [50, 50, 50], [60, 230, 90]]);
  });
});
