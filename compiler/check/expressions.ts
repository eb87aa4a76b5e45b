// Values of expressions: static arithmetic is done here, arithmetic of tensors becomes nodes. Calls are in `calls.ts`.
import type { Element, Expr, ExprOf, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { formatDim } from '../ir/dim.js';
import { formatType, type Attrs, type NodeId } from '../ir/graph.js';
import { isOp, opOf } from '../ops/index.js';
import { OpError, type OpErrorKind } from '../ops/op.js';
import type { Binding } from '../resolve/modules.js';
import { BUILTINS, callable } from './builtins.js';
import { call, pipe } from './calls.js';
import { inner as turnOf, join, type Context, type Frame } from './context.js';
import { declareParam } from './parameters.js';
import { addDim, divideDim, equalDim, mulDim, subDim, symbol } from './shapes.js';
import { suggestion, UNKNOWN_NAME } from './suggest.js';
import { namesInExpr } from './uses.js';
import { asDim, bool, describe, dimValue, isPoison, list, nothingKnown, number, poison, string, type Poison, type Tensor, type Value } from './values.js';

/** `name` is what an instance made by the outermost expression is called, `param` what a parameter or schedule is. */
export interface Hint { readonly name?: string; readonly param?: string; /** The whole path of the instance, in place of one made from the name. */ readonly path?: string; /** one copy per task */ readonly perTask?: boolean }

export function evaluate(ctx: Context, frame: Frame, e: Expr, hint: Hint = {}): Value {
  switch (e.kind) {
    case 'number': return number(e.value, e.integer);
    case 'string': return string(e.value);
    case 'bool': return bool(e.value);
    case 'name': return whole(ctx, frame, lookup(ctx, frame, e.name, e.range), e);
    case 'error': return doubt(ctx, frame, e.names);
    case 'list': return list(e.elements.flatMap((x) => elementValues(ctx, frame, x)));
    case 'record': return { kind: 'record', fields: new Map(e.fields.map((f) => [f.name.text, evaluate(ctx, frame, f.value, { param: f.name.text })])) };
    case 'range': return range(ctx, frame, e);
    case 'unary': return unary(ctx, frame, e);
    case 'binary': return binary(ctx, frame, e);
    case 'pipe': return pipe(ctx, frame, e, hint);
    case 'call': return call(ctx, frame, e, undefined, hint);
    case 'conditional': {
      const condition = staticCondition(ctx, frame, e.condition);
      return condition === undefined ? doubt(ctx, frame, namesInExpr(e)) : evaluate(ctx, frame, condition ? e.then : e.else, hint);
    }
    case 'member': return member(ctx, frame, e);
    case 'index': return index(ctx, frame, e);
    case 'per': return per(ctx, frame, e, hint);
    case 'param': return declareParam(ctx, frame, hint.param ?? 'param', e.type, e.init, e.range);
    default: return e satisfies never;
  }
}

/** The values of a list element or argument: one, or one a turn of its `for`. */
export function elementValues(ctx: Context, frame: Frame, element: Element): Value[] {
  if (element.for === undefined) return [evaluate(ctx, frame, element.value)];
  const over = evaluate(ctx, frame, element.for.iterable);
  if (over.kind !== 'list') {
    if (!isPoison(over)) ctx.report('TPS3013', element.for.iterable.range, frame.module, { where: '`for`', expected: 'a range or a list', actual: describe(over) });
    return [poison([over])];
  }
  const out: Value[] = [];
  for (const item of over.items) {
    const turn = turnOf(frame);
    turn.scope.define(element.for.name, item);
    const taken = element.for.if === undefined || staticCondition(ctx, turn, element.for.if);
    if (taken === undefined) return [doubt(ctx, turn, namesInExpr(element.value))];
    if (taken) out.push(evaluate(ctx, turn, element.value));
  }
  return out;
}

// ---------------------------------------------------------------- names

/** The value of a declaration of a module. */
function bindingValue(ctx: Context, binding: Binding): Value {
  const { decl, module } = binding;
  switch (decl.kind) {
    case 'dim': return dimValue(symbol(decl.name.text));
    case 'setting': return ctx.world.setting(binding);
    case 'block': return { kind: 'closure', block: decl, module, perTask: false, name: decl.name.text };
    case 'tasks': return ctx.world.tasks === undefined ? nothingKnown : { kind: 'tasks', set: ctx.world.tasks };
    default: return nothingKnown;
  }
}

export function lookup(ctx: Context, frame: Frame, name: string, at: Range): Value {
  const local = frame.scope.find(name);
  if (local !== undefined) return local;
  if (name === 'training') return bool(ctx.training);
  if (name === 'truth') {
    ctx.report('TPS4009', at, frame.module, {});
    return nothingKnown;
  }
  const binding = frame.module.names.get(name) ?? ctx.world.prelude.get(name);
  if (binding !== undefined) return bindingValue(ctx, binding);
  if (name === 'tasks' && ctx.world.tasks !== undefined) return { kind: 'tasks', set: ctx.world.tasks };
  if (name === 'tasks' && ctx.definition) return nothingKnown;
  if (BUILTINS.has(name)) return { kind: 'builtin', name };
  if (isOp(name) && opOf(name).surface) return { kind: 'op', name };
  if (!frame.module.doubtful.has(name)) {
    ctx.report('TPS2001', at, frame.module, { name, help: suggestion(name, [...frame.scope.names(), ...frame.module.names.keys(), ...ctx.world.prelude.keys(), ...callable], UNKNOWN_NAME) });
  }
  return nothingKnown;
}

/** An indexed layer whose places are used together must have them all. */
function whole(ctx: Context, frame: Frame, v: Value, e: Expr): Value {
  const at = v.kind === 'list' ? v.items.findIndex(isHole) : -1;
  return v.kind === 'list' && at >= 0 ? noPlace(ctx, frame, v, at, e, e.range) : v;
}
const isHole = (v: Value): boolean => v.kind === 'poison' && v.hole === true;
function noPlace(ctx: Context, frame: Frame, object: Value & { kind: 'list' }, at: number, e: Expr, range: Range): Value {
  const there = object.items.flatMap((x, i) => (isHole(x) ? [] : [`\`[${i}]\``]));
  ctx.report('TPS3014', range, frame.module, { what: `\`${printExpr(e)}\``, name: `[${at}]`, help: `there are: ${there.join(', ')}` });
  return poison([object]);
}

/** What a damaged text may have meant: something that depends on all that it names. */
export function doubt(ctx: Context, frame: Frame, names: readonly string[]): Poison {
  return poison(names.flatMap((n) => frame.scope.find(n) ?? []));
}

// ---------------------------------------------------------------- statics

/** A condition that must be known now; undefined where it is not (reported, unless a mistake came before). */
export function staticCondition(ctx: Context, frame: Frame, e: Expr): boolean | undefined {
  const v = evaluate(ctx, frame, e);
  if (v.kind === 'bool') return v.value;
  if (!isPoison(v)) ctx.report('TPS3016', e.range, frame.module, { what: `the condition \`${printExpr(e)}\``, dependsOn: describe(v) });
  return undefined;
}

function range(ctx: Context, frame: Frame, e: ExprOf<'range'>): Value {
  const [from, to] = [evaluate(ctx, frame, e.from), evaluate(ctx, frame, e.to)];
  if (from.kind === 'number' && to.kind === 'number' && from.integer && to.integer) {
    return list(Array.from({ length: Math.max(0, to.value - from.value) }, (_, i) => number(from.value + i, true)));
  }
  if (!isPoison(from) && !isPoison(to) && !ctx.definition) ctx.report('TPS3016', e.range, frame.module, { what: `the range \`${printExpr(e)}\``, dependsOn: `${describe(from)} and ${describe(to)}` });
  return poison([from, to]);
}

function unary(ctx: Context, frame: Frame, e: ExprOf<'unary'>): Value {
  const v = evaluate(ctx, frame, e.operand);
  if (isPoison(v)) return poison([v]);
  if (e.operator === '-') {
    if (v.kind === 'number') return number(-v.value, v.integer);
    if (v.kind === 'dim') return dimValue(subDim(0, v.dim));
    if (v.kind === 'tensor') return addOp(ctx, frame, 'neg', [v], {}, e.range);
  } else {
    if (v.kind === 'bool') return bool(!v.value);
    if (v.kind === 'tensor') return addOp(ctx, frame, 'not', [v], {}, e.range);
  }
  ctx.report('TPS3013', e.range, frame.module, { where: `\`${e.operator}\``, expected: e.operator === '-' ? 'a number or a tensor' : 'a truth value', actual: describe(v) });
  return poison([v]);
}

const TENSOR_OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '^': 'pow', '<': 'less', '<=': 'less_equal', '>': 'greater', '>=': 'greater_equal',
  '==': 'equal', '!=': 'not_equal', and: 'and', or: 'or',
};

