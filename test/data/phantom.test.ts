import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkDataset, drawPhantom, makeCache, makePhantom, phantomTasks, scanDataset, type Dataset } from '../../runtime/data/index.js';
import { baselineCounts, scoresOf } from '../../runtime/metrics/index.js';
import { pair, put, temporaryFolder } from './fixtures.js';

const SIDE = 64, PICTURES = 24;
const codes = phantomTasks.map((t) => t.code);
type Drawn = ReturnType<typeof drawPhantom>;

/** Mean Dice of the best single threshold over the pictures: either polarity, any of grey, red, green, blue. */
function bestThreshold(pictures: readonly Drawn[]): number {
  const channels = [(r: number, g: number, b: number) => 0.299 * r + 0.587 * g + 0.114 * b, (r: number) => r, (_: number, g: number) => g, (_: number, __: number, b: number) => b];
  return Math.max(...channels.map((channel) => {
    const above = new Float64Array(257), below = new Float64Array(257);
    for (const { rgb, mask } of pictures) {
      const all = new Float64Array(256), lesion = new Float64Array(256), byte = (i: number): number => Math.min(255, Math.max(0, Math.round(rgb[i]! * 255)));
      mask.forEach((m, i) => { const v = Math.round(channel(byte(3 * i), byte(3 * i + 1), byte(3 * i + 2))); all[v]!++; lesion[v]! += m; });
      const area = lesion.reduce((a, b) => a + b, 0);
      for (let v = 255, tp = 0, p = 0; v >= 0; v--) { tp += lesion[v]!; p += all[v]!; above[v]! += (2 * tp) / (p + area) / pictures.length; }
      for (let v = 0, tp = 0, p = 0; v < 256; v++) { tp += lesion[v]!; p += all[v]!; below[v]! += (2 * tp) / (p + area) / pictures.length; }
    }
    return Math.max(...above, ...below);
  }));
}

describe('phantom pictures', () => {
  const drawn = new Map<string, Drawn[]>();
  beforeAll(() => { for (const code of codes) drawn.set(code, Array.from({ length: PICTURES }, (_, k) => drawPhantom(code, k, 11, SIDE))); });

  it.each(codes)('%s: no single grey threshold reaches Dice 0.6', (code) => {
    expect(bestThreshold(drawn.get(code)!)).toBeLessThan(0.6);
  });

  it('the threshold search itself would find a lesion that is merely bright', () => {
    const bright = drawn.get('WA')!.map(({ mask }) => ({ mask, rgb: Float32Array.from({ length: mask.length * 3 }, (_, i) => (mask[Math.floor(i / 3)]! > 0 ? 0.8 : 0.3)) }));
    expect(bestThreshold(bright)).toBeGreaterThan(0.99);
  });

  it.each(codes)('%s: lesions take 5 to 40 %% of each picture', (code) => {
    for (const { mask } of drawn.get(code)!) {
      const fraction = mask.reduce((a, b) => a + b, 0) / mask.length;
      expect(fraction).toBeGreaterThan(0.05);
      expect(fraction).toBeLessThan(0.4);
    }
  });

  it('TN and BL share one distribution: their mean brightness differs by no more than chance', () => {
    const stats = (code: string) => {
      const means = drawn.get(code)!.map(({ rgb }) => rgb.reduce((a, b) => a + b, 0) / rgb.length), mean = means.reduce((a, b) => a + b, 0) / means.length;
      return { mean, error: Math.sqrt(means.reduce((s, m) => s + (m - mean) ** 2, 0) / (means.length * (means.length - 1))) };
    };
    const tn = stats('TN'), bl = stats('BL');
    expect(Math.abs(tn.mean - bl.mean)).toBeLessThan(3 * Math.hypot(tn.error, bl.error));
  });
});

describe('makePhantom', () => {
  let root: string, dataset: Dataset;
  const options = { seed: 5, size: 64, train: 7, val: 4 };
  beforeAll(async () => {
    root = await temporaryFolder();
    await makePhantom(root, options);
    dataset = await scanDataset(root, phantomTasks);
  });

  it('writes a data set without any problem, with groups of patients that never cross the split', async () => {
    expect(await checkDataset(root, phantomTasks)).toEqual([]);
    for (const code of codes) {
      const items = dataset.items.filter((i) => i.task === code);
      expect(['train', 'val'].map((s) => items.filter((i) => i.split === s).length)).toEqual([7, 4]);
      expect(new Set(items.map((i) => i.group)).size).toBe(6);
    }
  });

  it('is the same for the same seed, and another for another', async () => {
    const [again, other] = [await temporaryFolder(), await temporaryFolder()];
    await makePhantom(again, options);
    await makePhantom(other, { ...options, seed: 6 });
    expect((await scanDataset(again, phantomTasks)).fingerprint).toBe(dataset.fingerprint);
    const hash = async (dir: string) => createHash('sha256').update(await readFile(join(dir, 'colon_polyp/images/cp_0003.png'))).digest('hex');
    expect(await hash(again)).toBe(await hash(root));
    expect(await hash(other)).not.toBe(await hash(root));
  });

  it('leaves both trivial baselines well below a useful score, on every task', async () => {
    const cache = makeCache();
    for (const baseline of ['mean-mask', 'foreground'] as const) {
      const { perTask } = scoresOf(await baselineCounts(dataset, baseline, { split: 'val', size: { height: 64, width: 64 }, cache }));
      for (const code of codes) expect(perTask[code]!.dice, `${code} ${baseline}`).toBeLessThan(0.7);
    }
  });

  it('replaces an earlier phantom, and touches no folder that is none', async () => {
    await makePhantom(root, { ...options, train: 2, val: 1 });
    expect((await scanDataset(root, phantomTasks)).items).toHaveLength(24);
    const real = await temporaryFolder();
    await pair(real, 'wet_amd', 'a');
    await expect(makePhantom(real, options)).rejects.toThrow('holds files that are no phantom');
    expect((await scanDataset(real, [{ code: 'WA', folder: 'wet_amd' }])).items).toHaveLength(1);
    await put(real, 'file', 'x');
    await expect(makePhantom(join(real, 'file'), options)).rejects.toThrow('is a file, not a folder');
    await expect(makePhantom(join(real, 'new'), { seed: 1, size: 8 })).rejects.toThrow('cannot be drawn');
  });
});

describe('the shared ultrasound', () => {
  it('holds a nodule and a mass in every picture, which never meet: the wrong task finds nothing', async () => {
    const { ultrasound } = await import('../../runtime/data/phantom/ultrasound.js');
    const { streamOf } = await import('../../runtime/random.js');
    const style = { gain: 1, offset: 0, tone: 0.5 };
    for (let k = 0; k < 120; k++) {
      const nodule = ultrasound('nodule')(streamOf(k, 'x'), style, 48), mass = ultrasound('mass')(streamOf(k, 'x'), style, 48);
      expect(Buffer.compare(Buffer.from(nodule.rgb.buffer), Buffer.from(mass.rgb.buffer)), `picture ${k}`).toBe(0);
      expect(nodule.mask.some((v, i) => v > 0 && mass.mask[i]! > 0), `picture ${k}`).toBe(false);
      expect(Math.min(...[nodule, mass].map((p) => p.mask.reduce((a, b) => a + b, 0)))).toBeGreaterThan(0.05 * 48 * 48);
    }
  });
});
