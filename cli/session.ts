// What commands that compute have in common: an engine, a data set of a program's tasks. Loaded only when such a command runs.
import { cpus, totalmem } from 'node:os';
import type { Program } from '../compiler/program.js';
import { checkedDataset, dataProblemCodes, foldersIn, refuseErrors, taskFolders, type Dataset } from '../runtime/data/index.js';
import { createEngine } from '../runtime/engines/index.js';
import type { Engine } from '../runtime/engines/engine.js';
import { MisuseError } from '../runtime/errors.js';
import { bytes, plural } from '../runtime/report/numbers.js';
import { countOf } from './flags.js';
import { toolVersion } from './host.js';
import type { Io } from './io.js';
import type { Reading } from '../runtime/train/run-directory.js';
import { dataProgress } from './progress.js';

export interface EngineArgs { readonly engine: string; readonly device: string; readonly threads?: number }

/** Throws MisuseError for a name that does not exist, UserError for a device that is not there. */
export function openEngine(args: EngineArgs): Promise<Engine> {
  const threads = countOf('threads', args.threads);
  return createEngine(args.engine, { device: args.device, ...(threads === undefined ? {} : { threads }) });
}

/** What a run records that it was made with. */
export const versionsOf = ({ name, version }: Engine): Readonly<Record<string, string>> => ({ tpsc: toolVersion, node: process.version, [name]: version });

/** The computer, without its name. */
export const machineText = (): string => {
  const cores = cpus(), model = cores[0]?.model.replace(/\s+/g, ' ').trim();
  return `${process.platform} ${process.arch}, ${cores.length} × ${model === undefined || model === '' ? 'processor' : model}, ${bytes(totalmem())}`;
};

/** The data of a program's tasks, every file opened. Throws UserError where the data have errors that are not accepted, MisuseError for a code that no error has. */
export async function openData(program: Program, root: string, io: Io, reading: Reading = {}): Promise<Dataset> {
  const unknown = reading.accept?.find((code) => !dataProblemCodes.some((known) => known === code));
  if (unknown !== undefined) throw new MisuseError(`--accept: there is no data error ${unknown}`, `one of: ${dataProblemCodes.join(', ')}`);
  const folders = program.tasks === undefined ? await foldersIn(root) : await taskFolders(root, program.tasks.rows);
  const progress = dataProgress(io, 'checking data');
  try {
    const dataset = await checkedDataset(root, folders, { progress: progress.update, ...(reading.split === undefined ? {} : { split: reading.split }) });
    refuseErrors(root, dataset.problems, reading.accept);
    const warnings = dataset.problems.filter((p) => p.severity === 'warning').length;
    if (warnings > 0) progress.line(`${plural(warnings, 'warning')} about the data: \`tpsc data check ${root}\` tells them`);
    return dataset;
  } finally {
    progress.stop();
  }
}
