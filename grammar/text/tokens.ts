// The words and signs of a `.tps` text: every token type and the categories that the parser asks for.
// No rule of the grammar lives here, and no text is read here (lexer.ts does that).
import { createToken, Lexer, type TokenType } from 'chevrotain';

const abstract = (name: string): TokenType => createToken({ name, pattern: Lexer.NA });

/** A name, or a soft keyword used as one. */
export const Ident = abstract('Ident');
/** Any name or keyword: what may follow a point, name an argument or key a record. */
export const Word = abstract('Word');
export const BinaryOp = abstract('BinaryOp');

// Junk: what cannot begin an item of its kind. An item rule takes one such token, reports it and skips to the item's end;
// without it a repetition would simply stop there and its owner would fail.
export const NoDeclaration = abstract('NoDeclaration');
export const NoStatement = abstract('NoStatement');
export const NoEdit = abstract('NoEdit');
export const NoEntry = abstract('NoEntry');
export const NoTask = abstract('NoTask');
export const NoWeight = abstract('NoWeight');

const declarationWords = ['edition', 'from', 'dim', 'setting', 'tasks', 'block', 'model', 'train', 'study', 'dataset', 'variant', 'weights'] as const;
const statementWords = [
  'let', 'layer', 'param', 'carry', 'next', 'emit', 'return', 'for', 'if', 'encoder', 'decoder', 'adapter', 'gate', 'prototypes', 'state',
] as const;
const editWords = ['remove', 'set', 'replace', 'insert', 'alias'] as const;
const reservedWords = [
  'and', 'or', 'in', 'not', 'if', 'then', 'else', 'for', 'per', 'true', 'false',
  'let', 'layer', 'param', 'carry', 'next', 'emit', 'return', 'where', 'with',
] as const;
const otherSoftWords = ['import', 'as', 'of', 'before', 'after', 'beside', 'over', 'init'] as const;

export type Keyword =
  | (typeof declarationWords)[number] | (typeof statementWords)[number] | (typeof editWords)[number]
  | (typeof reservedWords)[number] | (typeof otherSoftWords)[number];

export const declarationKeywords: ReadonlySet<string> = new Set(declarationWords);
export const statementKeywords: ReadonlySet<string> = new Set(statementWords);
export const reservedKeywords: ReadonlySet<string> = new Set(reservedWords);
const editKeywords: ReadonlySet<string> = new Set(editWords);
export const keywords: readonly Keyword[] = [...new Set<Keyword>([
  ...declarationWords, ...statementWords, ...editWords, ...reservedWords, ...otherSoftWords,
])];

interface Shape { readonly starts?: string; readonly ident?: boolean; readonly word?: boolean; readonly string?: boolean; readonly operator?: boolean }

/** `starts` is the keyword's text. A token that closes or separates is junk nowhere: layout has placed it. */
function categoriesOf({ starts = '', ident = false, word = false, string = false, operator = false }: Shape): TokenType[] {
  const categories = [
    ...(declarationKeywords.has(starts) ? [] : [NoDeclaration]),
    ...(statementKeywords.has(starts) ? [] : [NoStatement]),
    ...(editKeywords.has(starts) ? [] : [NoEdit]),
    ...(word ? [Word] : [NoEntry]),
    ...(ident ? [Ident] : [NoTask]),
    ...(string ? [] : [NoWeight]),
    ...(operator ? [BinaryOp] : []),
  ];
  return categories;
}

export const Name = createToken({ name: 'Name', pattern: /[A-Za-z_]\w*/, categories: categoriesOf({ ident: true, word: true }) });

/** `_` alone: one unnamed dim, or an ignored name in a pattern. */
export const Underscore = createToken({ name: 'Underscore', pattern: /_/, longer_alt: Name, categories: categoriesOf({}) });

const keywordTokens: ReadonlyMap<string, TokenType> = new Map(keywords.map((text) => {
  const soft = !reservedKeywords.has(text);
  return [text, createToken({
    name: text[0]?.toUpperCase() + text.slice(1), pattern: text, longer_alt: Name,
    categories: categoriesOf({ starts: text, ident: soft, word: true, operator: text === 'and' || text === 'or' || text === 'in' }),
  })];
}));

export function kw(text: Keyword): TokenType {
  const type = keywordTokens.get(text);
  if (type === undefined) throw new Error(`no keyword ${text}`);
  return type;
}

