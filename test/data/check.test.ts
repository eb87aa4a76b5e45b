import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkDataset, dataProblemCodes, foldersIn, refuseErrors, scanDataset, type DataProblem } from '../../runtime/data/index.js';
import { dataProblem } from '../../runtime/data/problems.js';
import { pair, picture, put, temporaryFolder } from './fixtures.js';

const SL = [{ code: 'SL', folder: 'skin' }];
const told = (problems: readonly DataProblem[]): string[] => problems.map((p) => `${p.severity} ${p.code} ${p.file}: ${p.message}`).sort();

/** A folder with three good pairs, to which a test adds what is bad. */
async function goodFolder(): Promise<string> {
  const root = await temporaryFolder();
  for (const [k, stem] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) await pair(root, 'skin', stem, { seed: k });
  return root;
}

/** What is said of a good folder after `spoil` has been at it. */
async function after(spoil: (root: string) => Promise<unknown>): Promise<string[]> {
  const root = await goodFolder();
  await spoil(root);
  return told(await checkDataset(root, SL));
}

describe('checkDataset says nothing of', () => {
  it('a good folder', async () => { expect(await after(async () => undefined)).toEqual([]); });
  it('RGBA and 1-bit files', async () => {
    expect(await after(async (root) => {
      await picture(root, 'skin/images/g.png', 16, 12, (x, y, c) => (c === 3 ? 128 : x * y), 4);
      await sharp({ create: { width: 16, height: 12, channels: 3, background: 'white' } }).png({ palette: true, colours: 2 }).toFile(join(root, 'skin/masks/g.png'));
    })).toEqual([]);
  });
});

