// From a run directory back to the program that it was trained from: the spec where it lies unchanged, else the copy that the run keeps.
import { existsSync } from 'node:fs';
import type { Program } from '../compiler/program.js';
import { UserError } from '../runtime/errors.js';
import { readRun, runPaths, type RunRecord } from '../runtime/train/run-directory.js';
import { compileFile, type ProgramArgs } from './program.js';

/** What `train` writes into run.json so that the same program can be compiled again. */
export interface RunRequest extends ProgramArgs { readonly spec: string }

function requestOf(record: RunRecord): RunRequest | undefined {
  const { request } = record;
  return typeof request === 'object' && request !== null && 'spec' in request && typeof request.spec === 'string' ? (request as RunRequest) : undefined;
}

export interface OpenedRun { readonly record: RunRecord; readonly program: Program }

/** Throws UserError where `root` is no run, or neither its spec nor its copy gives the program of its hash. */
export function openRunProgram(root: string): OpenedRun {
  const record = readRun(root);
  const request = requestOf(record);
  const own = runPaths(root).spec;
  const { block, epochs } = request ?? { block: record.block, epochs: undefined };
  const ways: readonly ProgramArgs[] = [
    ...(request === undefined ? [] : [request]),
    { spec: own, ...(block === undefined ? {} : { block }), ...(epochs === undefined ? {} : { epochs }) },
  ];
  for (const way of ways) {
    if (!existsSync(way.spec.replace(/#[^#]*$/, ''))) continue;
    const { program } = compileFile(way);
    if (program?.hash === record.identity.program) return { record, program };
  }
  throw new UserError(`${root}: the spec that it was trained from (${request?.spec ?? record.file}) is gone or has changed`,
    `Bring back the spec as it was, or train again. ${own} shows what was trained.`);
}

/** Whether a path is the directory of a run (and not a spec or a model file). */
export const isRun = (path: string): boolean => existsSync(runPaths(path).record);
