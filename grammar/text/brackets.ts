// Brackets, balanced before parsing, one declaration at a time: a declaration whose brackets balance is left as it is;
// only one that does not is repaired (repair.ts). The parser and layout may then count on balance.
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics.js';
import { closerOf, isCloser, isOpener } from './layout.js';
import { repair } from './repair.js';
import { beginsDeclaration, isFirstOfLine } from './starts.js';

export interface Balanced { readonly tokens: readonly IToken[]; readonly diagnostics: readonly Diagnostic[] }

export function balance(tokens: readonly IToken[], text: string, file: string): Balanced {
  const out: IToken[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const part of declarations(tokens)) {
    if (isBalanced(part)) out.push(...part);
    else {
      const repaired = repair(part, text, file);
      out.push(...repaired.tokens);
      diagnostics.push(...repaired.diagnostics);
    }
  }
  return { tokens: out, diagnostics };
}

/** Cut before every declaration that begins at a line's very start; one stray token may stand before it on its line. */
function declarations(tokens: readonly IToken[]): readonly (readonly IToken[])[] {
  const begins = (i: number): boolean =>
    beginsDeclaration(tokens, i) || (tokens[i + 1]?.startLine === tokens[i]?.startLine && beginsDeclaration(tokens, i + 1));
  const starts = tokens.flatMap((token, i) => (i > 0 && token.startColumn === 1 && isFirstOfLine(tokens, i) && begins(i) ? [i] : []));
  return [0, ...starts].map((start, i) => tokens.slice(start, starts[i]));
}

function isBalanced(tokens: readonly IToken[]): boolean {
  const open: IToken[] = [];
  for (const token of tokens) {
    if (isOpener(token.tokenType)) open.push(token);
    else if (isCloser(token.tokenType)) {
      const opener = open.pop();
      if (opener === undefined || closerOf(opener) !== token.tokenType) return false;
    }
  }
  return open.length === 0;
}

/** The first opener that stands deeper than `depth`. */
export function tokenBeyond(depth: number, tokens: readonly IToken[]): IToken | undefined {
  let open = 0;
  return tokens.find(({ tokenType }) => {
    if (isOpener(tokenType)) open++;
    else if (isCloser(tokenType)) open = Math.max(0, open - 1);
    return open > depth;
  });
}
