// `tpsc diff` by the command line: formats, exit codes, runs, what it refuses.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const spec = (width: number, more = ''): string => `edition 1
from std.loss import structure
model M(image: f32[B, 3, 16, 16]) -> f32[B, 1, 16, 16] {
  layer stem = conv(${width}, kernel: 3, padding: 1)
  let y = stem(image) |> relu
  let logits = y |> conv(1)
  return logits
}
train main of M {
  loss = structure(logits, truth)
  optimizer = adam(lr: 1e-3)
  epochs = 1, batch = 2
  augment = [resize(16)]
}
${more}`;
const root = folderOf({
  'a.tps': spec(4, 'variant V "other <activation>" of main { set M.y = stem(image) |> gelu }\n'), 'same.tps': `# as a\n${spec(4).replace(/\by\b/g, 'z')}`, 'b.tps': spec(6), 'bad.tps': 'edition 1\nmodel',
});
const at = (name: string): string => join(root, name);

describe('what it prints', () => {
  it('text, with what differs alone', async () => {
    const { code, out, err } = await tpsc(['diff', at('a.tps'), at('a.tps#V')]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('y changed\n\ndeclarations\n  - let y = stem(image) |> relu\n  + let y = stem(image) |> gelu\n\nnetwork\n  ~ (model)  -1 relu; +1 gelu\n\ncounts\n');
    expect(out).toContain('all 4 tensors of A\'s checkpoint load into B');
  });
  it('JSON that says the same, with the words of a table', async () => {
    const { out } = await tpsc(['diff', at('a.tps'), at('b.tps'), '--format', 'json']);
    expect(JSON.parse(out)).toMatchObject({ equal: false, elements: { a: { parameters: 4 * 27 + 4 + 4 + 1 }, b: { parameters: 6 * 27 + 6 + 6 + 1 } }, load: { same: 1, reshaped: 3, new: 0, dropped: 0 }, words: expect.stringContaining('+58 parameters') });
  });
  it('a page that asks for nothing else and takes no text for markup', async () => {
    const { out } = await tpsc(['diff', at('a.tps'), at('a.tps#V'), '--format', 'html']);
    expect(out).toMatch(/^<!doctype html>/);
    expect(out).toContain('other &lt;activation&gt;');
    expect(out).not.toMatch(/<script|<link|https?:|src=|url\(/);
  });
  it('Markdown', async () => {
    const { out } = await tpsc(['diff', at('a.tps'), at('a.tps#V'), '--format', 'markdown']);
    expect(out).toContain('```diff\n- let y = stem(image) |> relu\n+ let y = stem(image) |> gelu\n```');
    expect(out).toMatch(/\| parameters \| 117 \| 117 \| 0 \|/);
  });
  it('a patch of the resolved texts, where asked', async () => {
    const { out } = await tpsc(['diff', at('a.tps'), at('b.tps'), '--text']);
    expect(out).toMatch(/^--- .*a\.tps\n\+\+\+ .*b\.tps\n@@ /m);
    expect(out).toContain('-  layer stem = conv(4, kernel: 3, padding: 1)\n+  layer stem = conv(6, kernel: 3, padding: 1)');
  });
  it('that nothing differs, whatever the layout', async () => {
    const { code, out } = await tpsc(['diff', at('a.tps'), at('same.tps'), '--exit-code']);
    expect(code).toBe(0);
    expect(out).toMatch(/Nothing differs that could change a number: both have the hash [0-9a-f]{64}\n$/);
  });
});

describe('a run', () => {
  it('is what it was trained from: its own spec is equal, an edited one is not', async () => {
    const home = folderOf({ 'tiny.tps': TINY, 'edited.tps': TINY.replace('|> gelu', '|> relu') });
    const [run, data] = [join(home, 'run'), join(home, 'data')];
    await tpsc(['data', 'phantom', '--out', data, '--size', '32', '--train', '4', '--val', '1']);
    expect(await tpsc(['train', join(home, 'tiny.tps'), '--data', data, '--out', run, '--max-steps', '1'])).toMatchObject({ code: 0 });
    expect(await tpsc(['diff', run, join(home, 'tiny.tps'), '--exit-code'])).toMatchObject({ code: 0, out: expect.stringContaining('Nothing differs') });
    const { code, out } = await tpsc(['diff', run, join(home, 'edited.tps'), '--exit-code']);
    expect(code).toBe(1);
    expect(out).toContain(`A  ${run}\n`);
    expect(out).toContain('~ (model)  -1 gelu; +1 relu');
  });
});

describe('how it ends', () => {
  it.each([
    [['b.tps', '--exit-code'], 1], [['b.tps'], 0], [['b.tps', '--text', '--exit-code'], 1], [['a.tps', '--text', '--exit-code'], 0],
    [['gone.tps'], 1], [['bad.tps'], 1], [['a.tps#W'], 1], [['b.tps', '--text', '--format', 'json'], 2], [['b.tps', '--exitcode'], 2], [[], 2],
  ] as const)('%j: %i', async (args, code) => {
    const [other, ...flags] = args;
    const said = await tpsc(['diff', at('a.tps'), ...(other === undefined ? [] : [at(other)]), ...flags]);
    expect(said.code).toBe(code);
    expect(said.err).not.toContain('fault');
  });
});
