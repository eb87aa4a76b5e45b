// The values that a training or an evaluation starts from: another run's or a file's weights by path, and initial values for the rest.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storedPaths, taskCodes, type Program, type TensorInfo } from '../../compiler/program.js';
import { UserError } from '../errors.js';
import type { Tensor } from '../engines/engine.js';
import { checkpointTensors, hasCheckpoint, isMoment } from './checkpoint.js';
import { initialise } from './initialise.js';
import { readSafetensors } from './safetensors.js';

export interface WeightsReport {
  /** The safetensors file that was read. */
  readonly file: string;
  readonly taken: readonly string[];
  /** In the program, not in the file. */
  readonly missing: readonly string[];
  /** In the file, not in the program. */
  readonly extra: readonly string[];
  readonly misshapen: readonly { readonly path: string; readonly file: readonly number[]; readonly program: readonly number[] }[];
}

/** The folder of a run's checkpoints. */
export const checkpointFolder = (run: string): string => join(run, 'checkpoints');

/** The safetensors file behind `source`: itself, or the best (else the last) checkpoint of a run directory. Throws UserError. */
export function weightsFile(source: string): string {
  if (!existsSync(source)) throw new UserError(`weights ${source} do not exist`, 'Give a run directory, a .safetensors file, or `random`.');
  if (!statSync(source).isDirectory()) return source;
  const folder = checkpointFolder(source);
  const name = ['best', 'last'].find((n) => hasCheckpoint(folder, n));
  if (name === undefined) throw new UserError(`${source} holds no checkpoint`, 'Give the directory of a run that was trained, or a .safetensors file.');
  return checkpointTensors(folder, name);
}

/** Reads from a file the tensors whose path and shape are the program's, and says what did not fit. Moments of an optimiser are left aside. */
export function loadWeights(program: Program, source: string): { readonly tensors: ReadonlyMap<string, Tensor>; readonly report: WeightsReport } {
  const file = weightsFile(source);
  const found = readSafetensors(file, { only: (name) => !isMoment(name) }).tensors;
  const wanted = shapesOf(program);
  const tensors = new Map<string, Tensor>();
  const missing: string[] = [], misshapen: { path: string; file: readonly number[]; program: readonly number[] }[] = [];
  for (const [path, shape] of wanted) {
    const tensor = found.get(path);
    if (tensor === undefined) missing.push(path);
    else if (tensor.dtype !== 'f32' || tensor.shape.length !== shape.length || !shape.every((n, i) => n === tensor.shape[i])) misshapen.push({ path, file: tensor.shape, program: shape });
    else tensors.set(path, tensor);
  }
  return { tensors, report: { file, taken: [...tensors.keys()], missing, extra: [...found.keys()].filter((path) => !wanted.has(path)), misshapen } };
}

const shapesOf = (program: Program): ReadonlyMap<string, readonly number[]> =>
  new Map(program.tensors.flatMap((t) => storedPaths(t, taskCodes(program)).map((path) => [path, t.shape] as const)));

export interface Start {
  readonly tensors: Map<string, Tensor>;
  /** Part of a run's identity: `init`, `random`, or the digest of the file. */
  readonly identity: string;
  readonly report?: WeightsReport;
}

/**
 * The tensors that a program starts with. `weights`: a run directory, a .safetensors file, `random`, or nothing.
 * Trained tensors and states that the file lacks take their initial values; a frozen tensor (or one whose spec names weights) does so only
 * under `random`, for it would stay what it is by chance. Throws UserError naming the tensors that are missing or misshapen.
 */
export function startingTensors(program: Program, seed: number, weights?: string): Start {
  const tasks = taskCodes(program);
  const loaded = weights === undefined || weights === 'random' ? undefined : loadWeights(program, weights);
  if (weights !== 'random') refuseUnfilled(program, loaded?.report);
  if (loaded !== undefined && loaded.tensors.size === 0) {
    throw new UserError(`no tensor of ${loaded.report.file} fits ${program.name}`, `It holds ${some(loaded.report.extra)}; the spec wants ${some(loaded.report.missing)}.`);
  }
  const tensors = new Map<string, Tensor>();
  for (const tensor of program.tensors) {
    const paths = storedPaths(tensor, tasks);
    const drawn = paths.every((path) => loaded?.tensors.has(path)) ? undefined : initialise(tensor, seed, tasks);
    for (const path of paths) {
      const value = loaded?.tensors.get(path) ?? drawn?.get(path);
      if (value !== undefined) tensors.set(path, value);
    }
  }
  return { tensors, identity: loaded === undefined ? weights ?? 'init' : digestOf(loaded.report.file), report: loaded?.report };
}

/** Throws UserError where the tensors of a checkpoint are not those of the program, naming what is missing or of another shape. */
export function requireTensors(program: Program, tensors: ReadonlyMap<string, Tensor>, where: string): void {
  const wrong = [...shapesOf(program)].filter(([path, shape]) => tensors.get(path)?.shape.join() !== shape.join()).map(([path]) => path);
  if (wrong.length > 0) throw new UserError(`the checkpoint in ${where} does not fit ${program.name}: missing or of another shape are ${some(wrong)}`, 'It was saved by another spec, or is damaged.');
}

const needsWeights = (t: TensorInfo): boolean => t.kind === 'param' && (t.frozen || t.weights !== undefined);

function refuseUnfilled(program: Program, report: WeightsReport | undefined): void {
  const taken = new Set(report?.taken ?? []);
  const unfilled = program.tensors.filter(needsWeights).flatMap((t) => storedPaths(t, taskCodes(program)).filter((path) => !taken.has(path)));
  if (unfilled.length === 0) return;
  const shaped = (report?.misshapen ?? []).map((m) => `${m.path} is [${m.file.join(', ')}] in the file and [${m.program.join(', ')}] in the spec`);
  const named = [...new Set(program.tensors.flatMap((t) => (t.weights === undefined ? [] : [t.weights])))];
  throw new UserError(
    `${unfilled.length} frozen tensors of ${program.name} have no weights${report === undefined ? '' : ` in ${report.file}`}: ${some(unfilled)}${shaped.length > 0 ? `. ${some(shaped, '; ')}` : ''}`,
    `Give --weights with a run or a .safetensors file that holds them${named.length > 0 ? ` (the spec names ${named.join(', ')})` : ''}, or --weights random to train on random ones.`,
  );
}

function some(names: readonly string[], between = ', '): string {
  const shown = names.slice(0, 5).join(between);
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown || 'nothing';
}

/** Hexadecimal SHA-256 of a file, read in pieces. */
export function digestOf(file: string): string {
  const hash = createHash('sha256'), piece = Buffer.alloc(1 << 22), fd = openSync(file, 'r');
  try {
    for (let got = readSync(fd, piece); got > 0; got = readSync(fd, piece)) hash.update(piece.subarray(0, got));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** What of `--weights` names a run's start: `random`, or the digest of the file; undefined where nothing is asked for. */
export const weightsIdentity = (weights: string | undefined): string | undefined =>
  (weights === undefined || weights === 'random' ? weights : digestOf(weightsFile(weights)));
