// `tpsc table`: a study's folder and run directories as tables, in every format; what is empty, what is refused. Nothing is trained.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { records } from '../../runtime/data/csv.js';
import type { ResultsTable } from '../../runtime/report/results-table/index.js';
import { folderOf, tpsc } from './harness.js';
import { programOf, write, writeRun, writeStudy, type MadeRun } from './results-folders.js';
import { TINY } from './specs.js';

const SPEC = `${TINY}
variant four "width 4" of main { set width = 4 }

study widths "how wide" of main {
  rows = [main, wide, four], repeat = [four], baseline = main
  seeds = 3
  columns = [{ label: "{task}_Dice", by: [dice] }, { label: "AVG_Dice", by: [dice] }, { label: "{task}_mIoU", by: [miou] }, { label: "AVG_mIoU", by: [miou] }, { label: "Params", by: [parameters] }]
  published = "published.csv"
}
`;
const folder = folderOf({ 'tiny.tps': SPEC, 'published.csv': 'row,TN_Dice,SL_Dice,AVG_Dice,Params\nmain,90.5,91.25,90.88,426\ntwice the width,92.0,-,,1.0 k\n' });
const at = (name: string): string => join(folder, name);
const json = async (...argv: readonly string[]): Promise<ResultsTable> => JSON.parse((await tpsc(['table', ...argv, '--format', 'json'])).out) as ResultsTable;
const dice = (t: ResultsTable, row: string, column: string): number => t.rows.find((r) => r.name === row)!.cells[column]!.mean;

let main: MadeRun['program'], wide: MadeRun['program'];
beforeAll(() => {
  const file = at('tiny.tps');
  main = programOf(file);
  wide = programOf(file, { variant: 'wide' });
  const four = (task: string): MadeRun['program'] => programOf(file, { variant: 'four', tasks: [task] });
  const row = (name: string, label: string, program: MadeRun['program'], over = {}): object => ({ name, label, baseline: false, set: {}, program: program.hash, repeat: false, ...over });
  writeStudy(at('study'), {
    study: 'widths', label: 'how wide', spec: file, specText: SPEC, tasks: ['TN', 'SL'], seeds: [0, 1, 2], published: at('published.csv'),
    rows: [row('main', 'main', main, { baseline: true }), row('wide', 'twice the width', wide, { variant: 'wide' }), row('four', 'width 4', four('TN'), { variant: 'four', repeat: true })] as never,
    runs: [
      ...[0, 1, 2].map((seed) => ({ row: 'main', made: { program: main, seed, skill: 0.8, seconds: 100 + 10 * seed } })),
      ...[0, 1].map((seed) => ({ row: 'wide', made: { program: wide, seed, skill: 0.9 } })), { row: 'wide', state: 'failed', reason: 'the training diverged', seed: 2 },
      // each task by itself; SL of seed 1 is not there yet, nor is seed 2
      { row: 'four', made: { program: four('TN'), seed: 0, skill: 0.6, seconds: 30 } }, { row: 'four', made: { program: four('SL'), seed: 0, skill: 0.6, seconds: 50 } },
      { row: 'four', made: { program: four('TN'), seed: 1, skill: 0.7, seconds: 30 } }, { row: 'four', state: 'waiting', seed: 1 },
    ],
  });
  for (const seed of [0, 1]) {
    writeRun(at(`plain/main-${seed}`), { program: main, seed, skill: 0.8 });
    writeRun(at(`plain/wide-${seed}`), { program: wide, seed, skill: 0.9 });
  }
}, 60_000);

