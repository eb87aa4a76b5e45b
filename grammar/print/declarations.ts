// Declarations as documents, and the file as a whole.
import type { BlockDecl, Comment, Declaration, Edit, Expr, Identifier, ModelDecl, Parameter, SourceFile, TypeExpr } from '../ast.js';
import { group, hardline, indent, join, line, type Doc } from './doc.js';
import { exprDoc, pathDoc, quote, recordDoc, typeDoc, Unprintable } from './expressions.js';
import { braces, type LazyItem } from './items.js';
import { apart, beside, bracketed } from './lists.js';
import { bodyDoc, entriesDoc, onOneLine, stmtDoc } from './statements.js';
import type { Trivia } from './trivia.js';

export function declarationDoc(decl: Declaration, trivia: Trivia): Doc {
  switch (decl.kind) {
    case 'edition': return `edition ${decl.edition}`;
    case 'import': {
      const names = decl.names.map(({ name, as }) => (as === undefined ? name.text : `${name.text} as ${as.text}`));
      return group('from ', decl.source.kind === 'file' ? quote(decl.source.text) : decl.source.text, ' import ', indent(join(names, [',', line])));
    }
    case 'dim': return `dim ${decl.name.text}`;
    case 'setting': return group(
      'setting ', decl.name.text, ': ', typeDoc(decl.type, trivia), ' = ', exprDoc(decl.value, trivia),
      indent(...decl.where.map((w) => [line, 'where ', exprDoc(w, trivia)])),
    );
    case 'tasks': {
      const rows = decl.rows.map(({ code, label, record, range }): LazyItem => ({
        doc: () => [code.text, ' ', quote(label), ...(record === undefined ? [] : [' ', recordDoc(record, trivia)])], range,
      }));
      return ['tasks ', decl.name.text, ' ', ...braces(rows, decl.name.range.end.offset, decl.range.end.offset - 1, trivia, { joined: true, oneLine: onOneLine(decl.range) })];
    }
    case 'block': case 'model': return routineDoc(decl, trivia);
    case 'train': case 'study': case 'dataset': return [
      decl.kind, ' ', ...nameOf(decl), ' ', ...entriesDoc(decl.entries, decl.of.range.end.offset, decl.range, trivia),
    ];
    case 'variant': {
      const edits = decl.edits.map((edit): LazyItem => ({ doc: () => editDoc(edit, trivia), range: edit.range }));
      return ['variant ', ...nameOf(decl), ' ', ...braces(edits, decl.of.range.end.offset, decl.range.end.offset - 1, trivia, { joined: true, oneLine: onOneLine(decl.range) })];
    }
    case 'weights': {
      const rows = decl.rows.map(({ pattern, path, transform, range }): LazyItem => ({
        doc: () => group(quote(pattern), ' -> ', pathDoc(path, trivia), ...(transform === undefined ? [] : [indent(line, '|> ', exprDoc(transform, trivia))])), range,
      }));
      return ['weights ', decl.name.text, ' of ', decl.of.text, ' ', ...braces(rows, decl.of.range.end.offset, decl.range.end.offset - 1, trivia, { oneLine: onOneLine(decl.range) })];
    }
    case 'error': throw new Unprintable('a declaration did not parse');
    default: return decl satisfies never;
  }
}

const nameOf = ({ name, label, of }: { readonly name: Identifier; readonly label?: string; readonly of: Identifier }): readonly Doc[] =>
  [name.text, ' ', ...(label === undefined ? [] : [quote(label), ' ']), 'of ', of.text];

function editDoc(edit: Edit, trivia: Trivia): Doc {
  switch (edit.kind) {
    case 'remove': return ['remove ', pathDoc(edit.path, trivia)];
    case 'set': return ['set ', pathDoc(edit.path, trivia), ' = ', exprDoc(edit.value, trivia)];
    case 'replace': return ['replace ', pathDoc(edit.path, trivia), ' with ', exprDoc(edit.value, trivia)];
    case 'insert': return ['insert ', stmtDoc(edit.statement, trivia)];
    case 'alias': return 'alias';
    case 'error': throw new Unprintable('an edit did not parse');
    default: return edit satisfies never;
  }
}

