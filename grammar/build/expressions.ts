// Concrete to abstract: expressions, types, dimensions, paths. Only what was read whole comes here (statements.ts guards).
import type { CstNode, IToken } from 'chevrotain';
import type {
  Argument, BinaryOperator, DimExpr, Element, Expr, Identifier, IndexedName, Path, PathStep, Range, RecordExpr, Subscript, TypeExpr,
} from '../ast.js';
import { tokenRange } from '../text/lexer.js';
import { wellFormedNumber } from '../text/tokens.js';
import {
  extentOf, has, identifier, Incomplete, namesIn, node, nodes, onlyNode, optionalNode, optionalToken, rangeOf, spanning, token, tokens, type Context,
} from './cst.js';
import { climb, type Piece } from './operators.js';

export function buildExpr(cst: CstNode, context: Context): Expr {
  const range = rangeOf(cst, context);
  if (has(cst, 'If')) {
    const [condition, then, otherwise] = [0, 1, 2].map((i) => buildExpr(node(cst, 'expr', i), context)) as [Expr, Expr, Expr];
    return { kind: 'conditional', condition, then, else: otherwise, range };
  }
  const operands = nodes(cst, 'unary');
  const operators = tokens(cst, 'BinaryOp');
  const pieces: Piece[] = [];
  for (const [i, operand] of operands.entries()) {
    const operator = operators[i - 1];
    if (operator !== undefined) pieces.push({ kind: 'infix', operator: operator.image as BinaryOperator | '|>' | '..', at: operator });
    pieces.push(...unaryPieces(operand, context));
  }
  const [only] = pieces;
  if (pieces.length === 1 && only?.kind === 'operand') return only.value;
  return climb(pieces, context) ?? { kind: 'error', names: namesIn(extentOf(range, context), context), range };
}

function unaryPieces(cst: CstNode, context: Context): readonly Piece[] {
  const minus = optionalToken(cst, 'Minus');
  const sign = minus ?? optionalToken(cst, 'Not');
  if (sign !== undefined) {
    return [{ kind: 'prefix', operator: minus === undefined ? 'not' : '-', at: sign }, ...unaryPieces(node(cst, 'unary'), context)];
  }
  const value = buildOperand(cst, context);
  return [{ kind: 'operand', value, text: sourceOf(rangeOf(cst, context), context) }];
}

const sourceOf = ({ start, end }: Range, { text }: Context): string => text.slice(start.offset, end.offset).replace(/\s+/g, ' ');

function buildOperand(cst: CstNode, context: Context): Expr {
  const param = optionalNode(cst, 'paramExpr');
  const value = param === undefined ? buildPostfix(node(cst, 'postfix'), context) : buildParam(param, context);
  const per = optionalNode(cst, 'perClause');
  return per === undefined ? value : { kind: 'per', over: buildPer(per, context), value, range: rangeOf(cst, context) };
}

export const buildPer = (cst: CstNode, context: Context): Identifier => identifier(token(cst, 'Ident'), context);

function buildParam(cst: CstNode, context: Context): Expr {
  return { kind: 'param', type: buildType(node(cst, 'type'), context), init: buildPostfix(node(cst, 'postfix'), context), range: rangeOf(cst, context) };
}

function buildPostfix(cst: CstNode, context: Context): Expr {
  let value = buildPrimary(node(cst, 'primary'), context);
  for (const suffix of nodes(cst, 'suffix')) {
    const range = spanning(value.range, rangeOf(suffix, context));
    if (has(suffix, 'Dot')) value = { kind: 'member', object: value, name: identifier(token(suffix, 'Word'), context), range };
    else if (has(suffix, 'LParen')) value = { kind: 'call', callee: value, args: nodes(suffix, 'argument').map((a) => buildArgument(a, context)), range };
    else value = { kind: 'index', object: value, subscripts: nodes(suffix, 'subscript').map((s) => buildSubscript(s, context)), range };
  }
  return value;
}

function buildPrimary(cst: CstNode, context: Context): Expr {
  const range = rangeOf(cst, context);
  const name = optionalToken(cst, 'Ident');
  if (name !== undefined) return { kind: 'name', name: name.image, range };
  const number = optionalToken(cst, 'Number');
  if (number !== undefined) return buildNumber(number, context);
  const string = optionalToken(cst, 'String');
  if (string !== undefined) return { kind: 'string', value: unquote(string.image), range };
  if (has(cst, 'True') || has(cst, 'False')) return { kind: 'bool', value: has(cst, 'True'), range };
  if (has(cst, 'LParen')) return { ...buildExpr(node(cst, 'expr'), context), range };
  if (has(cst, 'LSquare')) return { kind: 'list', elements: nodes(cst, 'element').map((e) => buildElement(e, context)), range };
  return buildRecord(node(cst, 'record'), context);
}

