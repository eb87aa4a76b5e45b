// Repair of unbalanced brackets in one declaration. Parentheses, square brackets and records end with their statement; bodies end
// where the indentation of their first line returns. A closer that fits nothing is dropped or read as the one that is due, whichever leaves less to mend.
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import type { Range } from '../ast.js';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { closerOf, isCloser, isOpener, ItemReader } from './layout.js';
import { tokenRange } from './lexer.js';
import { beginsDeclaration, beginsEntry, beginsStatement, isFirstOfLine, lastOfLine } from './starts.js';
import * as t from './tokens.js';

interface Frame {
  readonly opener: IToken;
  /** holds statements, entries, edits or rows: ends by indentation, not by the end of a statement */
  readonly body: boolean;
  readonly ofIf: boolean;
  /** column of the first token of the opener's line, and of the line on which its item begins */
  readonly column: number;
  readonly itemColumn: number;
  readonly items: ItemReader;
  /** column of the first line that began directly inside */
  firstColumn?: number;
}

export function repair(tokens: readonly IToken[], text: string, file: string): { readonly tokens: readonly IToken[]; readonly diagnostics: readonly Diagnostic[] } {
  return new Repair(tokens, text, file).run();
}

class Repair {
  private readonly out: IToken[] = [];
  private readonly diagnostics: Diagnostic[] = [];
  private readonly stack: Frame[] = [];
  private readonly root = new ItemReader('statements');
  /** column of the first token of each line */
  private readonly columns = new Map<number, number>();

  constructor(private readonly tokens: readonly IToken[], private readonly text: string, private readonly file: string) {
    for (const token of tokens) {
      const line = token.startLine ?? 1;
      if (!this.columns.has(line)) this.columns.set(line, token.startColumn ?? 1);
    }
  }

  run(): { readonly tokens: readonly IToken[]; readonly diagnostics: readonly Diagnostic[] } {
    for (const [i, token] of this.tokens.entries()) {
      const type = token.tokenType;
      const first = i > 0 && isFirstOfLine(this.tokens, i);
      if (first) this.beginLine(i);
      if (type === t.Arrow || type === t.kw('where') || type === t.kw('with')) this.closeToBody();
      if (type === t.LCurly && lastOfLine(this.tokens, i) === i && this.beginsItem(i + 1)) this.closeToBody();
      if (first && this.standsForCurly(i)) this.convert(token);
      else if (first && isOpener(type) && this.opensItem(i)) this.refuse(token);
      else if (type === t.RCurly) this.closeCurly(i, first);
      else if (isCloser(type)) this.closeRound(i);
      else this.take(i);
    }
    while (this.stack.length > 0) this.closeTop();
    return { tokens: this.out, diagnostics: this.diagnostics };
  }

  // ---------------------------------------------------------------- what is open

  private get top(): Frame | undefined { return this.stack[this.stack.length - 1]; }
  private get items(): ItemReader { return this.top?.items ?? this.root; }
  private columnOf(token: IToken): number { return this.columns.get(token.startLine ?? 1) ?? 1; }
  private get previous(): IToken | undefined { return this.out[this.out.length - 1]; }

  /** Index in the stack of the innermost body; -1 where none is open. */
  private get bodyAt(): number { return this.stack.findLastIndex((f) => f.body); }

  private take(i: number): void {
    const token = this.tokens[i] as IToken;
    const items = this.items;
    items.take(token);
    if (isOpener(token.tokenType)) this.open(token, this.opensBody(i, items));
    if (token.tokenType === t.Comma && this.top?.body === true) items.end();
    this.out.push(token);
  }

  private opensBody(i: number, items: ItemReader): boolean {
    if (this.tokens[i]?.tokenType !== t.LCurly || (this.top !== undefined && this.top.opener.tokenType !== t.LCurly)) return false;
    return items.brace(this.tokens, i) !== 'record';
  }

  /** A lone token where the `}` of a body is due. */
  private standsForCurly(i: number): boolean {
    const token = this.tokens[i] as IToken;
    const { top } = this;
    return lastOfLine(this.tokens, i) === i && token.tokenType !== t.RCurly && token.tokenType !== t.LCurly
      && top?.body === true && this.isIndented(top) && top.itemColumn === token.startColumn;
  }

  /** An opener right before a declaration or statement on its line. */
  private opensItem(i: number): boolean {
    const next = this.tokens[i + 1];
    return next?.startLine === this.tokens[i]?.startLine && (beginsDeclaration(this.tokens, i + 1) || beginsStatement(this.tokens, i + 1));
  }

  private refuse(token: IToken): void {
    const what = this.stack.length === 0 ? 'A declaration' : 'A statement';
    this.diagnostics.push(diagnostic('TPS1003', tokenRange(token, this.file), { what, found: `\`${token.image}\``, help: 'take it away' }));
  }

