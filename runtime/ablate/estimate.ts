// How long runs will take, from those that have finished. Numbers only.
import { mean } from '../statistics/moments.js';
import type { RunEntry } from './layout.js';
import type { PlannedRun } from './plan.js';

export type Expected = (run: PlannedRun) => number | undefined;

/**
 * Seconds of training of a whole run: the mean of finished runs of its row; where none has finished, its work at the mean rate of all that have.
 * undefined where nothing has finished yet.
 */
export function expectations(runs: readonly PlannedRun[], entries: readonly RunEntry[]): Expected {
  const seconds = new Map(entries.flatMap((e) => (e.state === 'done' && e.seconds !== undefined ? [[e.run, e.seconds] as const] : [])));
  const finished = [...new Map(runs.map((r) => [r.run, r])).values()].flatMap((r) => { const s = seconds.get(r.run); return s === undefined ? [] : [{ run: r, seconds: s }]; });
  const rate = finished.length === 0 ? undefined : mean(finished.map((f) => f.seconds / f.run.work));
  return (run) => {
    const own = finished.filter((f) => f.run.row === run.row);
    if (own.length > 0) return mean(own.map((f) => f.seconds));
    return rate === undefined ? undefined : run.work * rate;
  };
}

/** Seconds to the end of all that is not done, `jobs` at a time; undefined where nothing has finished yet. */
export function secondsLeft(runs: readonly PlannedRun[], entries: readonly RunEntry[], jobs: number): number | undefined {
  const expected = expectations(runs, entries), states = new Map(entries.map((e) => [e.run, e]));
  let total = 0;
  for (const run of new Map(runs.map((r) => [r.run, r])).values()) {
    const entry = states.get(run.run);
    if (entry?.state === 'done') continue;
    const whole = expected(run);
    if (whole === undefined) return undefined;
    total += whole * (1 - Math.min(1, (entry?.step ?? 0) / run.steps));
  }
  return total / jobs;
}
