// `tpsc report`: pages of a run and of a study, made from what `tpsc ablate` left; what they say where something is gone; and in a browser, where there is one.
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { dice, scoresOf } from '../../runtime/metrics/index.js';
import { eventsFile } from '../../runtime/tensorboard/events.js';
import { records } from '../../runtime/tensorboard/records.js';
import { readCounts } from '../../runtime/train/evaluation-files.js';
import { readLog } from '../../runtime/train/log.js';
import type { RunRecord } from '../../runtime/train/run-directory.js';
import { ROLES } from '../analyze/spec.js';
import { Browser, findChromium } from '../oracle/chromium.js';
import { faultsOf } from '../oracle/report-page.js';
import { folderOf, tpsc } from './harness.js';

const HOSTILE = '<script>alert(1)</script> & "Skin" \'lesion\'';
const SPEC = `${ROLES.replace('"Skin lesion"', JSON.stringify(HOSTILE)).replace('epochs = 2', 'epochs = 3')}
study parts "What <i>parts</i> are worth" of main {
  rows = [main, plain], baseline = main
  seeds = 2
}
`;
const folder = folderOf({ 'roles.tps': SPEC });
const at = (name: string): string => join(folder, name);
const [data, study] = [at('phantom'), at('study')];
let run = '', base = '';

const page = async (...argv: string[]): Promise<string> => {
  const out = at('page.html');
  expect(await tpsc(['report', ...argv, '-o', out, '--threads', '1'])).toMatchObject({ code: 0, out: expect.stringMatching(/^.*page\.html: \d/), err: '' });
  return readFileSync(out, 'utf8');
};
/** What a reader reads, a line an element. */
const read = (html: string): string => html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '').replace(/<[^>]+>/g, '\n').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&').replace(/\n\s*/g, '\n').trim();
const headings = (html: string): readonly string[] => [...html.matchAll(/<h([12])[^>]*>(.*?)<\/h\1>/g)].map(([, level = '', text = '']) => `${'#'.repeat(Number(level))} ${read(text)}`);
/** The rows of the table with this caption. */
const rowsOf = (html: string, caption: string): readonly (readonly string[])[] => {
  const table = html.split('<table').find((t) => t.includes(`<caption>${caption}`)) ?? '';
  return [...(/<tbody>([\s\S]*?)<\/table>/.exec(table)?.[1] ?? '').matchAll(/<tr[^>]*>(.*?)<\/tr>/g)].map(([, row = '']) => [...row.matchAll(/<(t[hd])[^>]*>(.*?)<\/\1>/g)].map(([, , content = '']) => read(content)));
};
const percent = (x: number): string => (100 * x).toFixed(2);

beforeAll(async () => {
  await tpsc(['data', 'phantom', '--out', data, '--seed', '3', '--size', '48', '--train', '4', '--val', '4']);
  expect(await tpsc(['ablate', at('roles.tps'), '--study', 'parts', '--data', data, '--out', study, '--threads', '1', '--tensorboard'])).toMatchObject({ code: 0 });
  const runs = readdirSync(join(study, 'runs')).map((name) => join(study, 'runs', name)).map((path) => ({ path, record: JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as RunRecord }));
  const of = (variant: string | undefined): string => runs.find((r) => r.record.variant === variant && r.record.identity.seed === 1)!.path;
  [run, base] = [of('plain'), of(undefined)];
}, 120_000);