  private open(opener: IToken, body: boolean): void {
    const start = this.items.start ?? opener;
    const ofIf = start.tokenType === t.kw('if');
    this.stack.push({
      opener, body, ofIf, column: this.columnOf(opener), itemColumn: this.columnOf(start), items: new ItemReader(body ? 'statements' : 'record'),
    });
  }

  private beginsItem(i: number): boolean { return beginsStatement(this.tokens, i) || beginsEntry(this.tokens, i); }

  // ---------------------------------------------------------------- lines

  private beginLine(i: number): void {
    const token = this.tokens[i] as IToken;
    if (token.tokenType === t.kw('else')) {
      const at = this.stack.findLastIndex((f) => f.ofIf && f.body);
      if (at >= 0 && this.previous?.tokenType !== t.RCurly) this.closeTo(at);
      return;
    }
    const outer = this.stack[this.bodyAt]?.items ?? this.root;
    if (token.tokenType === t.LCurly && lastOfLine(this.tokens, i) === i && outer.awaitsBody) this.closeToBody();
    this.closeToArgument(i);
    if (this.top !== undefined) this.top.firstColumn ??= token.startColumn ?? 1;
    if (!this.beginsItem(i)) {
      if (token.tokenType !== t.RCurly && this.top?.body === true && !this.items.awaitsBody) this.items.end();
      return;
    }
    this.closeToBody();
    const column = token.startColumn ?? 1;
    const start = this.items.start;
    if (this.items.awaitsBody && start !== undefined && column > this.columnOf(start)) {
      this.insertOpener();
    } else {
      this.items.end();
      if (!this.closesMore(i)) {
        while (this.top?.body === true && this.isIndented(this.top) && column <= this.top.itemColumn) this.closeTop();
        this.items.end();
      }
    }
  }

  /** A line that begins with `name:` where the arguments of an outer bracket begin is one of them: what is inside that bracket ends. */
  private closeToArgument(i: number): void {
    if (this.top === undefined || this.top.body) return;
    const column = this.tokens[i]?.startColumn ?? 1;
    const at = this.stack.findLastIndex((f) => !f.body && f.firstColumn === column);
    if (at < this.stack.length - 1 && at >= 0 && this.tokens[i + 1]?.tokenType === t.Colon) {
      const comma = this.previous?.tokenType === t.Comma ? this.out.pop() : undefined;
      this.closeTo(at + 1);
      if (comma !== undefined) this.out.push(comma);
    }
  }

  /** The body's lines stand to the right of its head: only then does a line's column say which body it belongs to. */
  private isIndented({ firstColumn, itemColumn }: Frame): boolean { return firstColumn !== undefined && firstColumn > itemColumn; }

  /** The line closes a brace that it did not open. */
  private closesMore(i: number): boolean {
    let depth = 0;
    for (const token of this.tokens.slice(i, lastOfLine(this.tokens, i) + 1)) {
      if (token.tokenType === t.LCurly) depth++;
      if (token.tokenType === t.RCurly && --depth < 0) return true;
    }
    return false;
  }

  /** A head whose next line begins a statement gets its `{`. */
  private insertOpener(): void {
    const after = this.previous;
    if (after === undefined) return;
    const opener = synthetic(t.LCurly, after);
    this.diagnostics.push(diagnostic('TPS1013', this.placeAfter(after), { open: '{' }));
    this.items.take(opener);
    this.items.brace([after, opener], 1);
    this.open(opener, true);
    this.out.push(opener);
  }

  // ---------------------------------------------------------------- closers

  private closeToBody(): void {
    while (this.top !== undefined && !this.top.body) this.closeTop();
  }

  private closeTo(at: number): void {
    while (this.stack.length > at) this.closeTop();
  }

  /** The closer of what is open innermost is missing here. */
  private closeTop(): void {
    const frame = this.stack.pop();
    const after = this.previous;
    const type = frame && closerOf(frame.opener);
    if (frame === undefined || after === undefined || type === undefined) return;
    this.out.push(synthetic(type, after));
    this.missing(frame, frame.body ? this.placeAfter(after) : tokenRange(after, this.file));
  }

  private missing(frame: Frame, range: Range): void {
    const close = String(closerOf(frame.opener)?.PATTERN);
    this.diagnostics.push(diagnostic('TPS1004', range, { open: frame.opener.image, close }, {
      related: [{ message: 'opened here', range: tokenRange(frame.opener, this.file) }],
    }));
  }

  private pop(token: IToken): void {
    this.stack.pop();
    this.out.push(token);
  }

  private drop(token: IToken): void {
    this.diagnostics.push(diagnostic('TPS1005', tokenRange(token, this.file), { close: token.image }));
  }

  /** The token stands where another closer is due. */
  private convert(token: IToken): void {
    const frame = this.top;
    const type = frame && closerOf(frame.opener);
    if (frame === undefined || type === undefined) return;
    this.missing(frame, tokenRange(token, this.file));
    this.stack.pop();
    this.out.push({ ...token, image: String(type.PATTERN), tokenType: type, tokenTypeIdx: type.tokenTypeIdx ?? 0 });
  }

