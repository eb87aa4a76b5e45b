// Compiles specs of this repository for the tests of the models, and texts that use the standard library.
import { fileURLToPath } from 'node:url';
import { compileSpec, type CompileRequest } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';
import { diskHost } from '../../cli/host.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const known = new Map<string, Program>();

/** The program of a spec, compiled once; throws what the checker says. */
export function compiled(file: string, request: Omit<CompileRequest, 'file'> = {}): Program {
  const key = JSON.stringify([file, request]);
  const program = known.get(key) ?? programOf({ ...request, file: `${root}${file}` });
  known.set(key, program);
  return program;
}

/** The program of a text. */
export function compiledText(text: string): Program { return programOf({ file: 'text.tps' }, text); }

function programOf(request: CompileRequest, text?: string): Program {
  const disk = diskHost();
  const { program, diagnostics } = compileSpec(request, text === undefined ? disk : { ...disk, read: (path) => (path === request.file ? text : disk.read(path)) });
  if (program === undefined) throw new Error(diagnostics.map((d) => `${d.code} ${d.range.file}:${d.range.start.line} ${d.message}`).join('\n'));
  return program;
}

export const parameterCount = (program: Program): number => {
  const tasks = program.tasks?.rows.length ?? 1;
  return program.tensors.filter((t) => t.kind === 'param').reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1) * (t.perTask ? tasks : 1), 0);
};
