// tpsc ablate as a user sees it: the plan, the runs, what is skipped, what failed, what is refused. Workers are processes of their own.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEntry, StudyFile } from '../../runtime/ablate/layout.js';
import type { PlanReport } from '../../runtime/report/ablation.js';
import type { RunRecord } from '../../runtime/train/run-directory.js';
import { study } from '../ablate/specs.js';
import { folderOf, tpsc } from './harness.js';

const STUDIES = `
variant bad "a rate that diverges" of main {
  set main.optimizer = sgd(lr: 1e30)
}
variant cut "cut elsewhere" of main {
  set main.threshold = 0.4
}
study failing of main {
  rows = [bad, main, same, each], repeat = [each], baseline = main
  budget = { steps: 4 }
}
study thresholds of main { rows = [main, cut] }
variant each "each by itself" of main { alias }
`;
const folder = folderOf({ 'net.tps': study('seeds = [0, 5]') + STUDIES });
const at = (name: string): string => join(folder, name);
const ablate = (name: string, out: string, ...more: readonly string[]): readonly string[] => ['ablate', at('net.tps'), '--study', name, '--data', at('data'), '--out', at(out), '--threads', '2', '--jobs', '2', ...more];
const json = <T>(path: string): T => JSON.parse(readFileSync(at(path), 'utf8')) as T;

beforeAll(async () => {
  await tpsc(['data', 'phantom', '--out', at('data'), '--seed', '3', '--size', '32', '--train', '4', '--val', '2']);
  await tpsc(['data', 'phantom', '--out', at('other'), '--seed', '4', '--size', '32', '--train', '4', '--val', '2']);
});

