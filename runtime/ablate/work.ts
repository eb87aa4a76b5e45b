// One run of a study from wherever it stands to its scores, in this process: claim, train, evaluate. No other process may do the same run meanwhile.
import type { Program } from '../../compiler/program.js';
import { startLoader, type Dataset, type ImageCache } from '../data/index.js';
import type { Engine } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { makeFolder } from '../state/atomic.js';
import { hasCheckpoint } from '../state/checkpoint.js';
import { evaluateRun } from '../train/evaluate.js';
import { lockHolder, lockRun, LostLock, type Lock } from '../train/lock.js';
import { train, type TrainEvent, type TrainOptions } from '../train/loop.js';
import { hashOf, engineIdentity } from '../train/run-directory.js';
import { CHECKPOINTS } from '../train/trained-run.js';
import { studyPaths, type StudyFile } from './layout.js';
import { forgetFailure, isDone, isTrained, readTime, recordFailure, writeTime } from './scan.js';

export interface Work extends Pick<TrainOptions, 'signal' | 'command' | 'versions' | 'machine' | 'tensorboard' | 'onEvent' | 'features'> {
  /** The folder of the study. */
  readonly root: string;
  readonly study: StudyFile;
  readonly run: string;
  readonly seed: number;
  readonly program: Program;
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** Where the weights of study.json are to be found now. */
  readonly weights?: string;
}

/** `taken`: another process has it, or took it over. `stopped`: `signal` was aborted; the run goes on from there at the next start. */
export type WorkOutcome = 'done' | 'taken' | 'stopped';

function claim(folder: string): Lock | undefined {
  makeFolder(folder);
  try { return lockRun(folder); } catch (error) {
    if (lockHolder(folder) !== undefined) return undefined;
    throw error;
  }
}

/** Throws UserError where the run is another one than planned, cannot begin or diverges; the reason is kept for whoever looks at the study. */
export async function workOn(work: Work): Promise<WorkOutcome> {
  const { root, run, study } = work, lock = claim(studyPaths(root).lock(run));
  if (lock === undefined) return 'taken';
  try {
    forgetFailure(root, run);
    if (isDone(studyPaths(root).folder(run), study)) return 'done';
    const cache = startLoader();
    try { return await trainAndScore(work, cache); } finally { await cache.close(); }
  } catch (error) {
    if (error instanceof LostLock) return 'taken';
    recordFailure(root, run, error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    lock.release();
  }
}

async function trainAndScore(work: Work, cache: ImageCache): Promise<WorkOutcome> {
  const { root, study, run, seed, program, engine, dataset, weights, signal, features } = work, out = studyPaths(root).folder(run);
  const planned = hashOf({ program: program.hash, seed, data: dataset.fingerprint, engine: engineIdentity(engine), threads: engine.threads, weights: study.weights.identity });
  if (!planned.startsWith(run)) throw new UserError(`run ${run} is no longer what was planned: the spec, the data or the engine changed meanwhile`, 'Start `tpsc ablate` again: it plans anew.');
  if (!isTrained(out, study)) {
    const options: TrainOptions = {
      program, engine, dataset, cache, out, seed, resume: true, reading: study.reading, onEvent: timed(out, work.onEvent),
      ...(features === undefined ? {} : { features }), ...(signal === undefined ? {} : { signal }), ...(weights === undefined ? {} : { weights }), ...(study.budget.steps === undefined ? {} : { maxSteps: study.budget.steps }),
      ...(work.command === undefined ? {} : { command: work.command }), ...(work.versions === undefined ? {} : { versions: work.versions }), ...(work.machine === undefined ? {} : { machine: work.machine }), ...(work.tensorboard === undefined ? {} : { tensorboard: work.tensorboard }),
    };
    if ((await train(options)).stopped === 'interrupted') return 'stopped';
  }
  // the one that the study is read by comes last: with it the run is done
  const { checkpoint: read, miou, at } = study.metric;
  const others = CHECKPOINTS.filter((name) => name !== read && hasCheckpoint(`${out}/checkpoints`, name));
  for (const checkpoint of [...others, read]) {
    if (signal?.aborted === true) return 'stopped';
    await evaluateRun({ run: out, program, engine, dataset, cache, split: 'val', checkpoint, miou, original: at === 'original', ...(features === undefined ? {} : { features }) });
  }
  return 'done';
}

/** Keeps account of the time of training up to each checkpoint, over all sittings. */
function timed(folder: string, tell: TrainOptions['onEvent']): (event: TrainEvent) => void {
  const before = readTime(folder)?.seconds ?? 0, began = performance.now();
  return (event) => {
    if (event.kind === 'checkpoint' && event.name === 'last') writeTime(folder, { step: event.step, seconds: before + (performance.now() - began) / 1000 });
    tell?.(event);
  };
}
