// The model of a results table and its formats, from counts written by hand: what is best, what is empty, what can be compared.
import { describe, expect, it } from 'vitest';
import type { ImageCounts } from '../../runtime/metrics/index.js';
import { paint } from '../../runtime/report/colour.js';
import { buildTable, renderResults, TABLE_FORMATS, type ResultsTable, type RowRuns, type ScoredRun, type TableRequest } from '../../runtime/report/results-table/index.js';
import { latexText } from '../../runtime/report/results-table/latex.js';
import { pText } from '../../runtime/report/results-table/numbers.js';

/** Images of 100 lesion pixels, of which so many are found. */
const found = (task: string, ...tps: readonly number[]): readonly ImageCounts[] => tps.map((tp, i) => ({ task, image: `${i}.png`, tp, fp: 0, fn: 100 - tp, tn: 900 }));
const run = (seed: number, ...counts: readonly ImageCounts[]): ScoredRun =>
  ({ folder: `runs/${seed}`, record: { identity: { seed, program: 'p' }, tasks: [] } as never, seed, counts, data: 'd', budget: '2 epochs', seconds: 90 });
const row = (name: string, ...runs: readonly ScoredRun[]): RowRuns => ({ name, label: '', baseline: false, networks: 1, runs });
const table = (rows: readonly RowRuns[], over: Partial<TableRequest> = {}): ResultsTable =>
  buildTable({ title: 'a_b & 50%', choice: { split: 'val', checkpoint: 'last', at: 'network' }, miou: 'dataset-both', rows, networks: new Map(), tasks: [], columns: [], time: true, notes: [], ...over });
const marks = (t: ResultsTable, id: string): readonly (string | undefined)[] => t.rows.map((r) => r.cells[id]?.mark);

describe('best and second best', () => {
  it('go by what is printed: ties share, the second is the next number', () => {
    // 85.714 and 85.709 percent
    const large = { task: 'T', image: '0.png', tp: 7500, fp: 0, fn: 2500, tn: 0 };
    const t = table([row('a', run(0, large)), row('b', run(0, { ...large, fp: 1 })), row('c', run(0, ...found('T', 60))), row('d', run(0, ...found('T', 50)))]);
    expect(marks(t, 'T.dice')).toEqual(['best', 'best', 'second', undefined]);
  });
  it('are nobody where one row alone has the number; sizes and times are not judged', () => {
    const t = table([row('a', run(0, ...found('T', 75))), row('b')]);
    expect(marks(t, 'T.dice')).toEqual([undefined, undefined]);
    expect(marks(table([row('a', run(0, ...found('T', 75))), row('b', run(0, ...found('T', 70)))]), 'seconds')).toEqual([undefined, undefined]);
  });
});

describe('cells', () => {
  it('of a row without runs are empty in every format, not zero', () => {
    const t = table([row('a', run(0, ...found('T', 75, 80))), row('none')]);
    expect(t.rows[1]).toEqual({ name: 'none', label: '', baseline: false, networks: 1, seeds: [], cells: {}, published: {} });
    expect(renderResults(t, 'markdown', paint(false))).toContain('| none | 0 |  |  |  |  |  |');
    expect(renderResults(t, 'latex', paint(false))).toContain('none & 0 &  &  &  &  &  \\\\');
    expect(renderResults(t, 'csv', paint(false))).toMatch(/^none,,,false,1,0,,,,,,,,,2,val/m);
    expect(renderResults(t, 'html', paint(false))).toContain('<td class="number"></td>');
  });
  it('one task has no average; a row that lacks a task has none either', () => {
    expect(table([row('a', run(0, ...found('T', 75)))]).columns.map((c) => c.id)).toEqual(['T.dice', 'T.miou', 'parameters', 'macs', 'seconds']);
    const t = table([row('a', run(0, ...found('T', 75), ...found('S', 50))), row('b', run(0, ...found('T', 75)))]);
    expect([t.rows[0]!.cells['average.dice'] !== undefined, t.rows[1]!.cells['T.dice'] !== undefined, t.rows[1]!.cells['S.dice'], t.rows[1]!.cells['average.dice']]).toEqual([true, true, undefined, undefined]);
  });
  it('without a time of every network have no time', () => {
    const { seconds: _, ...resumed } = run(1, ...found('T', 75));
    expect(table([row('a', run(0, ...found('T', 70)), resumed)]).rows[0]!.cells['seconds']).toEqual({ mean: 90, values: [90] });
  });
});