describe('ablate --dry-run', () => {
  it('prints rows, runs, counts and costs, and starts nothing', async () => {
    const { code, out } = await tpsc(ablate('widths', 'plan', '--dry-run'));
    expect(code).toBe(0);
    expect(out).toContain('study widths of main: 4 rows, 2 tasks, 2 seeds, 6 runs\n');
    expect(out).toMatch(/^row +label +runs +done +parameters +trainable +MACs +steps +cost +a run$/m);
    expect(out).toMatch(/^main +main +2 +0 +426 +426 +25\.1 k +4 +1\.00$/m);
    expect(out).toMatch(/^wide +twice the width +2 +0 +850 +850 +50\.2 k +4 +2\.00$/m);
    expect(out).toMatch(/^same +main again, the runs of main +2 /m);
    expect(out).toMatch(/checkpoint last on the validation split at the network's size, threshold 0\.5, mIoU dataset-both/);
    expect(existsSync(at('plan'))).toBe(false);
  });
  it('gives them to tools', async () => {
    const plan = JSON.parse((await tpsc(ablate('failing', 'plan', '--dry-run', '--format', 'json'))).out) as PlanReport & { readonly list: readonly RunEntry[] };
    expect(plan).toMatchObject({ study: 'failing', runs: 4, done: 0, jobs: 2, threads: 1, secondsLeft: null });
    expect(plan.list.map((r) => [r.row, r.tasks.join(), r.seed, r.state, r.steps])).toEqual([
      ['bad', 'TN,SL', 0, 'waiting', 4], ['main', 'TN,SL', 0, 'waiting', 4], ['same', 'TN,SL', 0, 'waiting', 4], ['each', 'TN', 0, 'waiting', 2], ['each', 'SL', 0, 'waiting', 2],
    ]);
  });
});

describe('ablate', { timeout: 300_000 }, () => {
  it('stops where it is told to, and leaves all resumable', async () => {
    const { code, out, err } = await tpsc(ablate('failing', 'runs'), { onInterrupt: (stop) => { setTimeout(stop, 300); return () => undefined; } });
    expect(code).toBe(130);
    expect(err).toContain('stopping: every run saves');
    expect(out).toMatch(/stopped; go on with:\n {2}tpsc ablate .*net\.tps --study failing .*--jobs 2/);
    expect(json<RunEntry[]>('runs/runs.json').every((r) => r.state === 'waiting')).toBe(true);
  });
  it('goes past a row that fails and names it; rows of one network share a run', async () => {
    const { code, out, err } = await tpsc(ablate('failing', 'runs'));
    expect(code, err).toBe(1);
    expect(err).toMatch(/^\[\d\/4\] main, seed 0: epoch 1, Dice \d/m);
    expect(out).toMatch(/^bad +a rate that diverges +0\/1 +0 +1 +0 /m);
    expect(out).toMatch(/^main +main +1\/1 +0 +0 +0 +4\/4 +0\.\d{3} /m);
    expect(out).toMatch(/failed: bad, seed 0: the training diverged: .*\n {2}all it said: cat .*logs\/\w{16}\.log\n/);
    const entries = json<RunEntry[]>('runs/runs.json');
    expect(entries.map((r) => [r.row, r.tasks.join(), r.state])).toEqual([['bad', 'TN,SL', 'failed'], ['main', 'TN,SL', 'done'], ['same', 'TN,SL', 'done'], ['each', 'TN', 'done'], ['each', 'SL', 'done']]);
    expect(entries[2]!.run).toBe(entries[1]!.run);
    const run = json<RunRecord>(`runs/runs/${entries[1]!.run}/run.json`), file = json<StudyFile>('runs/study.json');
    expect(run.hash.slice(0, 16)).toBe(entries[1]!.run);
    expect(file).toMatchObject({ format: 1, study: 'failing', block: 'main', seeds: [0], tasks: ['TN', 'SL'], budget: { steps: 4 }, data: run.identity.data, threads: 1, metric: { checkpoint: 'last', threshold: 0.5 } });
    expect(file.rows.map((r) => [r.name, r.baseline])).toEqual([['bad', false], ['main', true], ['same', false], ['each', false]]);
    expect(file.rows[1]!.program).toBe(run.identity.program);
  });
  it('keeps the counts of each image, of both checkpoints', () => {
    const [, main] = json<RunEntry[]>('runs/runs.json');
    for (const checkpoint of ['last', 'best']) {
      const lines = readFileSync(at(`runs/runs/${main!.run}/eval/val-${checkpoint}.csv`), 'utf8').trim().split('\n');
      expect([lines[0], lines.length]).toEqual(['task,image,tp,fp,fn,tn', 5]);
    }
    expect(main!.seconds).toBeGreaterThan(0);
  });
  it('does not do again what is done', async () => {
    const { code, err } = await tpsc(ablate('failing', 'runs', '--rows', 'main,each'));
    expect([code, /begins/.test(err)]).toEqual([0, false]);
    expect(err).toMatch(/^main +main +1 +1 .* \d+ s$/m);
  });
  it('tells how a study stands', async () => {
    expect((await tpsc(['ablate', '--status', at('runs')])).out).toMatch(/^each +each by itself +2\/2 [^]*failed: bad, seed 0: the training diverged/m);
    expect(JSON.parse((await tpsc(['ablate', '--status', at('runs'), '--format', 'json'])).out)).toMatchObject({ study: 'failing', runs: json('runs/runs.json') });
  });
  it('collects what is done, without Slurm too', async () => {
    const { code, out } = await tpsc(['ablate', '--collect', at('runs'), '--wait']);
    expect(code).toBe(1);
    expect(out).toMatch(/^each +each by itself +2\/2 [^]*failed: bad, seed 0: the training diverged[^]*not done, and in no queue: bad, seed 0\nthe table: tpsc table \S*runs\n$/m);
  });
  it('needs Slurm for --executor slurm, but not to print its script', async () => {
    const path = process.env['PATH'], slurm = ['ablate', at('net.tps'), '--study', 'widths', '--data', at('data'), '--out', at('never'), '--executor', 'slurm', '--jobs', '3', '--slurm-args', '--mem=2G --time=10'];
    process.env['PATH'] = '/nowhere';
    try {
      const { code, err } = await tpsc(slurm);
      expect([code, existsSync(at('never'))]).toEqual([1, false]);
      expect(err).toMatch(/Slurm is not here: no sbatch on the PATH\n.*login node/);
      const dry = await tpsc([...slurm, '--threads', '2', '--dry-run']);
      expect([dry.code, existsSync(at('never'))]).toEqual([0, false]);
      expect(dry.out).toMatch(/^#SBATCH --array=0-5%3\n#SBATCH --cpus-per-task=2\n[^]*\n#SBATCH --mem=2G --time=10\n[^]* {2}# main, seed 0\n/m);
      expect((JSON.parse((await tpsc([...slurm, '--dry-run', '--format', 'json'])).out) as { readonly script: string }).script).toContain(`--out ${at('never')} --data ${at('data')} >> "logs/$run.log" 2>&1 &\n`);
    } finally { process.env['PATH'] = path; }
  });
  it.each<[readonly string[], number, RegExp]>([
    [ablate('failing', 'runs').map((w) => (w === at('data') ? at('other') : w)), 1, /cannot be compared with these\. Different: the data \(was \w{12}, is \w{12}\)\n.*give another --out/],
    [ablate('failing', 'runs', '--checkpoint', 'best'), 1, /cannot be compared with these\. Different: the metric/],
    [ablate('failing', 'runs', '--tasks', 'SL'), 1, /Different: the tasks \(was TN, SL, is SL\); the data/],
    [ablate('widths', 'runs'), 1, /the study \(was failing, is widths\); the budget \(was steps 4, is none\)/],
    [ablate('failing', 'runs', '--rows', 'mian'), 2, /has no row mian\n.*did you mean `main`\?/],
    [ablate('thresholds', 'never'), 1, /rows main and cut are cut at different thresholds, 0\.5 and 0\.4/],
    [ablate('width', 'never'), 1, /has no study width\n.*did you mean `widths`\?/],
    [['ablate', at('net.tps'), '--data', at('data'), '--out', at('never')], 2, /needs --study/],
    [['ablate', '--status', folder], 1, /holds no study/],
    [['ablate', '--collect', folder], 1, /holds no study/],
    [ablate('widths', 'never', '--wait'), 2, /--wait goes with --executor slurm/],
    [ablate('widths', 'never', '--slurm-args', '--partition=long'), 2, /--slurm-args goes with --executor slurm/],
    [ablate('widths', 'never', '--executor', 'slurm', '--slurm-args', '--array=1-9'), 2, /--slurm-args: --array is set by tpsc itself\n.*--jobs N/],
    [['ablate', '--out', at('runs'), '--data', at('data'), '--run', '0123456789abcdef'], 1, /has no run 0123456789abcdef/],
  ])('refuses %j', async (argv, code, message) => {
    const said = await tpsc(argv);
    expect([said.code, said.out]).toEqual([code, '']);
    expect(said.err).toMatch(message);
    expect(existsSync(at('never'))).toBe(false);
  });
});
