// Where the runs of a study keep the features of their frozen parts: by default in a folder of the study, so that rows share them.
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { defaultRamBytes, type CacheSetting } from '../../runtime/features/cache.js';
import { parseCache } from '../flags.js';

const STUDY_BYTES = 10 * 2 ** 30;
const featuresFolder = (out: string): string => join(out, 'features');

/** Bytes that are free on the disk of a path, which need not exist. */
function freeBytes(path: string): number {
  const there = resolve(path);
  if (!existsSync(there) && dirname(there) !== there) return freeBytes(dirname(there));
  const { bavail, bsize } = statfsSync(there);
  return bavail * bsize;
}

/** Without `--cache`: `features` in the study's folder, up to 10 GiB, and no more than half of what the disk has left. Throws MisuseError. */
export const featuresSetting = (out: string, asked: string | undefined): CacheSetting => (asked === undefined
  ? { kind: 'disk', folder: featuresFolder(out), bytes: Math.min(STUDY_BYTES, Math.floor(freeBytes(out) / 2)) }
  : parseCache(asked));

/** What a worker is told of `--cache`, wherever it works: memory is shared among the jobs. Throws MisuseError. */
export function workerCache(asked: string | undefined, jobs: number): string | undefined {
  const setting = asked === undefined ? undefined : parseCache(asked);
  switch (setting?.kind) {
    case 'ram': return `ram:${Math.max(1, Math.floor((setting.bytes ?? defaultRamBytes()) / jobs / 1e6))}MB`;
    case 'disk': return `disk:${resolve(setting.folder)}${setting.bytes === undefined ? '' : `:${Math.ceil(setting.bytes / 1e6)}MB`}`;
    default: return asked;
  }
}

/** What the study kept by itself serves nobody once every run is done. */
export const removeFeatures = (out: string): void => { rmSync(featuresFolder(out), { recursive: true, force: true }); };
