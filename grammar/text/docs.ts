// Doc comments (`///`) by the line they end on, and those that stand above nothing.
import type { IToken } from 'chevrotain';
import type { Comment } from '../ast.js';
import { diagnostic, type Diagnostic } from '../diagnostics.js';
import { placeOf } from './layout.js';

export interface Docs {
  /** joined text of a run of doc lines, by its last line */
  readonly byLastLine: ReadonlyMap<number, string>;
  readonly lost: readonly Diagnostic[];
}

export function docsByLine(comments: readonly Comment[], tokens: readonly IToken[]): Docs {
  const byLastLine = new Map<number, string>();
  const lost: Diagnostic[] = [];
  const begins = linesThatBeginItems(tokens);
  let run: Comment[] = [];
  const finish = (): void => {
    const last = run[run.length - 1];
    const first = run[0];
    if (last === undefined || first === undefined) return;
    if (begins.has(last.range.end.line + 1)) byLastLine.set(last.range.end.line, run.map(({ text }) => text.slice(3).replace(/^ /, '')).join('\n'));
    else lost.push(diagnostic('TPS1011', first.range, {}));
    run = [];
  };
  for (const comment of comments) {
    if (!comment.doc) continue;
    if (!comment.ownLine) {
      lost.push(diagnostic('TPS1011', comment.range, {}));
      continue;
    }
    if (run.length > 0 && run[run.length - 1]?.range.end.line !== comment.range.start.line - 1) finish();
    run.push(comment);
  }
  finish();
  return { byLastLine, lost };
}

/** Lines whose first token begins a declaration, statement, entry or row. */
function linesThatBeginItems(tokens: readonly IToken[]): ReadonlySet<number> {
  const lines = new Set<number>();
  let item = 0;
  for (const token of tokens) {
    const place = placeOf(token);
    if (place.item > item && token.startLine !== undefined) lines.add(token.startLine);
    item = Math.max(item, place.item);
  }
  return lines;
}
