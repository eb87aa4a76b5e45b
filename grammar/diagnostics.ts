// Every diagnostic of the language: code, severity, message template, help. No message text lives anywhere else.
// `{hole}` in a template is filled from the parameters that `diagnostic()` takes; the holes are typed from the text.
// A code is for ever. 1xxx syntax, 2xxx names and imports, 3xxx types and shapes, 4xxx roles and tasks,
// 5xxx variants, studies and settings, 6xxx training blocks, 7xxx faults that would have been silent, 8xxx maps of weights.
import type { Range } from './ast.js';
import { table } from './diagnostics-table.js';

export type Severity = 'error' | 'warning';

export interface DiagnosticRow {
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
}

export type Code = keyof typeof table;

type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never;
type HelpOf<C extends Code> = (typeof table)[C] extends { readonly help: infer Help extends string } ? Help : '';
export type ParamsOf<C extends Code> = { readonly [H in Holes<(typeof table)[C]['message']> | Holes<HelpOf<C>>]: string | number };

export interface Related { readonly message: string; readonly range: Range }

export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
  readonly range: Range;
  readonly related: readonly Related[];
}

const fill = (template: string, params: Readonly<Record<string, string | number>>): string =>
  template.replace(/\{(\w+)\}/g, (_, hole: string) => String(params[hole] ?? `{${hole}}`));

/** Builds a diagnostic from its row; the holes of its message and help are checked by the type of `params`. */
export function diagnostic<C extends Code>(
  code: C, range: Range, params: ParamsOf<C>, extra: { readonly related?: readonly Related[]; readonly help?: string } = {},
): Diagnostic {
  const row: DiagnosticRow = table[code];
  const help = extra.help ?? (row.help === undefined ? undefined : fill(row.help, params));
  return {
    code, severity: row.severity, message: fill(row.message, params),
    ...(help === undefined || help === '' ? {} : { help }), range, related: extra.related ?? [],
  };
}
