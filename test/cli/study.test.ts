// `inspect --study`: rows and groups of a study as a user sees them, the JSON for tools, and what is said where something is wrong. Table 5 as a whole.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../cli/host.js';
import type { StudyInspection } from '../../runtime/report/study.js';
import { folderOf, tpsc } from './harness.js';
import { TINY } from './specs.js';

const STUDY = `
variant same "once more" of main { alias }

study widths of main {
  rows = [main, wide, same], repeat = [same], baseline = main
  seeds = 2
  columns = [{ label: "{task}_Dice", by: [dice] }, { label: "AVG_Dice", by: [dice] }, { label: "Params", by: [parameters] }]
  published = "tables/widths.csv"
}
`;
const CSV = 'row,TN_Dice,SL_Dice,AVG_Dice,Params\nmain,80.1,81.2,80.65,426\ntwice the width,82.0,83.0,82.5,1.0 k\nsame,79,,79,417\n';
const folder = folderOf({
  'tiny.tps': TINY + STUDY, 'tables/widths.csv': CSV,
  'no-table.tps': TINY + STUDY.replace('widths.csv', 'width.csv'),
  'faulty.tps': TINY + STUDY.replace('baseline = main', 'baseline = mane'),
  'broken.tps': TINY.replace('set width = 16', 'set width = 6') + STUDY,
  'groups.tps': `${TINY}\nstudy parts of main {\n  groups = [{ label: "stem", paths: ["dwon"] }]\n}\n`,
});
const at = (name: string): string => join(folder, name);
const total = (width: number, tasks: number): number => 3 * 16 * width + width + 2 * width + tasks * (width + 1);

describe('inspect --study', () => {
  it('prints a row for each row: counts, what it adds to the baseline, what was published', async () => {
    const { code, out, err } = await tpsc(['inspect', at('tiny.tps'), '--study', 'widths']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`study widths of main: 3 rows, 2 tasks, 8 trainings; published values from ${at('tables/widths.csv')}\n`);
    expect(out).toMatch(/^row +label +parameters +trainable +to main +MACs +AVG_Dice +Params$/m);
    expect(out).toMatch(/^main +main +426 +426 +25\.1 k +80\.65 +426$/m);
    expect(out).toMatch(/^wide +twice the width +850 +850 +\+424 +50\.2 k +82\.5 +1\.0 k \(counted 850\)$/m);
    expect(out).toMatch(/^same +once more, 2 networks of one task +417 +417 +-9 +25\.1 k +79 +417$/m);
    expect(out).toContain('2 more columns with --format json');
  });
  it('gives them to tools, a published value for each task', async () => {
    const found = JSON.parse((await tpsc(['inspect', at('tiny.tps'), '--study', 'widths', '--format', 'json'])).out) as StudyInspection;
    expect(Object.keys(found)).toEqual(['study', 'of', 'tasks', 'baseline', 'published', 'runs', 'rows', 'groups']);
    expect(found.rows.map((r) => [r.row, r.variant, r.tasks, r.networks, r.counts.parameters, r.delta])).toEqual([
      ['main', null, ['TN', 'SL'], 1, total(8, 2), null], ['wide', 'wide', ['TN', 'SL'], 1, total(16, 2), total(16, 2) - total(8, 2)], ['same', 'same', ['TN'], 2, total(8, 1), total(8, 1) - total(8, 2)],
    ]);
    expect(found.rows[0]!.cells.map((c) => [c.column, c.published, c.verdict])).toEqual([
      ['TN_Dice', '80.1', 'not compared'], ['SL_Dice', '81.2', 'not compared'], ['AVG_Dice', '80.65', 'not compared'], ['Params', '426', 'reproduced'],
    ]);
    expect(found.rows[2]!.cells[1]!.published).toBeNull();
  });
  it('takes --set and --tasks', async () => {
    const found = JSON.parse((await tpsc(['inspect', at('tiny.tps'), '--study', 'widths', '--set', 'width=4', '--tasks', 'SL', '--format', 'json'])).out) as StudyInspection;
    expect(found.tasks).toEqual(['SL']);
    expect(found.rows[0]!.counts.parameters).toBe(total(4, 1));
  });
  it.each([
    [['tiny.tps', 'width'], 1, /tiny\.tps has no study width\n.*did you mean `widths`\?/],
    [['tiny.tps#wide', 'widths'], 2, /--study goes with a file, not with FILE#VARIANT/],
    [['no-table.tps', 'widths'], 1, /there is no file of published values .*width\.csv\n.*relative to the spec/],
    [['faulty.tps', 'widths'], 1, /error\[TPS2007\]: there is no row called `mane`[^]*there are: `main`, `wide`, `same`/],
    [['broken.tps', 'widths'], 1, /error\[TPS5007\]: setting `width` = 6 breaks/],
    [['groups.tps', 'parts'], 1, /error\[TPS4002\]: `dwon` names no node[^]*paths: \["dwon"\][^]*did you mean `down`\?/],
    [['nowhere.tps', 'widths'], 1, /there is no file .*nowhere\.tps/],
  ] as const)('refuses %j', async ([file, name], code, message) => {
    const said = await tpsc(['inspect', at(file), '--study', name]);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(message);
    expect(said.err).not.toContain('    at ');
  });
});

describe('Table 5', () => {
  it('reproduces every count of parameters, and names the multiply-adds that no rule gives', async () => {
    const found = JSON.parse((await tpsc(['inspect', join(packageRoot, 'models', 'tpseg-released.tps'), '--study', 'table5', '--format', 'json'])).out) as StudyInspection;
    const cell = (group: string, column: string): readonly [string | null | undefined, number | undefined, string | null | undefined] => {
      const c = found.groups.find((g) => g.group === group)?.cells.find((each) => each.column === column);
      return [c?.published, c?.counted.find((x) => x.by === (c.reproducedBy ?? c.counted[0]?.by))?.value, c?.reproducedBy];
    };
    expect([['TCA', 'params'], ['TCA', 'growth_per_task'], ['PGTD Prototypes', 'params'], ['PGTD Prototypes', 'growth_per_task'], ['PGTD Prototypes', 'growth_percent'], ['PGTD Decoder', 'params'], ['PGTD Decoder', 'growth_per_task'], ['Full Model (1 Task)', 'params'], ['Full Model (8 Tasks)', 'params']].map(([g, c]) => cell(g!, c!))).toEqual([
      ['3.37 M', 3_373_056, 'parameters'], ['+3.37 M', 3_373_056, 'parameters_per_task'], ['0.46 M', 460_800, 'parameters'], ['+0.001 M', 1024, 'buffers_per_task'], ['0.17%', expect.closeTo(0.174, 3), 'parameters_share'],
      ['12.03 M', 12_030_381, 'parameters'], ['0', 0, 'parameters_per_task'], ['264.84 M', 264_841_079, 'parameters'], ['288.46 M', 288_463_181, 'parameters'],
    ]);
    const unexplained = found.groups.flatMap((g) => g.cells.filter((c) => c.verdict === 'not reproduced').map((c) => `${g.group}, ${c.column}`));
    expect(unexplained).toEqual(['TCA, flops', 'TCA, flops_growth_per_task', 'TCA, flops_growth_percent', 'PGTD Decoder, flops', 'Full Model (1 Task), flops', 'Full Model (8 Tasks), flops']);
    expect(cell('TCA', 'flops')[1]).toBe(4_643_094_528);
  });
});