describe('a page of a run', () => {
  it('has its sections, in order; of a baseline there is no difference, of a network without gates no gates', async () => {
    expect(headings(await page(run))).toEqual(['# Roles#plain', '## Scores', '## Training', '## Worst and best images', '## Difference from main', '## Spec', '## Environment']);
    expect(headings(await page(base))).toEqual(['# Roles', '## Scores', '## Training', '## Worst and best images', '## Gates', '## Prototypes', '## Spec', '## Environment']);
  });
  it('says the scores of the stored counts, and shows the images of lowest and highest Dice', async () => {
    const html = await page(run, '--images', '1'), counts = readCounts(join(run, 'eval', 'val-last.csv')), scores = scoresOf(counts);
    const rows = rowsOf(html, 'Scores on the split val');
    expect(rows.map((r) => r[0])).toEqual(['TN', 'CP', 'SL', 'average']);
    expect(rows.map((r) => [r[3], r[7]])).toEqual([...['TN', 'CP', 'SL'].map((t) => [percent(scores.perTask[t]!.dice), percent(scores.perTask[t]!.miou)]), [percent(scores.average.dice), percent(scores.average.miou)]]);
    const captions = [...html.matchAll(/<\/button><p><b>([\d.]+)<\/b>/g)].map((m) => m[1]);
    expect(captions).toEqual(['TN', 'CP', 'SL'].flatMap((t) => { const own = counts.filter((c) => c.task === t).map(dice); return [percent(Math.min(...own)), percent(Math.max(...own))]; }));
  });
  it('embeds each picture at no more than its own size, with the overlay over it', async () => {
    const pictures = [...(await page(run, '--images', '2')).matchAll(/src="data:(image\/(?:jpeg|png));base64,([^"]+)"/g)].map(([, type, text = '']) => ({ type, bytes: Buffer.from(text, 'base64') }));
    expect(pictures.map((p) => p.type)).toEqual(Array.from({ length: 12 }, () => ['image/jpeg', 'image/png']).flat());
    for (const { bytes } of pictures) expect(await sharp(bytes).metadata()).toMatchObject({ width: 48, height: 48 });
    expect(await sharp(pictures[1]!.bytes).metadata()).toMatchObject({ hasAlpha: true });
  });
  it('lets no text of the user become markup, and loads nothing', async () => {
    for (const html of [await page(run), await page(study)]) {
      expect(html).not.toContain('<script>alert');
      expect(html.match(/<script/g)).toHaveLength(1);
      expect(html).not.toContain('<i>parts');
      expect([...html.matchAll(/\s(?:src|href|action|data)="([^"]*)"/g)].filter(([, target = '']) => !/^(data:|#)/.test(target))).toEqual([]);
      expect(html).toMatch(/Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[^']+'/);
      // nothing in the style asks for anything
      expect(html).not.toMatch(/@import|url\(/);
    }
    const html = await page(run);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Skin&quot; \'lesion\'');
    expect(read(html)).toContain(HOSTILE);
  });
  it('says what it was made with', async () => {
    const text = read(await page(run));
    expect(text).toMatch(/\nmachine\n\w+ \w+, \d+ × .*iB\n/);
    expect(text).toMatch(/\nversions\ntpsc .*, node v.*, ort /);
    expect(text).toContain(`\ndata\n${data}\n`);
    expect(text).toMatch(/\ncommand\ntpsc ablate --run [0-9a-f]{16} /);
    expect(text).toMatch(/Average Dice less that of main: [+-]?\d+\.\d\d points.*on 12 images/);
  });
  it('is the same each time', async () => { expect(await page(base) === await page(base)).toBe(true); });
  it('compares with another run that is named', async () => {
    const html = await page(base, '--baseline', run, '--images', '0');
    expect(headings(html)).toContain(`## Difference from ${run}`);
    expect(read(html)).toContain('No images were asked for');
    expect(html).not.toContain('button type="button" class="shot"');
  });
});

describe('what is gone is said in the page', () => {
  it('the data', async () => {
    const elsewhere = at('elsewhere');
    renameSync(data, elsewhere);
    try {
      expect(read(await page(run))).toContain(`The data are no longer in ${data}, so no image is shown`);
      expect(await page(run, '--data', elsewhere)).toContain('class="shot"');
      expect(read(await page(study))).toContain(`The data are no longer in ${data}`);
      const changed = at('changed');
      cpSync(elsewhere, changed, { recursive: true });
      const file = join(changed, 'skin_lesion', 'images', readdirSync(join(changed, 'skin_lesion', 'images'))[0]!);
      copyFileSync(join(changed, 'thyroid_nodule', 'images', readdirSync(join(changed, 'thyroid_nodule', 'images'))[0]!), file);
      expect(read(await page(run, '--data', changed))).toContain('are no longer those that the run was scored on');
    } finally {
      renameSync(elsewhere, data);
    }
  });
  it('the scores, with the command that makes them', async () => {
    const copy = at('unscored');
    cpSync(run, copy, { recursive: true });
    rmSync(join(copy, 'eval'), { recursive: true });
    const text = read(await page(copy));
    expect(text).toContain(`The run has no scores of the split val. Run first: tpsc eval ${copy} --data ${data}`);
    expect(text).toContain('Without scores no image is the worst or the best.');
    expect(text).toContain('every validation in numbers (3)');
  });
  it('a checkpoint that went on after it was scored, and one that is missing', async () => {
    const copy = at('later');
    cpSync(run, copy, { recursive: true });
    const path = join(copy, 'eval', 'val-last.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')) as object, step: 1 }));
    expect(read(await page(copy, '--checkpoint', 'last'))).toMatch(/The scores are of step 1, and the checkpoint last is now of step \d+: evaluate the run again/);
    rmSync(join(copy, 'checkpoints'), { recursive: true });
    expect(read(await page(copy, '--checkpoint', 'last'))).toContain('does not exist');
  });
  it('a spec that no longer gives the network', async () => {
    const copy = at('other');
    cpSync(base, copy, { recursive: true });
    writeFileSync(join(copy, 'spec.tps'), readFileSync(join(copy, 'spec.tps'), 'utf8').replace('0.5, over: epochs', '0.6, over: epochs'));
    const html = await page(copy);
    expect(read(html)).toContain('no longer gives the network that was trained');
    expect(rowsOf(html, 'Scores on the split val')).toHaveLength(4);
  });
  it('refuses what is no run and no study', async () => {
    expect(await tpsc(['report', at('nothing')])).toMatchObject({ code: 1, err: expect.stringContaining('there is no folder') });
    expect(await tpsc(['report', data])).toMatchObject({ code: 1, err: expect.stringContaining('is neither a study nor a run') });
    expect(await tpsc(['report', run, '--images', '-1'])).toMatchObject({ code: 2, err: expect.stringContaining('--images needs a whole number from 0 to 100') });
    expect(await tpsc(['report', study, '--baseline', 'nobody'])).toMatchObject({ code: 1, err: expect.stringContaining('there is no row nobody') });
  });
});