const parameterDoc = ({ name, type, value }: Parameter, trivia: Trivia): Doc =>
  [name.text, ': ', typeDoc(type, trivia), ...(value === undefined ? [] : [' = ', exprDoc(value, trivia)])];

/** A block or a model: head, `with` and `where` on their own lines, body. */
function routineDoc(decl: BlockDecl | ModelDecl, trivia: Trivia): Doc {
  const lists = decl.kind === 'block' && decl.config !== undefined ? [decl.config, decl.inputs] : [decl.inputs];
  let at = decl.name.range.end.offset;
  const params = lists.map((list, i): Doc => {
    const to = lists[i + 1]?.[0]?.range.start.offset ?? decl.result.range.start.offset;
    const doc = bracketed('(', list.map((p) => ({ doc: parameterDoc(p, trivia), range: p.range })), ')', { from: at, to }, trivia);
    at = to;
    return doc;
  });
  const clauses = [
    ...decl.withs.map(({ name, value }) => ({ text: `with ${name.text} = `, value, start: name.range.start.offset })),
    ...decl.where.map((value) => ({ text: 'where ', value, start: value.range.start.offset })),
  ].sort((a, b) => (trivia.hasSource ? a.start - b.start : 0));
  const end = endOfHead(decl.result, clauses.map((c) => c.value));
  const result = typeDoc(decl.result, trivia);
  const first = trivia.find('{', end);
  const afterResult = trivia.after(decl.result.range, first);
  const alone = clauses.length === 0 && afterResult.length === 0; // then the `{` shares the head's line, if the head is one line
  const head = group(decl.kind, ' ', decl.name.text, ...params, indent(line, '-> ', result), alone ? line : '');
  const below = clauses.map(({ text, value }): Doc => [hardline, text, exprDoc(value, trivia), beside(trivia.after(value.range, first))]);
  return [
    head, beside(afterResult), indent(...below), alone ? '' : hardline,
    ...bodyDoc(decl.body, end, decl.range.end.offset - 1, trivia, onOneLine(decl.range)),
  ];
}

const endOfHead = (result: TypeExpr, clauses: readonly Expr[]): number =>
  Math.max(result.range.end.offset, ...clauses.map((c) => c.range.end.offset));

const hasBody: ReadonlySet<Declaration['kind']> = new Set(['block', 'model', 'tasks', 'train', 'study', 'dataset', 'variant', 'weights']);
const long = ({ kind, range }: Declaration): boolean => hasBody.has(kind) && !onOneLine(range);

/** Blank lines as in the source, one at most; always one beside a declaration of several lines. */
export function fileDoc(file: SourceFile, trivia: Trivia): Doc {
  const out: Doc[] = [];
  let at = 0;
  let lastLine: number | undefined;
  let previous: Declaration | undefined;
  const gap = (firstLine: number, blank: boolean): void => {
    if (lastLine !== undefined) out.push(blank || firstLine - lastLine > 1 ? [hardline, hardline] : hardline);
  };
  const put = (comments: readonly Comment[], blankFirst: boolean): void => {
    for (const [i, c] of comments.entries()) {
      gap(c.range.start.line, blankFirst && i === 0);
      out.push(c.text);
      lastLine = c.range.end.line;
    }
  };
  for (const [i, decl] of file.declarations.entries()) {
    const blank = previous !== undefined && (long(decl) || long(previous));
    const { plain, docs } = apart(trivia.take(at, decl.range.start.offset));
    const doc = declarationDoc(decl, trivia);
    const lead = [...trivia.take(decl.range.start.offset, decl.range.end.offset), ...docs];
    put(plain, blank);
    gap(docs[0]?.range.start.line ?? decl.range.start.line, blank && plain.length === 0);
    const limit = file.declarations[i + 1]?.range.start.offset ?? file.text.length;
    out.push(...lead.flatMap((c): Doc[] => [c.text, hardline]), doc, beside(trivia.after(decl.range, limit)));
    lastLine = decl.range.end.line;
    at = decl.range.end.offset;
    previous = decl;
  }
  put(trivia.take(at, file.text.length + 1), false);
  return out;
}
