// Makes a data set out of a folder: the file list, its split and its fingerprint.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { dataProblem } from './problems.js';
import { survey, type Survey } from './survey.js';
import type { DataItem, DataProblem, Dataset, SplitRule, TaskFolder } from './types.js';

export interface ScanOptions {
  readonly split?: SplitRule;
  /** Files read so far, and in all. */
  readonly progress?: (done: number, total: number) => void;
}

const READERS = 8;

/** f over items, `READERS` at a time, results in order. */
export async function mapLimited<T, R>(items: readonly T[], f: (item: T) => Promise<R>, limit = READERS): Promise<R[]> {
  const out = new Array<R>(items.length);
  let at = 0;
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, async () => {
    while (at < items.length) { const k = at++; out[k] = await f(items[k] as T); }
  }));
  return out;
}

/** Size and hash of a file's content. */
export interface Digest { readonly size: number; readonly sha256: string }

export const digestOf = (bytes: Uint8Array): Digest => ({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

/** Throws a UserError. */
export const readBytes = (path: string): Promise<Buffer> => readFile(path).catch((e: Error) => { throw new UserError(`${path}: cannot be read (${e.message})`); });

/** Equal image files of one task in different splits. */
function leaks(items: readonly DataItem[], digests: ReadonlyMap<string, Digest>): DataProblem[] {
  const first = new Map<string, DataItem>(), out: DataProblem[] = [];
  for (const item of items) {
    const key = `${item.task} ${digests.get(item.image)?.sha256 ?? ''}`, other = first.get(key);
    if (!other) first.set(key, item);
    else if (other.split !== item.split) out.push(dataProblem('DATA019', item.image, { other: other.image, splits: `${item.split}, ${other.split}` }));
  }
  return out;
}

/** `digests`: of the image and the mask of every item. */
export function datasetOf(root: string, tasks: readonly TaskFolder[], found: Survey, digests: ReadonlyMap<string, Digest>): Dataset {
  const hash = createHash('sha256');
  const lines = found.items.map((item) => JSON.stringify([item.task, item.image, digests.get(item.image), item.mask, digests.get(item.mask), item.group, item.split]));
  for (const line of lines.sort()) hash.update(`${line}\n`);
  return { root, tasks: tasks.map((t) => t.code), items: found.items, fingerprint: hash.digest('hex'), splitBy: found.splitBy,
    problems: [...found.problems, ...leaks(found.items, digests)] };
}

/**
 * Reads `<root>/<folder>/{images,masks}/<stem>.*` with an optional `<root>/manifest.csv` (columns task, file, mask, group, split).
 * Every file of a pair is hashed, none is decoded. Throws a UserError where `root` cannot be read, a MisuseError for an impossible rule;
 * everything else that is wrong is in `problems`, and what cannot be used is not in `items`.
 */
export async function scanDataset(root: string, tasks: readonly TaskFolder[], options: ScanOptions = {}): Promise<Dataset> {
  const found = await survey(root, tasks, options.split), files = [...new Set(found.items.flatMap((i) => [i.image, i.mask]))];
  let done = 0;
  const digests = await mapLimited(files, async (file) => {
    const digest = digestOf(await readBytes(join(root, file)));
    options.progress?.(++done, files.length);
    return digest;
  });
  return datasetOf(root, tasks, found, new Map(files.map((file, k) => [file, digests[k] as Digest])));
}
