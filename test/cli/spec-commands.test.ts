// check, inspect, fmt, explain: what they print, and their exit codes. The JSON is a contract: other tools read it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import type { Inspection } from '../../runtime/report/counts.js';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const folder = folderOf({
  'tiny.tps': TINY,
  'wrong.tps': TINY.replace('group_norm(4)', 'group_norm(3)').replace('epochs = 2', 'epoch = 2'),
  'warned.tps': TINY.replace('from std.loss import structure', 'from std.loss import structure, bce'),
  'uses.tps': TINY.replace('edition 1', 'edition 1\nfrom "./part.tps" import stem').replace('conv(width, kernel: 4, stride: 4)', 'stem(width)'),
  'part.tps': 'edition 1\n\nblock stem(width: int)(x: f32[B, C, H, W]) -> f32[B, width, _, _] {\n  return x |> conv(width, kernel: 4, stride: 3)\n}\n',
});
const at = (name: string): string => join(folder, name);

describe('check', () => {
  it('says ok, and what it saw', async () => {
    expect(await tpsc(['check', at('tiny.tps')])).toEqual({ code: 0, out: `ok ${at('tiny.tps')}: Tiny, 2 tasks\n`, err: '' });
  });
  it('shows all mistakes with their places and exits with 1', async () => {
    const { code, out } = await tpsc(['check', at('wrong.tps')]);
    expect(code).toBe(1);
    expect(out).toMatch(/error\[TPS3004\]: .*\n +--> .*wrong\.tps:13:\d+\n/);
    expect(out).toContain('C % groups == 0');
    expect(out).toContain('error[TPS6001]');
    expect(out).toMatch(/\n3 errors\n$/); // the misspelt entry, and the missing one
  });
  it('exits with 0 where there are warnings alone', async () => {
    const { code, out } = await tpsc(['check', at('warned.tps')]);
    expect({ code, warned: out.includes('warning[TPS7005]'), last: out.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, warned: true, last: `ok ${at('warned.tps')}: Tiny, 2 tasks, 1 warning` });
  });
  it('gives the JSON of the contract, alone on standard output', async () => {
    const { code, out, err } = await tpsc(['check', at('wrong.tps'), '--format', 'json']);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    const json = JSON.parse(out);
    expect(Object.keys(json)).toEqual(['ok', 'diagnostics']);
    expect(json.ok).toBe(false);
    for (const d of json.diagnostics) {
      expect(Object.keys(d)).toEqual(['code', 'severity', 'message', 'help', 'file', 'range', 'related']);
      expect(d.file).toBe(at('wrong.tps'));
      expect(Object.keys(d.range.start)).toEqual(['line', 'column']);
    }
    expect(JSON.parse((await tpsc(['check', at('tiny.tps'), '--format', 'json'])).out)).toEqual({ ok: true, diagnostics: [] });
  });
  it('checks a variant by #NAME, with the flags that choose a program', async () => {
    expect((await tpsc(['check', `${at('tiny.tps')}#wide`])).code).toBe(0);
    expect((await tpsc(['check', `${at('tiny.tps')}#wider`])).out).toContain('error[TPS5008]');
    expect((await tpsc(['check', at('tiny.tps'), '--set', 'width=6'])).out).toContain('error[TPS5007]');
    expect((await tpsc(['check', at('tiny.tps'), '--tasks', 'SL,XX'])).out).toContain('error[TPS5010]');
  });
  it('tells mistakes of an imported file where they are', async () => {
    const { out } = await tpsc(['check', at('uses.tps')]);
    expect(out).toContain('uses.tps');
    expect(out).toMatch(/ok .*uses\.tps/);
  });
});

