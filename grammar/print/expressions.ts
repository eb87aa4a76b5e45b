// Expressions, types and paths as documents. Parentheses are put where the tree needs them, nowhere else.
import type { Argument, DimExpr, Element, Expr, ExprOf, Path, PathStep, RecordExpr, Subscript, TypeExpr } from '../ast.js';
import { precedence } from '../build/operators.js';
import { fill, group, indent, join, line, type Doc } from './doc.js';
import { above, beside, bracketed } from './lists.js';
import type { Trivia } from './trivia.js';

/** A tree with a hole in it is not printed anew. */
export class Unprintable extends Error {}

const postfixPower = 12;
const prefixPower = 11;

/** How tightly an expression holds together; an operand below what its place asks for gets parentheses. */
function power(expr: Expr): number {
  switch (expr.kind) {
    case 'conditional': return 0;
    case 'pipe': return precedence['|>'];
    case 'range': return precedence['..'];
    case 'binary': return precedence[expr.operator];
    case 'unary': return expr.operator === '-' ? precedence.negative : precedence.not;
    case 'per': case 'param': return prefixPower;
    default: return postfixPower;
  }
}

export function exprDoc(expr: Expr, trivia: Trivia, least = 0): Doc {
  const doc = bare(expr, trivia);
  return power(expr) < least ? ['(', doc, ')'] : doc;
}

function bare(expr: Expr, trivia: Trivia): Doc {
  switch (expr.kind) {
    case 'name': return expr.name;
    case 'number': return expr.text;
    case 'string': return quote(expr.value);
    case 'bool': return String(expr.value);
    case 'list': return listDoc(expr, trivia);
    case 'record': return recordDoc(expr, trivia);
    case 'unary': {
      const operand = exprDoc(expr.operand, trivia, power(expr));
      return [expr.operator === '-' ? '-' : 'not ', operand];
    }
    case 'binary': case 'pipe': return chain(expr, trivia);
    case 'range': return [exprDoc(expr.from, trivia, precedence['..'] + 1), '..', exprDoc(expr.to, trivia, precedence['..'] + 1)];
    case 'conditional': return group(
      'if ', exprDoc(expr.condition, trivia, 1),
      indent(line, 'then ', exprDoc(expr.then, trivia, 1), line, 'else ', exprDoc(expr.else, trivia)),
    );
    case 'member': return [exprDoc(expr.object, trivia, postfixPower), '.', expr.name.text];
    case 'call': return [exprDoc(expr.callee, trivia, postfixPower), argsDoc(expr.args, expr.callee.range.end.offset, expr.range.end.offset, trivia)];
    case 'index': return [
      exprDoc(expr.object, trivia, postfixPower),
      bracketed('[', expr.subscripts.map((s) => ({ doc: subscriptDoc(s, trivia), range: s.range })), ']', between(expr.object.range.end.offset, expr.range.end.offset), trivia),
    ];
    case 'per': return ['per ', expr.over.text, ' ', exprDoc(expr.value, trivia, expr.value.kind === 'param' ? prefixPower : postfixPower)];
    case 'param': return ['param ', typeDoc(expr.type, trivia), ' init ', exprDoc(expr.init, trivia, postfixPower)];
    case 'error': throw new Unprintable('an expression did not parse');
    default: return expr satisfies never;
  }
}

const between = (from: number, end: number): { readonly from: number; readonly to: number } => ({ from, to: end - 1 });

/** Operators of one precedence, read from the left, break together. */
function chain(expr: ExprOf<'binary' | 'pipe'>, trivia: Trivia): Doc {
  const level = power(expr);
  const single = level === precedence['^'] || level === precedence['<'];
  const links: { readonly operator: string; readonly right: Expr }[] = [];
  let link = expr;
  for (;;) {
    links.unshift({ operator: link.kind === 'pipe' ? '|>' : link.operator, right: link.right });
    const left: Expr = link.left;
    if (single || (left.kind !== 'binary' && left.kind !== 'pipe') || power(left) !== level) break;
    link = left;
  }
  const first = link.left;

  // Beside `|>` every operator is in parentheses, `^` groups from the right, comparisons do not chain.
  const leftLeast = expr.kind === 'pipe' ? prefixPower : single ? level + 1 : level;
  const rightLeast = expr.kind === 'pipe' ? prefixPower : level === precedence['^'] ? level : level + 1;
  let before: Expr = first;
  const rest = links.flatMap(({ operator, right }): Doc[] => {
    const comments = trivia.take(before.range.end.offset, right.range.start.offset);
    const after = comments.filter((c) => !c.ownLine);
    before = right;
    return [beside(after), line, above(comments.filter((c) => c.ownLine)), operator, ' ', exprDoc(right, trivia, rightLeast)];
  });
  return group(exprDoc(first, trivia, leftLeast), indent(...rest));
}

