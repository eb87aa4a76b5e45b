// Pickles and archives put together byte by byte, for tests of what lies.
import { join } from 'node:path';
import { writeZip } from '../../runtime/state/zip.js';

const u32 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
export const text = (s: string): Buffer => Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(s)), Buffer.from(s)]);
export const int = (n: number): Buffer => { const b = Buffer.alloc(5); b.write('J'); b.writeInt32LE(n, 1); return b; };
/** LONG1 of eight bytes. */
export const long = (n: bigint): Buffer => { const b = Buffer.alloc(10); b.writeUInt8(0x8a, 0); b.writeUInt8(8, 1); b.writeBigInt64LE(n, 2); return b; };
export const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`);
export const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
export const call = (f: Buffer, ...args: readonly Buffer[]): Buffer => Buffer.concat([f, tuple(...args), Buffer.from('R')]);
export const raw = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);

export const storage = (kind: string, key: string, count: Buffer): Buffer => Buffer.concat([tuple(text('storage'), global('torch', kind), text(key), text('cpu'), count), Buffer.from('Q')]);
/** _rebuild_tensor_v2 of a float storage `0`. */
export const tensor = (count: Buffer, offset: Buffer, shape: readonly Buffer[], stride: readonly Buffer[]): Buffer =>
  call(global('torch._utils', '_rebuild_tensor_v2'), storage('FloatStorage', '0', count), offset, tuple(...shape), tuple(...stride), raw(0x89), call(global('collections', 'OrderedDict')));
/** `{ name: value, … }`, protocol 2, whole. */
export const pickled = (items: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([raw(0x80, 2), Buffer.from('}('), ...Object.entries(items).flatMap(([k, v]) => [text(k), v]), Buffer.from('u.')]);

/** An archive as torch.save would write it, of this pickle and these floats as storage 0. */
export function archive(folder: string, name: string, pickle: Buffer, floats: readonly number[] = [1, 2], more: Readonly<Record<string, Buffer>> = {}): string {
  const path = join(folder, `${name}.pt`);
  const data = Buffer.from(Float32Array.from(floats).buffer);
  const items = { 'a/data.pkl': pickle, 'a/data/0': data, 'a/version': Buffer.from('3\n'), ...more };
  writeZip(path, Object.entries(items).map(([item, bytes]) => ({ name: item, size: bytes.length, bytes: () => bytes })));
  return path;
}
