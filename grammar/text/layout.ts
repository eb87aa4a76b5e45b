// Lines and brackets to separators: puts a `Newline` token where an item ends, drops a trailing comma before `)` or `]` that begins
// a line, and tells every token its depth, its item and, of a `{`, what it holds. Brackets are balanced here already (brackets.ts).
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import { beginsDeclaration, beginsEntry, beginsStatement, lastOfLine } from './starts.js';
import * as t from './tokens.js';

/** What a `{` holds, known from the left: statements or declarations, entries (`word =`), or values and types (`word :`). */
export type BraceKind = 'statements' | 'entries' | 'edits' | 'rows' | 'record';

/** What layout knows of a token; it travels in the token's `payload`. */
export interface Place {
  /** position in the laid-out list */
  readonly index: number;
  /** how many brackets enclose it; a bracket has the depth of what surrounds it */
  readonly depth: number;
  /** the number of the innermost declaration, statement, entry, edit or row */
  readonly item: number;
  /** of a `{` that opens the body or the entries of a declaration or statement: what it holds */
  readonly body: BraceKind | undefined;
}

export const placeOf = (token: IToken): Place => token.payload as Place;

const openers = new Set<TokenType>([t.LParen, t.LSquare, t.LCurly]);
const closers = new Set<TokenType>([t.RParen, t.RSquare, t.RCurly]);
export const isOpener = (type: TokenType): boolean => openers.has(type);
export const isCloser = (type: TokenType): boolean => closers.has(type);
const pairs = new Map<TokenType, TokenType>([[t.LParen, t.RParen], [t.LSquare, t.RSquare], [t.LCurly, t.RCurly]]);
export const closerOf = ({ tokenType }: Pick<IToken, 'tokenType'>): TokenType | undefined => pairs.get(tokenType);

const infix = new Set<TokenType>([
  t.Pipe, t.DotDot, t.LessEqual, t.GreaterEqual, t.EqualEqual, t.NotEqual, t.Less, t.Greater,
  t.Caret, t.Star, t.Slash, t.Percent, t.Plus, t.Minus, t.kw('and'), t.kw('or'), t.kw('in'),
]);
/** A line that ends so goes on. */
const goesOn = new Set<TokenType>([
  ...infix, ...openers, t.Comma, t.Equals, t.Colon, t.Arrow, t.Dot, t.kw('not'), t.kw('then'), t.kw('else'),
]);
/** A line that begins so continues the line above. */
const continues = new Set<TokenType>([
  ...infix, t.Arrow, t.Equals, t.Colon, t.Comma, t.Dot, t.LCurly, t.kw('then'), t.kw('else'), t.kw('where'), t.kw('with'),
]);

/** Keywords whose item has a body in braces, and what the body holds. */
const bodies: ReadonlyMap<string, BraceKind> = new Map([
  ['block', 'statements'], ['model', 'statements'], ['for', 'statements'], ['if', 'statements'],
  ['train', 'entries'], ['study', 'entries'], ['dataset', 'entries'], ['prototypes', 'entries'], ['state', 'entries'],
  ['variant', 'edits'], ['weights', 'rows'], ['tasks', 'rows'],
]);

/** The item being read inside one bracket: follows its tokens from the left to say what its next `{` holds. */
export class ItemReader {
  private first: IToken | undefined;
  private keyword: string | undefined;
  private bodySeen = false;
  constructor(private readonly kind: BraceKind) {}

  get start(): IToken | undefined { return this.first; }
  /** The item has a head whose body has not been opened yet. */
  get awaitsBody(): boolean { return this.keyword !== undefined && bodies.has(this.keyword) && !this.bodySeen; }

  private begin(token: IToken): void {
    this.first = token;
    this.keyword = this.kind === 'statements' || this.kind === 'edits' ? t.keywordOf(token.tokenType) : undefined;
  }

  /** Takes a token at the item's own depth (openers included, closers not). */
  take(token: IToken): void {
    if (this.first === undefined) this.begin(token);
    else if (this.keyword === 'insert' && this.kind === 'edits') this.keyword = t.keywordOf(token.tokenType);
    else if (this.keyword === 'if' && this.bodySeen && token.tokenType === t.kw('else')) this.bodySeen = false;
  }

  /** What the `{` at `i` holds, at the item's depth: known from the head; of a damaged head, from how the next line begins. */
  brace(tokens: readonly IToken[], i: number): BraceKind {
    const before = tokens[i - 1];
    if (this.awaitsBody && before !== undefined && (!goesOn.has(before.tokenType) || before.tokenType === t.kw('else'))) {
      this.bodySeen = true;
      return bodies.get(this.keyword ?? '') ?? 'record';
    }
    const kind = lastOfLine(tokens, i) === i ? kindOfItem(tokens, i + 1) : undefined;
    if (kind !== undefined) this.bodySeen = true;
    return kind ?? 'record';
  }

  end(): void {
    this.first = undefined;
    this.keyword = undefined;
    this.bodySeen = false;
  }
}

