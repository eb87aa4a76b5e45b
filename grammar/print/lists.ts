// Comma lists in brackets, with the comments that stand among their items.
import type { Comment, Range } from '../ast.js';
import { group, hardline, indent, line, softline, trailing, type Doc } from './doc.js';
import type { Trivia } from './trivia.js';

export interface Item { readonly doc: Doc; readonly range: Range }

/** Own-line comments above an item. */
export const above = (comments: readonly Comment[]): Doc => comments.flatMap((c) => [c.text, hardline]);
/** Parts the comments above an item from the run of doc lines that belongs to it. */
export function apart(comments: readonly Comment[]): { readonly plain: readonly Comment[]; readonly docs: readonly Comment[] } {
  const from = comments.findLastIndex((c) => !c.doc || !c.ownLine) + 1;
  return { plain: comments.slice(0, from), docs: comments.slice(from) };
}
/** Comments that end a line. */
export const beside = (comments: readonly Comment[]): Doc => comments.map((c) => trailing(c.text));

/** `open`, items, `close`; [from, to) is what the brackets enclose in the source. `pad` puts blanks inside, as in `{ a: 1 }`. */
export function bracketed(
  open: string, items: readonly Item[], close: string, place: { readonly from: number; readonly to: number }, trivia: Trivia, pad = false,
): Doc {
  const edge = pad ? line : softline;
  if (items.length === 0) {
    const inside = trivia.take(place.from, place.to);
    return inside.length === 0 ? open + close : [open, indent(hardline, above(inside.slice(0, -1)), inside[inside.length - 1]?.text ?? ''), hardline, close];
  }
  let at = place.from;
  const parts: Doc[] = [];
  for (const [i, item] of items.entries()) {
    const last = i === items.length - 1;
    const before = trivia.take(at, item.range.start.offset);
    const opening = i === 0 ? before.filter((c) => !c.ownLine) : [];
    const limit = last ? place.to : (items[i + 1]?.range.start.offset ?? place.to);
    const after = trivia.after(item.range, limit);
    parts.push(i === 0 ? beside(opening) : line, above(before.filter((c) => !opening.includes(c))), item.doc, last ? '' : ',', beside(after));
    at = item.range.end.offset;
  }
  const dangling = trivia.take(at, place.to);
  const first = parts.shift() ?? '';
  return group(open, first, indent(edge, ...parts, ...dangling.flatMap((c): Doc[] => [hardline, c.text])), edge, close);
}
