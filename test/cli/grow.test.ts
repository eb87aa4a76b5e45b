// A ninth task, as a user adds it: eight phantom tasks, a run on seven, the eighth added; what the command says, and what it refuses.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const FOLDERS = { WA: 'wet_amd', BT: 'brain_tumor', ADC: 'adenocarcinoma', TN: 'thyroid_nodule', CP: 'colon_polyp', LI: 'lung_infection', BL: 'breast_lesion', SL: 'skin_lesion' };
const OLD = Object.keys(FOLDERS).filter((code) => code !== 'CP');
const rows = Object.entries(FOLDERS).map(([code, name]) => `  ${code} "${name}" { folder: "${name}" }`).join('\n');
const eight = TINY.replace(/tasks lesions \{[^}]*\}[^}]*\}\n\}/, `tasks lesions {\n${rows}\n}`);
const folder = folderOf({ 'eight.tps': eight, 'seven.tps': eight.replace(/ {2}CP .*\n/, ''), 'wide.tps': eight.replace('width: int = 8', 'width: int = 16') });
const at = (name: string): string => join(folder, name);
const data = at('phantom'), old = at('seven'), grown = at('grown');
const add = (spec: string, out: string, ...more: string[]): ReturnType<typeof tpsc> =>
  tpsc(['train', at(spec), '--add-task', 'CP', '--from', old, '--data', data, '--out', out, '--threads', '1', ...more]);
let said: Awaited<ReturnType<typeof tpsc>>;

beforeAll(async () => {
  await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '32', '--train', '6', '--val', '2']);
  expect(await tpsc(['train', at('eight.tps'), '--tasks', OLD.join(','), '--data', data, '--out', old, '--threads', '1'])).toMatchObject({ code: 0 });
  said = await add('eight.tps', grown, '--epochs', '3');
});

describe('train --add-task', () => {
  it('counts what grows, module by module, trains that on the new task, and shows that the others stayed', () => {
    expect(said.code).toBe(0);
    expect(said.err).toMatch(/^module +before +after +growth +trainable\ndown +392 +392 +0 +0\ngroup_norm +16 +16 +0 +0\nconv +63 +72 +9 +9\nall +471 +480 +9 +9$/m);
    expect(said.err).toContain(`CP is added to the 7 tasks of ${old}: 9 parameters more (1.91 %), and nothing else is trained`);
    expect(said.err).toContain('6 images, 3 epochs of 2 steps');
    expect(said.err).not.toContain('warning');
    expect(said.out).toMatch(/bit-identical/);
    expect(said.out).toContain(`predictions of ${OLD.join(', ')}: bit-identical to those of ${old} (2 images each)`);
  });
  it('leaves the scores and the masks of the other tasks as they are', async () => {
    const scores = async (run: string, ...flags: string[]) => JSON.parse((await tpsc(['eval', run, '--data', data, '--format', 'json', '--threads', '1', ...flags])).out).perTask;
    const [before, after] = [await scores(old), await scores(grown)];
    expect(Object.keys(after)).toEqual(Object.keys(FOLDERS));
    for (const code of OLD) expect(after[code]).toEqual(before[code]);
    const image = join(data, 'skin_lesion', 'images', readdirSync(join(data, 'skin_lesion', 'images'))[0]!);
    for (const [run, out] of [[old, 'before'], [grown, 'after']] as const) await tpsc(['predict', run, '--task', 'SL', '--input', image, '--out', at(out), '--threads', '1']);
    const [mask] = readdirSync(at('before')).filter((name) => name.endsWith('_mask.png'));
    expect(readFileSync(join(at('after'), mask!)).equals(readFileSync(join(at('before'), mask!)))).toBe(true);
    const { out } = await tpsc(['weights', 'diff', old, grown]);
    expect(out).toMatch(/0 different, 0 of another type, 2 in one file only\n$/);
  });
  it('makes a run like any: it predicts the new task, is exported, and resumes', async () => {
    const image = join(data, 'colon_polyp', 'images', readdirSync(join(data, 'colon_polyp', 'images'))[0]!);
    expect(await tpsc(['predict', grown, '--task', 'CP', '--input', image, '--out', at('cp')])).toMatchObject({ code: 0 });
    expect(await tpsc(['compile', grown, '--target', 'onnx', '--out', at('grown.onnx')])).toMatchObject({ code: 0 });
    await add('eight.tps', at('stopped'), '--epochs', '3', '--max-steps', '3');
    const resumed = await add('eight.tps', at('stopped'), '--epochs', '3', '--resume');
    expect(resumed.out).toContain('bit-identical');
    expect(readFileSync(join(at('stopped'), 'metrics.jsonl'), 'utf8')).toBe(readFileSync(join(grown, 'metrics.jsonl'), 'utf8'));
  });
  it('reads the folder of the new task alone: the others\' images need not be there', async () => {
    const alone = folderOf({});
    cpSync(join(data, 'colon_polyp'), join(alone, 'colon_polyp'), { recursive: true });
    const { code, out } = await tpsc(['train', at('eight.tps'), '--add-task', 'CP', '--from', old, '--data', alone, '--out', at('alone'), '--epochs', '1']);
    expect([code, out.includes('bit-identical')]).toEqual([0, true]);
  });
});

describe('is refused, before anything is written', () => {
  const refused = async (words: readonly string[], code: number, message: string | RegExp): Promise<void> => {
    const said = await tpsc(['train', ...words, '--data', data, '--out', at('never')]);
    expect(said).toMatchObject({ code, out: '' });
    expect(said.err).toMatch(message);
    expect(readdirSync(folder)).not.toContain('never');
  };
  it('where the spec has no such task, with the row to write', () => refused([at('seven.tps'), '--add-task', 'CP', '--from', old], 1, /has no task CP\n.*help: Write its row into the spec's tasks: CP "Its name" \{ folder: "its_folder" \}/));
  it('where the run has it already', () => refused([at('eight.tps'), '--add-task', 'CP', '--from', grown], 1, /knows the task CP already/));
  it('where the run is of other tasks, or another network', async () => {
    await refused([at('eight.tps'), '--tasks', 'WA,BT,CP', '--add-task', 'CP', '--from', old], 1, /was trained on WA, BT, ADC.*; without CP, .* has WA, BT\n.*--tasks WA,BT,ADC,TN,LI,BL,SL,CP/s);
    await refused([at('wide.tps'), '--add-task', 'CP', '--from', old], 1, /is of another network than .*wide\.tps without CP: its width is 8, not 16/);
  });
  it('where the flags do not go together', async () => {
    await refused([at('eight.tps'), '--add-task', 'CP'], 2, /--add-task needs --from/);
    await refused([at('eight.tps'), '--from', old], 2, /--from needs --add-task/);
    await refused([at('eight.tps'), '--add-task', 'CP', '--from', old, '--weights', old], 2, /--weights does not go with --add-task/);
    await refused([at('eight.tps'), '--add-task', 'CP', '--from', at('nowhere')], 1, /is no run directory/);
  });
});
