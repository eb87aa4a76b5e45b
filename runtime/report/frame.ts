// Diagnostics for people (source frames in the manner of rustc) and for tools (the JSON of `check --format json`).
// Knows texts and ranges only; no message is written here.
import type { Position, Range } from '../../grammar/ast.js';
import type { Diagnostic } from '../../grammar/diagnostics.js';
import { paint, type Paint } from './colour.js';
import { plural } from './numbers.js';

export interface FrameOptions {
  readonly colour: boolean;
  /** How a path is shown; as it is where absent. */
  readonly showPath?: (path: string) => string;
}

interface Mark { readonly range: Range; readonly label: string; readonly primary: boolean }

const TAB = 4;
/** Code points that take two columns in a terminal: East Asian wide ones and pictographs. */
const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

/** The columns that a piece of a line takes on the screen. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) columns += char === '\t' ? TAB : /\p{Mn}/u.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}
const shown = (line: string): string => line.replaceAll('\t', ' '.repeat(TAB));

/** What of the line `text` (number `line`) a range covers: its first column and its width on the screen, at least one. */
function extent(text: string, line: number, range: Range): { readonly from: number; readonly wide: number } {
  const start = range.start.line === line ? range.start.column - 1 : text.length - text.trimStart().length;
  const end = range.end.line === line ? range.end.column - 1 : text.length;
  return { from: width(text.slice(0, start)), wide: Math.max(1, width(text.slice(start, end))) };
}

/** The lines of a file that marks stand on, each with its underlines; `…` where lines are left out. */
function snippet(lines: readonly string[], marks: readonly Mark[], gutter: number, severity: (text: string) => string, p: Paint): string[] {
  const out: string[] = [];
  const bar = (number: string): string => p.blue(`${number.padStart(gutter)} |`);
  const show = (line: number): void => { out.push(`${bar(String(line))} ${shown(lines[line - 1] ?? '')}`.trimEnd()); };
  const wanted = [...new Set(marks.map((m) => m.range.start.line))].sort((a, b) => a - b);
  let last: number | undefined;
  for (const line of wanted) {
    if (last !== undefined && line === last + 2) show(line - 1);
    else if (last !== undefined && line > last + 2) out.push(p.blue('…'.padStart(gutter)));
    show(line);
    for (const mark of marks.filter((m) => m.range.start.line === line)) {
      const { from, wide } = extent(lines[line - 1] ?? '', line, mark.range);
      const underline = (mark.primary ? '^' : '-').repeat(wide);
      const text = `${underline}${mark.label === '' ? '' : ` ${mark.label}`}`;
      out.push(`${bar('')} ${' '.repeat(from)}${mark.primary ? severity(text) : p.blue(text)}`);
    }
    last = line;
  }
  return out;
}

/** One diagnostic with its source; related places in the same file are marked in the same picture. No line end at its end. */
export function renderDiagnostic(diagnostic: Diagnostic, texts: ReadonlyMap<string, string>, options: FrameOptions): string {
  const p = paint(options.colour);
  const severity = diagnostic.severity === 'error' ? p.red : p.yellow;
  const showPath = options.showPath ?? ((path) => path);
  const marks: Mark[] = [
    { range: diagnostic.range, label: '', primary: true },
    ...diagnostic.related.map((r) => ({ range: r.range, label: r.message, primary: false })),
  ];
  const gutter = Math.max(...marks.map((m) => String(m.range.start.line).length));
  const out = [`${severity(`${diagnostic.severity}[${diagnostic.code}]`)}${p.bold(`: ${diagnostic.message}`)}`];
  for (const file of new Set(marks.map((m) => m.range.file))) {
    const here = marks.filter((m) => m.range.file === file);
    const { start } = (here[0] ?? { range: diagnostic.range }).range;
    const arrow = file === diagnostic.range.file ? '-->' : ':::';
    out.push(`${' '.repeat(gutter)}${p.blue(arrow)} ${showPath(file)}:${start.line}:${start.column}`);
    const text = texts.get(file);
    if (text === undefined) continue;
    out.push(p.blue(`${' '.repeat(gutter)} |`), ...snippet(text.split(/\r?\n/), here, gutter, severity, p));
  }
  if (diagnostic.help !== undefined) {
    const [first = '', ...more] = diagnostic.help.split('\n');
    const margin = ' '.repeat(gutter + 1);
    out.push(`${margin}${p.blue('=')} ${p.bold('help')}: ${first}`, ...more.map((line) => `${margin}        ${line}`));
  }
  return out.join('\n');
}

/** `3 errors, 1 warning`; '' where there are none. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : ''].filter((t) => t !== '').join(', ');
}

/** All frames and the count, each frame followed by an empty line; '' where there are none. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], texts: ReadonlyMap<string, string>, options: FrameOptions): string {
  if (diagnostics.length === 0) return '';
  return `${diagnostics.map((d) => renderDiagnostic(d, texts, options)).join('\n\n')}\n\n${countDiagnostics(diagnostics)}\n`;
}

interface JsonPosition { readonly line: number; readonly column: number }
interface JsonRange { readonly start: JsonPosition; readonly end: JsonPosition }
export interface JsonDiagnostic {
  readonly code: string; readonly severity: string; readonly message: string; readonly help: string | null;
  readonly file: string; readonly range: JsonRange;
  readonly related: readonly { readonly message: string; readonly file: string; readonly range: JsonRange }[];
}
export interface JsonDiagnostics { readonly ok: boolean; readonly diagnostics: readonly JsonDiagnostic[] }

const position = (p: Position): JsonPosition => ({ line: p.line, column: p.column });
const jsonRange = (r: Range): JsonRange => ({ start: position(r.start), end: position(r.end) });

/** What `check --format json` prints: lines and columns from 1, `end` is the first position after the place; `ok` where nothing is an error. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[], showPath: (path: string) => string = (path) => path): JsonDiagnostics {
  return {
    ok: diagnostics.every((d) => d.severity !== 'error'),
    diagnostics: diagnostics.map((d) => ({
      code: d.code, severity: d.severity, message: d.message, help: d.help ?? null, file: showPath(d.range.file), range: jsonRange(d.range),
      related: d.related.map((r) => ({ message: r.message, file: showPath(r.range.file), range: jsonRange(r.range) })),
    })),
  };
}