  private closeRound(i: number): void {
    const token = this.tokens[i] as IToken;
    if (this.top !== undefined && closerOf(this.top.opener) === token.tokenType) this.pop(token);
    else this.mend(i, this.stack.findLastIndex((f, at) => at > this.bodyAt && closerOf(f.opener) === token.tokenType));
  }

  private closeCurly(i: number, first: boolean): void {
    const token = this.tokens[i] as IToken;
    const top = this.top;
    const next = this.tokens[i + 1];
    const ends = next === undefined || next.startLine !== token.startLine || next.tokenType === t.kw('else');
    if (first) {
      const column = token.startColumn ?? 1;
      const at = this.stack.findLastIndex((f) => f.opener.tokenType === t.LCurly && f.opener.startLine !== token.startLine && (f.column === column || f.itemColumn === column));
      if (at >= 0) {
        this.closeTo(at + 1);
        this.pop(token);
      } else if (ends && top?.body === true) this.pop(token);
      else this.mend(i, -1);
      return;
    }
    if (top?.opener.tokenType === t.LCurly && !top.body) {
      this.pop(token);
      return;
    }
    const at = this.stack.findLastIndex((f) => f.opener.tokenType === t.LCurly);
    const brace = this.stack[at];
    const stray = brace === undefined || (brace.body && brace.opener.startLine !== token.startLine && next?.tokenType !== t.kw('else') && this.bodyGoesOn(i, brace));
    if (!stray && at === this.stack.length - 1) this.pop(token);
    else this.mend(i, stray ? -1 : at);
  }

  /** The lines below still belong to the body: they are deeper, or they close it. */
  private bodyGoesOn(i: number, brace: Frame): boolean {
    const below = this.tokens[lastOfLine(this.tokens, i) + 1];
    if (below === undefined) return false;
    const column = below.startColumn ?? 1;
    return column > brace.itemColumn || (below.tokenType === t.RCurly && column === brace.itemColumn);
  }

  /** A closer that does not fit the innermost bracket: close what is between (to `at`), read it as the due one, or drop it. */
  private mend(i: number, at: number): void {
    const token = this.tokens[i] as IToken;
    const openers = this.stack.slice(this.bodyAt + 1).map((f) => f.opener.tokenType);
    const base = this.bodyAt + 1;
    const dropping = 1 + this.leftToMend(openers, i + 1);
    const converting = openers.length === 0 ? Infinity : 1 + this.leftToMend(openers.slice(0, -1), i + 1);
    const closing = at < 0 ? Infinity : this.stack.length - 1 - at + this.leftToMend(openers.slice(0, Math.max(0, at - base)), i + 1);
    if (closing <= converting && closing <= dropping) {
      this.closeTo(at + 1);
      this.pop(token);
    } else if (converting <= dropping) this.convert(token);
    else this.drop(token);
  }

  /** Mends that the rest of the statement would need, were these brackets open. */
  private leftToMend(open: readonly TokenType[], from: number): number {
    const stack = [...open];
    let mends = 0;
    for (let i = from; i < this.tokens.length; i++) {
      const token = this.tokens[i] as IToken;
      if (isFirstOfLine(this.tokens, i) && (token.tokenType === t.RCurly || this.beginsItem(i))) break;
      if (token.tokenType === t.kw('where') || token.tokenType === t.kw('with') || token.tokenType === t.Arrow) break;
      if (isOpener(token.tokenType)) stack.push(token.tokenType);
      else if (isCloser(token.tokenType)) {
        const at = stack.findLastIndex((o) => closerOf({ tokenType: o }) === token.tokenType);
        mends += at < 0 ? 1 : stack.length - 1 - at;
        if (at >= 0) stack.length = at;
      }
    }
    return mends + stack.filter((o) => o !== t.LCurly).length;
  }

  /** Where something is missing after a token: on the empty line below it, if there is one, else right behind it. */
  private placeAfter(token: IToken): Range {
    const { end } = tokenRange(token, this.file);
    const below = /^[^\n]*\n([ \t]*)(?=\r?\n)/.exec(this.text.slice(end.offset, end.offset + 400));
    if (below === null) return { file: this.file, start: tokenRange(token, this.file).start, end };
    const at = { line: end.line + 1, column: (below[1] ?? '').length + 1, offset: end.offset + below[0].length };
    return { file: this.file, start: at, end: at };
  }
}

function synthetic(type: TokenType, after: IToken): IToken {
  const offset = (after.endOffset ?? 0) + 1;
  const line = after.endLine ?? 1;
  const column = (after.endColumn ?? 0) + 1;
  return createTokenInstance(type, String(type.PATTERN), offset, offset - 1, line, line, column, column - 1);
}
