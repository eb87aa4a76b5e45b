// Zip archives whose entries are stored as they are: what torch.save writes. Nothing here decompresses, so nothing can grow.
// The directory is checked before anything is read; what the entries hold is not known here.
import { crc32 } from 'node:zlib';
import { writeAll, writeAtomically } from './atomic.js';
import type { RandomAccess } from './random-access.js';

/** An archive that cannot be read, told as why. */
export class ZipError extends Error {}

export interface ZipEntry { readonly name: string; readonly size: number; /** Bytes of this entry, from a place in it. */ readonly fill: (buffer: Uint8Array, position: number) => void }

const END = 0x06054b50, END64 = 0x06064b50, LOCATOR64 = 0x07064b50, CENTRAL = 0x02014b50, LOCAL = 0x04034b50;
const ALL32 = 0xffffffff, ALL16 = 0xffff;
/** About 100,000 entries; a network has thousands. */
const MAX_DIRECTORY = 8 * 2 ** 20;

interface Directory { readonly offset: number; readonly size: number; readonly count: number }

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
function long(v: DataView, at: number): number {
  const n = v.getBigUint64(at, true);
  if (n > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError(`it claims a place or size of ${n}`);
  return Number(n);
}

function directoryOf(file: RandomAccess): Directory {
  const tail = Math.min(file.size, 22 + ALL16);
  const end = view(file.bytes(file.size - tail, tail));
  let at = tail - 22;
  while (at >= 0 && !(end.getUint32(at, true) === END && end.getUint16(at + 20, true) === tail - 22 - at)) at--;
  if (at < 0) throw new ZipError('its end is missing: the file is cut short');
  const place = file.size - tail + at;
  let directory: Directory = { count: end.getUint16(at + 10, true), size: end.getUint32(at + 12, true), offset: end.getUint32(at + 16, true) };
  if (directory.count === ALL16 || directory.size === ALL32 || directory.offset === ALL32) {
    if (place < 20) throw new ZipError('its 64-bit end is missing');
    const locator = view(file.bytes(place - 20, 20));
    const end64 = locator.getUint32(0, true) === LOCATOR64 ? long(locator, 8) : -1;
    if (end64 < 0 || end64 > place - 20 - 56) throw new ZipError('its 64-bit end is missing');
    const record = view(file.bytes(end64, 56));
    if (record.getUint32(0, true) !== END64) throw new ZipError('its 64-bit end is missing');
    directory = { count: long(record, 32), size: long(record, 40), offset: long(record, 48) };
  }
  if (directory.offset + directory.size > place) throw new ZipError('its directory lies outside of the file');
  if (directory.size > MAX_DIRECTORY || directory.count * 46 > directory.size) throw new ZipError(`its directory claims ${directory.count} entries in ${directory.size} bytes`);
  return directory;
}

/** Sizes and place of an entry, from the 64-bit extra field where the plain ones are full. */
function wide(v: DataView, extraAt: number, extraLength: number, plain: readonly [uncompressed: number, compressed: number, offset: number]): [number, number, number] {
  const out: [number, number, number] = [...plain];
  if (!plain.includes(ALL32)) return out;
  for (let at = extraAt; at + 4 <= extraAt + extraLength;) {
    const [id, length] = [v.getUint16(at, true), v.getUint16(at + 2, true)];
    if (id === 1) {
      let field = at + 4;
      for (const i of [0, 1, 2] as const) {
        if (plain[i] !== ALL32) continue;
        if (field + 8 > Math.min(at + 4 + length, extraAt + extraLength)) throw new ZipError('a 64-bit size is missing');
        out[i] = long(v, field);
        field += 8;
      }
      return out;
    }
    at += 4 + length;
  }
  throw new ZipError('a 64-bit size is missing');
}

/** The entries of an archive, by name. Throws ZipError for compressed, encrypted, overlapping or repeated ones. */
export function zipEntries(file: RandomAccess): ReadonlyMap<string, ZipEntry> {
  const { offset, size, count } = directoryOf(file);
  const bytes = file.bytes(offset, size), v = view(bytes);
  const found: { readonly name: string; readonly size: number; readonly local: number; readonly least: number }[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || v.getUint32(at, true) !== CENTRAL) throw new ZipError(`entry ${i} of its directory is damaged`);
    const [flags, method, nameLength, extraLength, commentLength] = [v.getUint16(at + 8, true), v.getUint16(at + 10, true), v.getUint16(at + 28, true), v.getUint16(at + 30, true), v.getUint16(at + 32, true)];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > size) throw new ZipError(`entry ${i} of its directory is damaged`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const shown = JSON.stringify(name);
    const [uncompressed, compressed, local] = wide(v, at + 46 + nameLength, extraLength, [v.getUint32(at + 24, true), v.getUint32(at + 20, true), v.getUint32(at + 42, true)]);
    if ((flags & 1) !== 0) throw new ZipError(`${shown} is encrypted`);
    if (method !== 0 || compressed !== uncompressed) throw new ZipError(`${shown} is compressed (${compressed} bytes that would become ${uncompressed}); torch.save stores its entries as they are`);
    if (names.has(name)) throw new ZipError(`it holds ${shown} twice`);
    names.add(name);
    found.push({ name, size: uncompressed, local, least: 30 + nameLength + uncompressed });
    at = next;
  }
  found.sort((a, b) => a.local - b.local);
  return new Map(found.map((e, i): [string, ZipEntry] => {
    const limit = found[i + 1]?.local ?? offset;
    if (e.local + e.least > limit) throw new ZipError(`${JSON.stringify(e.name)} reaches into the entry after it`);
    let start: number | undefined;
    const startOf = (): number => {
      const header = view(file.bytes(e.local, 30));
      const begin = e.local + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      if (header.getUint32(0, true) !== LOCAL || begin + e.size > limit) throw new ZipError(`${JSON.stringify(e.name)} is damaged`);
      return begin;
    };
    return [e.name, { name: e.name, size: e.size, fill: (buffer, position) => {
      if (position < 0 || position + buffer.byteLength > e.size) throw new ZipError(`${JSON.stringify(e.name)} has ${e.size} bytes, fewer than its tensors need`);
      file.fill(buffer, (start ??= startOf()) + position);
    } }];
  }));
}

