// PyTorch's checkpoints, read and written: the files of test/oracle/weights.py give what PyTorch says they hold, what we write is read by
// PyTorch where there is one, and what is made to harm is refused quickly, in little memory, with a reason.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../runtime/errors.js';
import { tensorOf } from '../../runtime/state/dtypes.js';
import { listWeights } from '../../runtime/state/listing.js';
import { withFile } from '../../runtime/state/random-access.js';
import { withTensorFile } from '../../runtime/state/tensor-file.js';
import { writeTorch } from '../../runtime/state/torch.js';
import { writeZip, zipEntries } from '../../runtime/state/zip.js';
import { hostileFiles, readWhole, type Cost } from './hostile.js';
import { archive, call, global, int, pickled, raw, tensor, text, tuple } from './pickles.js';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'torch-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const golden = (name: string): string => fileURLToPath(new URL(`../oracle/golden/weights/${name}`, import.meta.url));
interface Expected { readonly dtype: string; readonly shape: readonly number[]; readonly values: readonly number[] }
const valuesIn = (path: string, entry?: string): Map<string, { shape: readonly number[]; values: readonly number[] }> => withTensorFile(path, entry, (file) =>
  new Map([...file.tensors].map(([name, t]) => [name, { shape: t.shape, values: Array.from(tensorOf(t.dtype, t.shape, t.read()).data as ArrayLike<number | bigint>, Number) }])));

describe('reading what torch.save wrote', () => {
  const expected = JSON.parse(readFileSync(golden('expected.json'), 'utf8')) as Record<string, Expected>;
  it.each(['kinds.pt', 'kinds-protocol4.pt'])('%s: every dtype, views, a parameter, a scalar, an empty tensor', (name) => {
    const read = valuesIn(golden(name));
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(Object.entries(expected).map(([k, { shape, values }]) => [k, { shape, values }])));
  });
  it('names what is no tensor', () => {
    expect(listWeights(golden('kinds.pt')).aside).toEqual(['version', 'name']);
  });
  it('finds the state dict beside an optimiser, an epoch and a NumPy score', () => {
    expect(listWeights(golden('training.pt'))).toMatchObject({ entry: 'model_state_dict', tensors: [{ name: 'w', dtype: 'f32', shape: [1] }], aside: ['epoch', 'optimizer', 'best_dice'] });
  });
  it('asks which of several state dicts is meant', () => {
    expect(() => listWeights(golden('several.pt'))).toThrow(/several state dicts: ema, best/);
    expect(valuesIn(golden('several.pt'), 'best').get('w')!.values).toEqual([3]);
    expect(() => listWeights(golden('several.pt'), 'beste')).toThrow(/no state dict `beste`/);
  });
  it('says what to do with the old format and with whole modules', () => {
    expect(() => listWeights(golden('old-format.pt'))).toThrow(/before PyTorch 1\.6/);
    expect(() => listWeights(golden('module.pt'))).toThrow(/names "torch\.nn\.modules\.linear\.Linear"/);
  });
  it('reads archives with 64-bit places', () => {
    const bytes = readFileSync(golden('official.pt'));
    const end = bytes.length - 22;
    bytes.writeUInt16LE(0xffff, end + 10); // the plain end defers to the 64-bit one
    bytes.writeUInt32LE(0xffffffff, end + 12);
    bytes.writeUInt32LE(0xffffffff, end + 16);
    const path = join(folder, 'wide.pt');
    writeFileSync(path, bytes);
    expect(listWeights(path).tensors).toEqual(listWeights(golden('official.pt')).tensors);
  });
});

