// Files made to harm whoever opens them, and what it costs to refuse them, as `weights import` does before it reads a spec. `npx tsx test/state/hostile.ts`
// prints what was said of each file, how long it took, and the peak memory of the process; the suite runs it in a process of its own.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { UserError } from '../../runtime/errors.js';
import { requireSound } from '../../runtime/state/sound.js';
import { finiteTensor } from '../../runtime/state/stored.js';
import { withTensorFile } from '../../runtime/state/tensor-file.js';
import { archive, global, int, long, pickled, raw, storage, tensor, text, tuple, call } from './pickles.js';

export interface Refusal { readonly name: string; /** Of the processor: what else runs on the machine does not count. */ readonly ms: number; readonly said: string }
export interface Cost { readonly refusals: readonly Refusal[]; /** MiB, before the first file and at the end. */ readonly before: number; readonly peak: number }

const golden = (name: string): string => fileURLToPath(new URL(`../oracle/golden/weights/${name}`, import.meta.url));
const MIB = 2 ** 20;

export function safetensors(folder: string, name: string, header: string | Uint8Array, data: Uint8Array = Buffer.alloc(0), length?: bigint): string {
  const json = Buffer.from(header as string), prefix = Buffer.alloc(8), path = join(folder, `${name}.safetensors`);
  prefix.writeBigUInt64LE(length ?? BigInt(json.length));
  writeFileSync(path, Buffer.concat([prefix, json, data]));
  return path;
}

/** All zeros, of which the disk holds none, but for the last number. */
function largeWithNaN(folder: string): string {
  const bytes = 256 * MIB, last = Buffer.from(Float32Array.of(NaN).buffer);
  const path = safetensors(folder, 'large', JSON.stringify({ w: F32(0, bytes) })), begin = readFileSync(path).length, fd = openSync(path, 'r+');
  ftruncateSync(fd, begin + bytes);
  writeSync(fd, last, 0, 4, begin + bytes - 4);
  closeSync(fd);
  return path;
}

/** One entry of zeros that deflates a thousandfold, as `data.pkl`. */
function bomb(folder: string): string {
  const packed = deflateRawSync(Buffer.alloc(64 * MIB)), name = Buffer.from('a/data.pkl');
  const local = Buffer.alloc(30), central = Buffer.alloc(46), end = Buffer.alloc(22);
  for (const [header, at] of [[local, 4], [central, 6]] as const) {
    header.writeUInt32LE(header === local ? 0x04034b50 : 0x02014b50, 0);
    header.writeUInt16LE(8, at + 4);
    header.writeUInt32LE(packed.length, at + 14);
    header.writeUInt32LE(0xfffffff0, at + 18);
    header.writeUInt16LE(name.length, at + 22);
  }
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  const path = join(folder, 'bomb.pt');
  writeFileSync(path, Buffer.concat([local, name, packed, central, name, end]));
  return path;
}

const floats = (n: number): Buffer => Buffer.from(Float32Array.from({ length: n }, (_, i) => i).buffer);
const F32 = (begin: number, end: number): object => ({ dtype: 'F32', shape: [(end - begin) / 4], data_offsets: [begin, end] });
const fill = (length: number, unit: string): Buffer => Buffer.alloc(length, unit);

