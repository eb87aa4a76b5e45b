// Progress over all rows: a bar a row on a terminal, lines elsewhere, and how long the rest takes by the multiply-adds that are done.
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { boardOf, Pace } from '../../cli/ablate/board.js';
import type { Io } from '../../cli/io.js';
import type { RunEntry } from '../../runtime/ablate/layout.js';
import { expectations, secondsLeft } from '../../runtime/ablate/estimate.js';
import type { PlannedRun } from '../../runtime/ablate/plan.js';

const counts = { parameters: 1, trainable: 1, buffers: 0, macs: 1, weight_macs: 1, flops: 2, weight_flops: 2 };
const run = (row: string, seed: number, work: number): PlannedRun => ({ row, label: row, tasks: ['SL', 'CP'], seed, run: `${row}${seed}`, steps: 10, counts, work });
const runs = [run('main', 0, 100), run('wide', 0, 300), run('main', 1, 100)];
const entry = (r: PlannedRun, state: RunEntry['state'], step: number, seconds?: number): RunEntry => ({ row: r.row, tasks: r.tasks, seed: r.seed, run: r.run, steps: r.steps, state, step, ...(seconds === undefined ? {} : { seconds }) });

describe('Pace', () => {
  it('counts a run by its work, not by its steps, and begins with this sitting', () => {
    let now = 50;
    const pace = new Pace(runs, [entry(runs[0]!, 'done', 10)], () => now);
    expect([pace.count(), pace.count('main'), pace.left()]).toEqual([{ done: 10, of: 30 }, { done: 10, of: 20 }, undefined]);
    now = 60;
    pace.at('wide0', 5);
    // 150 of 400 in ten seconds
    expect(pace.left()).toBeCloseTo(250 / 15);
  });
});

describe('expectations', () => {
  it('are the row\'s own where one of its runs has finished, else by work', () => {
    const entries = [entry(runs[0]!, 'done', 10, 20), entry(runs[1]!, 'running', 5), entry(runs[2]!, 'waiting', 0)];
    expect(runs.map(expectations(runs, entries))).toEqual([20, 60, 20]);
    expect(secondsLeft(runs, entries, 2)).toBe((30 + 20) / 2);
    expect(secondsLeft(runs, [], 2)).toBeUndefined();
  });
});

describe('boardOf', () => {
  const go = (io: Io): void => {
    const board = boardOf(io, runs, [entry(runs[0]!, 'done', 10)]);
    board.started(runs[1]!);
    board.told(runs[1]!, { kind: 'step', step: 5, steps: 10, epoch: 1, loss: 0.25 });
    board.told(runs[1]!, { kind: 'validation', epoch: 1, dice: 0.5 });
    board.ended(runs[1]!, entry(runs[1]!, 'done', 10, 65), true);
    board.ended(runs[2]!, { ...entry(runs[2]!, 'failed', 2), reason: 'the disk is full' }, false);
    board.stop();
  };
  const io: Io = { out: () => undefined, err: () => undefined, readStdin: async () => '', outTty: true, errTty: true, colour: false, columns: 100, onInterrupt: () => () => undefined, self: [] };
  it('is lines without a terminal', () => {
    let said = '';
    go({ ...io, err: (text) => { said += text; } });
    expect(said.replace(/ {2}\d+ s left/, '').split('\n')).toEqual([
      '[1/3] wide, seed 0 begins', '[1/3] wide, seed 0: epoch 1, Dice 0.500', '[2/3] done: wide, seed 0, 1 min 05 s', '[2/3] failed: main, seed 1, by another runner: the disk is full', '',
    ]);
  });
  it('is a bar a row, and one for all, on a terminal', () => {
    let text = '';
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
    stream.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    go({ ...io, bar: stream });
    expect(text).toMatch(/main .* 12\/20/);
    expect(text).toMatch(/all .* 22\/30 +2 of 3 runs/);
    // lines stay above the bars, the last ones too; then the cursor is back
    expect(text).toContain('done: wide, seed 0, 1 min 05 s');
    expect(text).toContain('failed: main, seed 1, by another runner: the disk is full');
    expect(text).toContain('\u001b[?25h');
  });
});
