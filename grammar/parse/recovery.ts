// How the parser goes on after a mistake: an item (declaration, statement, entry …) owns its separator and ends there; a head ends
// at its item's `{`. Nothing is inserted or deleted. All that this needs of chevrotain's inside is named in `Inside`; the version is pinned.
import { CstParser, EOF, isRecognitionException, NotAllInputParsedException, type CstNode, type IRecognitionException, type IToken, type ParserMethod, type TokenType } from 'chevrotain';
import { placeOf, type BraceKind } from '../text/layout.js';
import { beginsDeclaration, beginsStatement } from '../text/starts.js';
import { Comma, Newline, vocabulary } from '../text/tokens.js';
import { plainWords } from './messages.js';

/** Members of chevrotain 11.2.0's parser that its types do not show. */
interface Inside {
  readonly CST_STACK: readonly CstNode[];
  consumeToken(): void;
  cstPostRule(node: CstNode): void;
  getCurrRuleFullName(): string;
  SAVE_ERROR(error: Error): Error;
}

interface Damaged extends Error { partialCstResult?: CstNode }

/** Where a damaged item lies among the laid-out tokens; `to` is exclusive and leaves the separator out. */
export interface Damage { readonly from: number; readonly to: number }

const none = -1;

/** The first token under a node, by its place; -1 where it has none. */
function firstIndex(node: CstNode): number {
  let first = none;
  for (const elements of Object.values(node.children)) {
    for (const element of elements) {
      const index = 'tokenType' in element ? placeOf(element).index : firstIndex(element);
      if (index !== none && (first === none || index < first)) first = index;
    }
  }
  return first;
}

type Rule = ParserMethod<[], CstNode>;

export abstract class RecoveringParser extends CstParser {
  private readonly items = new Set<string>();
  private readonly heads = new Map<string, readonly BraceKind[]>();
  private length = 0;
  /** What each recovered item covers. */
  readonly damage = new Map<CstNode, Damage>();

  protected constructor() {
    super([...vocabulary], { maxLookahead: 2, nodeLocationTracking: 'full', recoveryEnabled: false, errorMessageProvider: plainWords });
  }

  /** A rule that ends with its separator and catches what goes wrong inside. */
  protected item(name: string, body: () => void): Rule {
    this.items.add(name);
    return this.RULE(name, body);
  }

  /** A rule that stands before a body of one of these kinds; a mistake in it costs the head, not the body. */
  protected head(name: string, kinds: readonly BraceKind[], body: () => void): Rule {
    this.heads.set(name, kinds);
    return this.RULE(name, body);
  }

  /** Takes a token that cannot begin an item of this kind, and says so. */
  protected refuse(token: IToken): void {
    const inside = this as unknown as Inside;
    this.ACTION(() => {
      throw inside.SAVE_ERROR(new NotAllInputParsedException(inside.getCurrRuleFullName(), token));
    });
  }

  /** Makes ready for a laid-out text. */
  protected begin(tokens: IToken[]): void {
    this.damage.clear();
    this.length = tokens.length;
    this.input = tokens;
  }

  /** Chevrotain calls this with whatever a rule threw. Without its own recovery it would rethrow; here items and heads catch. */
  protected invokeRuleCatch(error: Error): CstNode {
    const inside = this as unknown as Inside;
    if (!isRecognitionException(error)) throw error;
    const name = inside.getCurrRuleFullName();
    const node = inside.CST_STACK[inside.CST_STACK.length - 1] as CstNode;
    (node as { recoveredNode: boolean }).recoveredNode = true;
    const isItem = this.items.has(name);
    const kinds = this.heads.get(name);
    if (inside.CST_STACK.length > 1 && !isItem && !(kinds !== undefined && this.bodyAhead(node, kinds))) {
      (error as Damaged).partialCstResult = node;
      throw error;
    }
    if (isItem) this.skipItem(node, inside, (error as IRecognitionException).token);
    else while (inside.CST_STACK.length === 1 && this.LA(1).tokenType !== EOF) inside.consumeToken();
    inside.cstPostRule(node);
    return node;
  }

  private depthOf(node: CstNode): { readonly first: number; readonly depth: number } {
    const first = firstIndex(node);
    const token = first === none ? this.LA(1) : (this.input[first] ?? this.LA(1));
    return { first: first === none ? placeOf(token).index : first, depth: placeOf(token).depth };
  }

  /** Goes to the item's separator and takes it; or stops before the bracket that closes the item's owner, or before the next item on the line. */
  private skipItem(node: CstNode, inside: Inside, culprit: IToken): void {
    const { first, depth } = this.depthOf(node);
    const atEnd = (): boolean => this.LA(1).tokenType === EOF;
    const ends = (token: IToken): boolean => placeOf(token).depth === depth && isSeparator(token.tokenType);
    const taken = this.LA(0);
    if (taken.tokenType !== EOF && placeOf(taken).index >= first && ends(taken)) { // junk that is a separator itself
      this.damage.set(node, { from: first, to: placeOf(taken).index });
      return;
    }
    const fresh = (token: IToken): boolean => {
      const { index, depth: at } = placeOf(token);
      return at === depth && index > first && token.startLine === culprit.startLine && (beginsStatement(this.input, index) || beginsDeclaration(this.input, index));
    };
    while (!atEnd() && placeOf(this.LA(1)).depth >= depth && !ends(this.LA(1)) && !fresh(this.LA(1))) inside.consumeToken();
    this.damage.set(node, { from: first, to: atEnd() ? this.length : placeOf(this.LA(1)).index });
    if (!atEnd() && ends(this.LA(1))) inside.consumeToken();
  }

  /** Moves to the `{` of the item's body, if there is one ahead; a head that has read nothing is at its own first token. */
  private bodyAhead(node: CstNode, kinds: readonly BraceKind[]): boolean {
    const { depth } = this.depthOf(node);
    for (let ahead = 1; ; ahead++) {
      const token = this.LA(ahead);
      if (token.tokenType === EOF) return false;
      const place = placeOf(token);
      if (place.depth < depth || (place.depth === depth && token.tokenType === Newline)) return false;
      if (place.depth === depth && place.body !== undefined && kinds.includes(place.body)) {
        for (let i = 1; i < ahead; i++) (this as unknown as Inside).consumeToken();
        return true;
      }
    }
  }
}

const isSeparator = (type: TokenType): boolean => type === Newline || type === Comma;
