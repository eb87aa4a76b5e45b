// The command line as a few files of JavaScript, for tests that start processes: it begins in a third of the time that `tsx` takes, and stays as it is while others edit.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { packageRoot } from '../../cli/host.js';

/** The program, and what it starts as a thread, which it looks for beside itself. No package.json says of `.js` in that folder that it is a module. */
const FILES = [
  { name: 'main.mjs', source: 'cli/main.ts', format: 'esm' },
  { name: 'loader-thread.js', source: 'runtime/data/loader-thread.ts', format: 'cjs' },
] as const;

let made: string | undefined;

/** The words before a command's: `node FILE`. The file lies inside the package, where the package's own files and libraries are found; equal code has one folder. */
export function programWords(): readonly string[] {
  made ??= make();
  return [process.execPath, made];
}

function make(): string {
  const built = FILES.map(({ name, source, format }) => {
    const { outputFiles: [file] } = buildSync({ entryPoints: [join(packageRoot, source)], write: false, bundle: true, platform: 'node', format, packages: 'external', target: 'node20', logLevel: 'error' });
    if (file === undefined) throw new Error('esbuild gives one file');
    return { name, contents: file.contents };
  });
  const hash = createHash('sha256');
  for (const { contents } of built) hash.update(contents);
  const folder = join(packageRoot, 'node_modules', '.cache', 'tpsc-test', hash.digest('hex').slice(0, 12)), main = join(folder, FILES[0].name);
  if (existsSync(main)) return main;
  const begun = `${folder}.${process.pid}`;
  mkdirSync(begun, { recursive: true });
  for (const { name, contents } of built) writeFileSync(join(begun, name), contents);
  // another process may have made the same meanwhile
  try { renameSync(begun, folder); } catch { rmSync(begun, { recursive: true }); }
  return main;
}
