// Runs a script of this folder and keeps the JSON that it prints in bench/results for docs/performance.md:
// npx tsx bench/keep.ts SCRIPT [its flags], as `npx tsx bench/keep.ts prefix-cache models/tpseg-nano.tps#A2`. Runs of one day with other flags stand beside each other.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../cli/host.js';
import { keep, origin, resultsFolder, type Origin } from './results.js';

export interface Kept extends Origin { readonly runs: readonly { readonly command: string; readonly load: number; readonly said: unknown }[] }

const [name = '', ...flags] = process.argv.slice(2), file = join('bench', `${name}.ts`);
if (!existsSync(join(packageRoot, file))) {
  process.stderr.write(`there is no ${file}: name a script of bench/ without its ending\n`);
  process.exit(2);
}
const about = origin(), text = execFileSync(process.execPath, ['--import', 'tsx', file, ...flags], { encoding: 'utf8', cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
const run = { command: ['npx tsx', file, ...flags].join(' '), load: about.machine.load, said: JSON.parse(text) as unknown };
const path = join(resultsFolder, `${about.date}-${name}.json`), before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kept).runs : [];
const kept: Kept = { ...about, runs: [...before.filter((r) => r.command !== run.command), run] };
process.stdout.write(`${text}kept in ${keep(name, kept)}\n`);
