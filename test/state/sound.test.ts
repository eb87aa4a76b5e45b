// What no spec can want of a file of weights is found in every type of float, wherever it lies, and nothing else is refused.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requireSound } from '../../runtime/state/sound.js';
import { withTensorFile } from '../../runtime/state/tensor-file.js';
import { safetensors } from './hostile.js';
import { archive, int, pickled, tensor } from './pickles.js';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'sound-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const look = (path: string): void => { withTensorFile(path, undefined, requireSound); };

/** Little-endian elements: one, infinity, minus infinity, largest finite; and a quiet and a signalling NaN. */
const FLOATS: Readonly<Record<string, { readonly width: number; readonly fine: readonly bigint[]; readonly none: readonly bigint[] }>> = {
  F64: { width: 8, fine: [0x3ff0000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7fefffffffffffffn], none: [0x7ff8000000000000n, 0xfff0000000000001n] },
  F32: { width: 4, fine: [0x3f800000n, 0x7f800000n, 0xff800000n, 0x7f7fffffn], none: [0x7fc00000n, 0xff800001n] },
  F16: { width: 2, fine: [0x3c00n, 0x7c00n, 0xfc00n, 0x7bffn], none: [0x7e00n, 0xfc01n] },
  BF16: { width: 2, fine: [0x3f80n, 0x7f80n, 0xff80n, 0x7f7fn], none: [0x7fc0n, 0xff81n] },
};
const bytes = (width: number, values: readonly bigint[]): Buffer => Buffer.concat(values.map((v) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(v); return b.subarray(0, width); }));

it.each(Object.entries(FLOATS))('%s: a NaN is found, infinities are left to the map', (dtype, { width, fine, none }) => {
  const file = (name: string, values: readonly bigint[]): string =>
    safetensors(folder, `${dtype}-${name}`, JSON.stringify({ before: { dtype: 'BOOL', shape: [3], data_offsets: [0, 3] }, mask: { dtype, shape: [values.length], data_offsets: [3, 3 + values.length * width] } }), Buffer.concat([Buffer.alloc(3, 1), bytes(width, values)]));
  expect(() => { look(file('fine', fine)); }).not.toThrow();
  none.forEach((v, i) => { expect(() => { look(file(`nan-${i}`, [...fine, v, ...fine])); }).toThrow('tensor mask holds NaN at place 4'); });
});

it('a NaN behind the first piece, and in a storage of which two tensors have parts', () => {
  const values = new Array<number>(600_000).fill(0.5);
  values[500_000] = NaN;
  const part = (offset: number, count: number): Buffer => tensor(int(600_000), int(offset), [int(count)], [int(1)]);
  expect(() => { look(archive(folder, 'parts', pickled({ b: part(400_000, 200_000), a: part(0, 450_000) }), values)); }).toThrow('tensor b holds NaN at place 100000');
  // what no tensor shows is nobody's
  expect(() => { look(archive(folder, 'apart', pickled({ b: part(500_001, 99_999), a: part(0, 500_000) }), values)); }).not.toThrow();
});

it('integers are counters and indices, but no weights', () => {
  const file = (name: string): string => safetensors(folder, 'integer', JSON.stringify({ [name]: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }), Buffer.alloc(8));
  for (const name of ['bn.num_batches_tracked', 'relative_position_index', 'weighted', 'my_weight']) expect(() => { look(file(name)); }).not.toThrow();
  for (const name of ['weight', 'proj.weight', 'norm1.bias']) expect(() => { look(file(name)); }).toThrow(`${name} is i64[1]`);
});
