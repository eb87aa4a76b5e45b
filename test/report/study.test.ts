// Numbers beside printed ones: what a printed number allows, which line of a table is a row's, and groups counted by several rules.
import { describe, expect, it } from 'vitest';
import { studiesOf } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';
import { GroupCounter } from '../../runtime/report/group-counts.js';
import { cellsOf, printedCell, printedNumber, printsAs, type Published } from '../../runtime/report/published.js';
import { GroupPathFault, inspectStudy } from '../../runtime/report/study.js';
import { renderStudy } from '../../runtime/report/study-text.js';
import { compileText, hostOf, programOf } from '../check/support.js';

describe('a printed number', () => {
  it.each([['3.37 M', 3.37e6, 1e4], ['+0.001 M', 1e3, 1e3], ['1.27%', 1.27, 0.01], ['254.00 G', 254e9, 1e7], ['264,841,079', 264_841_079, 1], ['-2', -2, 1], ['≈5 k', 5e3, 1e3]])('%s', (text, value, step) => {
    const printed = printedNumber(text)!;
    expect([printed.value, printed.step]).toEqual([expect.closeTo(value, 6), expect.closeTo(step, 6)]);
  });
  it.each(['', '-', 'n/a', '3.37 MB', '1.2.3', 'e5'])('is not %j', (text) => { expect(printedNumber(text)).toBeUndefined(); });
  it('takes the unit of its column where it has none', () => { expect(printedNumber('0.028', 'G')).toMatchObject({ value: 28e6, step: 1e6 }); });
  it('is reproduced by what rounds to it, and by nothing else', () => {
    const printed = printedNumber('3.37 M')!;
    expect([3_373_056, 3_365_000, 3_374_999, 3_375_100, 3_364_900, 1_714_416].map((v) => printsAs(printed, v))).toEqual([true, true, true, false, false, false]);
  });
  it('that is zero is as fine as its column', () => {
    const column = ['1.85 G', '~0', '10.31 G', '-'];
    const zero = printedCell('~0', column, '')!;
    expect([0, 458_752, 5e6, 6e6].map((v) => printsAs(zero, v))).toEqual([true, true, true, false]);
    expect(printsAs(printedCell('0', ['0', '-'], '')!, 1)).toBe(false);
  });
});

describe('a row of a published table', () => {
  const upright: Published = { path: 't.csv', header: ['group', 'method', 'Dice'], lines: [['special', 'Net', '1'], ['unified', 'Net', '2'], ['unified', 'Other', '3']] };
  it('is the line with most of its names', () => {
    expect(cellsOf(upright, ['unified', 'Net']).get('Dice')).toBe('2');
    expect(cellsOf(upright, ['X', 'Other']).get('Dice')).toBe('3');
  });
  it('is none where several lines have them equally, or none has', () => {
    expect(cellsOf(upright, ['Net', 'Net']).size).toBe(0);
    expect(cellsOf(upright, ['A', 'B']).size).toBe(0);
  });
  it('is a column where the table stands on its side', () => {
    const sideways: Published = { path: 't.csv', header: ['metric', 'w/o X', 'Full'], lines: [['AVG_Dice', '85.5', '86.6'], ['AVG_mIoU', '84.9', '86.4']] };
    expect(Object.fromEntries(cellsOf(sideways, ['base', 'Full']))).toEqual({ AVG_Dice: '86.6', AVG_mIoU: '86.4' });
  });
});

