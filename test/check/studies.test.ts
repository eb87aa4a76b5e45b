// What a study says, as read; the runs that it asks for; and every mistake in it at its place.
import { describe, expect, it } from 'vitest';
import { studiesOf } from '../../compiler/index.js';
import { measureOf, measureText, runsOf, type Study } from '../../compiler/study.js';
import { codes, compileText, hostOf, repoPath, trained } from './support.js';

const VARIANTS = `setting width: int = 4
setting alpha: float = 0.5
variant one "first" of main { set width = 5 }
variant two of one { alias }
variant three "third" of main { alias }
`;
const text = (entries: string): string => trained('  let y = x |> conv(width) |> conv(1)\n  return alpha * y', `${VARIANTS}study s "a table" of main {\n${entries}\n}\n`);
const read = (entries: string): ReturnType<typeof studiesOf> => studiesOf('spec.tps', hostOf({ 'spec.tps': text(entries) }));
function study(entries: string): Study {
  const { studies, diagnostics } = read(entries);
  expect(diagnostics).toEqual([]);
  return studies[0]!;
}
const said = (entries: string): string[] => read(entries).diagnostics.map((d) => `${d.code} ${d.message}${d.help === undefined ? '' : `; ${d.help}`}`);

describe('a study', () => {
  it('has rows with labels, the block that trains them, and what they are once aliases are followed', () => {
    expect(study('  rows = [main, one, two, three]').rows).toEqual([
      { name: 'main', label: 'main', block: 'main', same: 'main', set: {}, repeat: false },
      { name: 'one', label: 'first', variant: 'one', block: 'main', same: 'one', set: {}, repeat: false },
      { name: 'two', label: 'two', variant: 'two', block: 'main', same: 'one', set: {}, repeat: false },
      { name: 'three', label: 'third', variant: 'three', block: 'main', same: 'main', set: {}, repeat: false },
    ]);
  });
  it('without rows is of its train block; without seeds has seed 0', () => {
    const s = study('  budget = { epochs: 3, steps: 30 }');
    expect([s.label, s.rows.map((r) => r.name), s.seeds, s.budget]).toEqual(['a table', ['main'], [0], { epochs: 3, steps: 30 }]);
  });
  it('sweeps settings: each row once for each point of the grid', () => {
    const { rows } = study('  rows = [one, three], sweep = { alpha: [0.4, 0.5], width: [6, 8] }');
    expect(rows).toHaveLength(8);
    expect(rows[1]).toMatchObject({ name: 'one[alpha=0.4,width=8]', label: 'first (alpha=0.4,width=8)', variant: 'one', set: { alpha: '0.4', width: '8' } });
  });
  it('says what its columns hold and what its groups count', () => {
    const s = study(`  columns = [dice, { label: "Params", by: [parameters, trainable_per_task_share], unit: "M" }]
  groups = [{ label: "g", paths: ["conv", "*"] }, { label: "h", paths: ["a.*.b"], without: ["a.*.b.c"], tasks: 1 }]`);
    expect(s.columns.map((c) => [c.label, c.by.map(measureText), c.unit])).toEqual([['dice', ['dice'], ''], ['Params', ['parameters', 'trainable_per_task_share'], 'M']]);
    expect(s.groups.map((g) => [g.label, g.paths.map((p) => p.text), g.without.map((p) => p.text), g.tasks])).toEqual([['g', ['conv', '*'], [], undefined], ['h', ['a.*.b'], ['a.*.b.c'], { first: 1 }]]);
  });
  it('measures by name; only counts grow and have shares', () => {
    expect([measureOf('macs_per_task_share'), measureOf('dice'), measureOf('dice_share'), measureOf('params'), measureOf('toString')]).toEqual([
      { name: 'macs', perTask: true, share: true }, { name: 'dice', perTask: false, share: false }, undefined, undefined, undefined,
    ]);
  });
});

describe('the runs of a study', () => {
  const list = (entries: string): string[] => runsOf(study(entries), ['SL', 'CP']).map((r) => `${r.row.name} ${r.tasks.join('+')} ${r.seed}`);
  it('are rows by seeds; a repeated row is trained for each task by itself', () => {
    expect(list('  rows = [one, three], repeat = [three], seeds = 2')).toEqual(['one SL+CP 0', 'one SL+CP 1', 'three SL 0', 'three SL 1', 'three CP 0', 'three CP 1']);
    expect(list('  rows = [one], seeds = [7, 3], tasks = [CP]')).toEqual(['one CP 7', 'one CP 3']);
    expect(list('  rows = [one], tasks = 1')).toEqual(['one SL 0']);
  });
  it('of a model without tasks has none to repeat over', () => {
    expect(runsOf(study('  rows = [one], repeat = [one]'), []).map((r) => r.tasks)).toEqual([[]]);
  });
  it.each([['tpseg', 'table2', 27, 24], ['tpseg', 'table3', 66, 24], ['tpseg', 'table4', 15, 0], ['tpseg-nano', 'table3', 66, 24], ['tpseg-tiny', 'table3', 66, 24], ['sam2-unet', 'table2', 27, 24], ['tpseg-released', 'table5', 1, 0]])('%s, %s: %i, of which %i for one task', (file, name, runs, alone) => {
    const { studies, tasksOf } = studiesOf(repoPath(`models/${file}.tps`), hostOf());
    const s = studies.find((each) => each.name === name)!;
    const all = runsOf(s, tasksOf(s.of));
    expect([all.length, all.filter((r) => r.tasks.length === 1).length]).toEqual([runs, alone]);
    expect(new Set(all.map((r) => JSON.stringify([r.row.name, r.tasks, r.seed]))).size).toBe(runs);
  });
});

