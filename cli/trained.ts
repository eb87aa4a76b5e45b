// From a run directory back to the program that it was trained from, by the copy of the spec that the run keeps.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { compileSpec } from '../compiler/index.js';
import type { Program } from '../compiler/program.js';
import { UserError } from '../runtime/errors.js';
import { readRun, runPaths, type RunRecord } from '../runtime/train/run-directory.js';
import { diskHost } from './host.js';

export interface OpenedRun { readonly record: RunRecord; readonly program: Program }

/** Throws UserError where `root` is no run, or its copy no longer gives the program of its hash (a file that it imports has changed). */
export function openRunProgram(root: string): OpenedRun {
  const record = readRun(root);
  const file = runPaths(root).spec;
  const disk = diskHost();
  // The copy's imports are those of the spec that it was made from.
  const host = { ...disk, resolve: (from: string, relative: string) => (from === file ? normalize(join(dirname(record.file), relative)) : disk.resolve(from, relative)) };
  const { program } = compileSpec({ file, block: record.block }, host);
  if (program?.hash !== record.identity.program) {
    throw new UserError(`${file} no longer gives the network that was trained`,
      `It, a file that it imports, or the version of tpsc has changed (${JSON.stringify(record.versions)}). Bring it back, or train again.`);
  }
  const { variant, variantLabel } = record;
  return { record, program: { ...program, ...(variant === undefined ? {} : { variant }), ...(variantLabel === undefined ? {} : { variantLabel }) } };
}

/** Whether a path is the directory of a run (and not a spec or a model file). */
export const isRun = (path: string): boolean => existsSync(runPaths(path).record);
