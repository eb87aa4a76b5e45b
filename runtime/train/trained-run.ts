// A trained run as others use it: its checkpoint's tensors and schedule values, checked against the program that they belong to.
import type { Program } from '../../compiler/program.js';
import type { Tensor } from '../engines/engine.js';
import { MisuseError, UserError } from '../errors.js';
import { findCheckpoint, hasCheckpoint, loadCheckpoint, type Progress } from '../state/checkpoint.js';
import { requireTensors } from '../state/weights.js';
import { readRun, runPaths, type RunRecord } from './run-directory.js';

export const CHECKPOINTS = ['best', 'last'] as const;
export type CheckpointName = (typeof CHECKPOINTS)[number];

export interface TrainedRun {
  readonly root: string;
  readonly record: RunRecord;
  readonly checkpoint: CheckpointName;
  readonly progress: Progress;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Values of the graph's schedules in the checkpoint's last step. */
  readonly schedules: Readonly<Record<string, number>>;
}

/**
 * Opens the run in `root`: the named checkpoint, else the best, else the last. Throws UserError where it is no run, has no such
 * checkpoint, or was trained from another spec than `program`; MisuseError for a name that no checkpoint has.
 */
export function openTrainedRun(root: string, program: Program, checkpoint?: string): TrainedRun {
  const { record, checkpoints, name } = chosen(root, program, checkpoint);
  const { record: saved, state } = loadCheckpoint(checkpoints, name);
  requireTensors(program, state.tensors, checkpoints);
  return { root, record, checkpoint: name, progress: saved.progress, tensors: state.tensors, schedules: networkSchedules(saved.schedules) };
}

/** As `openTrainedRun`, but the tensors stay in their file, whose path is given: for networks that are large. */
export function findTrainedRun(root: string, program: Program, checkpoint?: string): { readonly tensors: string; readonly schedules: TrainedRun['schedules'] } {
  const { checkpoints, name } = chosen(root, program, checkpoint);
  const { record, tensors } = findCheckpoint(checkpoints, name);
  return { tensors, schedules: networkSchedules(record.schedules) };
}

/** The learning rate is the training's. */
const networkSchedules = ({ lr: _, ...schedules }: Readonly<Record<string, number>>): TrainedRun['schedules'] => schedules;

function chosen(root: string, program: Program, checkpoint: string | undefined): { readonly record: RunRecord; readonly checkpoints: string; readonly name: CheckpointName } {
  const record = readRun(root), { checkpoints } = runPaths(root);
  if (record.identity.program !== program.hash) {
    throw new UserError(`${root} was trained from another spec than ${program.file} (hash ${record.identity.program.slice(0, 12)}, not ${program.hash.slice(0, 12)})`, `The run's own is ${runPaths(root).spec}.`);
  }
  return { record, checkpoints, name: nameOf(checkpoint) ?? CHECKPOINTS.find((n) => hasCheckpoint(checkpoints, n)) ?? 'last' };
}

function nameOf(checkpoint: string | undefined): CheckpointName | undefined {
  if (checkpoint === undefined) return undefined;
  const name = CHECKPOINTS.find((n) => n === checkpoint);
  if (name === undefined) throw new MisuseError(`there is no checkpoint ${checkpoint}`, `one of: ${CHECKPOINTS.join(', ')}`);
  return name;
}
