import { mkdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskRow } from '../../compiler/program.js';
import { describe, expect, it } from 'vitest';
import { foldersIn, scanDataset, taskFolders } from '../../runtime/data/index.js';
import { parseManifest } from '../../runtime/data/manifest.js';
import { splitGroups } from '../../runtime/data/split.js';
import { pair, put, temporaryFolder } from './fixtures.js';

const SL = [{ code: 'SL', folder: 'skin' }];
const sizes = new Map(Array.from({ length: 20 }, (_, k) => [`patient${k}`, 1 + (k % 4)]));

describe('scanDataset', () => {
  it('pairs images and masks by stem, whatever their formats', async () => {
    const root = await temporaryFolder();
    for (const [k, stem] of ['b', 'a', 'c'].entries()) await pair(root, 'skin', stem, { ext: 'jpg', seed: k });
    const dataset = await scanDataset(root, SL);
    expect(dataset.items.map((i) => [i.stem, i.image, i.mask])).toEqual(['a', 'b', 'c'].map((s) => [s, `skin/images/${s}.jpg`, `skin/masks/${s}.png`]));
    expect(dataset.splitBy).toBe('ratio 0.2, seed 0');
    expect(dataset.problems).toEqual([]);
  });

  it('takes splits, groups and pairs from manifest.csv, by folder or by code', async () => {
    const root = await temporaryFolder();
    for (const [k, stem] of ['a', 'b', 'c'].entries()) await pair(root, 'skin', stem, { seed: k });
    await put(root, 'manifest.csv', '\uFEFFtask,licence,file,mask,split,group\r\nskin,"free, ""as is""\r\n",skin/images/a.png,skin/masks/a.png,train,p1\r\nSL,,skin/images/b.png,skin/masks/b.png,val,p2\r\nother,,x,y,train,\r\n');
    const dataset = await scanDataset(root, SL);
    expect(dataset.items.map((i) => [i.stem, i.group, i.split])).toEqual([['a', 'p1', 'train'], ['b', 'p2', 'val']]);
    expect(dataset.splitBy).toBe('manifest.csv');
    expect(dataset.problems.map((p) => `${p.code} ${p.message}`)).toEqual(['DATA017 1 of its images are not in manifest.csv and are not used (the first: c.png)']);
  });

  it('splits by a given rule even where the manifest has splits, keeping its groups together', async () => {
    const root = await temporaryFolder(), stems = Array.from({ length: 12 }, (_, k) => `s${k}`);
    for (const [k, stem] of stems.entries()) await pair(root, 'skin', stem, { seed: k });
    await put(root, 'manifest.csv', ['task,file,mask,group,split', ...stems.map((s, k) => `skin,skin/images/${s}.png,skin/masks/${s}.png,p${k % 4},train`)].join('\n'));
    const split = async (fold: number) => (await scanDataset(root, SL, { split: { kind: 'folds', folds: 4, fold, seed: 5 } })).items;
    for (let fold = 0; fold < 4; fold++) expect(new Set((await split(fold)).filter((i) => i.split === 'val').map((i) => i.group)).size).toBe(1);
  });

  it('has a fingerprint of content, names and splits, not of times or places', async () => {
    const root = await temporaryFolder();
    for (const [k, stem] of ['a', 'b', 'c'].entries()) await pair(root, 'skin', stem, { seed: k });
    const { fingerprint } = await scanDataset(root, SL);
    await utimes(join(root, 'skin/images/a.png'), 1, 1);
    const moved = `${root}-moved`;
    await rename(root, moved);
    expect((await scanDataset(moved, SL)).fingerprint).toBe(fingerprint);
    expect((await scanDataset(moved, SL, { split: { kind: 'ratio', val: 0.5, seed: 1 } })).fingerprint).not.toBe(fingerprint);
    await pair(moved, 'skin', 'b', { seed: 9 });
    const changed = (await scanDataset(moved, SL)).fingerprint;
    expect(changed).not.toBe(fingerprint);
    await rename(moved, root);
  });

  it('finds the folder of a task by its record, its code or its label', async () => {
    const root = await temporaryFolder();
    for (const folder of ['sl', 'brain_tumor', 'oct', 'cp2']) await mkdir(join(root, folder));
    const rows: TaskRow[] = [
      { code: 'SL', label: 'Skin lesion', record: {} }, { code: 'BT', label: 'Brain tumor', record: {} },
      { code: 'WA', label: 'Wet AMD', record: { folder: 'oct' } }, { code: 'XX', label: 'Not there', record: {} },
    ];
    expect((await taskFolders(root, rows)).map((t) => t.folder)).toEqual(['sl', 'brain_tumor', 'oct', 'not_there']);
    expect((await foldersIn(root)).map((t) => t.code)).toEqual(['brain_tumor', 'cp2', 'oct', 'sl']);
  });

  it('says what to do where the root does not exist', async () => {
    await expect(scanDataset('/nowhere/at/all', SL)).rejects.toThrow('/nowhere/at/all: no such folder');
  });
});

describe('splits by group', () => {
  it('ratio: the fraction of images, whole groups, another choice for another seed', () => {
    const total = [...sizes.values()].reduce((a, b) => a + b, 0);
    const val = (seed: number): string[] => [...splitGroups('SL', sizes, { kind: 'ratio', val: 0.3, seed })].filter(([, s]) => s === 'val').map(([g]) => g).sort();
    for (let seed = 0; seed < 20; seed++) {
      const share = val(seed).reduce((sum, g) => sum + sizes.get(g)!, 0) / total;
      expect(share).toBeGreaterThanOrEqual(0.3);
      expect(share).toBeLessThan(0.3 + 4 / total);
    }
    expect(val(1)).toEqual(val(1));
    expect(val(1)).not.toEqual(val(2));
  });

  it('folds: every group validates in exactly one fold', () => {
    const folds = Array.from({ length: 5 }, (_, fold) => splitGroups('SL', sizes, { kind: 'folds', folds: 5, fold, seed: 3 }));
    for (const group of sizes.keys()) expect(folds.filter((f) => f.get(group) === 'val')).toHaveLength(1);
  });

  it('refuses a ratio or a fold that cannot be', () => {
    expect(() => splitGroups('SL', sizes, { kind: 'ratio', val: 1, seed: 0 })).toThrow('between 0 and 1');
    expect(() => splitGroups('SL', sizes, { kind: 'folds', folds: 5, fold: 5, seed: 0 })).toThrow('fold 5 of 5 does not exist');
  });
});

describe('parseManifest', () => {
  it('names the missing columns and the lines without a value', () => {
    expect(parseManifest('task,file\nx,y\n').problems.map((p) => p.message)).toEqual(['manifest.csv, line 1: no column mask']);
    expect(parseManifest('task,file,mask\nx,y\nx,y,z\n').problems.map((p) => p.message)).toEqual(['manifest.csv, line 2: task, file and mask may not be empty']);
  });
});