/** What a body holds whose first item begins at `i`. */
function kindOfItem(tokens: readonly IToken[], i: number): BraceKind | undefined {
  const keyword = t.keywordOf(tokens[i]?.tokenType ?? t.Name) ?? '';
  const reserved = t.statementKeywords.has(keyword) && t.reservedKeywords.has(keyword) && keyword !== 'if' && tokens[i + 1]?.tokenType !== t.Colon;
  if (reserved || beginsStatement(tokens, i)) return 'statements';
  if (!beginsEntry(tokens, i)) return undefined;
  const next = tokens[i + 1]?.tokenType;
  return next === t.Equals ? 'entries' : next === t.Arrow || next === t.StringToken ? 'rows' : 'edits';
}

const beginsItem = (tokens: readonly IToken[], i: number, kind: BraceKind): boolean =>
  (kind === 'statements' ? beginsStatement(tokens, i) || beginsDeclaration(tokens, i) : kind !== 'record' && beginsEntry(tokens, i));

/** Spaces before the first token of the token's line are its indentation; tokens know their column only, so lines are kept. */
function firstOfLines(tokens: readonly IToken[]): ReadonlyMap<number, IToken> {
  const first = new Map<number, IToken>();
  for (const token of tokens) if (!first.has(token.startLine ?? 1)) first.set(token.startLine ?? 1, token);
  return first;
}

interface Frame { readonly type: TokenType; readonly items: ItemReader; readonly kind: BraceKind; item: number }

const fresh = (type: TokenType, kind: BraceKind, item: number): Frame => ({ type, kind, items: new ItemReader(kind), item });

/** Right behind a token; or, where the item ends because a `}` follows on its line, at that `}`, whose image it takes for messages. */
function newlineAfter(token: IToken, closer: IToken | undefined): IToken {
  if (closer !== undefined && closer.startLine === token.endLine) return { ...closer, tokenType: t.Newline, tokenTypeIdx: t.Newline.tokenTypeIdx ?? 0 };
  const offset = (token.endOffset ?? 0) + 1;
  const line = token.endLine ?? 1;
  const column = (token.endColumn ?? 0) + 1;
  return createTokenInstance(t.Newline, '', offset, offset - 1, line, line, column, column - 1);
}

/** Balanced tokens in; what the parser reads out. */
export function layout(tokens: readonly IToken[]): IToken[] {
  const out: IToken[] = [];
  const firsts = firstOfLines(tokens);
  const indentOf = (token: IToken): number => firsts.get(token.startLine ?? 1)?.startColumn ?? 1;
  let items = 0;
  const stack: Frame[] = [fresh(t.LCurly, 'statements', 0)];
  const top = (): Frame => stack[stack.length - 1] as Frame;
  const push = (token: IToken, depth: number, body?: BraceKind): void => {
    const place: Place = { index: out.length, depth, item: top().item, body };
    token.payload = place;
    out.push(token);
  };
  const endItem = (after: IToken, closer?: IToken): void => {
    push(newlineAfter(after, closer), stack.length - 1);
    top().items.end();
  };

  for (const [i, token] of tokens.entries()) {
    const before = tokens[i - 1];
    const type = token.tokenType;
    const frame = top();
    const inBraces = frame.type === t.LCurly;
    const beginsLine = before !== undefined && before.endLine !== token.startLine;
    if (beginsLine && inBraces && before !== undefined && frame.items.start !== undefined && !isCloserOf(frame, type)) {
      const start = frame.items.start;
      const continuesHead = frame.items.awaitsBody && ((token.startColumn ?? 1) > indentOf(start) || opensLate(tokens, i));
      const goes = goesOn.has(before.tokenType) || continues.has(type) || continuesHead;
      if (!goes || beginsItem(tokens, i, frame.kind)) endItem(before); // a line that surely begins an item ends a damaged one above
    }
    if (isCloser(type)) {
      if (inBraces && frame.items.start !== undefined && before !== undefined) endItem(before, token);
      else if (!inBraces && beginsLine && before?.tokenType === t.Comma) out.pop();
      stack.pop();
      push(token, stack.length - 1);
      continue;
    }
    const current = top();
    if (current.items.start === undefined && current.type === t.LCurly && current.kind !== 'record') current.item = ++items;
    current.items.take(token);
    if (isOpener(type)) {
      const kind = type !== t.LCurly || !inBraces ? 'record' : current.items.brace(tokens, i);
      if (kind === 'record') push(token, stack.length - 1);
      else push({ ...token, tokenType: t.BodyOpen, tokenTypeIdx: t.BodyOpen.tokenTypeIdx ?? 0 }, stack.length - 1, kind);
      stack.push(fresh(type, kind, current.item));
    } else {
      push(token, stack.length - 1);
      // A comma ends an item of entries, edits, rows and records; between statements it is left for the parser to refuse.
      if (type === t.Comma && inBraces && current.kind !== 'statements') current.items.end();
    }
  }
  const last = tokens[tokens.length - 1];
  if (last !== undefined && top().items.start !== undefined) endItem(last);
  return out;
}

/** A damaged line that still ends in the `{` its head waits for. */
const opensLate = (tokens: readonly IToken[], i: number): boolean =>
  tokens[lastOfLine(tokens, i)]?.tokenType === t.LCurly && !beginsDeclaration(tokens, i) && (i === lastOfLine(tokens, i) - 1 || !beginsStatement(tokens, i));

const isCloserOf = (frame: Frame, type: TokenType): boolean => frame.type === t.LCurly && type === t.RCurly;
