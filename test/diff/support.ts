// Programs for the tests of `diff`: texts with the standard library, and specs of this repository compiled with one cache of parsed files.
import { diskHost } from '../../cli/host.js';
import { compileSpec, type CompileRequest, type ParsedTexts } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';
import { repoPath } from '../check/support.js';

const host = diskHost();
const parsed: ParsedTexts = new Map();

export function specProgram(file: string, request: Omit<CompileRequest, 'file'> = {}): Program {
  const { program, diagnostics } = compileSpec({ file: repoPath(file), knownVariant: true, ...request }, host, parsed);
  if (program === undefined) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  return { ...program, file };
}

/** undefined where the text has mistakes. */
export function tryText(text: string, name = 'net.tps'): Program | undefined {
  return compileSpec({ file: name }, { ...host, read: (path) => (path === name ? text : host.read(path)) }, new Map([...parsed].filter(([path]) => path !== name))).program;
}

export function textProgram(text: string, name?: string): Program {
  const program = tryText(text, name);
  if (program === undefined) throw new Error(`the text has mistakes:\n${text}`);
  return program;
}
