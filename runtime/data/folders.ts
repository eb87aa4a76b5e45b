// Which folder of a data set belongs to which task.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskRow } from '../../compiler/program.js';
import { UserError } from '../errors.js';
import { parseManifest, MANIFEST } from './manifest.js';
import type { TaskFolder } from './types.js';

export async function listFolders(root: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory() && !e.name.startsWith('.')).map((e) => e.name).sort();
  } catch (e) {
    throw new UserError(`${root}: ${(e as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such folder' : (e as Error).message}`,
      'A data folder holds TASK/images and TASK/masks for each task.');
  }
}

const labelFolder = (label: string): string => label.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_|_$/g, '');

/** The folder of each task: its record's `folder`; else the code or the label in lower case with underscores, whichever exists. */
export async function taskFolders(root: string, rows: readonly TaskRow[]): Promise<readonly TaskFolder[]> {
  const there = new Set(await listFolders(root));
  return rows.map(({ code, label, record }) => {
    if (typeof record['folder'] === 'string') return { code, folder: record['folder'] };
    const names = [code, code.toLowerCase(), labelFolder(label)];
    return { code, folder: names.find((n) => there.has(n)) ?? labelFolder(label) };
  });
}

/** Tasks as the folders say them, for a data set read without a spec: every folder, and every task of the manifest. A root that holds images/ itself is one task. */
export async function foldersIn(root: string): Promise<readonly TaskFolder[]> {
  const there = await listFolders(root);
  if (there.includes('images') || there.includes('masks')) return [{ code: 'images', folder: '.' }];
  const text = await readFile(join(root, MANIFEST), 'utf8').catch(() => '');
  const named = text === '' ? [] : parseManifest(text).rows.map((r) => r.task);
  return [...new Set([...there, ...named])].sort().map((name) => ({ code: name, folder: name }));
}