describe('mistakes in a study', () => {
  it('are told by `check`, at their places', () => {
    const first = text('').split('\n').indexOf('study s "a table" of main {') + 2;
    expect(codes(compileText(text('  rows = [one]\n  seed = 3\n  baseline = four')))).toEqual([`TPS6001 ${first + 1}`, `TPS2007 ${first + 2}`]);
  });
  it.each([
    ['rows = [one, four]', 'TPS2007 there is no variant or train block called `four`; there are: `one`, `two`, `three`, `main`'],
    ['rows = [one, one]', 'TPS6002 `rows` cannot be `one`; each stands here once'],
    ['rows = one', 'TPS6002 `rows` cannot be `one`; a list of names: `[one, two]`'],
    ['rows = [one], repeat = [three]', 'TPS2007 there is no row called `three`; there are: `one`'],
    ['rows = [one], baseline = "one"', 'TPS6002 `baseline` cannot be `"one"`; the name of a row'],
    ['seeds = 0', 'TPS6002 `seeds` cannot be `0`; how many (they are 0, 1, …), or a list of different whole numbers'],
    ['seeds = [1, 1]', 'TPS6002 `seeds` cannot be `1`; how many (they are 0, 1, …), or a list of different whole numbers'],
    ['seeds = 1000000000', 'TPS6002 `seeds` cannot be `1000000000`; how many (they are 0, 1, …), or a list of different whole numbers'],
    ['tasks = [SL, XX]', 'TPS5010 the spec has no task `XX`; there are: `SL`, `CP`'],
    ['tasks = 3', 'TPS6002 `tasks` cannot be `3`; a whole number from 1 to 2'],
    ['published = table', 'TPS6002 `published` cannot be `table`; the path of a CSV file in quotes, relative to this file'],
    ['sweep = { alpa: [1] }', 'TPS5005 there is no setting `alpa`; did you mean `alpha`?'],
    ['sweep = { width: [4, 4.5] }', 'TPS5006 setting `width` is an int; `4.5` is not; give a value of that type, or change the type in the spec'],
    ['sweep = { alpha: [1 / 2] }', 'TPS6002 `alpha` cannot be `1 / 2`; a plain value'],
    ['budget = { epoch: 3 }', 'TPS6001 a budget has no entry `epoch`; did you mean `epochs`?'],
    ['budget = { epochs: 0 }', 'TPS6002 `epochs` cannot be `0`; a whole number above 0'],
    ['columns = [dicee]', 'TPS6002 `columns` cannot be `dicee`; did you mean `dice`?'],
    ['columns = [dice, dice]', 'TPS6002 `columns` cannot be `dice`; there is a column "dice" before this one'],
    ['columns = [{ label: "x" }]', 'TPS6002 `columns` cannot be `{ label: "x" }`; a column says what it holds: `by: [parameters]`'],
    ['columns = [{ label: "x", by: [macs], unit: "MB" }]', 'TPS6002 `unit` cannot be `"MB"`; one of "k", "M", "G", "T", "%"'],
    ['groups = [{ label: "g" }]', 'TPS6002 `groups` cannot be `{ label: "g" }`; a group says which paths it counts: `paths: ["tca.*"]`, or `["*"]` for all'],
    ['groups = [{ label: "g", paths: ["a..b"] }]', 'TPS6002 `paths` cannot be `"a..b"`; a path in quotes: names joined by points, `*` for one step of any name'],
    ['groups = [{ paths: ["a"], label: 3 }]', 'TPS6002 `label` cannot be `3`; a text in quotes'],
  ])('%s', (entry, message) => { expect(said(`  ${entry}`)).toEqual([message]); });
  it('a grid of too many rows is one', () => {
    const many = `[${Array.from({ length: 40 }, (_, i) => i + 1).join(', ')}]`;
    expect(said(`  sweep = { alpha: ${many}, width: ${many} }`)).toEqual([expect.stringContaining('that makes 1600 rows; the most is 1000')]);
  });
  it('and a study of what is no train block', () => {
    expect(studiesOf('spec.tps', hostOf({ 'spec.tps': text('  rows = [one]').replace('of main {\n  rows', 'of other {\n  rows') })).diagnostics).toMatchObject([{ code: 'TPS2007', help: 'there are: `main`' }]);
  });
});
