// The safetensors reader and writer: what is written comes back bit for bit, and a file that lies is refused with a reason.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, type Tensor } from '../../runtime/engines/engine.js';
import { UserError } from '../../runtime/errors.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../../runtime/state/safetensors.js';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'safetensors-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (t: Tensor): Buffer => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength);

/** A file with this header and this many bytes of data; `length` overrides the header length that it claims. */
function forge(name: string, header: string | object, data: number | Uint8Array = 0, length?: bigint): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(length ?? BigInt(text.length));
  const path = join(folder, `${name}.safetensors`);
  writeFileSync(path, Buffer.concat([prefix, text, typeof data === 'number' ? Buffer.alloc(data) : data]));
  return path;
}

describe('round trip', () => {
  it('gives back every bit, name, shape and the metadata', () => {
    fc.assert(fc.property(
      fc.dictionary(fc.string({ minLength: 1 }).filter((s) => s !== '__metadata__'), fc.float32Array({ maxLength: 12, noNaN: true, noDefaultInfinity: true })),
      fc.dictionary(fc.string(), fc.string()),
      (arrays, metadata) => {
        const path = join(folder, 'round.safetensors');
        const tensors = new Map(Object.entries(arrays).map(([name, data]) => [name, f32([data.length], data)]));
        tensors.set('a.scalar', f32([], [Math.PI]));
        tensors.set('a.step', { dtype: 'i64', shape: [1, 2], data: BigInt64Array.of(-1n, 2n ** 62n) } as Tensor);
        writeSafetensors(path, tensors, metadata);
        const read = readSafetensors(path);
        expect([...read.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [name, tensor] of tensors) {
          expect(read.tensors.get(name)!.shape).toEqual(tensor.shape);
          expect(bytes(read.tensors.get(name)!).equals(bytes(tensor)), name).toBe(true);
        }
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort());
      },
    ), { numRuns: 50, examples: [[{ ['__proto__']: Float32Array.of(1) }, { ['__proto__']: 'x' }]] });
  });

  it('starts the data at a multiple of 8 bytes and leaves no temporary file', () => {
    const path = join(folder, 'aligned.safetensors');
    writeSafetensors(path, new Map([['odd', f32([3], [1, 2, 3])]]));
    expect(Number(readFileSync(path).readBigUInt64LE()) % 8).toBe(0);
    expect(readdirSync(folder).filter((f) => f.endsWith('.tmp'))).toEqual([]);
  });

  it('keeps the old file where writing the new one fails', () => {
    const path = join(folder, 'kept.safetensors');
    writeSafetensors(path, new Map([['w', f32([1], [1])]]));
    const faulty = new Map([['w', { ...f32([1], [2]), get data(): Float32Array { throw new Error('disk full'); } }]]);
    expect(() => writeSafetensors(path, faulty)).toThrow('disk full');
    expect([...readSafetensors(path).tensors.get('w')!.data]).toEqual([1]);
  });

  it('widens half floats exactly', () => {
    const half = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000), brain = Uint16Array.of(0x3f80, 0xc000, 0x4049);
    const data = new Uint8Array(16);
    data.set(new Uint8Array(half.buffer), 0);
    data.set(new Uint8Array(brain.buffer), 10);
    const path = forge('half', { h: { dtype: 'F16', shape: [5], data_offsets: [0, 10] }, b: { dtype: 'BF16', shape: [3], data_offsets: [10, 16] } }, data);
    const { tensors } = readSafetensors(path);
    expect([...tensors.get('h')!.data]).toEqual([1, -2, 65504, 2 ** -24, -0]);
    expect([...tensors.get('b')!.data]).toEqual([1, -2, 3.140625]);
  });
});

describe('a file that lies is refused', () => {
  const one = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  const cases: readonly [string, () => string, RegExp][] = [
    ['shorter than a length', () => { const p = join(folder, 'short.safetensors'); writeFileSync(p, 'abc'); return p; }, /3 bytes, fewer than the 8/],
    ['a header of 2^60 bytes', () => forge('huge', {}, 0, 2n ** 60n), /header would be 1152921504606846976 bytes/],
    ['a header beyond the end', () => forge('beyond', {}, 3, 6n), /header would be 6 bytes/],
    ['no JSON', () => forge('json', '{"w":'), /not JSON/],
    ['bytes that are no UTF-8', () => { const p = forge('utf', '{"w": 1}'); const b = readFileSync(p); b[10] = 0xff; writeFileSync(p, b); return p; }, /not JSON/],
    ['a list as header', () => forge('list', '[]'), /not a JSON object/],
    ['an unknown dtype', () => forge('dtype', { w: { ...one, dtype: 'F8_E4M3' } }, 8), /dtype "F8_E4M3"/],
    ['a dtype of Object.prototype', () => forge('proto', { w: { ...one, dtype: 'constructor' } }, 8), /dtype "constructor"/],
    ['a negative dimension', () => forge('negative', { w: { ...one, shape: [-1, -2] } }, 8), /no shape of whole numbers/],
    ['a shape whose product overflows', () => forge('overflow', { w: { ...one, shape: [2 ** 40, 2 ** 40] } }, 8), /needs .* bytes/],
    ['a shape of another size', () => forge('shape', { w: { ...one, shape: [3] } }, 8), /needs 12 bytes, but its offsets \[0, 8\] give 8/],
    ['offsets outside the file', () => forge('outside', { w: { ...one, data_offsets: [8, 16] } }, 8), /after a hole/],
    ['overlapping tensors', () => forge('overlap', { w: one, u: { ...one, data_offsets: [4, 12] } }, 12), /inside the one before it/],
    ['bytes that no tensor owns', () => forge('rest', { w: one }, 9), /end at byte .* but the file has/],
    ['metadata that is no text', () => forge('meta', { __metadata__: { a: 1 }, w: one }, 8), /map of strings/],
    ['a NaN among the weights', () => forge('nan', { w: one }, new Uint8Array(Float32Array.of(1, NaN).buffer)), /tensor w holds NaN at place 1/],
    ['no file at all', () => join(folder, 'absent.safetensors'), /cannot be opened/],
  ];
  it.each(cases)('%s', (_, make, message) => {
    const path = make();
    expect(() => readSafetensors(path)).toThrow(message);
    expect(() => readSafetensors(path)).toThrow(UserError);
  });

  it('cut short at any byte', () => {
    const path = join(folder, 'cut.safetensors');
    writeSafetensors(path, new Map([['w', f32([4], [1, 2, 3, 4])], ['u', f32([1], [5])]]));
    for (let size = readFileSync(path).length - 1; size >= 0; size--) {
      truncateSync(path, size);
      expect(() => readSafetensorsHeader(path), `${size} bytes`).toThrow(UserError);
    }
  });

  it('but NaN passes where it is allowed', () => {
    expect(Number.isNaN(readSafetensors(join(folder, 'nan.safetensors'), { allowNonFinite: true }).tensors.get('w')!.data[1])).toBe(true);
  });
});