describe('LaTeX of many tasks', () => {
  it('has a tabular for each measure and another table for the sizes, each no wider than the text', () => {
    const tasks = ['A', 'B', 'C', 'D'], text = renderResults(table([row('a', run(0, ...tasks.flatMap((t) => found(t, 75)))), row('b', run(0, ...tasks.flatMap((t) => found(t, 70))))]), 'latex', paint(false));
    expect(text.match(/\\begin\{table\*\}/g)).toHaveLength(2);
    expect(text.match(/\\resizebox\{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi\}/g)).toHaveLength(3);
    expect([...text.matchAll(/^row & (.*) \\\\$/gm)].map((m) => m[1])).toEqual(['A & B & C & D & average', 'A & B & C & D & average', 'parameters & MACs & time (s)']);
    expect(text.split('Parameters: all')).toHaveLength(2);
  });
});

describe('the comparison', () => {
  const seeds = (...tps: readonly (readonly number[])[]): readonly ScoredRun[] => tps.map((each, seed) => run(seed, ...found('T', ...each)));
  it('averages seeds per image first: errors that cancel over seeds are no difference', () => {
    const t = table([row('base', ...seeds([50, 60, 70], [60, 50, 80])), row('swapped', ...seeds([60, 50, 80], [50, 60, 70]))], { baseline: 'base' });
    expect(t.rows[1]!.comparison).toEqual({ seeds: [0, 1], images: 3, difference: 0 });
  });
  it('has no p-value where nothing differs, no interval of one image, and no row without a common seed', () => {
    const t = table([row('base', run(0, ...found('T', 50))), row('better', run(0, ...found('T', 60))), row('other', run(3, ...found('T', 60)))], { baseline: 'base' });
    expect(t.rows[1]!.comparison).toMatchObject({ images: 1, test: { p: 1, used: 1 } });
    expect(t.rows[1]!.comparison!.interval).toBeUndefined();
    expect(t.rows[2]!.comparison).toBeUndefined();
  });
  it('corrects over the rows that have a test', () => {
    const base = [50, 55, 60, 65, 70, 75, 80], better = base.map((x, i) => x + 5 + i);
    const t = table([row('base', ...seeds(base)), row('b', ...seeds(better)), row('same', ...seeds(base)), row('c', ...seeds(better.map((x) => x + 1)))], { baseline: 'base' });
    const [, b, same, c] = t.rows.map((r) => r.comparison?.test);
    expect(b!.p).toBe(2 / 2 ** 7);
    expect([b!.adjusted, c!.adjusted]).toEqual([2 * b!.p, 2 * c!.p]);
    expect(same).toBeUndefined();
    expect(t.caption.join()).toContain('correction over 2 rows');
  });
});

describe('formats', () => {
  const t = table([row('a<b|c', run(0, ...found('T_1', 75, 50))), row('d', run(0, ...found('T_1', 70, 50)))], { baseline: 'd', notes: ['x < y'] });
  it.each(TABLE_FORMATS)('%s says checkpoint, definition and rule', (format) => {
    const text = renderResults(t, format, paint(false));
    expect(text).toMatch(/last/);
    expect(text).toMatch(format === 'csv' ? /dataset-both/ : /one 2x2 confusion over the data set/);
    expect(text).toMatch(format === 'csv' ? /,validation,/ : /Validation rule: not known/);
  });
  it('escape what their readers would take for markup', () => {
    expect(renderResults(t, 'markdown', paint(false))).toContain('| a\\<b\\|c | **76.19** |');
    expect(renderResults(t, 'html', paint(false))).toContain('<th scope="row">a&lt;b|c</th>');
    expect(renderResults(t, 'latex', paint(false))).toContain('\\caption{a\\_b \\& 50\\%. ');
    expect(latexText('{\\x}~^$#')).toBe('\\{\\textbackslash{}x\\}\\textasciitilde{}\\textasciicircum{}\\$\\#');
  });
  it('JSON is the model', () => { expect(JSON.parse(renderResults(t, 'json', paint(false)))).toEqual(JSON.parse(JSON.stringify(t))); });
  it('p-values keep what is significant in them', () => { expect([0.9999, 0.0512, 0.001, 0.000999, 8.12e-10].map(pText)).toEqual(['1', '0.051', '0.001', '1.0e-3', '8.1e-10']); });
});
