// A few kills for the suite; `kill.ts` does ten on a larger study. And two runners in one folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunEntries, studyPaths } from '../../runtime/ablate/layout.js';
import { folderOf, tpsc } from '../cli/harness.js';
import { killAndFinish, tpscProcess } from './kill.js';
import { study } from './specs.js';

// a dozen processes begin, each after the other's end: on a busy machine that takes minutes
describe('a study', { timeout: 600_000 }, () => {
  it('killed with -9, runner or worker, ends with the numbers of an undisturbed one', async () => {
    const { killed, equal, sameTable, lastWords } = await killAndFinish({
      spec: study('seeds = 1, budget = { steps: 8 }, tasks = [TN, SL]', ['main', 'wide']).replace('study widths', 'study killed'), phantom: ['--seed', '3', '--size', '32', '--train', '6', '--val', '2'], flags: ['--jobs', '2'],
      kills: 2, seed: Date.now() % 1e6,
    });
    expect(lastWords).toContain('the table: tpsc table');
    expect({ killed: killed.length > 0, equal, sameTable }).toEqual({ killed: true, equal: true, sameTable: true });
  });
  it('with two runners in its folder, trains nothing twice', async () => {
    const folder = folderOf({ 'net.tps': study('seeds = 1', ['main', 'wide', 'same']) }), out = join(folder, 'out');
    await tpsc(['data', 'phantom', '--out', join(folder, 'data'), '--seed', '3', '--size', '32', '--train', '4', '--val', '2']);
    const ends = await Promise.all([1, 2].map(() => tpscProcess(['ablate', join(folder, 'net.tps'), '--study', 'widths', '--data', join(folder, 'data'), '--out', out, '--threads', '1']).ended));
    expect(ends.map((e) => e.code), ends.map((e) => e.said).join('\n')).toEqual([0, 0]);
    const entries = readRunEntries(out), runs = [...new Set(entries.map((e) => e.run))];
    expect([entries.length, runs.length, entries.filter((e) => e.state === 'done').length]).toEqual([3, 2, 3]);
    for (const run of runs) expect(readFileSync(studyPaths(out).log(run), 'utf8').match(/images, 2 epochs of/g)?.length, run).toBe(1);
  });
});
