// A host over the real standard library and a map of texts, and short ways to check a text.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileSpec, type CompileRequest, type CompileResult, type Host } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const repoPath = (path: string): string => `${root}${path}`;

export function hostOf(files: Readonly<Record<string, string>> = {}): Host {
  return {
    read(path) {
      if (files[path] !== undefined) return files[path];
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    resolve: (from, relative) => (files[relative.replace('./', '')] !== undefined ? relative.replace('./', '') : `${from.slice(0, from.lastIndexOf('/') + 1)}${relative.replace('./', '')}`),
    module: (name) => (name.startsWith('std.') ? repoPath(`models/std/${name.slice(4)}.tps`) : undefined),
  };
}

export const compileText = (text: string, request: Partial<CompileRequest> = {}, files: Readonly<Record<string, string>> = {}): CompileResult =>
  compileSpec({ file: 'spec.tps', ...request }, hostOf({ 'spec.tps': text, ...files }));
export const compileFile = (path: string, request: Partial<CompileRequest> = {}): CompileResult => compileSpec({ file: repoPath(path), ...request }, hostOf());

/** The program of a text that must be right. */
export function programOf(result: CompileResult): Program {
  if (result.program === undefined) throw new Error(result.diagnostics.map((d) => `${d.code} ${d.range.start.line}: ${d.message}`).join('\n'));
  return result.program;
}

/** `CODE line` of each diagnostic, in order. */
export const codes = (result: CompileResult): string[] => result.diagnostics.map((d) => `${d.code} ${d.range.start.line}`);

/** A small spec around a model body; `x` is f32[B, 8, 16, 16]. */
export const spec = (body: string, more = ''): string => `edition 1
tasks lesions {
  SL "Skin lesion" { folder: "skin_lesion" }
  CP "Colon polyp" { folder: "colon_polyp" }
}
model M(x: f32[B, 8, 16, 16], t: task of lesions) -> f32[B, 1, 16, 16] {
${body}
}
${more}`;
/** A spec with a train block, whose loss is the mean of what \`y\` is. */
export const trained = (body: string, more = ''): string => spec(body, `train main of M {
  loss      = mean(y, axes: [1, 2, 3])[:, 0, 0, 0]
  optimizer = adam(lr: 1e-3)
  epochs = 2, batch = 4
}
${more}`);
