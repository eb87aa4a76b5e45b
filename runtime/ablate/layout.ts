// The folder of a study: study.json (what is compared), runs.json (how far it is), runs/ (a run directory each), locks/, logs/. Reading and writing; what
// runs is decided elsewhere. The truth about a run is in its folder: runs.json is only a copy of it for readers.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import type { MiouDefinition } from '../metrics/index.js';
import { writeJsonAtomically } from '../state/atomic.js';
import type { Reading } from '../train/run-directory.js';
import type { CheckpointName } from '../train/trained-run.js';

export interface StudyFileRow {
  readonly name: string;
  readonly label: string;
  readonly baseline: boolean;
  readonly variant?: string;
  /** Values of settings that a sweep sets. */
  readonly set: Readonly<Record<string, string>>;
  /** The program's hash, which the run.json of its runs names too; of the first task where each is trained by itself. */
  readonly program: string;
  /** One training for each task by itself. */
  readonly repeat: boolean;
}

/** How a run is scored: what two numbers of one table must have in common. */
export interface StudyMetric {
  /** Dice of each image, mean over the images of a task. */
  readonly dice: 'image';
  readonly miou: MiouDefinition;
  readonly threshold: number;
  readonly checkpoint: CheckpointName;
  /** The size at which masks are compared. */
  readonly at: 'network' | 'original';
}

/** study.json. Paths are absolute. */
export interface StudyFile {
  readonly format: 1;
  readonly study: string;
  readonly label?: string;
  readonly spec: string;
  /** The spec's text as it was read, variants and studies included; modules that it imports are not in it. */
  readonly specText: string;
  /** The train block that it is a study of. */
  readonly block: string;
  readonly rows: readonly StudyFileRow[];
  readonly seeds: readonly number[];
  /** Codes; none where the model reads no task. */
  readonly tasks: readonly string[];
  readonly budget: { readonly epochs?: number; readonly steps?: number };
  /** Fingerprint of the data of all tasks. */
  readonly data: string;
  readonly reading: Reading;
  readonly metric: StudyMetric;
  readonly published?: string;
  readonly engine: string;
  /** Of each run: part of its identity. */
  readonly threads: number;
  /** What every run starts from; `identity`: `init`, `random` or a digest. */
  readonly weights: { readonly source?: string; readonly identity: string };
}

export type RunState = 'waiting' | 'running' | 'done' | 'failed';

/** One line of runs.json. Rows of one network share a run. */
export interface RunEntry {
  readonly row: string;
  readonly tasks: readonly string[];
  readonly seed: number;
  /** Name of its folder in runs/: the first 16 digits of the run's identity hash. */
  readonly run: string;
  readonly state: RunState;
  /** Why it failed. */
  readonly reason?: string;
  /** Of training, over all sittings; steps that a kill took are not in it. */
  readonly seconds?: number;
  /** Done so far, of `steps`. */
  readonly step: number;
  readonly steps: number;
}

export interface StudyPaths { readonly root: string; readonly study: string; readonly runs: string; readonly folder: (run: string) => string; readonly lock: (run: string) => string; readonly log: (run: string) => string; readonly failure: (run: string) => string }
export const studyPaths = (root: string): StudyPaths => ({
  root, study: join(root, 'study.json'), runs: join(root, 'runs.json'), folder: (run) => join(root, 'runs', run),
  lock: (run) => join(root, 'locks', run), log: (run) => join(root, 'logs', `${run}.log`), failure: (run) => join(root, 'logs', `${run}.failed.json`),
});

/** Events of a run for TensorBoard, under a name that a person can read there. `all`: the study's tasks. */
export const eventsFolder = (root: string, { row, tasks, seed }: Pick<RunEntry, 'row' | 'tasks' | 'seed'>, all: readonly string[]): string =>
  join(root, 'tensorboard', `${row}${tasks.length === all.length ? '' : `-${tasks.join('-')}`}-seed${seed}`);

function readJson(path: string, what: string): unknown {
  try { return JSON.parse(readFileSync(path, 'utf8')) as unknown; } catch { throw new UserError(`${path} is damaged: it should be ${what}`, 'Remove it and start the same `tpsc ablate` again: finished runs are found again.'); }
}

/** undefined where there is none yet. Throws UserError where it is damaged. */
export function findStudyFile(root: string): StudyFile | undefined {
  const { study } = studyPaths(root);
  if (!existsSync(study)) return undefined;
  const file = readJson(study, 'a study') as Partial<StudyFile> | null;
  if (file?.format !== 1 || typeof file.study !== 'string' || !Array.isArray(file.rows)) throw new UserError(`${study} is damaged, or of another version of tpsc`, 'Give another --out.');
  return file as StudyFile;
}

/** Throws UserError where `root` is no folder of a study. */
export function readStudyFile(root: string): StudyFile {
  const file = findStudyFile(root);
  if (file === undefined) throw new UserError(`${root} holds no study: it has no study.json`, 'Give the --out of a `tpsc ablate`.');
  return file;
}

/** As it was last written; throws UserError where there is none. `scanRuns` tells how things stand now. */
export function readRunEntries(root: string): readonly RunEntry[] {
  const { runs } = studyPaths(root);
  if (!existsSync(runs)) throw new UserError(`${root} has no runs.json`, 'Start its `tpsc ablate` again: it is made anew.');
  const entries = readJson(runs, 'the list of a study\'s runs');
  if (!Array.isArray(entries)) throw new UserError(`${runs} is damaged`, 'Remove it and start the same `tpsc ablate` again.');
  return entries as readonly RunEntry[];
}

export const writeRunEntries = (root: string, entries: readonly RunEntry[]): void => writeJsonAtomically(studyPaths(root).runs, entries);
