// Folders for the tests of one file, gone when they are over.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => { for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true }); });

export function temporaryFolder(name: string): string {
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(root);
  return root;
}
