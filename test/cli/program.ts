// The command line as one file of JavaScript, for tests that start processes: it begins in a third of the time that `tsx` takes, and stays as it is while others edit.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { packageRoot } from '../../cli/host.js';

let made: string | undefined;

/** The words before a command's: `node FILE`. The file lies inside the package, where the package's own files and libraries are found; equal code has one file. */
export function programWords(): readonly string[] {
  made ??= make();
  return [process.execPath, made];
}

function make(): string {
  const { outputFiles: [built] } = buildSync({ entryPoints: [join(packageRoot, 'cli', 'main.ts')], write: false, bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20', logLevel: 'error' });
  if (built === undefined) throw new Error('esbuild gives one file');
  const folder = join(packageRoot, 'node_modules', '.cache', 'tpsc-test'), file = join(folder, `main-${createHash('sha256').update(built.contents).digest('hex').slice(0, 12)}.mjs`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, built.contents);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}
