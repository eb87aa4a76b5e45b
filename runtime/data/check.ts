// Opens every file of a data set and says what is wrong with each, before training does.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { depthText } from './decode.js';
import { dataProblem } from './problems.js';
import { datasetOf, mapLimited, type ScanOptions } from './scan.js';
import { survey, type SurveyedFile } from './survey.js';
import type { DataProblem, Dataset, TaskFolder } from './types.js';

export interface CheckOptions extends ScanOptions { readonly progress?: (done: number, total: number) => void }

/** What opening a file told: its size where it has a readable header, and its problems. */
interface Opened { readonly size?: string; readonly problems: readonly DataProblem[] }

const SIGNATURES: readonly (readonly [name: string, test: (head: Buffer) => boolean])[] = [
  ['PNG', (h) => h.subarray(1, 4).toString('latin1') === 'PNG'],
  ['JPEG', (h) => h[0] === 0xff && h[1] === 0xd8],
  ['TIFF', (h) => ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(h.subarray(0, 4).toString('latin1'))],
  ['WebP', (h) => h.subarray(0, 4).toString('latin1') === 'RIFF' && h.subarray(8, 12).toString('latin1') === 'WEBP'],
  ['GIF', (h) => h.subarray(0, 4).toString('latin1') === 'GIF8'],
];

async function head(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally { await handle.close(); }
}

/** Why a file whose signature is of no picture cannot be read. */
function notAnImage(bytes: Buffer): string {
  if (bytes.length === 0) return 'the file is empty';
  if (bytes.subarray(0, 2).toString('latin1') === 'BM') return 'it is a BMP';
  if (bytes.every((b) => b === 9 || b === 10 || b === 13 || (b >= 32 && b < 127) || b >= 128)) return 'it holds text';
  return 'its first bytes are those of no picture format that is read';
}

const firstLine = (e: unknown): string => (e as Error).message.split('\n')[0]?.replace(/^\S*: /, '') ?? '';

/** Decodes to the end, small: JPEG reads all its data even so. `grey`: the values of a mask, unscaled. */
async function decodeStrictly(path: string, failOn: 'warning' | 'truncated', role: 'image' | 'mask'): Promise<{ data: Buffer; channels: number }> {
  const source = sharp(path, { failOn, ignoreIcc: true });
  const pipeline = role === 'mask' ? source.removeAlpha() : source.resize(32, 32, { fit: 'fill', kernel: 'nearest' });
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { data, channels: info.channels };
}

function maskProblems(file: string, data: Buffer, channels: number): DataProblem[] {
  let max = 0, between = 0, coloured = false;
  const pixels = data.length / channels;
  for (let i = 0; i < data.length; i += channels) {
    const v = data[i] ?? 0;
    if (channels >= 3 && (Math.abs(v - (data[i + 1] ?? 0)) > 24 || Math.abs(v - (data[i + 2] ?? 0)) > 24)) coloured = true;
    if (v > max) max = v;
    if (v >= 8 && v <= 247) between++;
  }
  if (coloured) return [dataProblem('DATA020', file)];
  if (max === 0) return [dataProblem('DATA016', file)];
  if (max <= 127) return [dataProblem('DATA014', file, { max })];
  // Edges smoothed by resampling or JPEG stay below this share.
  return between > 0.02 * pixels ? [dataProblem('DATA015', file, { percent: ((100 * between) / pixels).toFixed(1) })] : [];
}

async function inspectFile(root: string, { file, role }: SurveyedFile): Promise<Opened> {
  const path = join(root, file);
  let bytes: Buffer;
  try { bytes = await head(path); } catch (e) { return { problems: [dataProblem('DATA010', file, { why: (e as Error).message })] }; }
  if (!SIGNATURES.some(([, test]) => test(bytes))) return { problems: [dataProblem('DATA010', file, { why: notAnImage(bytes) })] };
  let size: string;
  try {
    const header = await sharp(path).metadata();
    size = `${header.width} x ${header.height}`;
    if (header.depth !== 'uchar') return { size, problems: [dataProblem('DATA012', file, { bits: depthText(header.depth) })] };
  } catch (e) { return { problems: [dataProblem('DATA011', file, { why: firstLine(e) })] }; }
  const problems: DataProblem[] = [];
  const strict = await decodeStrictly(path, 'warning', role).catch((e: unknown) => firstLine(e));
  const decoded = typeof strict === 'string' ? await decodeStrictly(path, 'truncated', role).catch((e: unknown) => firstLine(e)) : strict;
  if (typeof decoded === 'string') return { size, problems: [dataProblem('DATA011', file, { why: decoded })] };
  if (typeof strict === 'string') problems.push(dataProblem('DATA022', file, { why: strict }));
  if (role === 'mask') problems.push(...maskProblems(file, decoded.data, decoded.channels));
  return { size, problems };
}

/** The data set and everything that is wrong with it: what the file list shows, then what each file shows. Errors of files that nothing uses are warnings. */
export async function checkedDataset(root: string, tasks: readonly TaskFolder[], options: CheckOptions = {}): Promise<Dataset> {
  const found = await survey(root, tasks, options.split);
  const dataset = await datasetOf(root, tasks, found);
  let done = 0;
  const opened = await mapLimited(found.files, async (file) => {
    const result = await inspectFile(root, file);
    options.progress?.(++done, found.files.length);
    return result;
  });
  const sizes = new Map(found.files.map((f, k) => [f.file, opened[k]?.size]));
  const problems = [...dataset.problems];
  found.files.forEach((file, k) => {
    for (const p of opened[k]?.problems ?? []) problems.push(file.used ? p : { ...p, severity: 'warning' });
  });
  for (const item of found.pairs) {
    const image = sizes.get(item.image), mask = sizes.get(item.mask);
    if (image !== undefined && mask !== undefined && image !== mask) problems.push(dataProblem('DATA013', item.mask, { mask, image }));
  }
  return { ...dataset, problems };
}

/** All problems of a data set, in the order of tasks and files; none: it can be trained on. */
export async function checkDataset(root: string, tasks: readonly TaskFolder[], options: CheckOptions = {}): Promise<readonly DataProblem[]> {
  return (await checkedDataset(root, tasks, options)).problems;
}