function buildNumber(at: IToken, context: Context): Expr {
  const range = tokenRange(at, context.file);
  if (!wellFormedNumber.test(at.image)) return { kind: 'error', names: [], range };
  return { kind: 'number', value: Number(at.image.replaceAll('_', '')), integer: /^[\d_]+$/.test(at.image), text: at.image, range };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** The value of a string token; its closing quote may be missing (reported by the lexer). */
export function unquote(image: string): string {
  const closed = image.length > 1 && image.endsWith('"') ? image.slice(1, -1) : image.slice(1);
  return closed.replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);
}

export function buildRecord(cst: CstNode, context: Context): RecordExpr {
  const fields = nodes(cst, 'recordField').map((field) => {
    const name = identifier(token(field, 'Word'), context);
    const value = buildExpr(node(field, 'expr'), context);
    return { name, value, range: spanning(name.range, value.range) };
  });
  return { kind: 'record', fields, range: rangeOf(cst, context) };
}

function buildElement(cst: CstNode, context: Context): Element {
  const value = buildExpr(node(cst, 'expr'), context);
  const range = rangeOf(cst, context);
  if (!has(cst, 'For')) return { value, range };
  const condition = nodes(cst, 'expr')[2];
  return {
    value, range,
    for: {
      name: identifier(token(cst, 'Ident'), context), iterable: buildExpr(node(cst, 'expr', 1), context),
      ...(condition === undefined ? {} : { if: buildExpr(condition, context) }),
    },
  };
}

function buildArgument(cst: CstNode, context: Context): Argument {
  const name = optionalToken(cst, 'Word');
  const element = buildElement(node(cst, 'element'), context);
  return { element, range: rangeOf(cst, context), ...(name === undefined ? {} : { name: identifier(name, context) }) };
}

function buildSubscript(cst: CstNode, context: Context): Subscript {
  const range = rangeOf(cst, context);
  if (has(cst, 'DotDot')) return { kind: 'rest', range };
  if (has(cst, 'Star')) return { kind: 'every', range };
  const from = optionalNode(cst, 'expr');
  if (!has(cst, 'Colon') && from !== undefined) return { kind: 'at', index: buildExpr(from, context), range };
  const to = optionalNode(cst, 'to');
  return {
    kind: 'slice', range,
    ...(from === undefined ? {} : { from: buildExpr(from, context) }),
    ...(to === undefined ? {} : { to: buildExpr(node(to, 'expr'), context) }),
  };
}

export function buildTarget(cst: CstNode, context: Context): IndexedName {
  const index = optionalNode(cst, 'expr');
  return { name: identifier(token(cst, 'Ident'), context), ...(index === undefined ? {} : { index: buildExpr(index, context) }) };
}

// ---------------------------------------------------------------- paths

export function buildPath(cst: CstNode, context: Context): Path {
  return {
    root: identifier(token(cst, 'Ident'), context), steps: nodes(cst, 'pathStep').map((s) => buildStep(s, context)), range: rangeOf(cst, context),
  };
}

function buildStep(cst: CstNode, context: Context): PathStep {
  const range = rangeOf(cst, context);
  if (has(cst, 'Dot')) return { kind: 'member', name: identifier(token(cst, 'Word'), context), range };
  const name = optionalToken(cst, 'Ident');
  const as = name === undefined ? {} : { as: identifier(name, context) };
  return has(cst, 'Star') ? { kind: 'every', range, ...as } : { kind: 'index', index: buildExpr(node(cst, 'expr'), context), range, ...as };
}

// ---------------------------------------------------------------- types

export function buildType(cst: CstNode, context: Context): TypeExpr {
  const range = rangeOf(cst, context);
  const name = optionalToken(cst, 'Ident');
  if (name === undefined) {
    if (has(cst, 'LSquare')) return { kind: 'list', element: buildType(node(cst, 'type'), context), range };
    if (!has(cst, 'LCurly')) throw new Incomplete('a type has no name');
    const fields = nodes(cst, 'typeField').map((f) => ({ name: identifier(token(f, 'Word'), context), type: buildType(node(f, 'type'), context) }));
    return { kind: 'record', fields, range };
  }
  const shape = optionalNode(cst, 'shape');
  if (shape !== undefined) return { kind: 'tensor', dtype: name.image, dims: nodes(shape, 'dim').map((d) => buildDim(d, context)), range };
  const of = tokens(cst, 'Ident')[1];
  return { kind: 'named', name: name.image, range, ...(of === undefined ? {} : { of: identifier(of, context) }) };
}

function buildDim(cst: CstNode, context: Context): DimExpr {
  const range = rangeOf(cst, context);
  if (has(cst, 'DotDot')) {
    const name = optionalToken(cst, 'Ident');
    return { kind: 'rest', range, ...(name === undefined ? {} : { name: identifier(name, context) }) };
  }
  if (has(cst, 'Underscore')) return { kind: 'any', range };
  const value = onlyNode(cst);
  if (value === undefined) throw new Incomplete('a dimension is empty');
  return { kind: 'dim', value: buildExpr(value, context), range };
}
