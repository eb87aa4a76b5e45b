// A study through a real Slurm of this machine: a task is put back into the queue, a worker and a whole task are killed with -9, and the numbers and the table
// are those of `--jobs 2`. `npx tsx test/ablate/slurm.ts` takes 4 rows and 3 seeds of the nano network at 64 x 64, 30 steps a run; the suite less.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../cli/host.js';
import { remains, tableOf, tpscProcess } from './kill.js';
import { NANO_PHANTOM, nanoStudy } from './specs.js';

const SELF = fileURLToPath(import.meta.url), TOOL = join(packageRoot, 'tools', 'slurm-here.mjs');

const tool = (...words: readonly string[]): { readonly status: number | null; readonly said: string } => {
  // the daemons keep what they are given: no pipes
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...words], { encoding: 'utf8', stdio: ['ignore', 'ignore', words[0] === 'start' ? 'inherit' : 'pipe'] });
  return { status, said: (stderr ?? '').trim() };
};

/** Why there can be no Slurm here; undefined where there can. */
export function whyNoSlurm(): string | undefined {
  const { status, said } = tool('check');
  return status === 0 ? undefined : said;
}

/** `use` with a Slurm that is started before and stopped after. */
export async function withSlurm<T>(use: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'slurm-here-')), before = process.env['SLURM_CONF'];
  if (tool('start', folder).status !== 0) throw new Error(`no Slurm: see ${folder}`);
  process.env['SLURM_CONF'] = join(folder, 'slurm.conf');
  try { return await use(); } finally {
    tool('stop', folder);
    if (before === undefined) delete process.env['SLURM_CONF'];
    else process.env['SLURM_CONF'] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface SlurmStudy {
  /** A study `clustered` in it. */
  readonly spec: string;
  /** Arguments of `tpsc data phantom`. */
  readonly phantom: readonly string[];
  readonly flags: readonly string[];
}

export interface SlurmReport {
  readonly dryRun: string;
  readonly status: string;
  /** What was done to tasks, in order. */
  readonly disturbed: readonly string[];
  /** All that the tasks' own logs say. */
  readonly logs: string;
  /** Of the first `--collect`, before what was cut was submitted again. */
  readonly collected: { readonly code: number | null; readonly said: string };
  readonly jobs: number;
  readonly equal: boolean;
  readonly sameTable: boolean;
  readonly lastWords: string;
}

interface Holder { readonly run: string; readonly pid: number; readonly job: string }

/** A worker that has made a step, of a run not in `but`. */
async function holder(out: string, but: readonly string[]): Promise<Holder> {
  for (const began = Date.now(); Date.now() - began < 300_000;) {
    for (const run of existsSync(join(out, 'locks')) ? readdirSync(join(out, 'locks')) : []) {
      if (but.includes(run)) continue;
      try {
        const { pid, job } = JSON.parse(readFileSync(join(out, 'locks', run, 'lock'), 'utf8')) as { readonly pid: number; readonly job: string };
        if (readFileSync(join(out, 'runs', run, 'metrics.jsonl'), 'utf8').includes('\n')) return { run, pid, job };
      } catch { /* not yet, or no longer */ }
    }
    await setTimeout(20);
  }
  throw new Error('no further run was ever under way');
}

const parentOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);

export async function throughSlurm({ spec, phantom, flags }: SlurmStudy): Promise<SlurmReport> {
  const root = mkdtempSync(join(tmpdir(), 'slurm-study-')), file = join(root, 'clustered.tps'), data = join(root, 'data'), [whole, out] = ['whole', 'out'].map((name) => join(root, name)) as [string, string];
  const ablate = (folder: string, ...more: readonly string[]): ReturnType<typeof tpscProcess>['ended'] => tpscProcess(['ablate', file, '--study', 'clustered', '--data', data, '--out', folder, ...flags, ...more]).ended;
  const slurm = ['--executor', 'slurm', '--threads', '1', '--slurm-args', '--partition=here --time=30'];
  const must = async (ended: ReturnType<typeof ablate>): Promise<string> => {
    const { code, said } = await ended;
    if (code !== 0) throw new Error(`ended with ${code}: ${said}`);
    return said;
  };
  try {
    writeFileSync(file, spec);
    await must(tpscProcess(['data', 'phantom', '--out', data, ...phantom]).ended);
    await must(ablate(whole, '--jobs', '2', '--threads', '2'));
    const dryRun = await must(ablate(out, ...slurm, '--dry-run'));
    await must(ablate(out, ...slurm));
    const disturbed: string[] = [], hit: string[] = [];
    for (const how of ['requeue', 'kill the worker', 'kill the task'] as const) {
      const { run, pid, job } = await holder(out, hit);
      if (how === 'requeue') spawnSync('scontrol', ['requeue', job]);
      else for (const each of how === 'kill the task' ? [parentOf(pid), pid] : [pid]) process.kill(each, 'SIGKILL');
      hit.push(run);
      disturbed.push(how);
    }
    const status = await must(tpscProcess(['ablate', '--status', out]).ended);
    const collected = await tpscProcess(['ablate', '--collect', out, '--wait']).ended;
    let last = collected;
    if (collected.code !== 0) last = await ablate(out, ...slurm, '--wait');
    const logs = readdirSync(join(out, 'slurm')).sort();
    return {
      dryRun, status, disturbed, collected, jobs: logs.filter((name) => name.endsWith('.json')).length, logs: logs.filter((name) => name.endsWith('.log')).map((name) => readFileSync(join(out, 'slurm', name), 'utf8')).join(''),
      equal: remains(out) === remains(whole), sameTable: await tableOf(out) === await tableOf(whole), lastWords: last.said,
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[1] === SELF) {
  const reason = whyNoSlurm();
  if (reason !== undefined) {
    console.error(reason);
    process.exit(1);
  }
  const began = Date.now(), report = await withSlurm(() => throughSlurm({
    spec: nanoStudy('clustered', ['A1', 'A2', 'A3', 'A4'], 3, 30),
    phantom: NANO_PHANTOM, flags: ['--weights', 'random'],
  }));
  for (const part of [report.status, report.collected.said, report.logs, report.lastWords]) console.log(part);
  console.log(JSON.stringify({ disturbed: report.disturbed, collected: report.collected.code, jobs: report.jobs, equal: report.equal, sameTable: report.sameTable, seconds: Math.round((Date.now() - began) / 1000) }));
  process.exitCode = report.equal && report.sameTable ? 0 : 1;
}
