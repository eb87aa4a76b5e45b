// The front door of the grammar: text to tree and tree to text. Nothing here throws on bad input: mistakes are diagnostics,
// and what did not parse is an `error` node that keeps the names it mentions.
import type { Comment, Range, SourceFile } from './ast.js';
import { buildDeclarations } from './build/declarations.js';
import type { Context } from './build/cst.js';
import { diagnostic, type Diagnostic } from './diagnostics.js';
import { parserDiagnostics } from './parse/errors.js';
import { TpsParser } from './parse/parser.js';
import { balance, tokenBeyond } from './text/brackets.js';
import { docsByLine } from './text/docs.js';
import { layout } from './text/layout.js';
import { lex, tokenRange } from './text/lexer.js';
import { keepOne } from './parse/one.js';

export * from './ast.js';
export { format, printDeclaration, printExpr, printStatement } from './print/index.js';
export { diagnostic, type Code, type Diagnostic, type Related, type Severity } from './diagnostics.js';

const parser = new TpsParser();

/** Brackets in brackets that a text may have; far beyond what people write, and what every later walk can bear. */
const deepest = 200;

export interface Parsed { readonly file: SourceFile; readonly diagnostics: readonly Diagnostic[] }

/** Reads a text. `path` only names it in ranges. Never throws; reports one error an item and a line. */
export function parse(text: string, path: string): Parsed {
  const lexed = lex(text, path);
  const whole = rangeOfText(text, path);
  const file = (declarations: SourceFile['declarations'], comments: readonly Comment[]): SourceFile =>
    ({ kind: 'file', path, text, declarations, comments, range: whole });
  const tooDeep = (at: Range): Parsed => {
    const names = [...new Set(lexed.tokens.map((t) => t.image).filter((image) => /^[A-Za-z_]\w*$/.test(image)))];
    return { file: file([{ kind: 'error', names, range: whole }], lexed.comments), diagnostics: [diagnostic('TPS1012', at, {})] };
  };
  const deep = tokenBeyond(deepest, lexed.tokens);
  if (deep !== undefined) return tooDeep(tokenRange(deep, path));
  try {
    const balanced = balance(lexed.tokens, text, path);
    const tokens = layout(balanced.tokens);
    const cst = parser.parse(tokens);
    const docs = docsByLine(lexed.comments, tokens);
    const context: Context = { file: path, text, tokens, damage: parser.damage, diagnostics: [], docs: docs.byLastLine };
    const declarations = buildDeclarations(cst, context);
    const diagnostics = keepOne([
      ...lexed.diagnostics, ...balanced.diagnostics, ...parserDiagnostics(parser.errors, path), ...context.diagnostics,
    ], tokens);
    return { file: file(declarations, lexed.comments), diagnostics: diagnostics.length > 0 ? diagnostics : docs.lost };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // the stack: a text may nest deeper than any tree of ours
    return tooDeep(whole);
  }
}

function rangeOfText(text: string, file: string): Range {
  const lines = text.split(/\r\n|\r|\n/);
  const last = lines[lines.length - 1] ?? '';
  return { file, start: { line: 1, column: 1, offset: 0 }, end: { line: lines.length, column: last.length + 1, offset: text.length } };
}
