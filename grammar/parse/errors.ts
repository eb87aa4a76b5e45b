// Chevrotain's exceptions to diagnostics: what was found, what was expected, and where.
import type { IRecognitionException, IToken } from 'chevrotain';
import type { Range } from '../ast.js';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { tokenRange } from '../text/lexer.js';
import { equalsHelp, itemHelp } from './help.js';
import { foundToken, itemNoun } from './messages.js';

export function parserDiagnostics(errors: readonly IRecognitionException[], file: string): readonly Diagnostic[] {
  return errors.map((error) => {
    const range = place(error, file);
    if (error.name === 'NotAllInputParsedException') {
      const what = itemNoun(error.message);
      return diagnostic('TPS1003', range, { what: what[0]?.toUpperCase() + what.slice(1), found: foundToken(error.token), help: itemHelp(error.message, error.token) });
    }
    const help = equalsHelp(error.token, error.message);
    return diagnostic('TPS1001', range, { found: foundToken(error.token), expected: error.message }, help === undefined ? {} : { help });
  });
}

/** Synthetic tokens and the end of the file have no place of their own: the error stands right after what was read last. */
function place({ token, previousToken }: IRecognitionException & { readonly previousToken?: IToken }, file: string): Range {
  const real = Number.isFinite(token.startOffset) && (token.endOffset ?? -1) >= token.startOffset;
  if (real) return tokenRange(token, file);
  if (Number.isFinite(token.startOffset) || previousToken === undefined || !Number.isFinite(previousToken.startOffset)) {
    const start = tokenRange(token, file).start;
    return Number.isFinite(start.offset) ? { file, start, end: start } : { file, start: { line: 1, column: 1, offset: 0 }, end: { line: 1, column: 1, offset: 0 } };
  }
  const { end } = tokenRange(previousToken, file);
  return { file, start: end, end };
}
