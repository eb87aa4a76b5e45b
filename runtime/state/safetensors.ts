// The safetensors format: 8 bytes of header length (little endian), a JSON header, then the tensors' bytes.
// Written in one stream; read only after everything that the header claims has been checked. What the tensors mean is not known here.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../errors.js';
import type { Tensor, TensorData } from '../engines/engine.js';
import { writeAll, writeAtomically } from './atomic.js';

/** The format's own limit; a header of 100 MB would describe about a million tensors. */
const MAX_HEADER = 100_000_000;
const BYTES = { F32: 4, F16: 2, BF16: 2, I64: 8, BOOL: 1 } as const;
type FileDType = keyof typeof BYTES;
const WRITTEN = { f32: 'F32', i64: 'I64', bool: 'BOOL' } as const;

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

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Writes the tensors, in the map's order, to `path`: atomically (see `writeAtomically`), one tensor at a time. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): void {
  const header = Object.create(null) as Record<string, unknown>; // so that `__proto__` is a name like any other
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata;
  let at = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype: WRITTEN[dtype], shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeAtomically(path, (fd) => {
    writeAll(fd, length);
    writeAll(fd, text);
    for (const { data } of tensors.values()) writeAll(fd, bytesOf(data));
  });
}

/** Fills a buffer from a place in the file. Throws where the file ends before. */
function readAt(fd: number, path: string, buffer: Uint8Array, position: number): void {
  for (let done = 0; done < buffer.byteLength;) {
    const got = readSync(fd, buffer, done, Math.min(buffer.byteLength - done, 1 << 30), position + done);
    if (got === 0) throw broken(path, 'the file ended while it was read');
    done += got;
  }
}

const broken = (path: string, why: string): UserError =>
  new UserError(`${path} is not a readable safetensors file: ${why}`, 'The file may be cut short or of another format; copy or export it again.');
const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

function entryOf(path: string, name: string, value: unknown, start: number): TensorEntry {
  const fail = (why: string): UserError => broken(path, `tensor ${JSON.stringify(name)} ${why}`);
  if (!isObject(value)) throw fail('is not described by an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES, dtype)) throw fail(`has the dtype ${JSON.stringify(dtype)}; ${Object.keys(BYTES).join(', ')} are understood`);
  if (!Array.isArray(shape) || !shape.every(isSize)) throw fail('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) throw fail('has no pair of offsets');
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((a, b) => a * b, BYTES[dtype as FileDType]);
  if (end - begin !== bytes) throw fail(`of ${dtype}[${shape.join(', ')}] needs ${bytes} bytes, but its offsets [${begin}, ${end}] give ${end - begin}`);
  return { dtype: dtype as FileDType, shape, begin: start + begin, end: start + end };
}

function readHeader(fd: number, path: string): SafetensorsHeader {
  const size = fstatSync(fd).size;
  if (size < 8) throw broken(path, `it has ${size} bytes, fewer than the 8 of the header's length`);
  const prefix = Buffer.alloc(8);
  readAt(fd, path, prefix, 0);
  const length = prefix.readBigUInt64LE();
  // Before anything of that length is made: a hostile or foreign file can claim any number here.
  if (length > BigInt(size - 8)) throw broken(path, `its header would be ${length} bytes long, but the file has ${size}`);
  if (length > BigInt(MAX_HEADER)) throw broken(path, `its header of ${length} bytes is above the format's limit of ${MAX_HEADER}`);
  const text = Buffer.alloc(Number(length));
  readAt(fd, path, text, 8);
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

function open<T>(path: string, use: (fd: number) => T): T {
  let fd: number;
  try { fd = openSync(path, 'r'); } catch (error) {
    throw new UserError(`${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
  try { return use(fd); } finally { closeSync(fd); }
}

/** What a file says it holds, checked against its size. Throws UserError. */
export const readSafetensorsHeader = (path: string): SafetensorsHeader => open(path, (fd) => readHeader(fd, path));

export interface ReadOptions {
  /** Reads only these tensors. */
  readonly only?: (name: string) => boolean;
  /** Weights are finite numbers; a file with others is refused unless this is true. */
  readonly allowNonFinite?: boolean;
}

/** All tensors of a file. F16 and BF16 are widened to f32 (exactly). Throws UserError where the file is not what it should be. */
export const readSafetensors = (path: string, options: ReadOptions = {}): SafetensorsFile => open(path, (fd) => {
  const { metadata, entries } = readHeader(fd, path);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of entries) {
    if (options.only?.(name) === false) continue;
    const bytes = new Uint8Array(entry.end - entry.begin);
    readAt(fd, path, bytes, entry.begin);
    const tensor = tensorOf(entry, bytes);
    if (options.allowNonFinite !== true && tensor.data instanceof Float32Array) {
      const at = tensor.data.findIndex((x) => !Number.isFinite(x));
      if (at >= 0) throw new UserError(`${path}: tensor ${name} holds ${tensor.data[at]} at place ${at}`, 'Weights must be finite; this file was saved by a training that had diverged.');
    }
    tensors.set(name, tensor);
  }
  return { metadata, tensors };
});

function tensorOf({ dtype, shape }: TensorEntry, bytes: Uint8Array<ArrayBuffer>): Tensor {
  switch (dtype) {
    case 'F32': return { dtype: 'f32', shape, data: new Float32Array(bytes.buffer) };
    case 'I64': return { dtype: 'i64', shape, data: new BigInt64Array(bytes.buffer) };
    case 'BOOL': return { dtype: 'bool', shape, data: bytes };
    case 'F16': return { dtype: 'f32', shape, data: Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat) };
    // A bfloat16 is the upper half of a float32.
    case 'BF16': return { dtype: 'f32', shape, data: new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (h) => h * 65536).buffer) };
    default: return dtype satisfies never;
  }
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
function halfToFloat(h: number): number {
  const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
