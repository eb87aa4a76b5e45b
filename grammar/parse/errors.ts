// Chevrotain's exceptions to diagnostics: what was found, what was expected, and where.
import type { IRecognitionException, IToken } from 'chevrotain';
import type { Range } from '../ast.js';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { tokenRange } from '../text/lexer.js';
import { Newline, NumberToken, StringToken, Word } from '../text/tokens.js';
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

/** An error at the end of a line, or of the file, stands right behind what was read last; so does a comma that the line above lacks. */
function place({ token, previousToken, message }: IRecognitionException & { readonly previousToken?: IToken }, file: string): Range {
  const found = tokenRange(token, file);
  const known = Number.isFinite(token.startOffset);
  const before = previousToken !== undefined && Number.isFinite(previousToken.startOffset) ? tokenRange(previousToken, file).end : undefined;
  const lacksComma = before !== undefined && before.line < found.start.line && message.startsWith('`,`') && beginsValue(token);
  const ofLine = token.tokenType === Newline && token.image === '';
  if (known && !ofLine && !lacksComma) return found;
  const at = before ?? (known ? found.start : { line: 1, column: 1, offset: 0 });
  return { file, start: at, end: at };
}

const beginsValue = ({ tokenType }: IToken): boolean =>
  tokenType === NumberToken || tokenType === StringToken || tokenType.CATEGORIES?.includes(Word) === true;
