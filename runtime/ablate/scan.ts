// How far the runs of a study are, read from their folders alone: no process is asked and nothing is remembered. Writes nothing but the record of a failure.
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluationReport } from '../train/evaluate.js';
import { evaluationStem } from '../train/evaluation-files.js';
import { lockHolder } from '../train/lock.js';
import type { RunSummary } from '../train/loop.js';
import { runPaths } from '../train/run-directory.js';
import { makeFolder, writeJsonAtomically } from '../state/atomic.js';
import { studyPaths, type RunEntry, type StudyFile, type StudyMetric } from './layout.js';

/** What a list needs to know of a run to look for it. */
export type RunPlace = Pick<RunEntry, 'row' | 'tasks' | 'seed' | 'run' | 'steps'>;
/** What decides whether a run is done. */
export type Goal = Pick<StudyFile, 'metric' | 'budget'>;

function maybeJson<T>(path: string): T | undefined {
  try { return JSON.parse(readFileSync(path, 'utf8')) as T; } catch { return undefined; }
}

/** What `evaluateRun` wrote for this metric; undefined where it is not there yet. */
export function evaluationOf(folder: string, metric: Pick<StudyMetric, 'checkpoint' | 'at'>): EvaluationReport | undefined {
  const path = evaluationStem(folder, { split: 'val', of: metric.checkpoint, original: metric.at === 'original' });
  return existsSync(`${path}.csv`) ? maybeJson<EvaluationReport>(`${path}.json`) : undefined;
}

/** Whether the training came to its end: of all epochs, or of the budget's steps. */
export function isTrained(folder: string, { budget }: Pick<Goal, 'budget'>): boolean {
  const summary = maybeJson<RunSummary>(runPaths(folder).summary);
  if (summary === undefined) return false;
  return summary.stopped === 'finished' || (summary.stopped === 'max-steps' && budget.steps !== undefined && summary.steps >= budget.steps);
}

export const isDone = (folder: string, goal: Goal): boolean => isTrained(folder, goal) && evaluationOf(folder, goal.metric) !== undefined;

/** time.json of a run: what the training took up to its last checkpoint. Written beside each, so that no sitting counts twice. */
export interface TrainingTime { readonly step: number; readonly seconds: number }
const timePath = (folder: string): string => join(folder, 'time.json');
export const readTime = (folder: string): TrainingTime | undefined => maybeJson<TrainingTime>(timePath(folder));
export const writeTime = (folder: string, time: TrainingTime): void => writeJsonAtomically(timePath(folder), time);

/** The step of the last whole line of metrics.jsonl; 0 where there is none. */
function lastStep(folder: string): number {
  const { log } = runPaths(folder);
  if (!existsSync(log)) return 0;
  const fd = openSync(log, 'r');
  try {
    // a line with its tasks is well below this
    const size = fstatSync(fd).size, tail = Buffer.alloc(Math.min(size, 1 << 16));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const text = tail.toString('utf8');
    return Number(/"step":(\d+)[^\n]*\n[^\n]*$/.exec(text)?.[1] ?? 0);
  } finally {
    closeSync(fd);
  }
}

interface Failure { readonly reason: string }

/** Why a run failed; undefined where it did not, or is being tried again. */
export const failureOf = (root: string, run: string): string | undefined => maybeJson<Failure>(studyPaths(root).failure(run))?.reason;
export function recordFailure(root: string, run: string, reason: string): void {
  makeFolder(join(root, 'logs'));
  writeJsonAtomically(studyPaths(root).failure(run), { reason } satisfies Failure);
}
/** For a further try. */
export const forgetFailure = (root: string, run: string): void => rmSync(studyPaths(root).failure(run), { force: true });

/** How a run stands at this moment. */
export function scanRun(root: string, { row, tasks, seed, run, steps }: RunPlace, goal: Goal): RunEntry {
  const paths = studyPaths(root), folder = paths.folder(run), seconds = readTime(folder)?.seconds, reason = failureOf(root, run);
  const place = { row, tasks, seed, run, step: lastStep(folder), steps, ...(seconds === undefined ? {} : { seconds }) };
  if (isDone(folder, goal)) return { ...place, state: 'done' };
  if (lockHolder(paths.lock(run)) !== undefined) return { ...place, state: 'running' };
  return reason === undefined ? { ...place, state: 'waiting' } : { ...place, state: 'failed', reason };
}

export const scanRuns = (root: string, places: readonly RunPlace[], goal: Goal): readonly RunEntry[] => places.map((place) => scanRun(root, place, goal));
