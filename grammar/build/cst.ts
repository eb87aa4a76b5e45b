// Reading the concrete tree: children by name, ranges, and the state that building shares.
// Knows nothing of what a rule means.
import type { CstNode, IToken } from 'chevrotain';
import type { Identifier, Range } from '../ast.js';
import type { Diagnostic } from '../diagnostics.js';
import type { Damage } from '../parse/recovery.js';
import { tokenRange } from '../text/lexer.js';
import { declarationKeywords, Ident, keywordOf, statementKeywords } from '../text/tokens.js';

/** What building needs besides the tree. */
export interface Context {
  readonly file: string;
  readonly text: string;
  readonly tokens: readonly IToken[];
  readonly damage: ReadonlyMap<CstNode, Damage>;
  readonly diagnostics: Diagnostic[];
  /** the doc comment whose last line is this line */
  readonly docs: ReadonlyMap<number, string>;
}

/** A place where the tree lacks what an undamaged one has: the item that holds it becomes an error node. */
export class Incomplete extends Error {}

export function nodes(parent: CstNode, name: string): readonly CstNode[] {
  return (parent.children[name] ?? []).filter((e): e is CstNode => !('tokenType' in e));
}
export const optionalNode = (parent: CstNode, name: string): CstNode | undefined => nodes(parent, name)[0];
export function node(parent: CstNode, name: string, at = 0): CstNode {
  const child = nodes(parent, name)[at];
  if (child === undefined || (child.recoveredNode === true)) throw new Incomplete(`${parent.name} has no ${name}`);
  return child;
}

export function tokens(parent: CstNode, name: string): readonly IToken[] {
  return (parent.children[name] ?? []).filter((e): e is IToken => 'tokenType' in e);
}
export const optionalToken = (parent: CstNode, name: string): IToken | undefined => tokens(parent, name)[0];
export function token(parent: CstNode, name: string, at = 0): IToken {
  const child = tokens(parent, name)[at];
  if (child === undefined) throw new Incomplete(`${parent.name} has no ${name}`);
  return child;
}
export const has = (parent: CstNode, name: string): boolean => parent.children[name] !== undefined;

/** The only child node of a rule that is a choice. */
export function onlyNode(parent: CstNode): CstNode | undefined {
  for (const elements of Object.values(parent.children)) {
    for (const element of elements) if (!('tokenType' in element)) return element;
  }
  return undefined;
}

export function identifier(at: IToken, { file }: Context): Identifier {
  return { text: at.image, range: tokenRange(at, file) };
}

/** The half-open range of a node that was read whole. */
export function rangeOf({ location }: CstNode, { file }: Context): Range {
  const start = { line: location?.startLine ?? 1, column: location?.startColumn ?? 1, offset: location?.startOffset ?? 0 };
  const end = { line: location?.endLine ?? 1, column: (location?.endColumn ?? 0) + 1, offset: (location?.endOffset ?? -1) + 1 };
  return { file, start, end };
}

export const spanning = (from: Range, to: Range): Range => ({ file: from.file, start: from.start, end: to.end });

/** The range of laid-out tokens; `to` is exclusive. */
export function rangeOfTokens({ from, to }: Damage, context: Context): Range {
  const first = context.tokens[from];
  const last = context.tokens[Math.max(from, to - 1)];
  if (first === undefined || last === undefined) return { file: context.file, start: { line: 1, column: 1, offset: 0 }, end: { line: 1, column: 1, offset: 0 } };
  return spanning(tokenRange(first, context.file), tokenRange(last, context.file));
}

/** Where a node that was read whole lies among the tokens. */
export function extentOf({ start, end }: Range, { tokens: all }: Context): Damage {
  const from = firstAtOrAfter(all, start.offset);
  return { from, to: Math.max(from, firstAtOrAfter(all, end.offset)) };
}

function firstAtOrAfter(all: readonly IToken[], offset: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((all[middle]?.startOffset ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The names that tokens mention, each once: soft keywords too, for they may be meant as names, but for the one that begins the item. */
export function namesIn({ from, to }: Damage, context: Context): readonly string[] {
  const names = new Set<string>();
  for (const at of context.tokens.slice(from, to)) {
    const begins = at === context.tokens[from] && isItemKeyword(at);
    if (!begins && at.tokenType.CATEGORIES?.includes(Ident) === true) names.add(at.image);
  }
  return [...names];
}

function isItemKeyword(at: IToken): boolean {
  const keyword = keywordOf(at.tokenType) ?? '';
  return declarationKeywords.has(keyword) || statementKeywords.has(keyword);
}
