// A study's jobs in Slurm: which there were (slurm/JOB.json in its folder), and how their tasks stand by squeue. Accounting is not asked for, so what Slurm
// has forgotten (some minutes after its end) counts as gone. What a task runs is the caller's matter.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import { makeFolder, writeJsonAtomically } from '../state/atomic.js';
import { studyPaths, type RunEntry } from './layout.js';
import { recordFailure, scanRuns, type Goal } from './scan.js';

/** slurm/JOB.json: an array job, whose task N does the Nth of its runs. */
export interface Submission {
  readonly format: 1;
  readonly job: string;
  /** Where the job is not of the cluster that is asked by default. */
  readonly cluster?: string;
  readonly runs: readonly string[];
  /** What submits the rest, as a person would type it. */
  readonly command: string;
  readonly submitted: string;
}

export interface SlurmTask {
  readonly run: string;
  /** `17_3` */
  readonly task: string;
  /** As Slurm has it: PENDING, RUNNING, … */
  readonly state: string;
  readonly reason: string;
  readonly nodes: string;
}

/** Tasks by run: of several the one that is live, else the newest. */
export type Queue = ReadonlyMap<string, SlurmTask>;

const ENDED = new Set(['BOOT_FAIL', 'CANCELLED', 'COMPLETED', 'DEADLINE', 'FAILED', 'NODE_FAIL', 'OUT_OF_MEMORY', 'PREEMPTED', 'REVOKED', 'TIMEOUT']);
/** Runs, or will run without being submitted again. */
export const isLive = (task: SlurmTask | undefined): boolean => task !== undefined && !ENDED.has(task.state);

const folderOf = (root: string): string => join(root, 'slurm');
export const taskLog = (root: string, task: SlurmTask): string => join(folderOf(root), `${task.task}.log`);

/** Oldest first. Throws UserError where one is damaged. */
export function readSubmissions(root: string): readonly Submission[] {
  const folder = folderOf(root);
  if (!existsSync(folder)) return [];
  const read = (name: string): Submission => {
    const path = join(folder, name);
    try {
      const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Submission>;
      if (value.format === 1 && typeof value.job === 'string' && Array.isArray(value.runs)) return value as Submission;
    } catch { /* told below */ }
    throw new UserError(`${path} is damaged: it should say which runs a job of Slurm has`, 'Remove it; runs of that job may then be submitted twice, and each is still done once.');
  };
  return readdirSync(folder).filter((name) => /^\d+\.json$/.test(name)).map(read).sort((a, b) => a.submitted.localeCompare(b.submitted));
}

function call(program: string, argv: readonly string[], options: { readonly cwd?: string; readonly input?: string } = {}): SpawnSyncReturns<string> {
  const result = spawnSync(program, argv, { ...options, encoding: 'utf8' });
  if (result.error !== undefined) throw (result.error as NodeJS.ErrnoException).code === 'ENOENT' ? noSlurm(program) : result.error;
  return result;
}

const noSlurm = (program: string): UserError =>
  new UserError(`Slurm is not here: no ${program} on the PATH`, 'Run this where jobs are submitted, on a login node of the cluster. Without a cluster leave out --executor slurm, and say --jobs.');

/** Throws UserError where jobs cannot be submitted from here. */
export function requireSlurm(): void { call('sbatch', ['--version']); }

const FORMAT = '%F|%K|%T|%N|%r';

/** What squeue prints of a job by `FORMAT`, a task a line, as tasks. Other lines (a header of a cluster) are passed over. */
export function parseQueue(text: string, { job, runs }: Pick<Submission, 'job' | 'runs'>): readonly SlurmTask[] {
  return text.split('\n').flatMap((line): readonly SlurmTask[] => {
    const [of, index = '', state = '', nodes = '', ...reason] = line.trim().split('|'), run = /^\d+$/.test(index) ? runs[Number(index)] : undefined;
    return of !== job || run === undefined ? [] : [{ run, task: `${job}_${index}`, state, nodes, reason: reason.join('|') }];
  });
}

/** Throws UserError where Slurm does not answer. */
function squeue({ job, cluster }: Submission): string {
  const { status, stdout, stderr } = call('squeue', [...(cluster === undefined ? [] : ['-M', cluster]), '-h', '-r', '-t', 'all', '-j', job, '-o', FORMAT]);
  if (status === 0) return stdout;
  if (/invalid job id/i.test(stderr)) return '';
  throw new UserError(`squeue cannot tell how job ${job} stands: ${stderr.trim()}`, 'Try again once Slurm answers; the runs do not depend on it.');
}

/** How the runs that are not done stand in Slurm; undefined where none was ever submitted. Throws UserError where Slurm does not answer. */
export function queueOf(root: string, entries: readonly RunEntry[], ask: (submission: Submission) => string = squeue): Queue | undefined {
  const submissions = readSubmissions(root), open = new Set(entries.filter((e) => e.state !== 'done').map((e) => e.run));
  if (submissions.length === 0) return undefined;
  const tasks = submissions.filter((s) => s.runs.some((run) => open.has(run))).flatMap((s) => parseQueue(ask(s), s)).filter((t) => open.has(t.run));
  const queue = new Map<string, SlurmTask>();
  for (const task of tasks) if (!isLive(queue.get(task.run)) || isLive(task)) queue.set(task.run, task);
  return queue;
}

/** Submits `script`, task N of which does `runs[N]`. Throws UserError with what sbatch says. */
export function submit(root: string, script: string, runs: readonly string[], command: string): Submission {
  makeFolder(folderOf(root));
  const { status, stdout, stderr } = call('sbatch', ['--parsable'], { cwd: root, input: script });
  const [, job, cluster] = /^(\d+)(?:;(\S+))?\s*$/m.exec(stdout) ?? [];
  if (status !== 0 || job === undefined) throw new UserError(`sbatch does not take the job: ${(stderr || stdout).trim()}`, 'Mend --slurm-args; --dry-run prints the script.');
  const submission: Submission = { format: 1, job, ...(cluster === undefined ? {} : { cluster }), runs, command, submitted: new Date().toISOString() };
  writeJsonAtomically(join(folderOf(root), `${job}.json`), submission);
  return submission;
}

/**
 * Entries as they stand, where a task ended badly and its run has not said why: failed, by what Slurm says. Cancelled ones wait, as those that Slurm has
 * forgotten do: they are submitted again.
 */
export function settleEnded(root: string, entries: readonly RunEntry[], queue: Queue | undefined, goal: Goal): readonly RunEntry[] {
  // looked at after the queue was: a task that ended meanwhile has left its reason
  for (const { run, state } of scanRuns(root, entries, goal)) {
    const task = queue?.get(run);
    if (state !== 'waiting' || task === undefined || isLive(task) || ['CANCELLED', 'COMPLETED', 'PREEMPTED'].includes(task.state)) continue;
    recordFailure(root, run, `Slurm ended its task ${task.task}${task.nodes === '' ? '' : ` on ${task.nodes}`}: ${task.state}${task.reason === 'None' ? '' : ` (${task.reason})`}; see ${taskLog(root, task)} and ${studyPaths(root).log(run)}`);
  }
  return scanRuns(root, entries, goal);
}
