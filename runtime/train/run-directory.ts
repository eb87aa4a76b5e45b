// The run directory: what a run is (spec, seed, data, engine, weights), written once, and what may be resumed under it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../../compiler/program.js';
import type { SplitRule } from '../data/index.js';
import type { Engine } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { makeFolder, writeJsonAtomically, writeTextAtomically } from '../state/atomic.js';
import { checkpointFolder } from '../state/weights.js';
import type { GrowthCount } from './growth.js';

/** Everything that could change a number of the run. `--max-steps` is not here: it only stops. */
export interface RunIdentity {
  /** The program's hash: graph and training block, settings and epochs applied. */
  readonly program: string;
  readonly seed: number;
  /** The data set's fingerprint. */
  readonly data: string;
  readonly engine: string;
  readonly threads: number;
  /** `init`, `random`, or the digest of the weights that it started from. */
  readonly weights: string;
  /** The one task that it was trained on, where it was added to a trained network; `weights` is then that of the run that grew. */
  readonly added?: string;
  /** The price of memory (compiler/passes/rematerialise.ts) where a limit of memory was given: what is computed again may be rounded otherwise. */
  readonly price?: number;
  /** The forward's products with frozen matrices are in int8; absent: all in floats. */
  readonly frozen?: 'int8';
}

/** What a training was told of its data folder. */
export interface Reading { readonly accept?: readonly string[]; readonly split?: SplitRule }

/** run.json */
export interface RunRecord {
  readonly format: 1;
  readonly hash: string;
  readonly identity: RunIdentity;
  readonly name: string;
  readonly block: string;
  readonly variant?: string;
  readonly variantLabel?: string;
  readonly file: string;
  readonly tasks: readonly string[];
  /** How the data were read, so that `eval` reads them alike. */
  readonly reading?: Reading;
  readonly weights?: string;
  /** The task that was added to another run, and how many parameters that made. */
  readonly added?: { readonly task: string; readonly from: string; readonly parameters: GrowthCount };
  readonly versions: Readonly<Record<string, string>>;
  /** Where the data lay, absolute: a report looks there for pictures. */
  readonly dataFolder?: string;
  /** `linux x64, 8 × AMD EPYC 7763, 31.3 GiB` */
  readonly machine?: string;
  readonly command?: string;
  readonly started: string;
}

export interface RunPaths { readonly root: string; readonly record: string; readonly spec: string; readonly log: string; readonly checkpoints: string; readonly evaluations: string; readonly summary: string }
export const runPaths = (root: string): RunPaths => ({
  root, record: join(root, 'run.json'), spec: join(root, 'spec.tps'), log: join(root, 'metrics.jsonl'),
  checkpoints: checkpointFolder(root), evaluations: join(root, 'eval'), summary: join(root, 'summary.json'),
});

export const engineIdentity = (engine: Engine): string => `${engine.name} ${engine.version} ${engine.device}`;

/** Hexadecimal SHA-256 of the identity. */
export const hashOf = (identity: RunIdentity): string => createHash('sha256').update(JSON.stringify(IDENTITY.flatMap(([key]) => identity[key] ?? []))).digest('hex');

const IDENTITY: readonly (readonly [keyof RunIdentity, string])[] = [
  ['program', 'spec'], ['seed', 'seed'], ['data', 'data'], ['engine', 'engine'], ['threads', 'number of threads'], ['weights', 'starting weights'], ['added', 'added task'], ['price', 'memory limit (price of a byte)'],
  ['frozen', 'number format of frozen layers'],
];

/** What a training that was killed before its run.json was written may have left. */
const LEFTOVERS = new Set(['lock', 'spec.tps', 'checkpoints', 'eval']);

/** Opens `root` for a training: a new run, or with `resume` the one in it (`before`). Throws UserError where it holds anything else. */
export function openRun(root: string, resume: boolean): { readonly paths: RunPaths; readonly before?: RunRecord } {
  const paths = runPaths(root);
  if (existsSync(paths.record)) {
    if (resume) return { paths, before: readRun(root) };
    throw new UserError(`${root} holds a run already`, 'Give --resume to go on with it, or another --out.');
  }
  if (existsSync(root) && !statSync(root).isDirectory()) throw new UserError(`${root} is a file, not a run directory`, 'Give an --out that does not exist yet.');
  if (existsSync(root) && readdirSync(root).some((name) => !name.startsWith('.') && !LEFTOVERS.has(name))) {
    throw new UserError(`${root} is not empty, and holds no run`, 'Give an --out that does not exist yet.');
  }
  for (const folder of [root, paths.checkpoints, paths.evaluations]) makeFolder(folder);
  return { paths };
}

/** Writes what the run is. run.json comes last: with it the directory is a run. */
export function writeRun(paths: RunPaths, program: Program, record: RunRecord): void {
  writeTextAtomically(paths.spec, program.resolved);
  writeJsonAtomically(paths.record, record);
}

/** Throws UserError where `root` is no run. */
export function readRun(root: string): RunRecord {
  const { record: path } = runPaths(root);
  if (!existsSync(path)) throw new UserError(`${root} is no run directory: it has no run.json`, 'Give the --out of a `tpsc train`.');
  let record: Partial<RunRecord> | null;
  try { record = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunRecord> | null; } catch { record = null; }
  if (record?.format !== 1 || typeof record.hash !== 'string' || typeof record.identity !== 'object') throw new UserError(`${path} is damaged`, 'Train again into another directory.');
  return record as RunRecord;
}

/** Refuses to resume what is not the same run, saying what differs. Throws UserError. */
export function requireSame(root: string, before: RunIdentity, now: RunIdentity): void {
  const changes = IDENTITY.flatMap(([key, label]) => (before[key] === now[key] ? [] : [`the ${label} (was ${short(before[key])}, is ${short(now[key])})`]));
  if (changes.length === 0) return;
  throw new UserError(`${root} cannot be resumed: it is another run. Different: ${changes.join(', ')}`, 'Resume with what it was started with, or train into another --out.');
}

const short = (value: string | number | undefined): string => (value === undefined ? 'none' : shortHash(String(value)));

/** A hash as a message shows it; anything else as it is. */
export const shortHash = (value: string): string => (/^[0-9a-f]{64}$/.test(value) ? value.slice(0, 12) : value);
