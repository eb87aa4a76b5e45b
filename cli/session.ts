// What commands that compute have in common: an engine, a data set of a program's tasks. Loaded only when such a command runs.
import { cpus, totalmem } from 'node:os';
import type { Program } from '../compiler/program.js';
import { checkedDataset, dataProblemCodes, foldersIn, refuseErrors, scanDataset, taskFolders, type Dataset } from '../runtime/data/index.js';
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

/**
 * Without `--threads` the engine has `usual` threads (else its own default, every processor) and others' work goes first; with it, as many as are asked for and no step back.
 * Throws MisuseError for a name that does not exist, UserError for a device that is not there.
 */
export function openEngine(args: EngineArgs, io: Io, usual?: number): Promise<Engine> {
  if (args.threads === undefined) io.stepBack?.();
  const threads = countOf('threads', args.threads) ?? usual;
  return createEngine(args.engine, { device: args.device, ...(threads === undefined ? {} : { threads }) });
}

/** What a run records that it was made with. */
export const versionsOf = ({ name, version }: Engine): Readonly<Record<string, string>> => ({ tpsc: toolVersion, node: process.version, [name]: version });

/** The computer, without its name. */
export const machineText = (): string => {
  const cores = cpus(), model = cores[0]?.model.replace(/\s+/g, ' ').trim();
  return `${process.platform} ${process.arch}, ${cores.length} × ${model === undefined || model === '' ? 'processor' : model}, ${bytes(totalmem())}`;
};

/**
 * The data of a program's tasks, every file opened. `known`: the fingerprint of data that were opened before and trained on; of equal data the files are only read. Throws UserError where the data have
 * errors that are not accepted, MisuseError for a code that no error has.
 */
export async function openData(program: Program, root: string, io: Io, reading: Reading = {}, known?: string): Promise<Dataset> {
  const unknown = reading.accept?.find((code) => !dataProblemCodes.some((known) => known === code));
  if (unknown !== undefined) throw new MisuseError(`--accept: there is no data error ${unknown}`, `one of: ${dataProblemCodes.join(', ')}`);
  const folders = program.tasks === undefined ? await foldersIn(root) : await taskFolders(root, program.tasks.rows);
  const progress = dataProgress(io, 'checking data');
  const options = { progress: progress.update, ...(reading.split === undefined ? {} : { split: reading.split }) };
  try {
    const same = known === undefined ? undefined : await scanDataset(root, folders, options);
    if (same?.fingerprint === known && same !== undefined) return same;
    const dataset = await checkedDataset(root, folders, options);
    refuseErrors(root, dataset.problems, reading.accept);
    const warnings = dataset.problems.filter((p) => p.severity === 'warning').length;
    if (warnings > 0) progress.line(`${plural(warnings, 'warning')} about the data: \`tpsc data check ${root}\` tells them`);
    return dataset;
  } finally {
    progress.stop();
  }
}
