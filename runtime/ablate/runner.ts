// Gives the runs of a plan to workers, some at a time, until all are done or have failed. Other runners may do the same in the same folder: a run that
// another one holds is left to it, and taken over when that one is gone. How a worker is made is the caller's matter.
import { studyPaths, writeRunEntries, type RunEntry } from './layout.js';
import { forgetFailure, recordFailure, scanRun, scanRuns, type Goal, type RunPlace } from './scan.js';
import type { WorkOutcome } from './work.js';

/** `died`: it ended without a word (killed, out of memory). */
export type WorkerEnd = WorkOutcome | 'failed' | 'died';

export interface Worker {
  readonly ended: Promise<WorkerEnd>;
  /** Asks it to save and to stop. */
  stop(): void;
}

export type RunnerEvent<R extends RunPlace> =
  | { readonly kind: 'start'; readonly run: R }
  /** Of a worker of this runner, or seen on the disk. */
  | { readonly kind: 'end'; readonly run: R; readonly entry: RunEntry; readonly ours: boolean }
  | { readonly kind: 'again'; readonly run: R }
  /** All that is left is in other hands. */
  | { readonly kind: 'waiting'; readonly runs: readonly R[] };

export interface RunnerOptions<R extends RunPlace> {
  readonly root: string;
  readonly goal: Goal;
  /** All of the plan: runs.json lists them. */
  readonly all: readonly RunPlace[];
  /** Those that this runner is to do, in order; of several with one folder, the first is done. */
  readonly runs: readonly R[];
  readonly jobs: number;
  readonly start: (run: R) => Worker;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: RunnerEvent<R>) => void;
  /** Between looks at what others do. */
  readonly pollMs?: number;
}

/** A worker that dies is started again, so often in all. */
const STARTS = 3;

/** Gives how all runs of the plan stand at the end. Failures of earlier starts are tried again. */
export async function runAll<R extends RunPlace>(options: RunnerOptions<R>): Promise<readonly RunEntry[]> {
  return new Runner(options).go();
}

class Runner<R extends RunPlace> {
  private readonly open = new Map<string, R>();
  private readonly active = new Map<string, { readonly worker: Worker; readonly settled: Promise<void> }>();
  private readonly starts = new Map<string, number>();
  private waiting = false;
  private wake: () => void = () => undefined;
  constructor(private readonly options: RunnerOptions<R>) {}

  async go(): Promise<readonly RunEntry[]> {
    const { root, signal, runs, goal } = this.options;
    for (const run of runs) {
      const { state } = scanRun(root, run, goal);
      if (state === 'failed') forgetFailure(root, run.run);
      if (state !== 'done' && !this.open.has(run.run)) this.open.set(run.run, run);
    }
    const stop = (): void => {
      for (const { worker } of this.active.values()) worker.stop();
      this.wake();
    };
    signal.addEventListener('abort', stop);
    this.write();
    while (this.open.size > 0 && !signal.aborted) {
      this.fill();
      if (this.open.size > 0) await this.something();
    }
    await Promise.all([...this.active.values()].map((a) => a.settled));
    signal.removeEventListener('abort', stop);
    return this.write();
  }

  /** Starts workers up to the number of jobs, on runs that nobody has. */
  private fill(): void {
    for (const run of [...this.open.values()]) {
      if (this.active.has(run.run)) continue;
      const entry = scanRun(this.options.root, run, this.options.goal);
      if (entry.state === 'done' || entry.state === 'failed') this.close(run, entry, false);
      else if (entry.state === 'waiting' && this.active.size < this.options.jobs) this.begin(run);
    }
    if (this.active.size > 0 || this.open.size === 0) { this.waiting = false; return; }
    if (!this.waiting) this.options.onEvent?.({ kind: 'waiting', runs: [...this.open.values()] });
    this.waiting = true;
  }

  private begin(run: R): void {
    this.options.onEvent?.({ kind: 'start', run });
    this.starts.set(run.run, (this.starts.get(run.run) ?? 0) + 1);
    const worker = this.options.start(run);
    const settled = worker.ended.then((end) => { this.active.delete(run.run); this.after(run, end); });
    this.active.set(run.run, { worker, settled });
  }

  private after(run: R, end: WorkerEnd): void {
    const { root, onEvent, signal } = this.options;
    if (end === 'died' && !signal.aborted) {
      if ((this.starts.get(run.run) ?? 0) < STARTS) onEvent?.({ kind: 'again', run });
      else recordFailure(root, run.run, `its process was ended ${STARTS} times by the system (out of memory?), see ${studyPaths(root).log(run.run)}`);
    }
    const entry = scanRun(root, run, this.options.goal);
    if (entry.state === 'done' || entry.state === 'failed') this.close(run, entry, true);
    this.write();
  }

  private close(run: R, entry: RunEntry, ours: boolean): void {
    this.open.delete(run.run);
    this.options.onEvent?.({ kind: 'end', run, entry, ours });
  }

  /** Waits for the end of a worker; while a job is free, for the time of a look at the others, too. */
  private async something(): Promise<void> {
    const { jobs, pollMs = 1000 } = this.options, ends = [...this.active.values()].map((a) => a.settled);
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((done) => {
      this.wake = done;
      if (ends.length < jobs) timer = setTimeout(done, pollMs);
    });
    await Promise.race([pause, ...ends]);
    clearTimeout(timer);
  }

  private write(): readonly RunEntry[] {
    const entries = scanRuns(this.options.root, this.options.all, this.options.goal);
    writeRunEntries(this.options.root, entries);
    return entries;
  }
}