describe('inspect', () => {
  const inspect = async (...argv: readonly string[]): Promise<Inspection> => JSON.parse((await tpsc(['inspect', ...argv, '--format', 'json'])).out) as Inspection;
  const total = (width: number, tasks: number): number => 3 * 16 * width + width + 2 * width + tasks * (width + 1);

  it('gives the JSON of the contract; modules sum to the totals', async () => {
    const json = await inspect(at('tiny.tps'));
    expect(Object.keys(json)).toEqual(['name', 'variant', 'hash', 'tasks', 'parameters', 'macs', 'modules']);
    expect(json).toMatchObject({ name: 'Tiny', variant: null, tasks: ['TN', 'SL'], parameters: { total: total(8, 2), trainable: total(8, 2), frozen: 0, buffers: 0 } });
    expect(json.macs.total).toBe(3 * 16 * 8 * 64 + 8 * 64);
    expect(Object.keys(json.modules[0]!)).toEqual(['path', 'parameters', 'macs', 'output']);
    expect(json.modules.reduce((sum, m) => sum + m.parameters, 0)).toBe(json.parameters.total);
    expect(json.modules.reduce((sum, m) => sum + m.macs, 0)).toBe(json.macs.total);
  });
  it('follows variant, --set and --tasks, and names them by hash', async () => {
    const all = await Promise.all([inspect(at('tiny.tps')), inspect(`${at('tiny.tps')}#wide`), inspect(at('tiny.tps'), '--set', 'width=16'), inspect(at('tiny.tps'), '--tasks', 'SL')]);
    expect(all.map((j) => j.parameters.total)).toEqual([total(8, 2), total(16, 2), total(16, 2), total(8, 1)]);
    expect(all[1]!.variant).toBe('wide');
    expect(all[1]!.hash).toBe(all[2]!.hash);
    expect(new Set(all.map((j) => j.hash)).size).toBe(3);
  });
  it('counts the reference U-Net', async () => {
    expect(await inspect(join(packageRoot, 'models', 'unet.tps'))).toMatchObject({ parameters: { total: 31_037_633 } });
  });
  it('prints a tree', async () => {
    const { out } = await tpsc(['inspect', at('tiny.tps')]);
    expect(out).toMatch(/^module +parameters +MACs +output\nTiny +426 /);
    expect(out).toMatch(/memory +about 1\.66 KiB of weights/);
  });
  it('tells the mistakes of a faulty spec, as JSON where JSON is asked for', async () => {
    expect(await tpsc(['inspect', at('wrong.tps')])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('TPS3004') });
    expect(JSON.parse((await tpsc(['inspect', at('wrong.tps'), '--format', 'json'])).out)).toMatchObject({ ok: false });
  });
});

describe('fmt', () => {
  const loose = TINY.replace('  layer down = conv(width, kernel: 4, stride: 4)', '     layer   down=conv( width,kernel:4 , stride: 4 )');
  it('prints, checks and writes', async () => {
    const path = join(folderOf({ 'loose.tps': loose }), 'loose.tps');
    const printed = (await tpsc(['fmt', path])).out;
    expect(printed).toContain('  layer down = conv(width, kernel: 4, stride: 4)\n');
    expect(await tpsc(['fmt', '--check', path])).toMatchObject({ code: 1, out: `${path}\n` });
    expect(await tpsc(['fmt', '--write', path])).toMatchObject({ code: 0, out: '' });
    expect(readFileSync(path, 'utf8')).toBe(printed);
    expect(await tpsc(['fmt', '--check', path])).toMatchObject({ code: 0, out: '' });
  });
  it('is a filter', async () => {
    expect((await tpsc(['fmt'], { readStdin: async () => loose })).out).toBe((await tpsc(['fmt', '-'], { readStdin: async () => TINY })).out);
  });
  it('leaves alone what does not parse', async () => {
    const path = join(folderOf({ 'broken.tps': TINY.replace('conv(width,', 'conv(width') }), 'broken.tps');
    expect(await tpsc(['fmt', '--write', path])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('TPS1001') });
    expect(readFileSync(path, 'utf8')).toContain('conv(width kernel');
  });
  it('refuses what excludes itself', async () => {
    expect((await tpsc(['fmt', '--write', '--check', 'x.tps'])).code).toBe(2);
    expect((await tpsc(['fmt', '--write'])).code).toBe(2);
  });
});

describe('explain', () => {
  it('prints the page of a code, however it is written', async () => {
    const page = (await tpsc(['explain', 'TPS3001'])).out;
    expect(page).toMatch(/^# TPS3001: /);
    for (const way of ['tps3001', '3001']) expect((await tpsc(['explain', way])).out).toBe(page);
  });
  it('lists all codes, and knows near ones', async () => {
    expect((await tpsc(['explain'])).out).toMatch(/^TPS1001 {2}error /);
    expect(await tpsc(['explain', 'TPS30011'])).toMatchObject({ code: 2, err: expect.stringContaining('did you mean TPS3001?') });
  });
});
