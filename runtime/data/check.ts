// Opens every file of a data set and says what is wrong with each, before training does.
import { join } from 'node:path';
import sharp from 'sharp';
import { depthText } from './decode.js';
import { dataProblem } from './problems.js';
import { datasetOf, digestOf, mapLimited, readBytes, type Digest, type ScanOptions } from './scan.js';
import { survey, type SurveyedFile } from './survey.js';
import type { DataProblem, Dataset, TaskFolder } from './types.js';

/** What opening a file told: its size where it has a readable header, and its problems. */
interface Opened { readonly size?: string; readonly problems: readonly DataProblem[] }

const SIGNATURES: readonly (readonly [name: string, test: (head: Buffer) => boolean])[] = [
  ['PNG', (h) => h.subarray(1, 4).toString('latin1') === 'PNG'],
  ['JPEG', (h) => h[0] === 0xff && h[1] === 0xd8],
  ['TIFF', (h) => ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(h.subarray(0, 4).toString('latin1'))],
  ['WebP', (h) => h.subarray(0, 4).toString('latin1') === 'RIFF' && h.subarray(8, 12).toString('latin1') === 'WEBP'],
  ['GIF', (h) => h.subarray(0, 4).toString('latin1') === 'GIF8'],
];

/** Bytes that a file's kind is told by. */
const HEAD = 16;

/** Why a file whose signature is of no picture cannot be read. */
function notAnImage(file: Buffer): string {
  const bytes = file.subarray(0, HEAD);
  if (bytes.length === 0) return 'the file is empty';
  if (bytes.subarray(0, 2).toString('latin1') === 'BM') return 'it is a BMP';
  if (bytes.every((b) => b === 9 || b === 10 || b === 13 || (b >= 32 && b < 127) || b >= 128)) return 'it holds text';
  return 'its first bytes are those of no picture format that is read';
}

const firstLine = (e: unknown): string => (e as Error).message.split('\n')[0]?.replace(/^\S*: /, '') ?? '';

/** An image of more pixels is not needed whole to know that it can be decoded. */
const SMALL = 1 << 18;

/** Decodes to the end: a large image small, for JPEG reads all its data even so, and a resize costs more than the pixels of a small one. `grey`: the values of a mask, unscaled. */
async function decodeStrictly(bytes: Buffer, failOn: 'warning' | 'truncated', role: 'image' | 'mask', pixels: number): Promise<{ data: Buffer; channels: number }> {
  const source = sharp(bytes, { failOn, ignoreIcc: true });
  const pipeline = role === 'mask' ? source.removeAlpha() : pixels > SMALL ? source.resize(32, 32, { fit: 'fill', kernel: 'nearest' }) : source;
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

async function inspectFile(bytes: Buffer, { file, role }: SurveyedFile): Promise<Opened> {
  const head = bytes.subarray(0, HEAD);
  if (!SIGNATURES.some(([, test]) => test(head))) return { problems: [dataProblem('DATA010', file, { why: notAnImage(bytes) })] };
  let size: string, pixels: number;
  try {
    const header = await sharp(bytes).metadata();
    size = `${header.width} x ${header.height}`;
    pixels = header.width * header.height;
    if (header.depth !== 'uchar') return { size, problems: [dataProblem('DATA012', file, { bits: depthText(header.depth) })] };
  } catch (e) { return { problems: [dataProblem('DATA011', file, { why: firstLine(e) })] }; }
  const problems: DataProblem[] = [];
  const strict = await decodeStrictly(bytes, 'warning', role, pixels).catch((e: unknown) => firstLine(e));
  const decoded = typeof strict === 'string' ? await decodeStrictly(bytes, 'truncated', role, pixels).catch((e: unknown) => firstLine(e)) : strict;
  if (typeof decoded === 'string') return { size, problems: [dataProblem('DATA011', file, { why: decoded })] };
  if (typeof strict === 'string') problems.push(dataProblem('DATA022', file, { why: strict }));
  if (role === 'mask') problems.push(...maskProblems(file, decoded.data, decoded.channels));
  return { size, problems };
}

/** The data set and everything that is wrong with it: what the file list shows, then what each file shows. Errors of files that nothing uses are warnings. */
export async function checkedDataset(root: string, tasks: readonly TaskFolder[], options: ScanOptions = {}): Promise<Dataset> {
  const found = await survey(root, tasks, options.split), digests = new Map<string, Digest>();
  const used = new Set(found.items.flatMap((i) => [i.image, i.mask]));
  let done = 0;
  const opened = await mapLimited(found.files, async (file): Promise<Opened> => {
    // read once, for the hash and for the decoder
    const bytes = await readBytes(join(root, file.file)).catch((e: Error) => {
      if (used.has(file.file)) throw e;
      return e.message;
    });
    if (typeof bytes !== 'string') digests.set(file.file, digestOf(bytes));
    const result = typeof bytes === 'string' ? { problems: [dataProblem('DATA010', file.file, { why: bytes })] } : await inspectFile(bytes, file);
    options.progress?.(++done, found.files.length);
    return result;
  });
  const dataset = datasetOf(root, tasks, found, digests);
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
export async function checkDataset(root: string, tasks: readonly TaskFolder[], options: ScanOptions = {}): Promise<readonly DataProblem[]> {
  return (await checkedDataset(root, tasks, options)).problems;
}