export interface ZipItem { readonly name: string; readonly size: number; readonly bytes: () => Uint8Array }

/** Writes a stored archive, atomically and holding one item at a time. Each item's bytes begin at a multiple of 64, as torch.save has them. */
export function writeZip(path: string, items: readonly ZipItem[]): void {
  writeAtomically(path, (fd) => {
    const central: Buffer[] = [];
    let at = 0;
    const put = (bytes: Uint8Array): void => { writeAll(fd, bytes); at += bytes.byteLength; };
    for (const { name, size, bytes } of items) {
      if (size >= ALL32) throw new RangeError(`${name} has ${size} bytes; an entry of this archive has fewer than 4 GiB`);
      const data = bytes(), text = Buffer.from(name);
      const padding = 4 + ((64 - ((at + 34 + text.length) % 64)) % 64);
      const [crc, offset] = [crc32(data), at];
      const header = Buffer.alloc(30 + text.length + padding);
      header.writeUInt32LE(LOCAL, 0);
      writeFields(header, 4, crc, size, text.length, padding);
      text.copy(header, 30);
      header.write('FB', 30 + text.length, 'latin1');
      header.writeUInt16LE(padding - 4, 32 + text.length);
      put(header);
      put(data);
      central.push(centralEntry(text, crc, size, offset));
    }
    const begin = at;
    for (const entry of central) put(entry);
    put(endOf(begin, at - begin, items.length));
  });
}

/** From the version needed to the extra length: the part that local and central headers share. */
function writeFields(header: Buffer, at: number, crc: number, size: number, nameLength: number, extraLength: number): void {
  header.writeUInt16LE(45, at); // version needed: 64-bit places
  header.writeUInt16LE(0x800, at + 2); // names are UTF-8
  header.writeUInt16LE(0x21, at + 8); // 1980-01-01, so that equal tensors give equal files
  header.writeUInt32LE(crc, at + 10);
  header.writeUInt32LE(size, at + 14);
  header.writeUInt32LE(size, at + 18);
  header.writeUInt16LE(nameLength, at + 22);
  header.writeUInt16LE(extraLength, at + 24);
}

function centralEntry(name: Buffer, crc: number, size: number, offset: number): Buffer {
  const far = offset >= ALL32;
  const entry = Buffer.alloc(46 + name.length + (far ? 12 : 0));
  entry.writeUInt32LE(CENTRAL, 0);
  entry.writeUInt16LE(45, 4);
  writeFields(entry, 6, crc, size, name.length, far ? 12 : 0);
  entry.writeUInt32LE(far ? ALL32 : offset, 42);
  name.copy(entry, 46);
  if (far) {
    entry.writeUInt16LE(1, 46 + name.length);
    entry.writeUInt16LE(8, 48 + name.length);
    entry.writeBigUInt64LE(BigInt(offset), 50 + name.length);
  }
  return entry;
}

/** The 64-bit end, its locator and the plain end. */
function endOf(begin: number, size: number, count: number): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(END64, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(45, 12);
  end.writeUInt16LE(45, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(size), 40);
  end.writeBigUInt64LE(BigInt(begin), 48);
  end.writeUInt32LE(LOCATOR64, 56);
  end.writeBigUInt64LE(BigInt(begin + size), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(END, 76);
  end.writeUInt16LE(Math.min(count, ALL16), 84);
  end.writeUInt16LE(Math.min(count, ALL16), 86);
  end.writeUInt32LE(Math.min(size, ALL32), 88);
  end.writeUInt32LE(Math.min(begin, ALL32), 92);
  return end;
}
