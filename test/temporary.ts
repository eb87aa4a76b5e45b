// Folders for tests, gone with the process that asked for them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.on('exit', () => { for (const root of made) rmSync(root, { recursive: true, force: true }); });

export function temporaryFolder(name: string): string {
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(root);
  return root;
}
