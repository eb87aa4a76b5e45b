// Comments while printing: each is handed out once, to the item whose place it shares; and where the source had blank lines.
// A tree printed without its source has none of either.
import type { Comment, Range, SourceFile } from '../ast.js';

export interface Trivia {
  /** comments that begin in [from, to) and were not handed out yet */
  take(from: number, to: number): readonly Comment[];
  /** comments at the end of the line on which `range` ends, before `limit` */
  after(range: Range, limit: number): readonly Comment[];
  /** is any comment left in [from, to)? */
  any(from: number, to: number): boolean;
  /** the offset of the next `sign` at or after `from`, comments and strings apart; `from` where there is none */
  find(sign: '{' | '}', from: number): number;
  /** documentation is printed from the comments; without them, from the tree */
  readonly hasSource: boolean;
}

export const noTrivia: Trivia = { take: () => [], after: () => [], any: () => false, find: (_, from) => from, hasSource: false };

export function triviaOf({ text, comments }: SourceFile): Trivia {
  const used = new Set<Comment>();
  const left = (from: number, to: number): readonly Comment[] =>
    between(comments, from, to).filter((comment) => !used.has(comment));
  const mark = (taken: readonly Comment[]): readonly Comment[] => {
    for (const comment of taken) used.add(comment);
    return taken;
  };
  return {
    take: (from, to) => mark(left(from, to)),
    after: ({ end }, limit) => mark(left(end.offset, limit).filter((c) => !c.ownLine && c.range.start.line === end.line)),
    any: (from, to) => left(from, to).length > 0,
    find: (sign, from) => {
      for (let i = from; i < text.length; i++) {
        const comment = between(comments, i, i + 1)[0];
        if (comment !== undefined) i = comment.range.end.offset - 1;
        else if (text[i] === sign) return i;
      }
      return from;
    },
    hasSource: true,
  };
}

/** Comments are in the order of their offsets. */
function between(comments: readonly Comment[], from: number, to: number): readonly Comment[] {
  let [low, high] = [0, comments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((comments[middle]?.range.start.offset ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while ((comments[end]?.range.start.offset ?? Infinity) < to) end++;
  return comments.slice(low, end);
}
