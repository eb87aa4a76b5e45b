// Folders for tests, gone when those of the file are over, and for scripts, gone with the process.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
const clean = (): void => { for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true }); };
// vitest ends its workers without an `exit`, and cannot be imported by scripts
if (process.env['VITEST'] === undefined) process.on('exit', clean);
else (await import('vitest')).afterAll(clean);

export function temporaryFolder(name: string): string {
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(root);
  return root;
}