describe('a page of a study', () => {
  it('has its table, and each two rows beside each other', async () => {
    const html = await page(study);
    expect(headings(html)).toEqual(['# parts: What <i>parts</i> are worth', '## Results', '## Training', '## Rows beside each other', '## Runs', '## Spec', '## Environment']);
    expect(rowsOf(html, 'parts: What &lt;i&gt;parts&lt;/i&gt; are worth</caption>').map((r) => r[0])).toEqual(['main', 'plain']);
    const [[, , less], [, more]] = rowsOf(html, 'Average Dice of the row less') as [string[], string[]];
    expect(Number(less)).toBe(-Number(more));
    expect(html.match(/<article class="pair"/g)).toHaveLength(1);
    expect(read(html)).toContain('− adapter own');
    expect(rowsOf(html, 'Runs of the study').map((r) => [r[1], r[3], r[4]])).toEqual([['main', '0', 'done'], ['main', '1', 'done'], ['plain', '0', 'done'], ['plain', '1', 'done']]);
  });
  it('shows the images that changed most first, as both rows segment them', async () => {
    const html = await page(study, '--images', '2'), changes = rowsOf(html, 'Dice in percent, mean over the seeds');
    const sizes = changes.map((r) => Math.abs(Number(r[4])));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    for (const [, , a, b, change] of changes) expect(Number(change)).toBeCloseTo(Number(b) - Number(a), 1);
    const shown = [...html.matchAll(/<ul class="gallery" aria-label="([^"]+)">/g)].map((m) => m[1]);
    expect(shown).toEqual(changes.slice(0, 2).map((r) => r[0]));
    expect(html.match(/class="shot"/g)).toHaveLength(4);
  });
  it('is written into the folder where no other place is named', async () => {
    expect(await tpsc(['report', study, '--images', '0', '--pairs', 'baseline', '--format', 'json'])).toMatchObject({ code: 0, out: expect.stringContaining('"bytes"') });
    expect(existsSync(join(study, 'report.html'))).toBe(true);
    expect(await tpsc(['ablate', '--status', study])).toMatchObject({ code: 0 });
  });
});

it('--tensorboard: events of each run of a study under a name to read, one a line of its log', () => {
  const names = readdirSync(join(study, 'tensorboard')).sort();
  expect(names).toEqual(['main-seed0', 'main-seed1', 'plain-seed0', 'plain-seed1']);
  const events = records(readFileSync(eventsFile(join(study, 'tensorboard', 'main-seed1')))), lines = readLog(join(base, 'metrics.jsonl'));
  expect(events).toHaveLength(1 + lines.length);
  expect(Buffer.from(events.at(-1)!.data).toString('latin1')).toMatch(/gate split\/mean SL/);
});

const chromium = findChromium();
describe.skipIf(chromium === undefined)('in a headless Chromium (skipped where there is none)', () => {
  it('loads without a complaint, sorts, opens its viewer, follows its address, asks for nothing', async () => {
    const browser = await Browser.start(chromium!);
    try {
      for (const folder of [base, study]) {
        await page(folder, '--images', '1');
        expect(await faultsOf(browser, pathToFileURL(at('page.html')).href)).toEqual([]);
      }
    } finally {
      await browser.close();
    }
  }, 60_000);
});
