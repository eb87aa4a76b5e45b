// Operators: static values are computed here, tensors go to the op of the operator's name.
import type { ExprOf } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { addDim, divideDim, equalDim, formatDim, mulDim, subDim } from '../ir/dim.js';
import type { Context, Frame } from './context.js';
import { addOp, asTensor, evaluate } from './expressions.js';
import { asDim, bool, describe, dimValue, isPoison, list, nothingKnown, number, poison, type Value } from './values.js';

/** Far beyond any network; a slip must not fill the memory. */
const MOST_TURNS = 100_000;

export function range(ctx: Context, frame: Frame, e: ExprOf<'range'>): Value {
  const [from, to] = [evaluate(ctx, frame, e.from), evaluate(ctx, frame, e.to)];
  if (from.kind === 'number' && to.kind === 'number' && from.integer && to.integer) {
    const count = Math.max(0, to.value - from.value);
    if (count <= MOST_TURNS) return list(Array.from({ length: count }, (_, i) => number(from.value + i, true)));
    ctx.report('TPS3024', e.range, frame.module, { count, most: MOST_TURNS });
    return nothingKnown;
  }
  if (!isPoison(from) && !isPoison(to) && !ctx.definition) ctx.report('TPS3016', e.range, frame.module, { what: `the range \`${printExpr(e)}\``, dependsOn: `${describe(from)} and ${describe(to)}` });
  return poison([from, to]);
}

export function unary(ctx: Context, frame: Frame, e: ExprOf<'unary'>): Value {
  const v = evaluate(ctx, frame, e.operand);
  if (isPoison(v)) return poison([v]);
  if (e.operator === '-') {
    if (v.kind === 'number') return number(-v.value, v.integer);
    if (v.kind === 'dim') return dimValue(subDim(0, v.dim));
    const x = isOperand(v) ? asTensor(ctx, v) : undefined;
    if (x !== undefined) return addOp(ctx, frame, 'neg', [x], {}, e.range);
  } else {
    if (v.kind === 'bool') return bool(!v.value);
    if (v.kind === 'tensor') return addOp(ctx, frame, 'not', [v], {}, e.range);
  }
  ctx.report('TPS3013', e.range, frame.module, { where: `\`${e.operator}\``, expected: e.operator === '-' ? 'a number or a tensor' : 'a truth value', actual: describe(v) });
  return poison([v]);
}

/** How operators of tensors are called in the op table. */
export const TENSOR_OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '^': 'pow', '<': 'less', '<=': 'less_equal', '>': 'greater', '>=': 'greater_equal',
  '==': 'equal', '!=': 'not_equal', and: 'and', or: 'or',
};

/** A schedule is a scalar tensor. */
const isOperand = (v: Value): boolean => v.kind === 'tensor' || v.kind === 'schedule';

export function binary(ctx: Context, frame: Frame, e: ExprOf<'binary'>): Value {
  const left = evaluate(ctx, frame, e.left);
  // `and` and `or` do not look at their right side where the left one settles it
  if (left.kind === 'bool' && (e.operator === 'and' ? !left.value : e.operator === 'or' && left.value)) return left;
  const right = evaluate(ctx, frame, e.right);
  if (isPoison(left) || isPoison(right)) return poison([left, right]);
  if (isOperand(left) || isOperand(right)) {
    const op = TENSOR_OPERATORS[e.operator];
    const [a, b] = [asTensor(ctx, left), asTensor(ctx, right)];
    if (op !== undefined && a !== undefined && b !== undefined) return addOp(ctx, frame, op, [a, b], {}, e.range);
    return cannotCombine(ctx, frame, e, left, right);
  }
  return arithmetic(ctx, frame, e, left, right);
}

function cannotCombine(ctx: Context, frame: Frame, e: ExprOf<'binary'>, left: Value, right: Value): Value {
  ctx.report('TPS3023', e.range, frame.module, { left: describe(left), right: describe(right), operator: e.operator, help: 'tensors combine with tensors and numbers, numbers with numbers, lists with lists by `+`' });
  return poison([left, right]);
}