function binary(ctx: Context, frame: Frame, e: ExprOf<'binary'>): Value {
  const left = evaluate(ctx, frame, e.left);
  // `and` and `or` do not look at their right side where the left one settles it
  if (left.kind === 'bool' && (e.operator === 'and' ? !left.value : e.operator === 'or' && left.value)) return left;
  const right = evaluate(ctx, frame, e.right);
  if (isPoison(left) || isPoison(right)) return poison([left, right]);
  if (left.kind === 'tensor' || right.kind === 'tensor') {
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
  const near = Number.isInteger(n) && n > 1 ? `the nearest that are: ${Math.max(n, Math.floor(Number(left) / n) * n)} and ${Math.ceil(Number(left) / n) * n}` : 'write a float (`2.0`) for a fraction';
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
    case '^': return number(a ** b, integer && b >= 0);
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

// ---------------------------------------------------------------- tensors

/** A value as an operand of an op: numbers become scalars, the task its index. */
export function asTensor(ctx: Context, v: Value): Tensor | undefined {
  switch (v.kind) {
    case 'tensor': return v;
    case 'number': return { kind: 'tensor', id: ctx.once(`scalar ${v.value}`, (b) => b.scalar(v.value)), builder: ctx.builder };
    case 'task': return { kind: 'tensor', id: ctx.taskLeaf(), builder: ctx.builder };
    case 'schedule': {
      const { schedule } = v;
      const id = ctx.once(`schedule ${schedule.name}`, (b) => b.leaf('schedule', { name: schedule.name }, { dtype: 'f32', shape: [] }));
      ctx.schedules.set(schedule.name, { schedule, id });
      return { kind: 'tensor', id, builder: ctx.builder };
    }
    default: return undefined;
  }
}

const CODE_OF = { rank: 'TPS3002', shape: 'TPS3001', open: 'TPS3001', divide: 'TPS3001', dtype: 'TPS3005', attr: 'TPS3006' } as const satisfies Record<OpErrorKind, string>;

/** Appends an op; a type error is reported at its place and becomes poison that keeps the operands. */
export function addOp(ctx: Context, frame: Frame, op: string, operands: readonly Tensor[], attrs: Attrs, at: Range): Value {
  const stranger = operands.find((o) => o.builder !== ctx.builder);
  if (stranger !== undefined) {
    ctx.report('TPS4011', at, frame.module, { name: frame.block });
    return nothingKnown;
  }
  ctx.builder.place = { path: frame.path, range: at };
  try {
    return ctx.tensor(ctx.builder.add(op, operands.map((o) => o.id), attrs));
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    if (error.kind === 'open' && ctx.definition) return poison(operands);
    ctx.report(CODE_OF[error.kind], at, frame.module, { op: OPERATOR_OF[op] ?? op, detail: error.message.startsWith(`${op}: `) ? error.message.slice(op.length + 2) : error.message, help: error.help ?? '' }, error.help === undefined ? { help: shapesOf(ctx, operands) } : {});
    return poison(operands);
  }
}
const OPERATOR_OF: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(TENSOR_OPERATORS).map(([symbol_, op]) => [op, symbol_]));
const shapesOf = (ctx: Context, operands: readonly { id: NodeId }[]): string => `operands: ${operands.map((o) => formatType(ctx.builder.type(o.id))).join(', ')}`;

function member(ctx: Context, frame: Frame, e: ExprOf<'member'>): Value {
  const object = evaluate(ctx, frame, e.object);
  if (isPoison(object)) return poison([object]);
  const name = e.name.text;
  if (object.kind === 'record') {
    const field = object.fields.get(name);
    if (field !== undefined) return field;
    if (object.path !== undefined) {
      const path = join(object.path, name);
      if ([...ctx.calls.keys()].some((p) => p === path || p.startsWith(`${path}.`))) return { kind: 'nodes', path };
    }
    ctx.report('TPS3014', e.name.range, frame.module, { what: `\`${printExpr(e.object)}\``, name, help: suggestion(name, object.fields.keys()) });
  } else ctx.report('TPS3014', e.name.range, frame.module, { what: describe(object), name, help: 'records have fields' });
  return poison([object]);
}

/** The indexes of the numbered nodes directly below a path. */
export function childIndexes(ctx: Context, path: string): readonly number[] {
  const found = new Set<number>();
  for (const p of ctx.calls.keys()) {
    if (!p.startsWith(`${path}.`)) continue;
    const step = p.slice(path.length + 1).split('.')[0] ?? '';
    if (/^\d+$/.test(step)) found.add(Number(step));
  }
  return [...found].sort((a, b) => a - b);
}

function index(ctx: Context, frame: Frame, e: ExprOf<'index'>): Value {
  const object = e.object.kind === 'name' ? lookup(ctx, frame, e.object.name, e.object.range) : evaluate(ctx, frame, e.object);
  const subscripts = e.subscripts.map((s) => (s.kind === 'at' ? { ...s, value: evaluate(ctx, frame, s.index) } : s.kind === 'slice'
    ? { ...s, fromValue: s.from && evaluate(ctx, frame, s.from), toValue: s.to && evaluate(ctx, frame, s.to) } : s));
  if (isPoison(object) && object.kind === 'poison') return poison([object]);
  const integer = (v: Value | undefined, otherwise: number, at: Range): number | undefined => {
    if (v === undefined) return otherwise;
    if (v.kind === 'number' && v.integer) return v.value;
    if (!isPoison(v)) ctx.report('TPS3013', at, frame.module, { where: 'an index', expected: 'a whole number known now', actual: describe(v) });
    return undefined;
  };
  if (object.kind === 'list') {
    const [s] = subscripts;
    if (s === undefined || subscripts.length !== 1 || s.kind === 'rest') {
      ctx.report('TPS3013', e.range, frame.module, { where: 'a list', expected: 'one index', actual: String(subscripts.length) });
      return poison([object]);
    }
    if (s.kind === 'slice') {
      const [from, to] = [integer(s.fromValue, 0, s.range), integer(s.toValue, object.items.length, s.range)];
      return from === undefined || to === undefined ? poison([object]) : whole(ctx, frame, list(object.items.slice(from, to)), e);
    }
    const at = integer(s.value, 0, s.range);
    if (at === undefined) return poison([object]);
    const item = object.items.at(at);
    if (item !== undefined && isHole(item)) return noPlace(ctx, frame, object, at < 0 ? at + object.items.length : at, e.object, s.range);
    if (item !== undefined) return item;
    ctx.report('TPS3015', s.range, frame.module, { index: at, what: 'a list', count: object.items.length });
    return poison([object]);
  }
  if (object.kind !== 'tensor') {
    ctx.report('TPS3013', e.range, frame.module, { where: '`[…]`', expected: 'a list or a tensor', actual: describe(object) });
    return poison([object]);
  }
  // A tensor: slices one axis at a time, then the indexed axes are dropped by one reshape.
  const rank = object.builder.type(object.id).shape.length;
  const restAt = subscripts.findIndex((s) => s.kind === 'rest');
  const given = subscripts.length - (restAt < 0 ? 0 : 1);
  if (given > rank) {
    ctx.report('TPS3002', e.range, frame.module, { op: '`[…]`', detail: `${given} subscripts on ${describe(object)}`, help: `it has ${rank} axes` });
    return poison([object]);
  }
  let current: Value = object;
  const dropped: number[] = [];
  for (const [i, s] of subscripts.entries()) {
    if (s.kind === 'rest') continue;
    const axis = restAt >= 0 && i > restAt ? rank - (subscripts.length - i) : i;
    if (current.kind !== 'tensor') return current;
    const size = current.builder.type(current.id).shape[axis] ?? 0;
    if (s.kind === 'slice') {
      if (s.from === undefined && s.to === undefined) continue;
      const from = integer(s.fromValue, 0, s.range);
      const to = s.toValue === undefined ? (typeof size === 'number' ? size : undefined) : integer(s.toValue, 0, s.range);
      if (from === undefined || to === undefined) return poison([object]);
      current = addOp(ctx, frame, 'slice', [current], { axis, from, to }, s.range);
    } else {
      const at = integer(s.value, 0, s.range);
      if (at === undefined) return poison([object, s.value]);
      if (typeof size === 'number' && (at >= size || at < -size)) {
        ctx.report('TPS3015', s.range, frame.module, { index: at, what: `axis ${axis} of ${describe(object)}`, count: size });
        return poison([object]);
      }
      const from = at < 0 && typeof size === 'number' ? at + size : at;
      current = addOp(ctx, frame, 'slice', [current], { axis, from, to: from + 1 }, s.range);
      dropped.push(axis);
    }
  }
  if (dropped.length === 0 || current.kind !== 'tensor') return current;
  const shape = current.builder.type(current.id).shape.filter((_, i) => !dropped.includes(i));
  return addOp(ctx, frame, 'reshape', [current], { shape }, e.range);
}

function per(ctx: Context, frame: Frame, e: ExprOf<'per'>, hint: Hint): Value {
  const over = lookup(ctx, frame, e.over.text, e.over.range);
  if (over.kind !== 'task' && !isPoison(over)) ctx.report('TPS4014', e.over.range, frame.module, { name: e.over.text });
  if (e.value.kind === 'param') return declareParam(ctx, frame, hint.param ?? 'param', e.value.type, e.value.init, e.range, true);
  const value = evaluate(ctx, frame, e.value, { ...hint, perTask: true });
  if (value.kind === 'closure') return { ...value, perTask: true };
  // a chain that ends in a call has made its instance per task already
  if (e.value.kind === 'call') return value;
  if (!isPoison(value)) ctx.report('TPS3013', e.value.range, frame.module, { where: '`per`', expected: 'a block or a `param`', actual: describe(value) });
  return poison([value]);
}

/** A path with its per-task mark, once. */
export const taskPath = (path: string): string => (path.includes('{task}') ? path : join(path, '{task}'));
