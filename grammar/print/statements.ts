// Statements as documents.
import type { Entry, IfStmt, IndexedName, LetTarget, Range, Stmt } from '../ast.js';
import { group, hardline, indent, line, type Doc } from './doc.js';
import { exprDoc, pathDoc, recordDoc, typeDoc, Unprintable } from './expressions.js';
import { beside } from './lists.js';
import { braces, type LazyItem } from './items.js';
import type { Trivia } from './trivia.js';

export const onOneLine = ({ start, end }: Range): boolean => start.line === end.line;

const targetDoc = ({ name, index }: IndexedName, trivia: Trivia): Doc => (index === undefined ? name.text : [name.text, '[', exprDoc(index, trivia), ']']);

const letTargetDoc = ({ kind, names }: LetTarget): Doc =>
  kind === 'name' ? (names[0]?.text ?? '_') : `[${names.map((n) => n.text).join(', ')}]`;

const perDoc = (per: { readonly text: string } | undefined): Doc => (per === undefined ? '' : ` per ${per.text}`);

export function stmtDoc(stmt: Stmt, trivia: Trivia): Doc {
  switch (stmt.kind) {
    case 'let': return ['let ', letTargetDoc(stmt.target), ' = ', exprDoc(stmt.value, trivia)];
    case 'layer': return ['layer ', targetDoc(stmt.target, trivia), ...(stmt.type === undefined ? [] : [': ', typeDoc(stmt.type, trivia)]), ' = ', exprDoc(stmt.value, trivia)];
    case 'param': return ['param ', stmt.name.text, ': ', typeDoc(stmt.type, trivia), ' init ', exprDoc(stmt.init, trivia)];
    case 'carry': case 'next': case 'emit': return [stmt.kind, ' ', stmt.name.text, ' = ', exprDoc(stmt.value, trivia)];
    case 'return': return ['return ', exprDoc(stmt.value, trivia)];
    case 'for': return [
      'for ', stmt.name.text, ' in ', exprDoc(stmt.iterable, trivia, 1), ' ',
      ...bodyDoc(stmt.body, stmt.iterable.range.end.offset, stmt.range.end.offset - 1, trivia, onOneLine(stmt.range)),
    ];
    case 'if': return ifDoc(stmt, trivia);
    case 'encoder': case 'decoder': {
      const value = exprDoc(stmt.value, trivia);
      const withs = stmt.with === undefined ? [] : [indent(line, 'with ', recordDoc(stmt.with, trivia))];
      return group(stmt.kind, ' ', targetDoc(stmt.target, trivia), ' = ', value, ...withs);
    }
    case 'adapter': return [
      'adapter ', stmt.name.text, perDoc(stmt.per), ` ${stmt.place} `, pathDoc(stmt.path, trivia), ' = ', exprDoc(stmt.value, trivia),
    ];
    case 'gate': return ['gate ', stmt.name.text, perDoc(stmt.per), ' over ', pathDoc(stmt.over, trivia), ' = ', exprDoc(stmt.value, trivia)];
    case 'prototypes': case 'state': return [
      stmt.kind, ' ', stmt.name.text, perDoc(stmt.per), ': ', typeDoc(stmt.type, trivia), ' ',
      ...entriesDoc(stmt.entries, stmt.type.range.end.offset, stmt.range, trivia),
    ];
    case 'error': throw new Unprintable('a statement did not parse');
    default: return stmt satisfies never;
  }
}

export function entriesDoc(entries: readonly Entry[], head: number, range: Range, trivia: Trivia): readonly Doc[] {
  const items = entries.map((entry): LazyItem => ({ doc: () => [entry.key.text, ' = ', exprDoc(entry.value, trivia)], range: entry.range }));
  return braces(items, head, range.end.offset - 1, trivia, { joined: true, oneLine: onOneLine(range) });
}

const stmtItems = (body: readonly Stmt[], trivia: Trivia): readonly LazyItem[] =>
  body.map((stmt) => ({ doc: () => stmtDoc(stmt, trivia), range: stmt.range, text: stmt.kind === 'error' ? undefined : stmt.doc }));

export function bodyDoc(body: readonly Stmt[], head: number, end: number, trivia: Trivia, oneLine: boolean): readonly Doc[] {
  return braces(stmtItems(body, trivia), head, end, trivia, { oneLine: oneLine && body.length === 1 });
}

function ifDoc(stmt: IfStmt, trivia: Trivia): Doc {
  const { condition, then, else: otherwise } = stmt;
  const head = ['if ', exprDoc(condition, trivia, 1), ' '];
  const last = then[then.length - 1]?.range.end.offset ?? trivia.find('{', condition.range.end.offset) + 1;
  const end = otherwise === undefined ? stmt.range.end.offset - 1 : trivia.find('}', last);
  const oneLine = onOneLine(stmt.range) && otherwise === undefined;
  const first = [...head, ...bodyDoc(then, condition.range.end.offset, end, trivia, oneLine)];
  if (otherwise === undefined) return first;
  const [only] = otherwise;
  const between = only === undefined ? [] : trivia.take(end, only.range.start.offset);
  if (otherwise.length === 1 && only?.kind === 'if' && only.doc === undefined && !trivia.any(only.range.end.offset, stmt.range.end.offset)) {
    return [...first, ' else ', beside(between), ifDoc(only, trivia)];
  }
  const own = between.flatMap((c): Doc[] => [hardline, c.text]);
  if (own.length === 0) return [...first, ' else ', ...bodyDoc(otherwise, end, stmt.range.end.offset - 1, trivia, false)];
  const items = bodyDoc(otherwise, only?.range.start.offset ?? end, stmt.range.end.offset - 1, trivia, false);
  return [...first, ' else ', '{', indent(...own), ...items.slice(1)];
}
