// Runs the built `tpsc` from a script of this folder. No measuring here.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What a command prints. After `seconds` it is told to stop as Ctrl-C would, which saves. Rejects with its output where it fails. */
export function tpsc(args, seconds) {
  console.log(`$ tpsc ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    const end = seconds === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), 1000 * seconds);
    child.stdout.on('data', (part) => { text += part; });
    child.on('close', (code) => { clearTimeout(end); if (code === 0 || child.killed) resolve(text); else reject(new Error(`tpsc ${args[0]} ended with ${code}\n${text}`)); });
  });
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Works through `items`, `jobs` at a time. */
export async function each(items, jobs, work) {
  const open = [...items];
  await Promise.all(Array.from({ length: jobs }, async () => { for (let item = open.shift(); item !== undefined; item = open.shift()) await work(item); }));
}