function arithmetic(ctx: Context, frame: Frame, e: ExprOf<'binary'>, left: Value, right: Value): Value {
  const { operator } = e;
  if (operator === 'in') {
    if (right.kind !== 'list') return cannotCombine(ctx, frame, e, left, right);
    if (right.items.some(isPoison)) return nothingKnown;
    return bool(right.items.some((item) => sameStatic(item, left) === true));
  }
  if (operator === '==' || operator === '!=') {
    const same = sameStatic(left, right);
    return same === undefined ? openComparison(ctx, frame, e) : bool(same === (operator === '=='));
  }
  if (left.kind === 'bool' && right.kind === 'bool' && (operator === 'and' || operator === 'or')) return bool(operator === 'and' ? left.value && right.value : left.value || right.value);
  if (left.kind === 'list' && right.kind === 'list' && operator === '+') return list([...left.items, ...right.items]);
  if (left.kind === 'number' && right.kind === 'number') return numbers(ctx, frame, e, left, right);
  const [a, b] = [asDim(left), asDim(right)];
  if (a === undefined || b === undefined) return cannotCombine(ctx, frame, e, left, right);
  switch (operator) {
    case '+': return dimValue(addDim(a, b));
    case '-': return dimValue(subDim(a, b));
    case '*': return dimValue(mulDim(a, b));
    case '/': {
      const quotient = divideDim(a, b);
      if (quotient !== undefined) return dimValue(quotient);
      return ctx.definition ? nothingKnown : notDivisible(ctx, frame, e, formatDim(a), formatDim(b));
    }
    case '%': return divideDim(a, b) !== undefined ? number(0, true) : openComparison(ctx, frame, e);
    default: return openComparison(ctx, frame, e);
  }
}

function openComparison(ctx: Context, frame: Frame, e: ExprOf<'binary'>): Value {
  if (!ctx.definition) ctx.report('TPS3016', e.range, frame.module, { what: `\`${printExpr(e)}\``, dependsOn: 'the batch, which stays open' });
  return nothingKnown;
}

function notDivisible(ctx: Context, frame: Frame, e: ExprOf<'binary'>, left: string, right: string): Value {
  const named = printExpr(e.left) === left ? left : `\`${printExpr(e.left)}\` = ${left}`;
  const n = Number(right);
  const x = Number(left);
  const near = n === 0 ? 'nothing is divisible by 0'
    : Number.isInteger(n) && n > 1 && Number.isInteger(x) ? `the nearest that are: ${Math.max(n, Math.floor(x / n) * n)} and ${Math.ceil(x / n) * n}` : 'write a float (`2.0`) for a fraction';
  ctx.report('TPS3003', e.range, frame.module, { left: named, right, help: near });
  return nothingKnown;
}

function numbers(ctx: Context, frame: Frame, e: ExprOf<'binary'>, left: Value & { kind: 'number' }, right: Value & { kind: 'number' }): Value {
  const [a, b] = [left.value, right.value];
  const integer = left.integer && right.integer;
  switch (e.operator) {
    case '+': return number(a + b, integer);
    case '-': return number(a - b, integer);
    case '*': return number(a * b, integer);
    case '^': return Number.isFinite(a ** b) ? number(a ** b, integer && b >= 0) : cannotCombine(ctx, frame, e, left, right);
    case '%': return b === 0 ? notDivisible(ctx, frame, e, String(a), '0') : number(((a % b) + b) % b, integer);
    case '/': {
      if (b === 0 || (integer && a % b !== 0)) return notDivisible(ctx, frame, e, String(a), String(b));
      return number(a / b, integer);
    }
    case '<': return bool(a < b);
    case '<=': return bool(a <= b);
    case '>': return bool(a > b);
    case '>=': return bool(a >= b);
    default: return cannotCombine(ctx, frame, e, left, right);
  }
}

/** Equality of static values; undefined where the batch decides. */
function sameStatic(a: Value, b: Value): boolean | undefined {
  const [da, db] = [asDim(a), asDim(b)];
  if (da !== undefined && db !== undefined) return equalDim(da, db) ? true : typeof da === 'number' && typeof db === 'number' ? false : undefined;
  if (a.kind === 'number' && b.kind === 'number') return a.value === b.value;
  if (a.kind === 'bool' && b.kind === 'bool') return a.value === b.value;
  if (a.kind === 'string' && b.kind === 'string') return a.value === b.value;
  if (a.kind === 'list' && b.kind === 'list') return a.items.length === b.items.length && a.items.every((x, i) => sameStatic(x, b.items[i] ?? nothingKnown) === true);
  return false;
}