describe('checkDataset explains', () => {
  it('a truncated JPEG and a truncated PNG', async () => {
    const [jpeg, png] = await Promise.all(['jpg', 'png'].map((ext) => after(async (root) => {
      await pair(root, 'skin', 'g', { ext, width: 64, height: 64, seed: 3 });
      const bytes = await readFile(join(root, `skin/images/g.${ext}`));
      await put(root, `skin/images/g.${ext}`, bytes.subarray(0, bytes.length * 0.6));
    })));
    expect(jpeg).toHaveLength(1);
    expect(jpeg![0]).toMatch(/^error DATA011 skin\/images\/g.jpg: corrupt or truncated: \w/);
    expect(png).toHaveLength(1);
    expect(png![0]).toMatch(/^error DATA011 skin\/images\/g.png: corrupt or truncated: \w/);
  });

  it('a header without a picture', async () => {
    const problems = await after(async (root) => put(root, 'skin/images/a.png', (await readFile(join(root, 'skin/images/a.png'))).subarray(0, 20)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^error DATA011 skin\/images\/a.png/);
  });

  it('a mask of another size than its image', async () => {
    expect(await after((root) => picture(root, 'skin/masks/a.png', 12, 16, () => 255, 1)))
      .toEqual(['error DATA013 skin/masks/a.png: the mask has 12 x 16 pixels, its image 16 x 12']);
  });

  it('a 0/1 mask, which would be empty', async () => {
    expect(await after((root) => picture(root, 'skin/masks/a.png', 16, 12, (x) => Number(x > 4), 1)))
      .toEqual(['error DATA014 skin/masks/a.png: the brightest value of the mask is 1: above half of 255 nothing is left, and the mask would be empty']);
  });

  it('a soft mask, an empty mask and a coloured mask', async () => {
    expect(await after((root) => picture(root, 'skin/masks/a.png', 16, 12, (x) => x * 17, 1))).toEqual([expect.stringMatching(/^warning DATA015 skin\/masks\/a.png: the mask is not binary: 87.5 %/)]);
    expect(await after((root) => picture(root, 'skin/masks/a.png', 16, 12, () => 0, 1))).toEqual(['warning DATA016 skin/masks/a.png: the mask is empty']);
    expect(await after((root) => picture(root, 'skin/masks/a.png', 16, 12, (x, _, c) => (c === x % 3 ? 255 : 0)))).toEqual([expect.stringMatching(/^error DATA020/)]);
  });

  it('a duplicate stem, with another ending or in the manifest', async () => {
    expect(await after((root) => picture(root, 'skin/images/a.jpg', 16, 12, (x) => x))).toEqual(['error DATA005 skin/images/a.jpg: duplicate stem: a.jpg and a.png name the same case']);
    expect(await after((root) => put(root, 'manifest.csv', `task,file,mask,split\n${['a', 'b', 'c', 'd', 'e', 'f', 'a'].map((s) => `skin,skin/images/${s}.png,skin/masks/${s}.png,${s < 'e' ? 'train' : 'val'}`).join('\n')}`)))
      .toEqual(['error DATA005 skin/images/a.png: duplicate stem: lines 2 and 8 of manifest.csv name the same case']);
  });

  it('an image without a mask and a mask without an image', async () => {
    expect(await after((root) => picture(root, 'skin/images/g.png', 16, 12, (x) => x))).toEqual(['error DATA003 skin/images/g.png: image without a mask: skin/masks/g.* is missing']);
    expect(await after((root) => picture(root, 'skin/masks/g.png', 16, 12, () => 255, 1))).toEqual(['error DATA004 skin/masks/g.png: mask without an image: skin/images/g.* is missing']);
  });

  it('an empty folder and a missing one', async () => {
    const root = await goodFolder();
    await mkdir(join(root, 'empty/images'), { recursive: true });
    expect(told(await checkDataset(root, [...SL, { code: 'XX', folder: 'empty' }, { code: 'YY', folder: 'none' }])))
      .toEqual(['error DATA001 none: task YY has no folder none', 'error DATA002 empty: the folder holds no image']);
  });

  it('a 16-bit image', async () => {
    expect(await after((root) => sharp({ create: { width: 16, height: 12, channels: 3, background: '#808080' } }).toColourspace('rgb16').png().toFile(join(root, 'skin/images/a.png'))))
      .toEqual([expect.stringMatching(/^error DATA012 skin\/images\/a.png: 16-bit picture/)]);
  });

  it('a text file, an empty file and a BMP under a picture\'s name', async () => {
    expect(await after((root) => put(root, 'skin/images/a.png', 'this is no picture\n'))).toEqual(['error DATA010 skin/images/a.png: not an image that can be read: it holds text']);
    expect(await after((root) => put(root, 'skin/images/a.png', '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="12"/>'))).toEqual(['error DATA010 skin/images/a.png: not an image that can be read: it holds text']);
    expect(await after((root) => put(root, 'skin/images/a.png', ''))).toEqual(['error DATA010 skin/images/a.png: not an image that can be read: the file is empty']);
    expect(await after((root) => put(root, 'skin/images/a.png', Buffer.from('BM\x10\0\0\0')))).toEqual(['error DATA010 skin/images/a.png: not an image that can be read: it is a BMP']);
  });

  it('one group in two splits, an unknown split, a file that is not there', async () => {
    const rows = ['a,train,p1', 'b,val,p1', 'c,train,p2', 'd,holdout,p3', 'e,val,p4', 'f,val,p4', 'nine,train,p5'].map((r) => r.split(','));
    const problems = await after((root) => put(root, 'manifest.csv', `task,file,mask,split,group\n${rows.map(([s, split, g]) => `skin,skin/images/${s}.png,skin/masks/${s}.png,${split},${g}`).join('\n')}\n`));
    expect(problems).toEqual([
      'error DATA006 skin/images/nine.png: manifest.csv, line 8, names this file, and it does not exist',
      'error DATA006 skin/masks/nine.png: manifest.csv, line 8, names this file, and it does not exist',
      'error DATA007 skin/images/d.png: manifest.csv, line 5: unknown split "holdout"',
      'error DATA008 skin/images/a.png: group "p1" of task SL is in two splits: train and val',
    ]);
  });

  it('the same picture in two splits, a split without images, files that are no images', async () => {
    const problems = await after(async (root) => {
      await put(root, 'skin/images/b.png', await readFile(join(root, 'skin/images/a.png')));
      await put(root, 'manifest.csv', 'task,file,mask,split\nskin,skin/images/a.png,skin/masks/a.png,train\nskin,skin/images/b.png,skin/masks/b.png,test\n');
      await put(root, 'skin/images/notes.txt', 'x');
    });
    expect(problems).toEqual([
      'warning DATA017 skin: 4 of its images are not in manifest.csv and are not used (the first: c.png)',
      'warning DATA018 skin: task SL has no val image',
      'warning DATA019 skin/images/b.png: the same picture is in two splits: also skin/images/a.png (test, train)',
      'warning DATA021 skin/images: not read: 1 files in it are no images (the first: notes.txt)',
    ]);
  });

  it('everything that is wrong with a very bad folder, at once; training refuses it', async () => {
    const root = await goodFolder();
    const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red', noise: { type: 'gaussian', mean: 128, sigma: 40 } } }).jpeg().toBuffer();
    await pair(root, 'skin', 'truncated', { ext: 'jpg', width: 64, height: 64 });
    await put(root, 'skin/images/truncated.jpg', jpeg.subarray(0, jpeg.length / 2));
    await picture(root, 'skin/masks/a.png', 20, 20, () => 255, 1);
    await picture(root, 'skin/masks/b.png', 16, 12, (x) => x % 2, 1);
    await picture(root, 'skin/images/c.webp', 16, 12, (x) => x);
    await put(root, 'skin/images/d.png', 'text');
    await mkdir(join(root, 'liver'));
    const problems = await checkDataset(root, await foldersIn(root));
    expect(problems.map((p) => `${p.code} ${p.file}`).sort()).toEqual(['DATA002 liver', 'DATA005 skin/images/c.png', 'DATA010 skin/images/d.png', 'DATA011 skin/images/truncated.jpg', 'DATA013 skin/masks/a.png', 'DATA014 skin/masks/b.png']);
    for (const p of problems) expect(p.help.length).toBeGreaterThan(20);
    expect(() => refuseErrors(root, problems)).toThrow(/the data have 6 errors\n.*DATA/);
    expect(() => refuseErrors(root, problems, ['DATA002', 'DATA005', 'DATA010', 'DATA011', 'DATA013', 'DATA014'])).not.toThrow();
    expect(() => refuseErrors(root, problems.filter((p) => p.severity === 'warning'))).not.toThrow();
  });

  it('errors of unused files as warnings, and reports progress', async () => {
    const root = await goodFolder(), seen: number[] = [];
    await put(root, 'manifest.csv', 'task,file,mask,split\nskin,skin/images/a.png,skin/masks/a.png,train\nskin,skin/images/b.png,skin/masks/b.png,val\n');
    await put(root, 'skin/images/c.png', 'text');
    const problems = await checkDataset(root, SL, { progress: (done, total) => seen.push(done / total) });
    expect(told(problems)).toContainEqual('warning DATA010 skin/images/c.png: not an image that can be read: it holds text');
    expect(seen).toHaveLength(12);
    expect(seen.at(-1)).toBe(1);
  });
});

describe('the table of problems', () => {
  it('has a help for each code, and refuses a message with a hole', () => {
    expect(dataProblemCodes).toHaveLength(22);
    expect(() => dataProblem('DATA013', 'x', { mask: '1 x 1' })).toThrow('DATA013: no value for {image}');
  });

  it('scanning alone opens no picture', async () => {
    const root = await goodFolder();
    await put(root, 'skin/images/a.png', 'text');
    expect((await scanDataset(root, SL)).problems).toEqual([]);
  });
});
