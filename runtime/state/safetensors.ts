// The safetensors format: 8 bytes of header length (little endian), a JSON header, then the tensors' bytes.
// Written in one stream; read only after everything that the header claims has been checked. What the tensors mean is not known here.
import { UserError } from '../errors.js';
import type { Tensor } from '../engines/engine.js';
import { writeAll, writeAtomically } from './atomic.js';
import { BYTES, bytesOf, isFileDType, tensorOf, WRITTEN, type FileDType } from './dtypes.js';
import { beginsAsZip, withFile, type RandomAccess } from './random-access.js';
import { requireFinite, type TensorFile } from './stored.js';

/** The format allows 100 MB; 8 MB describe about 80,000 tensors, and reading them takes little memory whatever they say. */
const MAX_HEADER = 8 * 2 ** 20;
/** Objects and lists in a header. */
const MAX_PARTS = 300_000;

export interface TensorEntry {
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Bytes from the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: ReadonlyMap<string, TensorEntry>;
}
export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A tensor to write: its bytes are asked for when their turn comes, and may be dropped after. */
export interface TensorToWrite { readonly name: string; readonly dtype: Tensor['dtype']; readonly shape: readonly number[]; readonly bytes: () => Uint8Array }

export const sizeInBytes = (t: Pick<TensorToWrite, 'dtype' | 'shape'>): number => t.shape.reduce((a, b) => a * b, BYTES[WRITTEN[t.dtype]]);

/** Writes tensors in order to `path`: atomically (see `writeAtomically`), holding one of them at a time. */
export function streamSafetensors(path: string, tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>> = {}): void {
  const header = Object.create(null) as Record<string, unknown>; // so that `__proto__` is a name like any other
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let at = 0;
  for (const t of tensors) {
    header[t.name] = { dtype: WRITTEN[t.dtype], shape: t.shape, data_offsets: [at, at + sizeInBytes(t)] };
    at += sizeInBytes(t);
  }
  const json = Buffer.from(JSON.stringify(header));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeAtomically(path, (fd) => {
    writeAll(fd, length);
    writeAll(fd, text);
    for (const t of tensors) writeAll(fd, t.bytes());
  });
}

/** Writes the tensors, in the map's order, to `path`. */
export const writeSafetensors = (path: string, tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): void =>
  { streamSafetensors(path, [...tensors].map(([name, t]) => ({ name, dtype: t.dtype, shape: t.shape, bytes: () => bytesOf(t.data) })), metadata); };

const broken = (path: string, why: string): UserError =>
  new UserError(`${path} is not a readable safetensors file: ${why}`, 'The file may be cut short or of another format; copy or export it again.');
const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

function entryOf(path: string, name: string, value: unknown, start: number): TensorEntry {
  const fail = (why: string): UserError => broken(path, `tensor ${JSON.stringify(name)} ${why}`);
  if (!isObject(value)) throw fail('is not described by an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isFileDType(dtype)) throw fail(`has the dtype ${JSON.stringify(dtype)}; ${Object.keys(BYTES).join(', ')} are understood`);
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) throw fail('has no pair of offsets');
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((a, b) => a * b, BYTES[dtype]);
  if (end - begin !== bytes) throw fail(`of ${dtype}[${shape.join(', ')}] needs ${bytes} bytes, but its offsets [${begin}, ${end}] give ${end - begin}`);
  return { dtype, shape, begin: start + begin, end: start + end };
}

function readHeader(file: RandomAccess): SafetensorsHeader {
  const { path, size } = file;
  if (size >= 4 && beginsAsZip(file.bytes(0, 4))) throw new UserError(`${path} is no safetensors file, but a zip archive as PyTorch writes`, '`tpsc weights import` makes a safetensors file of it.');
  if (size < 8) throw broken(path, `it has ${size} bytes, fewer than the 8 of the header's length`);
  const length = Buffer.from(file.bytes(0, 8)).readBigUInt64LE();
  // Before anything of that length is made: a hostile or foreign file can claim any number here.
  if (length > BigInt(size - 8)) throw broken(path, `its header would be ${length} bytes long, but the file has ${size}`);
  if (length > BigInt(MAX_HEADER)) throw broken(path, `its header of ${length} bytes is above the ${MAX_HEADER} that any network needs`);
  const text = file.bytes(8, Number(length));
  if (text.reduce((n, byte) => (byte === 0x5b || byte === 0x7b ? n + 1 : n), 0) > MAX_PARTS) throw broken(path, 'its header has more parts than any network needs');
  let header: unknown;
  try { header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text)); } catch { throw broken(path, 'its header is not JSON'); }
  if (!isObject(header)) throw broken(path, 'its header is not a JSON object');
  const start = 8 + text.length;
  let metadata: Readonly<Record<string, string>> = {};
  const entries = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.set(name, entryOf(path, name, value, start));
    else if (!isObject(value) || !Object.values(value).every((v) => typeof v === 'string')) throw broken(path, '__metadata__ is not a map of strings');
    else metadata = value as Record<string, string>;
  }
  // Sorted by place they must cover the rest of the file exactly: no overlap, no hole, nothing outside.
  let at = start;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) throw broken(path, `tensor ${JSON.stringify(name)} begins at byte ${begin}, ${begin < at ? 'inside the one before it' : 'after a hole'} (expected ${at})`);
    at = end;
  }
  if (at !== size) throw broken(path, `its tensors end at byte ${at}, but the file has ${size}`);
  return { metadata, entries };
}

/** What a file says it holds, checked against its size. Throws UserError. */
export const readSafetensorsHeader = (path: string): SafetensorsHeader => withFile(path, readHeader);

/** The tensors of an open file, to be read one at a time. */
export function storedInSafetensors(file: RandomAccess): TensorFile {
  const { entries } = readHeader(file);
  const tensors = new Map([...entries].map(([name, { dtype, shape, begin, end }]) => [name, { dtype, shape, place: { source: file, begin, end }, read: () => file.bytes(begin, end - begin) }]));
  return { path: file.path, format: 'safetensors', tensors, aside: [] };
}

export interface ReadOptions {
  /** Reads only these tensors. */
  readonly only?: (name: string) => boolean;
  /** Weights are finite numbers; a file with others is refused unless this is true. */
  readonly allowNonFinite?: boolean;
}

/** All tensors of a file, as `tensorOf` says. Throws UserError where the file is not what it should be. */
export const readSafetensors = (path: string, options: ReadOptions = {}): SafetensorsFile => withFile(path, (file) => {
  const { metadata, entries } = readHeader(file);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of entries) {
    if (options.only?.(name) === false) continue;
    const tensor = tensorOf(entry.dtype, entry.shape, file.bytes(entry.begin, entry.end - entry.begin));
    if (options.allowNonFinite !== true) requireFinite(path, name, tensor);
    tensors.set(name, tensor);
  }
  return { metadata, tensors };
});
