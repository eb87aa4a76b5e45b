// Text to tokens and comments. Malformed numbers, open strings and stray characters are reported here and nowhere else;
// the tokens that remain are well enough for the parser to say nothing more about them.
import { Lexer, type IToken } from 'chevrotain';
import type { Comment, Range } from '../ast.js';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { DocComment, lexerTokens, NumberToken, SlashComment, StringToken, wellFormedNumber } from './tokens.js';

const lexer = new Lexer([...lexerTokens], { positionTracking: 'full', ensureOptimizations: true });

export interface Lexed {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The half-open range of a token. */
export function tokenRange(token: IToken, file: string): Range {
  return {
    file,
    start: { line: token.startLine ?? 1, column: token.startColumn ?? 1, offset: token.startOffset },
    end: { line: token.endLine ?? 1, column: (token.endColumn ?? 0) + 1, offset: (token.endOffset ?? -1) + 1 },
  };
}

const isClosed = (image: string): boolean => /^"(?:[^"\\]|\\.)*"$/.test(image);

function ownLine(text: string, offset: number): boolean {
  for (let i = offset - 1; i >= 0; i--) {
    const c = text[i];
    if (c === '\n' || c === '\r') return true;
    if (c !== ' ' && c !== '\t') return false;
  }
  return true;
}

export function lex(text: string, file: string): Lexed {
  const { tokens, groups, errors } = lexer.tokenize(text);
  const diagnostics: Diagnostic[] = [];
  for (const { offset, length, line, column } of errors) { // what no token begins with is left out
    const start = { line: line ?? 1, column: column ?? 1, offset };
    const end = { line: start.line, column: start.column + length, offset: offset + length };
    diagnostics.push(diagnostic('TPS1002', { file, start, end }, { found: `\`${text.slice(offset, offset + length)}\`` }));
  }
  const comments: Comment[] = [];
  for (const token of groups['comments'] ?? []) {
    if (token.tokenType === SlashComment) diagnostics.push(diagnostic('TPS1002', tokenRange(token, file), { found: '`//`' }));
    comments.push({
      text: token.image.trimEnd(), range: tokenRange(token, file), doc: token.tokenType === DocComment, ownLine: ownLine(text, token.startOffset),
    });
  }
  for (const token of tokens) {
    if (token.tokenType === NumberToken && !wellFormedNumber.test(token.image)) {
      diagnostics.push(diagnostic('TPS1006', tokenRange(token, file), { text: `\`${token.image}\`` }));
    } else if (token.tokenType === StringToken && !isClosed(token.image)) {
      diagnostics.push(diagnostic('TPS1009', tokenRange(token, file), {}));
    }
  }
  return { tokens, comments, diagnostics };
}
