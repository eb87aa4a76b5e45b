// A checkpoint: NAME.json, which holds where the training stands and names a safetensors file beside it with the tensors.
// The JSON is the switch: it is replaced atomically after its tensors are on the disk, so a kill at any moment leaves a whole pair readable.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';
import type { Tensor } from '../engines/engine.js';
import { writeJsonAtomically } from './atomic.js';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from './safetensors.js';

/** All tensors that a training writes. */
export interface TrainState {
  /** Parameters and states, by the path under which they are stored (a task's own code in place of `{task}`). */
  readonly tensors: Map<string, Tensor>;
  /** The optimiser's moments: `m:PATH`, `v:PATH`. */
  readonly moments: Map<string, Tensor>;
  /** Updates so far of each trained tensor: they belong to the tensors, so a task's own ones count that task's steps. */
  readonly updates: Map<string, number>;
}

/** One validation as the schedules and the choice of the best need it. */
export interface ValidationPoint {
  readonly epoch: number;
  readonly step: number;
  readonly value: number;
  /** Of each task, where the training asks for it. */
  readonly perTask?: Readonly<Record<string, number>>;
}

/** Where a training stands. Everything else that it needs follows from its program, seed and data. */
export interface Progress {
  /** The epoch under way, from 0; equal to the number of epochs when done. */
  readonly epoch: number;
  /** Batches done in this epoch: the sampler's position. */
  readonly position: number;
  /** Batches done since the beginning. */
  readonly step: number;
  /** Sum of this epoch's batch losses so far. */
  readonly lossSum: number;
  /** The kept metric at each validation, in order; plateau schedules are a function of it. */
  readonly history: readonly ValidationPoint[];
  readonly best?: ValidationPoint;
}

export interface CheckpointRecord {
  readonly format: 1;
  /** File name of the tensors, beside the JSON. */
  readonly tensors: string;
  /** Identity of the program, and of the run (see `runIdentity`). */
  readonly program: string;
  readonly run: string;
  readonly seed: number;
  readonly progress: Progress;
  readonly updates: Readonly<Record<string, number>>;
  /** Values that the schedules had in the last step, `lr` included: what an evaluation or an export of this checkpoint uses. */
  readonly schedules: Readonly<Record<string, number>>;
  /** Length of the run's metrics.jsonl at this moment: a resumed run cuts it to this. */
  readonly logBytes: number;
}

export interface Checkpoint { readonly record: CheckpointRecord; readonly state: TrainState }

const jsonPath = (folder: string, name: string): string => join(folder, `${name}.json`);
const tensorsName = (name: string, step: number): string => `${name}-${String(step).padStart(9, '0')}.safetensors`;

export const hasCheckpoint = (folder: string, name: string): boolean => existsSync(jsonPath(folder, name));

/**
 * Saves `folder/NAME.json` and its tensors. Order: tensors under a name of this step (write, fsync, rename), then the JSON that names
 * them, then the tensors of the checkpoint before are removed.
 */
export function saveCheckpoint(folder: string, name: string, state: TrainState, record: Omit<CheckpointRecord, 'format' | 'tensors' | 'updates'>): void {
  mkdirSync(folder, { recursive: true });
  const file = tensorsName(name, record.progress.step);
  writeSafetensors(join(folder, file), new Map([...state.tensors, ...state.moments]), { program: record.program, run: record.run, step: String(record.progress.step) });
  const full: CheckpointRecord = { format: 1, tensors: file, ...record, updates: Object.fromEntries(state.updates) };
  writeJsonAtomically(jsonPath(folder, name), full);
  const mine = new RegExp(`^\\.?${name}(-\\d+\\.safetensors|\\.json)(\\.[\\w.-]+\\.tmp)?$`);
  for (const other of readdirSync(folder)) if (mine.test(other) && other !== file && other !== `${name}.json`) rmSync(join(folder, other), { force: true });
}

/** Throws UserError where the checkpoint is absent or damaged. */
function readCheckpointRecord(folder: string, name: string): CheckpointRecord {
  const path = jsonPath(folder, name);
  if (!existsSync(path)) throw new UserError(`${path} does not exist`, 'The run has not saved this checkpoint yet; give another one or train further with --resume.');
  let value: unknown;
  try { value = JSON.parse(readFileSync(path, 'utf8')); } catch { throw damaged(path, 'it is not JSON'); }
  if (!isRecord(value)) throw damaged(path, 'its fields are not those of a checkpoint');
  return value;
}

/** Path of the tensors that `folder/NAME.json` names. */
export const checkpointTensors = (folder: string, name: string): string => join(folder, readCheckpointRecord(folder, name).tensors);

export function loadCheckpoint(folder: string, name: string): Checkpoint {
  const record = readCheckpointRecord(folder, name);
  const path = join(folder, record.tensors);
  const { tensors, metadata } = readSafetensors(path);
  requirePair(record, metadata, path, name);
  const state: TrainState = { tensors: new Map(), moments: new Map(), updates: new Map(Object.entries(record.updates)) };
  for (const [key, tensor] of tensors) (isMoment(key) ? state.moments : state.tensors).set(key, tensor);
  return { record, state };
}

/** What a checkpoint says of itself, and the path of its tensors, none of which is read. Throws as `loadCheckpoint` does. */
export function findCheckpoint(folder: string, name: string): { readonly record: CheckpointRecord; readonly tensors: string } {
  const record = readCheckpointRecord(folder, name), tensors = join(folder, record.tensors);
  requirePair(record, readSafetensorsHeader(tensors).metadata, tensors, name);
  return { record, tensors };
}

function requirePair(record: CheckpointRecord, metadata: Readonly<Record<string, string>>, path: string, name: string): void {
  if (metadata['run'] !== record.run || metadata['step'] !== String(record.progress.step)) throw damaged(path, `it is not the file that ${name}.json was written with`);
}

/** Whether a name in a checkpoint's tensors is an optimiser's moment and no value of the network. */
export const isMoment = (key: string): boolean => /^[mv]:/.test(key);

const damaged = (path: string, why: string): UserError => new UserError(`${path} is damaged: ${why}`, 'Start from another checkpoint, or train again.');

const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
const isMap = (v: unknown, test: (item: unknown) => boolean): boolean => typeof v === 'object' && v !== null && !Array.isArray(v) && Object.values(v).every(test);
function isPoint(v: unknown): v is ValidationPoint {
  const p = v as ValidationPoint | null;
  return typeof p === 'object' && p !== null && isCount(p.epoch) && isCount(p.step) && typeof p.value === 'number' && (p.perTask === undefined || isMap(p.perTask, (x) => typeof x === 'number'));
}
function isRecord(v: unknown): v is CheckpointRecord {
  const r = v as CheckpointRecord | null;
  if (typeof r !== 'object' || r === null || r.format !== 1 || typeof r.progress !== 'object' || r.progress === null) return false;
  const { epoch, position, step, lossSum, history, best } = r.progress;
  return typeof r.tensors === 'string' && /^[\w-]+\.safetensors$/.test(r.tensors) && typeof r.program === 'string' && typeof r.run === 'string'
    && Number.isSafeInteger(r.seed) && isCount(epoch) && isCount(position) && isCount(step) && typeof lossSum === 'number'
    && Array.isArray(history) && history.every(isPoint) && (best === undefined || isPoint(best))
    && isMap(r.updates, isCount) && isMap(r.schedules, (x) => typeof x === 'number') && isCount(r.logBytes);
}