function listDoc(expr: ExprOf<'list'>, trivia: Trivia): Doc {
  const place = { from: expr.range.start.offset + 1, to: expr.range.end.offset - 1 };
  const plain = expr.elements.length > 8 && expr.elements.every(({ value, for: loop }) => loop === undefined && isShort(value));
  if (plain && !trivia.any(place.from, place.to)) {
    return group('[', indent({ kind: 'softline' }, fill(expr.elements.map((e) => exprDoc(e.value, trivia)), ',')), { kind: 'softline' }, ']');
  }
  return bracketed('[', expr.elements.map((e) => ({ doc: elementDoc(e, trivia), range: e.range })), ']', place, trivia);
}

const isShort = (expr: Expr): boolean => expr.kind === 'number' || expr.kind === 'name' || (expr.kind === 'unary' && isShort(expr.operand));

export function recordDoc(record: RecordExpr, trivia: Trivia): Doc {
  const items = record.fields.map((f) => ({ doc: [f.name.text, ': ', exprDoc(f.value, trivia)], range: f.range }));
  return bracketed('{', items, '}', { from: record.range.start.offset + 1, to: record.range.end.offset - 1 }, trivia, true);
}

function elementDoc({ value, for: loop }: Element, trivia: Trivia): Doc {
  if (loop === undefined) return exprDoc(value, trivia);
  const condition = loop.if === undefined ? [] : [line, 'if ', exprDoc(loop.if, trivia)];
  return group(exprDoc(value, trivia), indent(line, 'for ', loop.name.text, ' in ', exprDoc(loop.iterable, trivia, 1), ...condition));
}

function argsDoc(args: readonly Argument[], from: number, end: number, trivia: Trivia): Doc {
  const [only] = args;
  const hugs = args.length === 1 && only?.name === undefined && only?.element.for === undefined
    && (only?.element.value.kind === 'list' || only?.element.value.kind === 'record');
  if (hugs && only !== undefined && !trivia.any(from, only.range.start.offset) && !trivia.any(only.range.end.offset, end - 1)) {
    return ['(', exprDoc(only.element.value, trivia), ')'];
  }
  const items = args.map((a) => ({ doc: [a.name === undefined ? '' : `${a.name.text}: `, elementDoc(a.element, trivia)], range: a.range }));
  return bracketed('(', items, ')', between(from, end), trivia);
}

function subscriptDoc(subscript: Subscript, trivia: Trivia): Doc {
  switch (subscript.kind) {
    case 'rest': return '..';
    case 'every': return '*';
    case 'at': return exprDoc(subscript.index, trivia);
    case 'slice': return [
      subscript.from === undefined ? '' : exprDoc(subscript.from, trivia), ':', subscript.to === undefined ? '' : exprDoc(subscript.to, trivia),
    ];
    default: return subscript satisfies never;
  }
}

/** A string as it is written: what the lexer reads back. */
export const quote = (value: string): string =>
  `"${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')}"`;

// ---------------------------------------------------------------- paths

export const pathDoc = (path: Path, trivia: Trivia): Doc => [path.root.text, ...path.steps.map((s) => stepDoc(s, trivia))];

function stepDoc(step: PathStep, trivia: Trivia): Doc {
  if (step.kind === 'member') return `.${step.name.text}`;
  const as = step.as === undefined ? '' : ` as ${step.as.text}`;
  return step.kind === 'every' ? `[*${as}]` : ['[', exprDoc(step.index, trivia), as, ']'];
}

// ---------------------------------------------------------------- types

export function typeDoc(type: TypeExpr, trivia: Trivia): Doc {
  switch (type.kind) {
    case 'tensor': return [type.dtype, '[', join(type.dims.map((d) => dimDoc(d, trivia)), ', '), ']'];
    case 'named': return type.of === undefined ? type.name : `${type.name} of ${type.of.text}`;
    case 'list': return ['[', typeDoc(type.element, trivia), ']'];
    case 'record': {
      const items = type.fields.map((f) => ({
        doc: [f.name.text, ': ', typeDoc(f.type, trivia)], range: { ...f.name.range, end: f.type.range.end },
      }));
      return bracketed('{', items, '}', { from: type.range.start.offset + 1, to: type.range.end.offset - 1 }, trivia, true);
    }
    case 'error': throw new Unprintable('a type did not parse');
    default: return type satisfies never;
  }
}

function dimDoc(dim: DimExpr, trivia: Trivia): Doc {
  switch (dim.kind) {
    case 'rest': return `..${dim.name?.text ?? ''}`;
    case 'any': return '_';
    case 'dim': return exprDoc(dim.value, trivia);
    default: return dim satisfies never;
  }
}