describe('table of a study', () => {
  it('has a row for each row and a column for each score that the study asks for, size and time', async () => {
    const t = await json(at('study'));
    expect(t.title).toBe('widths: how wide');
    expect(t.columns.map((c) => c.id)).toEqual(['TN.dice', 'TN.miou', 'SL.dice', 'SL.miou', 'average.dice', 'average.miou', 'parameters', 'macs', 'seconds']);
    expect(t.rows.map((r) => [r.name, r.label, r.baseline, r.networks, r.seeds])).toEqual([['main', 'main', true, 1, [0, 1, 2]], ['wide', 'twice the width', false, 1, [0, 1]], ['four', 'width 4', false, 2, [0]]]);
    expect(t).toMatchObject({ checkpoint: 'last', split: 'val', at: 'network', threshold: 0.5, miou: 'dataset-both', validation: ['after every epoch and the last, the best by Dice is kept'], budget: '2 epochs', tasks: ['TN', 'SL'], images: { TN: 12, SL: 12 }, baseline: 'main', seeds: [0, 1, 2] });
  });
  it('averages seeds, with their sample deviation, and says parameters, time and what a variant changes', async () => {
    const t = await json(at('study'));
    const [first, second] = [t.rows[0]!, t.rows[1]!];
    const { mean, deviation, values } = first.cells['TN.dice']!;
    expect(values).toHaveLength(3);
    expect(mean).toBeCloseTo((values[0]! + values[1]! + values[2]!) / 3, 14);
    expect(deviation).toBeCloseTo(Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / 2), 14);
    expect(first.cells['average.dice']!.mean).toBeCloseTo((mean + dice(t, 'main', 'SL.dice')) / 2, 14);
    expect([first.cells['parameters']!.mean, second.cells['parameters']!.mean]).toEqual([426, 850]);
    expect(first.cells['seconds']).toMatchObject({ mean: 110, deviation: 10 });
    expect(first.delta).toBeUndefined();
    expect(second.delta).toContain('width 8 → 16');
  });
  it('leaves a cell empty that has not enough data, and says what is missing', async () => {
    const t = await json(at('study')), four = t.rows[2]!;
    // one seed has both tasks: a mean without a spread, of that seed in every column
    for (const id of ['TN.dice', 'SL.dice', 'average.dice']) expect(four.cells[id]).toEqual({ mean: expect.any(Number), values: [expect.any(Number)] });
    expect(four.cells['average.dice']!.mean).toBeCloseTo((four.cells['TN.dice']!.mean + four.cells['SL.dice']!.mean) / 2, 14);
    expect(four.cells['seconds']).toEqual({ mean: 80, values: [80] });
    expect(t.notes).toEqual(['wide, seed 2: failed (the training diverged)', 'four, seed 1: not begun']);
  });
  it('tests each row against the baseline on the seeds that both have', async () => {
    const [first, second, third] = (await json(at('study'))).rows;
    expect(first!.comparison).toBeUndefined();
    expect(second!.comparison).toMatchObject({ seeds: [0, 1], images: 24, test: { method: 'exact', used: 24 } });
    expect(third!.comparison).toMatchObject({ seeds: [0], images: 24 });
    const { difference, interval, test } = second!.comparison!;
    expect(interval!.low).toBeGreaterThan(0);
    expect(interval!.low).toBeLessThan(difference);
    expect(interval!.high).toBeGreaterThan(difference);
    expect(test!.p).toBeLessThan(0.001);
    expect(Math.max(test!.adjusted, third!.comparison!.test!.adjusted)).toBeLessThan(0.01);
    expect(test!.adjusted).toBeGreaterThanOrEqual(test!.p);
  });
  it('puts published values beside ours, as they are printed there', async () => {
    const t = await json(at('study'));
    expect(t.rows.map((r) => r.published)).toEqual([{ 'TN.dice': '90.5', 'SL.dice': '91.25', 'average.dice': '90.88', parameters: '426' }, { 'TN.dice': '92.0', parameters: '1.0 k' }, {}]);
    const { out } = await tpsc(['table', at('study'), '--format', 'markdown']);
    expect(out).toMatch(/^\| {2}\| \*published\* \| {2}\| {2}\| \*90\.5\* \| {2}\| \*91\.25\* \| {2}\| \*90\.88\* \| {2}\| \*426\* \| {2}\| {2}\|$/m);
  });
  it('marks the best and the second best in the terminal, and says what the numbers mean', async () => {
    const { code, out, err } = await tpsc(['table', at('study')]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^row +seeds +TN +SL +average *$/m);
    expect(out).toMatch(/^wide +twice the width +2 +9\d\.\d\d ± \d\.\d\d \*/m);
    expect(out).toMatch(/^main +3 +8\d\.\d\d ± \d\.\d\d \+/m);
    expect(out).toMatch(/^wide +twice the width +width 8 → 16; \+424 parameters +2 +850 +50\.2 k +60\.0/m);
    expect(out).toMatch(/mean ± standard deviation \(n - 1\) over 3 seeds \(0, 1, 2\), on 24 images of the split val \(TN 12, SL 12\)/);
    expect(out).toContain('Checkpoint: last. Validation: after every epoch and the last, the best by Dice is kept. Budget: 2 epochs.');
    expect(out).toContain('at least 0.5');
    expect(out).toContain('Left out:\n  wide, seed 2: failed (the training diverged)');
  });
  it('is the same on every machine with --no-time', async () => {
    const { out } = await tpsc(['table', at('study'), '--no-time', '--format', 'csv']);
    expect(out).not.toContain('seconds');
  });
});

