// Brackets, balanced before parsing: what is open is closed, what closes nothing is dropped, each with a diagnostic.
// The parser and layout may then count on balance. Indentation repairs here; nowhere does it decide what a text means.
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { tokenRange } from './lexer.js';
import { isCloser, isOpener } from './layout.js';
import * as t from './tokens.js';

export interface Balanced { readonly tokens: readonly IToken[]; readonly diagnostics: readonly Diagnostic[] }

const closerOf: ReadonlyMap<TokenType, TokenType> = new Map([[t.LParen, t.RParen], [t.LSquare, t.RSquare], [t.LCurly, t.RCurly]]);

const synthetic = (type: TokenType, after: IToken): IToken => {
  const offset = (after.endOffset ?? 0) + 1;
  const line = after.endLine ?? 1;
  const column = (after.endColumn ?? 0) + 1;
  return createTokenInstance(type, String(type.PATTERN), offset, offset - 1, line, line, column, column - 1);
};

export function balance(tokens: readonly IToken[], file: string): Balanced {
  const out: IToken[] = [];
  const open: IToken[] = [];
  const diagnostics: Diagnostic[] = [];
  const closeTop = (): void => {
    const opener = open.pop();
    const after = out[out.length - 1];
    const closer = opener && closerOf.get(opener.tokenType);
    if (opener === undefined || after === undefined || closer === undefined) return;
    out.push(synthetic(closer, after));
    diagnostics.push(diagnostic('TPS1004', tokenRange(after, file), { open: opener.image, close: String(closer.PATTERN) }, {
      related: [{ message: 'opened here', range: tokenRange(opener, file) }],
    }));
  };
  for (const token of tokens) {
    if (isCloser(token.tokenType)) {
      const at = open.findLastIndex((o) => closerOf.get(o.tokenType) === token.tokenType);
      if (at < 0) {
        diagnostics.push(diagnostic('TPS1005', tokenRange(token, file), { close: token.image }));
        continue;
      }
      while (open.length > at + 1) closeTop();
      open.pop();
    } else if (isOpener(token.tokenType)) open.push(token);
    out.push(token);
  }
  while (open.length > 0) closeTop();
  return { tokens: out, diagnostics };
}