// Two convolutions of the whole, one of each task's own, a state: all counts can be done by hand.
const SPEC = `edition 1
tasks lesions {
  SL "Skin lesion" { folder: "skin_lesion" }
  CP "Colon polyp" { folder: "colon_polyp" }
  TN "Thyroid nodule" { folder: "thyroid_nodule" }
}
block tower(t: task)(x: f32[B, C, H, W]) -> f32[B, C, H, W] {
  state seen per t: f32[C] { init = ones([C]), update = seen * 1.0 }
  layer first = conv(C)
  layer second = per t conv(C, biased: false)
  return second(first(x)) * (seen |> reshape([1, C, 1, 1]))
}
model M(image: f32[B, 4, 8, 8], t: task of lesions) -> f32[B, 1, 8, 8] {
  layer a = tower(t)
  layer b = tower(t)
  let y = b(a(image)) |> conv(1)
  return y
}
train main of M {
  loss = mean(y, axes: [1, 2, 3])[:, 0, 0, 0]
  optimizer = adam(lr: 1e-3)
  epochs = 1, batch = 1
}
study s of main {
  groups = [
    { label: "seconds", paths: ["*.second"], tasks: 1 },
    { label: "a", paths: ["a"], without: ["a.second"], tasks: 2 },
    { label: "all", paths: ["*"] }
  ]
  columns = [
    { label: "params", by: [trainable, parameters] },
    { label: "growth", by: [parameters_per_task, buffers_per_task] },
    { label: "share", by: [parameters_per_task_share, parameters_share] },
    { label: "ops", by: [macs, flops], unit: "k" }
  ]
}
`;
const host = hostOf({ 'spec.tps': SPEC });
const { studies } = studiesOf('spec.tps', host);
const programFor = (text: string) => (_: unknown, tasks: readonly string[]): Program => programOf(compileText(text, { tasks: [...tasks] }));
// conv(4) on 4 channels: 16 + 4; without bias 16; the last 4 + 1
const whole = (T: number): number => 2 * (20 + 16 * T) + 5;

describe('groups', () => {
  const published: Published = {
    path: 'p.csv', header: ['part', 'params', 'growth', 'share', 'ops'],
    lines: [['seconds', '32', '+32', '33.0%', '4.1'], ['a', '20', '4', '-', '1.3'], ['all', '141', '-', '', '~0']],
  };
  const found = inspectStudy(studies[0]!, ['SL', 'CP', 'TN'], published, programFor(SPEC));

  it('are counted for as many tasks as they say, what one more adds over all of them', () => {
    expect(found.groups.map((g) => [g.group, g.tasks, g.counts.parameters, g.counts.buffers, g.counts.macs])).toEqual([
      ['seconds', 1, 32, 0, 2 * 16 * 64], ['a', 2, 20, 8, 16 * 64], ['all', 3, whole(3), 24, 4 * 16 * 64 + 4 * 64],
    ]);
  });
  it('stand beside what was published, each value with the rule that gives it, or none', () => {
    expect(found.groups.map((g) => g.cells.map((c) => c.reproducedBy ?? (c.verdict === 'not compared' ? null : 'nothing')))).toEqual([
      ['trainable', 'parameters_per_task', 'nothing', 'flops'],
      ['trainable', 'buffers_per_task', null, 'nothing'],
      ['trainable', null, null, 'nothing'],
    ]);
    expect(found.groups[0]!.cells[2]!.counted).toEqual([{ by: 'parameters_per_task_share', value: 100 * 32 / whole(1) }, { by: 'parameters_share', value: 100 * 32 / whole(1) }]);
  });
  it('are told with the candidates of what nothing gives', () => {
    const text = renderStudy(found, new Map([['ops', 'k']]));
    expect(text).toMatch(/^seconds +1 +params +32 +32 +trainable +reproduced$/m);
    expect(text).toContain('6 of 9 published values are reproduced to the printed digits; no counting rule reproduces the other 3:\n');
    expect(text).toContain('  a, ops 1.3: macs 1.02 k, flops 2.05 k\n');
  });
  it('need paths that name something', () => {
    const faulty = SPEC.replace('["*.second"]', '["*.secund"]');
    const run = (): unknown => inspectStudy(studiesOf('spec.tps', hostOf({ 'spec.tps': faulty })).studies[0]!, ['SL', 'CP', 'TN'], undefined, programFor(faulty));
    expect(run).toThrow(GroupPathFault);
    expect(run).toThrow(/seconds: `\*\.secund` names nothing that counts/);
  });
});

it('`*` is one step, alone the whole; a path names what is at it and below it', () => {
  const counter = new GroupCounter(programOf(compileText(SPEC)));
  expect([['*'], ['a'], ['a.*'], ['*.first'], ['a.first', 'a']].map((paths) => counter.count(paths).parameters)).toEqual([whole(3), 20 + 48, 20 + 48, 40, 20 + 48]);
  expect(counter.missing('a.furst')).toEqual({ step: 'furst', names: expect.arrayContaining(['first', 'second', 'seen']) });
  expect(counter.missing('a.first')).toBeUndefined();
});
