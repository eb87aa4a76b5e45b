// Items in braces: statements, entries, edits and rows, with their comments and the blank lines between them.
import type { Range } from '../ast.js';
import { group, hardline, indent, mustBreak, type Doc } from './doc.js';
import { apart, beside } from './lists.js';
import type { Trivia } from './trivia.js';

/** `doc` is made when its turn comes, so that comments are handed out in order. */
export interface LazyItem { readonly doc: () => Doc; readonly range: Range; readonly text?: string | undefined }

/** Items one below the other; `joined` lets those that shared a line share it again, with commas. */
function itemsDoc(items: readonly LazyItem[], from: number, to: number, trivia: Trivia, joined = false): readonly Doc[] {
  const out: Doc[] = [];
  let at = from;
  let lastLine: number | undefined;
  const put = (firstLine: number, endLine: number, doc: Doc): void => {
    if (lastLine !== undefined) out.push(trivia.hasSource && firstLine - lastLine > 1 ? [hardline, hardline] : hardline);
    out.push(doc);
    lastLine = endLine;
  };
  for (const [i, { doc, range, text }] of items.entries()) {
    const { plain, docs } = apart(trivia.take(at, range.start.offset));
    const limit = items[i + 1]?.range.start.offset ?? to;
    const body = doc();
    const lost = trivia.take(range.start.offset, range.end.offset); // comments in places that have no home of their own go above
    for (const comment of plain) put(comment.range.start.line, comment.range.end.line, comment.text);
    const lead = [...[...lost, ...docs].flatMap((c): Doc => [c.text, hardline]), ...docLines(trivia.hasSource ? undefined : text)];
    const after = beside(trivia.after(range, limit));
    const previous = items[i - 1];
    const shares = joined && trivia.hasSource && previous !== undefined && previous.range.end.line === range.start.line && lead.length === 0;
    if (shares) out.push(', ', body, after);
    else put(docs[0]?.range.start.line ?? range.start.line, range.end.line, [...lead, body, after]);
    lastLine = range.end.line;
    at = range.end.offset;
  }
  for (const comment of trivia.take(at, to)) put(comment.range.start.line, comment.range.end.line, comment.text);
  return out;
}

const docLines = (text: string | undefined): readonly Doc[] =>
  text === undefined ? [] : text.split('\n').flatMap((l): Doc => [l === '' ? '///' : `/// ${l}`, hardline]);

/** ` { items }` after a head that ends at `head`; `end` is the offset of the `}`. On one line where it stood on one. */
export function braces(
  items: readonly LazyItem[], head: number, end: number, trivia: Trivia, options: { readonly joined?: boolean; readonly oneLine?: boolean } = {},
): readonly Doc[] {
  const open = trivia.find('{', head);
  const first = items[0]?.range.start.offset ?? end;
  const opening = trivia.take(open, first);
  const beginning = opening.filter((c) => !c.ownLine);
  const own = opening.filter((c) => c.ownLine);
  const body = itemsDoc(items, first, end, trivia, options.joined);
  if (body.length === 0 && opening.length === 0) return ['{}'];
  if (options.oneLine === true && opening.length === 0 && body.length > 0 && !body.some(mustBreak)) {
    return [group('{', indent({ kind: 'line' }, ...body), { kind: 'line' }, '}')];
  }
  const ownLines = own.flatMap((c): Doc[] => [hardline, c.text]);
  const gap = own.length > 0 && trivia.hasSource && items[0] !== undefined && items[0].range.start.line - (own[own.length - 1]?.range.end.line ?? 0) > 1;
  return ['{', beside(beginning), indent(...ownLines, ...(body.length === 0 ? [] : [gap ? [hardline, hardline] : hardline, ...body])), hardline, '}'];
}