/** Each file by what is wrong with it. */
export function hostileFiles(folder: string): Readonly<Record<string, string>> {
  const one = tensor(int(2), int(0), [int(2)], [int(1)]);
  const opcodes = (name: string, body: Buffer): string => archive(folder, name, Buffer.concat([raw(0x80, 2), body, Buffer.from('.')]));
  const cut = (name: string, size: number): string => { const path = join(folder, name); writeFileSync(path, readFileSync(golden('official.pt')).subarray(0, size)); return path; };
  return {
    'calls os.system': golden('os-system.pt'),
    'calls builtins.eval by STACK_GLOBAL': opcodes('stack', Buffer.concat([text('builtins'), text('eval'), raw(0x93), tuple(text('1')), Buffer.from('R')])),
    'makes an object by NEWOBJ': opcodes('newobj', Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')'), raw(0x81)])),
    'makes an object by INST': opcodes('inst', Buffer.from('(ios\nsystem\n')),
    'a zip bomb': bomb(folder),
    'a compressed checkpoint': golden('deflated.pt'),
    'a pickle of lists without end': opcodes('lists', fill(7 * MIB, ']')),
    'a pickle of dicts without end': opcodes('dicts', fill(7 * MIB, '}')),
    'a pickle of marks without end': opcodes('marks', fill(7 * MIB, '(')),
    'a pickle of strings without end': opcodes('strings', Buffer.alloc(7 * MIB, Buffer.from([0x8c, 1, 0x41]))),
    'a pickle that doubles': opcodes('doubles', Buffer.concat([Buffer.from(']'), ...Array.from({ length: 40 }, (_, i) => Buffer.concat([raw(0x71, i), Buffer.from('('), raw(0x68, i, 0x68, i), Buffer.from('l')]))])),
    'a pickle larger than any': opcodes('large', fill(9 * MIB, 'N')),
    'a text of 4 GiB': opcodes('text', raw(0x58, 0xff, 0xff, 0xff, 0xff)),
    'a tensor outside its storage': archive(folder, 'outside', pickled({ w: tensor(int(2), int(1), [int(2)], [int(1)]) })),
    'a tensor that repeats its storage': archive(folder, 'repeats', pickled({ w: tensor(int(2), int(0), [long(2n ** 40n)], [int(0)]) })),
    'a shape that overflows': archive(folder, 'overflows', pickled({ w: tensor(int(2), int(0), [long(2n ** 62n), long(2n ** 62n)], [int(1), int(1)]) })),
    'a negative shape': archive(folder, 'negative', pickled({ w: tensor(int(2), int(0), [int(-2)], [int(1)]) })),
    'a storage that is shorter than it says': archive(folder, 'short', pickled({ w: tensor(long(2n ** 50n), int(0), [long(2n ** 50n)], [int(1)]) })),
    'a storage that is not there': archive(folder, 'absent', pickled({ w: call(global('torch._utils', '_rebuild_tensor_v2'), storage('FloatStorage', '../../etc/passwd', int(2)), int(0), tuple(int(2)), tuple(int(1)), raw(0x89), raw(0x4e)) })),
    'a dtype that nobody knows': archive(folder, 'dtype', pickled({ w: storage('QInt8Storage', '0', int(2)) })),
    'NaN among the weights': archive(folder, 'nan', pickled({ w: one }), [1, NaN]),
    'NaN at the end of 256 MiB': largeWithNaN(folder),
    'a thousand names for one storage with NaN': archive(folder, 'shared', pickled(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`w${i}`, tensor(int(MIB), int(0), [int(MIB)], [int(1)])]))), [...new Array<number>(MIB - 1).fill(0), NaN]),
    'integers for weights': safetensors(folder, 'integers', JSON.stringify({ 'image_encoder.trunk.patch_embed.proj.weight': { dtype: 'I64', shape: [2], data_offsets: [0, 16] } }), Buffer.alloc(16)),
    'cut in the middle': cut('cut.pt', 9000),
    'cut before its end': cut('cut-end.pt', 17300),
    'a safetensors header of 2^60 bytes': safetensors(folder, 'huge', '{}', undefined, 2n ** 60n),
    'a safetensors header of 64 MiB': safetensors(folder, 'wide', fill(64 * MIB, ' ')),
    'a safetensors header of lists': safetensors(folder, 'lists', Buffer.concat([Buffer.from('{"a":['), fill(7 * MIB, '[],'), Buffer.from('1]}')])),
    'a safetensors header that nests': safetensors(folder, 'nests', fill(7 * MIB, '{"a":')),
    'a truncated safetensors file': safetensors(folder, 'truncated', JSON.stringify({ w: F32(0, 400) }), floats(50)),
    'overlapping safetensors': safetensors(folder, 'overlap', JSON.stringify({ w: F32(0, 400), u: F32(200, 600) }), floats(150)),
    'NaN in a safetensors file': safetensors(folder, 'nan', JSON.stringify({ w: F32(0, 8) }), Buffer.from(Float32Array.of(1, NaN).buffer)),
    'an unknown dtype of safetensors': safetensors(folder, 'dtype', JSON.stringify({ w: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }), Buffer.alloc(1)),
  };
}

/** Opens a file and reads all that is in it. */
export function readWhole(path: string): void {
  withTensorFile(path, undefined, (file) => { for (const [name, stored] of file.tensors) finiteTensor(path, name, stored); });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'hostile-'));
  const made = process.argv[2] !== undefined;
  const files = made ? JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as Record<string, string> : hostileFiles(folder);
  const before = process.resourceUsage().maxRSS / 1024;
  const refusals = Object.entries(files).map(([name, path]): Refusal => {
    const start = process.cpuUsage();
    let said = 'was taken without a word';
    try { withTensorFile(path, undefined, requireSound); } catch (error) { said = error instanceof UserError ? error.message.replace(path, 'FILE') : `FAULT ${String(error)}`; }
    const { user, system } = process.cpuUsage(start);
    return { name, ms: Math.round((user + system) / 1000), said };
  });
  process.stdout.write(`${JSON.stringify({ refusals, before, peak: process.resourceUsage().maxRSS / 1024 } satisfies Cost)}\n`);
  if (!made) rmSync(folder, { recursive: true, force: true });
}