/** The text of a keyword's token type; undefined for other tokens. */
export const keywordOf = (type: TokenType): string | undefined =>
  typeof type.PATTERN === 'string' && keywordTokens.has(type.PATTERN) ? type.PATTERN : undefined;

const sign = (name: string, pattern: string, operator = false): TokenType =>
  createToken({ name, pattern, categories: categoriesOf({ operator }) });
/** What closes or separates: never junk. */
const mark = (name: string, pattern: string): TokenType => createToken({ name, pattern });

export const Arrow = sign('Arrow', '->');
export const Pipe = sign('Pipe', '|>', true);
export const DotDot = sign('DotDot', '..', true);
export const LessEqual = sign('LessEqual', '<=', true);
export const GreaterEqual = sign('GreaterEqual', '>=', true);
export const EqualEqual = sign('EqualEqual', '==', true);
export const NotEqual = sign('NotEqual', '!=', true);
export const Less = sign('Less', '<', true);
export const Greater = sign('Greater', '>', true);
export const Caret = sign('Caret', '^', true);
export const Star = sign('Star', '*', true);
export const Slash = sign('Slash', '/', true);
export const Percent = sign('Percent', '%', true);
export const Plus = sign('Plus', '+', true);
export const Minus = sign('Minus', '-', true);
export const Equals = sign('Equals', '=');
export const Colon = sign('Colon', ':');
export const Dot = sign('Dot', '.');
export const Comma = sign('Comma', ',');
export const LParen = sign('LParen', '(');
export const LSquare = sign('LSquare', '[');
export const LCurly = sign('LCurly', '{');
export const RParen = mark('RParen', ')');
export const RSquare = mark('RSquare', ']');
export const RCurly = mark('RCurly', '}');

/** Taken generously, so that `3x` and `1e-` are one malformed token each; `wellFormedNumber` decides. */
export const NumberToken = createToken({ name: 'Number', pattern: /\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d*)?\w*/, categories: categoriesOf({}) });
export const wellFormedNumber = /^\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?$/;

/** The closing quote is optional here, so that a string left open is one token and one error. */
export const StringToken = createToken({
  name: 'String', pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"?/, line_breaks: false, categories: categoriesOf({ string: true }),
});

/** A `{` that opens a body, entries, edits or rows: layout tells it from a record's, so that neither is taken for the other. */
export const BodyOpen = createToken({ name: 'BodyOpen', pattern: Lexer.NA, label: '`{`', categories: categoriesOf({}) });
/** Synthetic: the end of an item. Made by layout, never by the lexer. */
export const Newline = createToken({ name: 'Newline', pattern: Lexer.NA, label: 'end of line' });

const WhiteSpace = createToken({ name: 'WhiteSpace', pattern: /[ \t\r\n\f\u00a0\ufeff]+/, group: Lexer.SKIPPED, line_breaks: true });
export const DocComment = createToken({ name: 'DocComment', pattern: /\/\/\/[^\r\n]*/, group: 'comments', line_breaks: false });
/** No comment of this language: reported, then treated as one. */
export const SlashComment = createToken({ name: 'SlashComment', pattern: /\/\/[^\r\n]*/, group: 'comments', line_breaks: false });
export const Comment = createToken({ name: 'Comment', pattern: /#[^\r\n]*/, group: 'comments', line_breaks: false });

const longestFirst = [...keywordTokens.values()].sort((a, b) => String(b.PATTERN).length - String(a.PATTERN).length);

/** In the lexer's order: longer before its own prefix. */
export const lexerTokens: readonly TokenType[] = [
  WhiteSpace, DocComment, SlashComment, Comment, StringToken, NumberToken,
  ...longestFirst, Underscore, Name,
  Arrow, Pipe, DotDot, LessEqual, GreaterEqual, EqualEqual, NotEqual, Less, Greater,
  Caret, Star, Slash, Percent, Plus, Minus, Equals, Colon, Dot, Comma,
  LParen, RParen, LSquare, RSquare, LCurly, RCurly,
];

export const vocabulary: readonly TokenType[] = [
  ...lexerTokens, BodyOpen, Newline,
  Ident, Word, BinaryOp, NoDeclaration, NoStatement, NoEdit, NoEntry, NoTask, NoWeight,
];
