// The command line as one file of JavaScript, for tests that start processes: it begins in a third of the time that `tsx` takes, and stays as it is while others edit.
import { buildSync } from 'esbuild';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../cli/host.js';

let made: string | undefined;

/** The words before a command's: `node FILE`. The file lies inside the package, where the package's own files and libraries are found. */
export function programWords(): readonly string[] {
  if (made === undefined) {
    const folder = join(packageRoot, 'node_modules', '.cache', 'tpsc-test'), file = join(folder, `main-${process.pid}.mjs`), part = `${file}.part`;
    buildSync({ entryPoints: [join(packageRoot, 'cli', 'main.ts')], outfile: part, bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20', logLevel: 'error' });
    renameSync(part, file);
    process.once('exit', () => { if (existsSync(file)) rmSync(file, { force: true }); });
    made = file;
  }
  return [process.execPath, made];
}
