// Does an item begin here? Judged from a few tokens, and only where they leave no doubt: what this says may close brackets.
import type { IToken, TokenType } from 'chevrotain';
import * as t from './tokens.js';

const is = (token: IToken | undefined, ...types: readonly TokenType[]): boolean => token !== undefined && types.includes(token.tokenType);
const isIdent = (token: IToken | undefined): boolean => token?.tokenType.CATEGORIES?.includes(t.Ident) === true;
const isWord = (token: IToken | undefined): boolean => token?.tokenType.CATEGORIES?.includes(t.Word) === true;

/** Index of the last token on the line of token `i`. */
export function lastOfLine(tokens: readonly IToken[], i: number): number {
  const line = tokens[i]?.startLine;
  let last = i;
  while (tokens[last + 1]?.startLine === line) last++;
  return last;
}

export const isFirstOfLine = (tokens: readonly IToken[], i: number): boolean => i === 0 || tokens[i - 1]?.endLine !== tokens[i]?.startLine;

/** A declaration: its keyword, then what only a declaration has there. */
export function beginsDeclaration(tokens: readonly IToken[], i: number): boolean {
  const keyword = t.keywordOf(tokens[i]?.tokenType ?? t.Name);
  const next = tokens[i + 1];
  switch (keyword) {
    case 'edition': return is(next, t.NumberToken);
    case 'from': return isIdent(next) || is(next, t.StringToken);
    case 'block': case 'model': case 'setting': case 'dim': case 'tasks': case 'train': case 'study': case 'dataset': case 'variant': case 'weights':
      return isIdent(next);
    default: return false;
  }
}

/** A statement, read past its first name; `for` and `if` are told from a comprehension by the `{` at the line's end. */
export function beginsStatement(tokens: readonly IToken[], i: number): boolean {
  const [next, after] = [tokens[i + 1], tokens[i + 2]];
  const opens = (): boolean => is(tokens[lastOfLine(tokens, i)], t.LCurly, t.RCurly);
  switch (t.keywordOf(tokens[i]?.tokenType ?? t.Name)) {
    case 'let': return is(next, t.LSquare) || (isIdent(next) && is(after, t.Equals));
    case 'layer': return isIdent(next) && is(after, t.Equals, t.LSquare, t.Colon);
    case 'encoder': case 'decoder': return isIdent(next) && is(after, t.Equals, t.LSquare);
    case 'param': return isIdent(next) && is(after, t.Colon);
    case 'carry': case 'next': case 'emit': return isIdent(next) && is(after, t.Equals);
    case 'return': return !is(next, t.Equals, t.Colon, t.Comma, t.RParen);
    case 'for': return isIdent(next) && is(after, t.kw('in')) && opens();
    case 'if': return opens() && !tokens.slice(i, lastOfLine(tokens, i)).some((token) => is(token, t.kw('then')));
    case 'adapter': return isIdent(next) && is(after, t.kw('per'), t.kw('before'), t.kw('after'), t.kw('beside'));
    case 'gate': return isIdent(next) && is(after, t.kw('per'), t.kw('over'));
    case 'prototypes': case 'state': return isIdent(next) && is(after, t.kw('per'), t.Colon);
    default: return false;
  }
}

/** An entry, an edit or a row. */
export function beginsEntry(tokens: readonly IToken[], i: number): boolean {
  const [token, next] = [tokens[i], tokens[i + 1]];
  switch (t.keywordOf(token?.tokenType ?? t.Name)) {
    case 'remove': case 'set': case 'replace': case 'insert': if (isWord(next)) return true;
  }
  return (isWord(token) && is(next, t.Equals)) || (is(token, t.StringToken) && is(next, t.Arrow)) || (isIdent(token) && is(next, t.StringToken));
}
