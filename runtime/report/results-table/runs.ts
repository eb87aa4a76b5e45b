// From folders to scored runs: what `train` and `eval` left in a run directory, and which runs a folder stands for. Reads files, runs no model, compares nothing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findStudyFile, readRunEntries, studyPaths, type StudyFile } from '../../ablate/layout.js';
import { UserError } from '../../errors.js';
import type { ImageCounts } from '../../metrics/index.js';
import type { EvaluationReport } from '../../train/evaluate.js';
import { evaluationStem, readCounts } from '../../train/evaluation-files.js';
import type { RunSummary } from '../../train/loop.js';
import { readRun, runPaths, type RunRecord } from '../../train/run-directory.js';

/** Which evaluation of a run is read: `eval/SPLIT-CHECKPOINT[-original].csv`. */
export interface Choice { readonly split: string; readonly checkpoint: 'last' | 'best'; readonly at: 'network' | 'original' }

/** A run directory that a table may use, and the row of a study that it is of. */
export interface RunPlace {
  readonly folder: string;
  readonly record: RunRecord;
  /** Seconds of training over all sittings, where a study has kept them. */
  readonly seconds?: number;
}

export interface StudyPlaces {
  readonly root: string;
  readonly file: StudyFile;
  /** By row, in the order of runs.json. */
  readonly runs: readonly { readonly row: string; readonly place: RunPlace }[];
  /** Runs that the study asks for and that have no directory: why. */
  readonly absent: readonly string[];
}
export interface Places { readonly studies: readonly StudyPlaces[]; readonly runs: readonly RunPlace[] }

const isRun = (folder: string): boolean => existsSync(runPaths(folder).record);

/** A study's folder, a run directory, or a folder of run directories. Throws UserError for anything else. */
export function findPlaces(folders: readonly string[]): Places {
  const studies: StudyPlaces[] = [], runs: RunPlace[] = [];
  for (const root of folders) {
    if (!existsSync(root) || !statSync(root).isDirectory()) throw new UserError(`there is no folder ${root}`, 'Give the --out of `tpsc ablate` or of `tpsc train`.');
    const file = findStudyFile(root);
    if (file !== undefined) {
      studies.push(placesOfStudy(root, file));
      continue;
    }
    const inside = isRun(root) ? [root] : readdirSync(root).sort().map((name) => join(root, name)).filter(isRun);
    if (inside.length === 0) throw new UserError(`${root} is neither a study nor a run, and holds no run directories`, 'Give the --out of `tpsc ablate` or of `tpsc train`.');
    runs.push(...inside.map((folder) => ({ folder, record: readRun(folder) })));
  }
  const twice = runs.find((r, i) => runs.findIndex((other) => other.folder === r.folder) !== i);
  if (twice !== undefined) throw new UserError(`${twice.folder} is given twice`, 'Give each folder once.');
  return { studies, runs };
}

function placesOfStudy(root: string, file: StudyFile): StudyPlaces {
  const runs: { readonly row: string; readonly place: RunPlace }[] = [], absent: string[] = [];
  for (const entry of readRunEntries(root)) {
    const folder = studyPaths(root).folder(entry.run), what = `${entry.row}, seed ${entry.seed}${file.tasks.length === entry.tasks.length ? '' : `, ${entry.tasks.join(', ')}`}`;
    if (entry.state === 'failed') absent.push(`${what}: failed${entry.reason === undefined ? '' : ` (${entry.reason})`}`);
    else if (isRun(folder)) runs.push({ row: entry.row, place: { folder, record: readRun(folder), ...(entry.seconds === undefined ? {} : { seconds: entry.seconds }) } });
    else absent.push(`${what}: not begun`);
  }
  return { root, file, runs, absent };
}

// ---------------------------------------------------------------- one run

/** A run with its scores: all that a table needs of it. */
export interface ScoredRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly seed: number;
  readonly counts: readonly ImageCounts[];
  /** Fingerprint of the data that it was scored on. */
  readonly data: string;
  /** `12 epochs`, or `30 steps` where the training was stopped there. */
  readonly budget: string;
  /** Absent where the training was resumed and nobody kept the time of its sittings. */
  readonly seconds?: number;
}

const stemOf = (folder: string, { split, checkpoint, at }: Choice): string => evaluationStem(folder, { split, of: checkpoint, original: at === 'original' });

/** Whether the run has this evaluation. */
export const isEvaluated = (folder: string, choice: Choice): boolean => existsSync(`${stemOf(folder, choice)}.csv`);

function json<T>(path: string): T {
  try { return JSON.parse(readFileSync(path, 'utf8')) as T; } catch { throw new UserError(`${path} is missing or damaged`, 'Evaluate or train the run again.'); }
}

/** The run's scores, or why it has none yet. `steps`: the budget of its study, where that stops trainings. Throws UserError where a file is damaged. */
export function scoredRun(place: RunPlace, choice: Choice, steps?: number): ScoredRun | string {
  const { folder, record } = place, paths = runPaths(folder), file = stemOf(folder, choice);
  if (!existsSync(paths.summary)) return 'not finished';
  const summary = json<RunSummary>(paths.summary);
  if (summary.stopped === 'interrupted' || (steps !== undefined && summary.stopped === 'max-steps' && summary.steps < steps)) return `not finished: ${summary.steps} steps done`;
  if (!isEvaluated(folder, choice)) return `not evaluated: \`tpsc eval ${folder} --data … --split ${choice.split} --checkpoint ${choice.checkpoint}${choice.at === 'original' ? ' --at original' : ''}\``;
  const { data } = json<EvaluationReport>(`${file}.json`);
  const seconds = place.seconds ?? ((summary.since ?? 0) === 0 ? summary.seconds : undefined);
  return {
    folder, record, seed: record.identity.seed, counts: readCounts(`${file}.csv`), data,
    budget: steps !== undefined ? `${steps} steps` : summary.stopped === 'finished' ? `${summary.epochs} epochs` : `${summary.steps} steps`,
    ...(seconds === undefined ? {} : { seconds }),
  };
}

/** How a message names a run. */
export const runName = (run: Pick<ScoredRun, 'folder'>): string => basename(run.folder);
