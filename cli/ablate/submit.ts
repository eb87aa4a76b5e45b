// `tpsc ablate --executor slurm`: the runs of a plan as an array job. What is done, or already in the queue, is not submitted again.
import { resolve } from 'node:path';
import { writeRunEntries, type RunEntry } from '../../runtime/ablate/layout.js';
import type { PlannedRun } from '../../runtime/ablate/plan.js';
import { forgetFailure } from '../../runtime/ablate/scan.js';
import { isLive, queueOf, submit } from '../../runtime/ablate/slurm.js';
import { plural } from '../../runtime/report/numbers.js';
import { distinctRuns, runName } from '../../runtime/report/ablation.js';
import { quoted } from '../flags.js';
import { showPath, type Io } from '../io.js';
import type { OpenedPlan } from './open.js';
import { slurmScript } from './slurm-script.js';

export interface SlurmRequest {
  readonly out: string;
  readonly opened: OpenedPlan;
  readonly args?: string;
  /** The words that do a run. */
  readonly words: (run: string) => readonly string[];
}

export const scriptOf = ({ out, opened: { plan, jobs }, args, words }: SlurmRequest, runs: readonly PlannedRun[]): string => slurmScript({
  study: plan.study.study, out: resolve(out), runs: runs.map((r) => ({ run: r.run, name: runName(r) })), threads: plan.study.threads,
  ...(jobs === undefined ? {} : { jobs }), ...(args === undefined ? {} : { args }), words,
});

/** Those of `chosen` that are not done. */
export const openRuns = (chosen: readonly PlannedRun[], entries: readonly RunEntry[]): readonly PlannedRun[] => {
  const done = new Set(entries.filter((e) => e.state === 'done').map((e) => e.run));
  return distinctRuns(chosen).filter((r) => !done.has(r.run));
};

/** Gives the number of the job; undefined where nothing is left to submit. Throws UserError where Slurm refuses. */
export function submitOpen(request: SlurmRequest, entries: readonly RunEntry[], again: string, io: Io): string | undefined {
  const { out, opened: { chosen } } = request, open = openRuns(chosen, entries), queue = queueOf(out, entries);
  writeRunEntries(out, entries);
  const runs = open.filter((r) => !isLive(queue?.get(r.run)));
  if (runs.length < open.length) io.err(`${plural(open.length - runs.length, 'run')} in the queue already\n`);
  if (runs.length === 0) return undefined;
  for (const { run } of runs) forgetFailure(out, run);
  const { job } = submit(out, scriptOf(request, runs), runs.map((r) => r.run), again);
  const folder = quoted(showPath(resolve(out)));
  io.err(`submitted job ${job}: ${plural(runs.length, 'run')}, a task each\n  how it stands:    tpsc ablate --status ${folder}\n  wait for its end: tpsc ablate --collect ${folder} --wait\n  take it back:     scancel ${job}\n`);
  return job;
}
