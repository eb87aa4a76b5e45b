// tpsc weights: what it prints, what it writes, and its exit codes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { f32 } from '../../runtime/engines/engine.js';
import { writeSafetensors } from '../../runtime/state/safetensors.js';
import { folderOf, tpsc } from './harness.js';

const golden = (name: string): string => fileURLToPath(new URL(`../oracle/golden/weights/${name}`, import.meta.url));
const spec = (embed: number): string => `edition 1
from std.hiera import hiera, sam2

model M(image: f32[B, 3, 32, 32]) -> f32[B, 1, 32, 32] {
  encoder enc = hiera(embed: ${embed}, heads: 1, depths: [1, 1], global: [1], windows: [4, 4])(image) with { frozen: true, weights: sam2 }
  return enc.stages[0] |> conv(1) |> resize([32, 32])
}

variant wide of M {
  set M.enc = hiera(embed: 8, heads: 1, depths: [1, 1], global: [1], windows: [4, 4])(image)
}
`;
const folder = folderOf({ 'net.tps': spec(4), 'wide.tps': spec(8), 'broken.tps': spec(4).replace('conv(1)', 'convv(1)') });
const at = (name: string): string => join(folder, name);

describe('weights list', () => {
  it('prints names, dtypes and shapes, and sums them', async () => {
    const { code, out } = await tpsc(['weights', 'list', golden('official.pt')]);
    expect(code).toBe(0);
    expect(out).toMatch(/^tensor +dtype +shape +values\n/);
    expect(out).toMatch(/image_encoder\.trunk\.patch_embed\.proj\.weight +f32 +\[4, 3, 7, 7\] +588\n/);
    expect(out).toContain('(torch, state dict `model`): 33 tensors, 1,918 values');
  });
  it('gives JSON', async () => {
    expect(JSON.parse((await tpsc(['weights', 'list', golden('training.pt'), '--format', 'json'])).out)).toEqual({
      file: golden('training.pt'), format: 'torch', entry: 'model_state_dict', tensors: [{ name: 'w', dtype: 'f32', shape: [1] }], values: 1, bytes: 4, aside: ['epoch', 'optimizer', 'best_dice'],
    });
  });
  it('refuses what would run, and exits with 1', async () => {
    const said = await tpsc(['weights', 'list', golden('os-system.pt')]);
    expect(said).toMatchObject({ code: 1, out: '' });
    expect(said.err).toContain('posix.system');
  });
  it('takes an entry', async () => {
    expect((await tpsc(['weights', 'list', golden('several.pt')])).err).toContain('--entry');
    expect((await tpsc(['weights', 'list', golden('several.pt'), '--entry', 'ema'])).code).toBe(0);
    expect(await tpsc(['weights', 'list', at('absent.pt')])).toMatchObject({ code: 1 });
  });
});

describe('weights import, export, diff', () => {
  it('there and back', async () => {
    const imported = await tpsc(['weights', 'import', golden('official.pt'), '--spec', at('net.tps'), '--out', at('w.safetensors')]);
    expect(imported).toMatchObject({ code: 0, err: '' });
    expect(imported.out).toContain('30 tensors (1,904 values)');
    expect(imported.out).toContain('3 keys outside the map, left out: maskmem_tpos_enc, image_encoder.neck.* (1), memory_attention.* (1)');
    expect(imported.out).toContain('2 tensors of the spec that the file does not give: conv.* (2)');
    expect(imported.out).toContain(`next: tpsc train ${at('net.tps')} --weights ${at('w.safetensors')}`);
    expect((await tpsc(['weights', 'export', at('w.safetensors'), '--out', at('own.pt')])).out).toContain('30 tensors');
    expect((await tpsc(['weights', 'export', at('w.safetensors'), '--spec', at('net.tps'), '--map', 'sam2', '--entry', 'model', '--out', at('back.pt')])).code).toBe(0);
    const { out } = await tpsc(['weights', 'diff', golden('official.pt'), at('back.pt'), '--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({ equal: 30, different: [], onlyB: [], unlike: [] });
    expect((await tpsc(['weights', 'diff', at('own.pt'), at('w.safetensors')])).out).toBe('30 tensors equal bit for bit, 0 different, 0 of another type, 0 in one file only\n');
  });
  it('gives the report as JSON alone', async () => {
    const { out } = await tpsc(['weights', 'import', golden('official.pt'), '--spec', at('net.tps'), '--out', at('j.safetensors'), '--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({ map: 'sam2', values: 1904, untouched: ['conv.weight', 'conv.bias'], imported: expect.arrayContaining([{ path: 'enc.pos_embed', key: 'image_encoder.trunk.pos_embed' }]) });
  });
  it('names what does not fit, exits with 1 and writes nothing', async () => {
    for (const which of [at('wide.tps'), `${at('net.tps')}#wide`]) {
      const said = await tpsc(['weights', 'import', golden('official.pt'), '--spec', which, '--out', at('never.safetensors')]);
      expect(said).toMatchObject({ code: 1, out: '' });
      expect(said.err).toContain('30 of another shape or dtype');
      expect(existsSync(at('never.safetensors'))).toBe(false);
    }
  });
  it('refuses a file that no spec can want before it reads the spec', async () => {
    writeSafetensors(at('nan.safetensors'), new Map([['w', f32([2], [1, NaN])]]));
    const said = await tpsc(['weights', 'import', at('nan.safetensors'), '--spec', at('broken.tps'), '--out', at('never.safetensors')]);
    expect(said).toMatchObject({ code: 1, out: '' });
    expect(said.err).toContain('tensor w holds NaN at place 1');
    expect(said.err).not.toContain('TPS2001');
  });
  it('tells the mistakes of a faulty spec', async () => {
    expect((await tpsc(['weights', 'import', golden('official.pt'), '--spec', at('broken.tps'), '--out', at('never.safetensors')])).err).toContain('TPS2001');
  });
  it('knows misuse', async () => {
    expect((await tpsc(['weights', 'import', golden('official.pt'), '--out', 'x'])).code).toBe(2);
    expect((await tpsc(['weights', 'export', at('w.safetensors'), '--out', at('x.ckpt')])).code).toBe(2);
    expect((await tpsc(['weights', 'export', at('w.safetensors'), '--map', 'sam2', '--out', at('x.pt')])).err).toContain('needs --spec');
    expect((await tpsc(['weights', 'imprt', 'x'])).err).toContain('did you mean `tpsc weights import`?');
  });
  it('takes runs, and says where a folder is none', async () => {
    const said = await tpsc(['weights', 'diff', golden('official.pt'), folderOf({})]);
    expect(said).toMatchObject({ code: 1, out: '' });
    expect(said.err).toContain('holds no checkpoint');
  });
});