describe('formats', () => {
  it('LaTeX: balanced, as many cells as columns in every line, specials escaped', async () => {
    const { out } = await tpsc(['table', at('study'), '--format', 'latex']);
    const depth = [...out.replace(/\\[{}]/g, '')].reduce((d, c) => { expect(d).toBeGreaterThanOrEqual(0); return c === '{' ? d + 1 : c === '}' ? d - 1 : d; }, 0);
    expect(depth).toBe(0);
    for (const part of out.split('\\begin{tabular}').slice(1)) {
      const columns = /^\{([lr]+)\}/.exec(part)![1]!.length;
      const lines = part.slice(0, part.indexOf('\\end{tabular}')).split('\n').filter((l) => l.endsWith('\\\\') && !l.includes('\\multicolumn'));
      expect(lines.length).toBeGreaterThanOrEqual(3);
      for (const line of lines) expect(line.replaceAll('\\&', '').split('&')).toHaveLength(columns);
    }
    for (const command of ['\\toprule', '\\midrule', '\\bottomrule', '\\multicolumn{2}{c}{TN}', '\\cmidrule(lr){5-6}', '\\textbf{9', '\\underline{8', '8 $\\to$ 16', '95 \\%']) expect(out).toContain(command);
    // all that TeX reads is ASCII
    expect(out.replace(/^%.*$/gm, '')).toMatch(/^[\n\x20-\x7e]*$/);
  });
  it('CSV: unrounded percents, empty cells, what the numbers mean in every line', async () => {
    const { out } = await tpsc(['table', at('study'), '--format', 'csv']);
    const [head, ...lines] = [...records(out)].map((r) => r.fields);
    const cell = (line: number, name: string): string | undefined => lines[line]![head!.indexOf(name)];
    const t = await json(at('study'));
    expect(Number(cell(0, 'TN_dice'))).toBeCloseTo(100 * dice(t, 'main', 'TN.dice'), 9);
    expect([cell(0, 'TN_dice_published'), cell(2, 'TN_dice_published'), cell(2, 'SL_dice_sd'), cell(0, 'p'), cell(2, 'networks')]).toEqual(['90.5', '', '', '', '2']);
    expect(Number(cell(1, 'p_holm'))).toBe(t.rows[1]!.comparison!.test!.adjusted);
    expect([cell(1, 'checkpoint'), cell(1, 'miou'), cell(1, 'threshold'), cell(1, 'images'), cell(1, 'budget')]).toEqual(['last', 'dataset-both', '0.5', '24', '2 epochs']);
  });
  it('HTML: one page, nothing from elsewhere, numbers to sort by; --out takes the format from its name', async () => {
    expect(await tpsc(['table', at('study'), '--out', at('t.html')])).toMatchObject({ code: 0, out: `${at('t.html')}: 3 rows\n` });
    const page = readFileSync(at('t.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|src=|href=|url\(/);
    expect(page.match(/<table class="results">/g)).toHaveLength(2);
    expect(page).toMatch(/<td class="number" data-value="0\.\d+"><b>9\d\.\d\d<\/b> <small>± \d\.\d\d<\/small><\/td>/);
    expect(page).toMatch(/<th scope="colgroup" colspan="2">SL<\/th>/);
  });
});

describe('table of runs', () => {
  it('makes a row of each network; a folder of runs stands for all in it', async () => {
    const t = await json(at('plain'), '--baseline', 'main');
    expect(t.rows.map((r) => [r.name, r.label, r.seeds, r.baseline])).toEqual([['main', '', [0, 1], true], ['wide', 'twice the width', [0, 1], false]]);
    expect(t.columns.slice(0, 4).map((c) => c.id)).toEqual(['TN.dice', 'TN.miou', 'SL.dice', 'SL.miou']);
    expect(dice(t, 'wide', 'average.dice')).toBeGreaterThan(dice(t, 'main', 'average.dice'));
    const some = await json(at('plain/main-0'), at('plain/wide-0'), at('plain/wide-1'));
    expect(some.rows.map((r) => r.seeds)).toEqual([[0], [0, 1]]);
    expect(some.rows[0]!.comparison ?? some.rows[1]!.comparison).toBeUndefined();
  });
  it('computes mIoU by another definition from the same counts', async () => {
    const [a, b] = [await json(at('plain')), await json(at('plain'), '--miou', 'dataset-foreground')];
    expect(dice(b, 'main', 'TN.miou')).toBeLessThan(dice(a, 'main', 'TN.miou'));
    expect(dice(b, 'main', 'TN.dice')).toBe(dice(a, 'main', 'TN.dice'));
    expect(b.caption.join()).toContain('foreground IoU');
  });
  it('finds networks of one task each, and refuses none of their data', async () => {
    for (const task of ['TN', 'SL']) writeRun(at(`single/${task}`), { program: programOf(at('tiny.tps'), { variant: 'four', tasks: [task] }), seed: 0, skill: 0.7 });
    const t = await json(at('single'), at('plain/main-0'));
    expect(t.rows.map((r) => [r.name, r.networks])).toEqual([['four', 2], ['main', 1]]);
    expect(t.rows[0]!.cells['average.dice']!.values).toHaveLength(1);
  });
  it('tells runs without scores, and what to do', async () => {
    writeRun(at('bare/main-2'), { program: main, seed: 2, skill: 0.8, evaluated: false });
    expect((await json(at('plain/main-0'), at('bare/main-2'))).notes).toEqual([expect.stringMatching(/main-2: not evaluated: `tpsc eval .*main-2 --data … --split val --checkpoint last`/)]);
    const { code, err } = await tpsc(['table', at('bare')]);
    expect(code).toBe(1);
    expect(err).toMatch(/no run has scores of the split val, checkpoint last: .*not evaluated/);
  });
  it('takes the best checkpoint where the last has no scores', async () => {
    writeRun(at('best/main-0'), { program: main, seed: 0, skill: 0.8, checkpoint: 'best' });
    expect((await json(at('best'))).checkpoint).toBe('best');
  });
});

describe('what it refuses', () => {
  const other = { skill: 0.8, seed: 1 };
  it.each([
    ['data', (): MadeRun => ({ ...other, program: main, data: 'elsewhere' }), /Different: the data that they were trained on: data of TN,SL \(main-0\), elsewhere \(odd\); the data that they were scored on/],
    ['budget', (): MadeRun => ({ ...other, program: main, budget: { stopped: 'max-steps', epochs: 1, steps: 5 } }), /Different: the budget: 2 epochs \(main-0\), 5 steps \(odd\)/],
    ['size', (): MadeRun => ({ ...other, program: main, pixels: 4096 }), /the size at which masks are compared: 1024 and 4096 pixels of tn\/0\.png .*--at original/],
    ['threshold', (): MadeRun => ({ ...other, program: programOf(join(folder, 'cut.tps')) }), /Different: the threshold: 0\.5 \(main-0\), 0\.3 \(odd\)/],
    ['seed twice', (): MadeRun => ({ ...other, seed: 0, program: main }), /main-0 and odd are both of row main, seed 0/],
  ] as const)('another %s', async (what, made, message) => {
    write(folder, 'cut.tps', TINY.replace('epochs = 2, batch = 4', 'epochs = 2, batch = 4\n  threshold = 0.3'));
    const odd = join(folder, what.replace(' ', '-'), 'odd');
    writeRun(odd, made());
    const { code, out, err } = await tpsc(['table', at('plain/main-0'), odd]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });
  it.each([
    [['nowhere'], 1, /there is no folder nowhere/],
    [['--format', 'pdf', 'x'], 2, /format/],
    [['.', '--out', 'table.pdf'], 2, /--out table\.pdf does not say in which format/],
  ] as const)('%j', async (argv, code, message) => {
    const said = await tpsc(['table', ...argv]);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(message);
  });
  it('a baseline that is no row', async () => {
    const { code, err } = await tpsc(['table', at('plain'), '--baseline', 'mian']);
    expect(code).toBe(1);
    expect(err).toMatch(/there is no row mian[^]*did you mean `main`\?/);
  });
  it('damaged counts, with the line', async () => {
    writeRun(at('damaged'), { program: main, seed: 0, skill: 0.8 });
    write(folder, 'damaged/eval/val-last.csv', 'task,image,tp,fp,fn,tn\nTN,a.png,1,2,3\n');
    const { code, err } = await tpsc(['table', at('damaged')]);
    expect([code, err]).toEqual([1, expect.stringMatching(/val-last\.csv, line 2: no counts of an image/)]);
  });
});
