// Where figures are kept: bench/results/DATE-KIND.json, each with the machine and the versions that gave it. What they show is bench/report.ts's.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot, toolVersion } from '../cli/host.js';
import { makeFolder, writeJsonAtomically } from '../runtime/state/atomic.js';

export const resultsFolder = join(packageRoot, 'bench/results');

export interface Origin {
  readonly date: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory: number; readonly system: string; /** Processes that wanted a processor when it began. */ readonly load: number };
  readonly versions: Readonly<Record<string, string>>;
}

/** Where and with what something is measured. */
export function origin(more: Readonly<Record<string, string>> = {}): Origin {
  const version = (name: string): string => (JSON.parse(readFileSync(join(packageRoot, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
  let commit = '';
  try { commit = execFileSync('git', ['describe', '--always', '--dirty'], { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(); } catch { /* not a checkout */ }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, memory: totalmem(), system: `${platform()} ${release()}`, load: loadavg()[0] ?? 0 },
    versions: { tpsc: toolVersion, ...(commit === '' ? {} : { commit }), node: process.version, 'onnxruntime-node': version('onnxruntime-node'), ...more },
  };
}

/** Writes `out`, or the file of this kind and day; gives its path. */
export function keep(kind: string, result: Origin, out?: string): string {
  const path = out ?? join(resultsFolder, `${result.date}-${kind}.json`);
  makeFolder(dirname(path));
  writeJsonAtomically(path, result);
  return path;
}

/** The newest result of each kind, by kind. */
export function newest(folder = resultsFolder): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
    const [, kind] = /^\d{4}-\d\d-\d\d-(.+)\.json$/.exec(name) ?? [];
    if (kind !== undefined) found.set(kind, JSON.parse(readFileSync(join(folder, name), 'utf8')));
  }
  return found;
}
