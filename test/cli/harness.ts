// Runs the command line in this process and keeps what it says.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Io } from '../../cli/io.js';
import { run } from '../../cli/run.js';
import { programWords } from './program.js';
import { temporaryFolder } from '../temporary.js';

export interface Said { readonly code: number; readonly out: string; readonly err: string }

/** `tpsc ...argv`, without a terminal. */
export async function tpsc(argv: readonly string[], over: Partial<Io> = {}): Promise<Said> {
  let [out, err] = ['', ''];
  const io: Io = {
    out: (text) => { out += text; }, err: (text) => { err += text; },
    readStdin: async () => '', outTty: false, errTty: false, colour: false, columns: 100, onInterrupt: () => () => undefined,
    get self() { return programWords(); }, ...over,
  };
  const code = await run(argv, io);
  return { code, out, err };
}

/** A new folder with these files. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder('tpsc-cli');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}