describe('writing what torch.load reads', () => {
  const tensors = [
    { name: 'a.weight', dtype: 'f32' as const, shape: [2, 3], bytes: () => new Uint8Array(Float32Array.of(1, -2, 3.5, 4, 5, 6).buffer) },
    { name: 'steps é', dtype: 'i64' as const, shape: [], bytes: () => new Uint8Array(BigInt64Array.of(-(2n ** 40n)).buffer) },
    { name: 'mask', dtype: 'bool' as const, shape: [3], bytes: () => Uint8Array.of(1, 0, 1) },
    { name: 'none', dtype: 'f32' as const, shape: [0, 2], bytes: () => new Uint8Array(0) },
  ];
  const values = { 'a.weight': [1, -2, 3.5, 4, 5, 6], 'steps é': [-(2 ** 40)], mask: [1, 0, 1], none: [] };

  it('comes back bit for bit, aligned to 64 bytes, the same file twice', () => {
    const [path, again] = [join(folder, 'own.pt'), join(folder, 'again.pt')];
    writeTorch(path, tensors, 'model');
    writeTorch(again, tensors, 'model');
    expect(readFileSync(path).equals(readFileSync(again))).toBe(true);
    expect(Object.fromEntries([...valuesIn(path)].map(([k, v]) => [k, v.values]))).toEqual(values);
    expect(listWeights(path)).toMatchObject({ entry: 'model', format: 'torch' });
    expect(readFileSync(path).indexOf(Buffer.from(Float32Array.of(1, -2, 3.5).buffer)) % 64).toBe(0);
    expect(readdirSync(folder).filter((f) => f.endsWith('.tmp'))).toEqual([]);
  });

  const python = '/usr/bin/python3';
  const hasTorch = spawnSync(python, ['-c', 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)']).status === 0;
  it.skipIf(!hasTorch)('PyTorch reads it with weights_only=True (skipped where /usr/bin/python3 has no torch)', () => {
    for (const entry of [undefined, 'model']) {
      const path = join(folder, 'read.pt');
      writeTorch(path, tensors, entry);
      const said = JSON.parse(execFileSync(python, [fileURLToPath(new URL('../oracle/weights.py', import.meta.url)), 'read', path], { encoding: 'utf8' })) as { entry: string | null; kind: string; tensors: Record<string, Expected> };
      expect(said).toMatchObject({ entry: entry ?? null, kind: 'OrderedDict' });
      expect(Object.fromEntries(Object.entries(said.tensors).map(([k, t]) => [k, [t.dtype, t.shape, t.values]]))).toEqual({
        'a.weight': ['torch.float32', [2, 3], values['a.weight']], 'steps é': ['torch.int64', [], values['steps é']], mask: ['torch.bool', [3], values.mask], none: ['torch.float32', [0, 2], []],
      });
    }
  }, 30_000);
});

describe('what is made to harm', () => {
  const said: Readonly<Record<string, RegExp>> = {
    'calls os.system': /names "posix\.system".*nothing of it was run/,
    'calls builtins.eval by STACK_GLOBAL': /names "builtins\.eval"/,
    'makes an object by NEWOBJ': /NEWOBJ/,
    'makes an object by INST': /INST/,
    'a zip bomb': /"a\/data\.pkl" is compressed \(\d+ bytes that would become 4294967280\)/,
    'a compressed checkpoint': /is compressed/,
    'a pickle of lists without end': /far more values/,
    'a pickle of dicts without end': /far more values/,
    'a pickle of marks without end': /far more values/,
    'a pickle of strings without end': /far more values/,
    'a pickle that doubles': /holds no dict/,
    'a pickle larger than any': /data\.pkl of \d+ bytes is larger/,
    'a text of 4 GiB': /ends in the middle/,
    'a tensor outside its storage': /shape \[2\] does not fit its storage of 2 elements/,
    'a tensor that repeats its storage': /does not fit its storage of 2 elements/,
    'a shape that overflows': /no shape of whole numbers/,
    'a negative shape': /no shape of whole numbers/,
    'a storage that is shorter than it says': /has 8 bytes, but 1125899906842624 elements/,
    'a storage that is not there': /storage \.\.\/\.\.\/etc\/passwd is missing/,
    'a dtype that nobody knows': /QInt8Storage/,
    'NaN among the weights': /tensor w holds NaN at place 1/,
    'NaN at the end of 256 MiB': /tensor w holds NaN at place 67108863/,
    'a thousand names for one storage with NaN': /tensor w\d+ holds NaN at place 1048575/,
    'integers for weights': /holds weights that are no floats: 1 of 1\n  image_encoder\.trunk\.patch_embed\.proj\.weight is i64\[2\]/,
    'cut in the middle': /cut short/,
    'cut before its end': /cut short/,
    'a safetensors header of 2^60 bytes': /header would be 1152921504606846976 bytes/,
    'a safetensors header of 64 MiB': /above the \d+ that any network needs/,
    'a safetensors header of lists': /more parts than any network/,
    'a safetensors header that nests': /more parts than any network/,
    'a truncated safetensors file': /tensors end at byte 466, but the file has 266/,
    'overlapping safetensors': /inside the one before it/,
    'NaN in a safetensors file': /tensor w holds NaN at place 1/,
    'an unknown dtype of safetensors': /dtype "F8_E4M3"/,
  };
  let cost: Cost;
  beforeAll(() => {
    const own = join(folder, 'hostile');
    mkdirSync(own);
    writeFileSync(join(own, 'files.json'), JSON.stringify(hostileFiles(own)));
    // a process of its own: memory that the tests use is not counted
    cost = JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('hostile.ts', import.meta.url)), own], { encoding: 'utf8' })) as Cost;
  }, 60_000);

  it('is refused: every file', () => { expect(cost.refusals.map((r) => r.name).sort()).toEqual(Object.keys(said).sort()); });
  it.each(Object.entries(said))('%s', (name, message) => {
    const refusal = cost.refusals.find((r) => r.name === name)!;
    expect(refusal.said).toMatch(message);
    expect(refusal.ms).toBeLessThan(2000);
  });
  it('all of them together in less than 200 MB', () => { expect(cost.peak).toBeLessThan(200); });
  it('and nothing of it ran', () => { expect(readdirSync(process.cwd()).filter((f) => f.startsWith('hostile-was-here'))).toEqual([]); });

  it('a checkpoint cut at any place is refused', () => {
    const bytes = readFileSync(golden('kinds.pt')), path = join(folder, 'cut.pt');
    for (let size = 0; size < bytes.length; size += 37) {
      writeFileSync(path, bytes.subarray(0, size));
      expect(() => { readWhole(path); }, `${size} bytes`).toThrow(UserError);
    }
  });
  it('a damaged byte gives values or a reason, never a fault', () => {
    const bytes = readFileSync(golden('kinds.pt')), path = join(folder, 'flipped.pt');
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), (flips) => {
      const damaged = Buffer.from(bytes);
      for (const [at, value] of flips) damaged[at] = value;
      writeFileSync(path, damaged);
      try { readWhole(path); } catch (error) { expect(error).toBeInstanceOf(UserError); }
    }), { numRuns: 400 });
  });
  it('calls, attributes and lists of the wrong things are refused, whatever stands where', () => {
    const one = tensor(int(2), int(0), [int(2)], [int(1)]);
    const cases: readonly [Buffer, RegExp][] = [
      [call(text('print'), int(1)), /calls what is no function/],
      [call(global('torch', 'FloatStorage'), int(1)), /calls what is no function/],
      [call(global('torch._utils', '_rebuild_parameter'), text('x')), /holds no tensor/],
      [call(global('torch._utils', '_rebuild_tensor_v2'), text('x'), int(0), tuple(), tuple()), /no storage/],
      [Buffer.concat([one, raw(0x7d), Buffer.from('b')]), /sets attributes of what has none/],
      [Buffer.concat([one, int(1), Buffer.from('a')]), /appends to what is no list/],
      [Buffer.from('tt'), /takes what is not there/],
      [raw(0x68, 200), /recalls what was not there/],
    ];
    for (const [value, message] of cases) expect(() => { readWhole(archive(folder, 'case', pickled({ w: value }))); }).toThrow(message);
    expect(valuesIn(archive(folder, 'case', pickled({ w: one }))).get('w')).toEqual({ shape: [2], values: [1, 2] });
  });
  it('a view that is spread over a whole file is not gathered', () => {
    const far = archive(folder, 'far', pickled({ w: tensor(int(5000), int(0), [int(2)], [int(4999)]) }), Array.from({ length: 5000 }, (_, i) => i));
    expect(() => { readWhole(far); }).toThrow(/2 elements is spread over 5000/);
  });
  it('entries that overlap or stand twice are refused', () => {
    const item = (name: string, size: number): { name: string; size: number; bytes: () => Uint8Array } => ({ name, size, bytes: () => Buffer.alloc(size) });
    const path = join(folder, 'twice.zip');
    writeZip(path, [item('a', 10), item('a', 10)]);
    expect(() => withFile(path, zipEntries)).toThrow(/holds "a" twice/);
    writeZip(path, [item('a', 10), item('b', 10)]);
    const bytes = readFileSync(path), central = bytes.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    for (const at of [20, 24]) bytes.writeUInt32LE(150, central + at); // `a` now reaches into `b`
    writeFileSync(path, bytes);
    expect(() => withFile(path, zipEntries)).toThrow(/"a" reaches into the entry after it/);
  });
});
