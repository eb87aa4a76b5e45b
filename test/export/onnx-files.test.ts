// Files as pairs: what lies where in external data, and what is on the disk whatever happens while they are written.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type * as NodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { TensorValue } from '../../compiler/bindings.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { toOnnx, type OnnxModel } from '../../compiler/targets/onnx/index.js';
import { f32, i64 } from '../../runtime/engines/engine.js';
import { dataLocation, writeOnnx } from '../../runtime/export/onnx-files.js';
import { openOnnxFile } from '../../runtime/train/onnx-file.js';
import { B, input, numbers, param } from '../ir/support.js';

/** What a kill would have left, just before each rename. */
const moments = vi.hoisted(() => [] as { readonly renames: string; readonly there: readonly string[] }[]);
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>();
  return { ...fs, renameSync: (from: string, to: string) => {
    moments.push({ renames: basename(to), there: fs.readdirSync(dirname(to)).filter((name) => name.startsWith(basename(to).split('.')[0] ?? '')) });
    fs.renameSync(from, to);
  } };
});

const folder = mkdtempSync(join(tmpdir(), 'tpsc-onnx-files-'));
afterAll(() => { rmSync(folder, { recursive: true }); });
const at = (name: string): string => join(folder, name);

const floats = (name: string, shape: readonly number[]): TensorValue => ({ shape, read: () => Float32Array.from(numbers(name, shape).data) });
const TENSORS = new Map([['bias', floats('bias', [40])], ['head.WA', floats('a', [40, 40])], ['head.SL', floats('b', [40, 40])], ['wide', floats('wide', [40, 8000])], ['back', floats('back', [8000, 40])]]);

/** x -> (x head_t wide back + bias) [B, 40], tensors outside from `from` bytes on. */
function model(file: string, from: number, tensors: ReadonlyMap<string, TensorValue> = TENSORS): OnnxModel {
  const b = new GraphBuilder();
  const through = [param(b, 'head.{task}', [40, 40]), param(b, 'wide', [40, 8000]), param(b, 'back', [8000, 40])].reduce((x, w) => b.add('matmul', [x, w]), input(b, 'x', [B, 40]));
  const graph = b.finish([{ name: 'y', id: b.addition(through, b.reshape(param(b, 'bias', [40]), [1, 40])) }]);
  return toOnnx(graph, { producerVersion: '0', tasks: ['WA', 'SL'], tensors, external: { location: dataLocation(file), from } });
}
async function outputs(file: string): Promise<readonly number[]> {
  const open = await openOnnxFile(file, 1);
  try { return [...(await open.run({ x: f32([1, 40], [...numbers('x', [40]).data]), t: i64(1) }))['y']!.data as Float32Array]; } finally { await open.dispose(); }
}

describe('external data', () => {
  it('hold every tensor from 1 KiB on, on pages of 4 KiB, large ones of 64 KiB; the small ones stay in the file', () => {
    const { external } = model('net.onnx', 0);
    const [head, ...large] = external?.tensors ?? [];
    expect(external?.location).toBe('net.onnx.data');
    expect([head?.name, head?.offset, head?.byteLength]).toEqual(['head.*', 0, 2 * 40 * 40 * 4]);
    expect(large.map((t) => [t.name, t.offset])).toEqual([['wide', 65536], ['back', 65536 + 1310720]]);
    expect(external?.byteLength).toBe(65536 + 1310720 + 1280000);
  });
  it('begin at the size that is asked for, counted over all tensors', () => {
    const bytes = 4 * (40 + 2 * 1600 + 2 * 320000);
    const reshape = 2 * 8; // the shape [1, 40]
    expect(model('net.onnx', bytes + reshape).external).toBeDefined();
    expect(model('net.onnx', bytes + reshape + 1).external).toBeUndefined();
  });
  it('give what the tensors in the file give, and a stack is written copy by copy', async () => {
    writeOnnx(at('in.onnx'), model(at('in.onnx'), Infinity));
    const beside = model(at('out.onnx'), 0);
    writeOnnx(at('out.onnx'), beside);
    expect([...beside.external?.tensors[0]?.pieces() ?? []].map((p) => p.byteLength)).toEqual([6400, 6400]);
    expect(statSync(at('out.onnx.data')).size).toBe(beside.external?.byteLength);
    expect(statSync(at('out.onnx')).size).toBeLessThan(3000);
    expect(await outputs(at('out.onnx'))).toEqual(await outputs(at('in.onnx')));
  });
  it('are read one tensor at a time, when they are written', () => {
    const read: string[] = [];
    const watched = new Map([...TENSORS].map(([path, { shape, read: values }]): [string, TensorValue] => [path, { shape, read: () => { read.push(path); return values(); } }]));
    const made = model(at('watched.onnx'), 0, watched);
    expect(read).toEqual(['bias']);
    writeOnnx(at('watched.onnx'), made);
    expect(read).toEqual(['bias', 'head.WA', 'head.SL', 'wide', 'back']);
  });
});

describe('a pair on the disk', () => {
  it('is the old one where the new one could not be written', async () => {
    const file = at('kept.onnx');
    writeOnnx(file, model(file, 0));
    const before = await outputs(file);
    const failing = new Map([...TENSORS, ['back', { shape: [8000, 40], read: () => { throw new Error('the disk is full'); } }]]);
    expect(() => { writeOnnx(file, model(file, 0, failing)); }).toThrow('the disk is full');
    expect(await outputs(file)).toEqual(before);
    expect(readFileSync(file).length).toBe(model(file, 0).bytes.length);
  });
  it('never is a file with the data of another: the old file goes before its data are replaced', async () => {
    const file = at('order.onnx');
    writeOnnx(file, model(file, 0));
    moments.length = 0;
    writeOnnx(file, model(file, 0));
    expect(moments).toEqual([{ renames: 'order.onnx.data', there: ['order.onnx.data'] }, { renames: 'order.onnx', there: ['order.onnx.data'] }]);
    expect(await outputs(file)).toHaveLength(40);
  });
  it('leaves no stale data behind where the new file needs none, and no temporary file', () => {
    const file = at('stale.onnx');
    writeFileSync(`${file}.data`, 'old');
    writeOnnx(file, model(file, Infinity));
    expect(existsSync(`${file}.data`)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
