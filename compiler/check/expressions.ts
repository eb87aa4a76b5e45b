// Values of expressions, and ops as nodes of the graph. Operators are in `arithmetic.ts`, `x[…]` in `subscripts.ts`, calls in `calls.ts`.
import type { Element, Expr, ExprOf, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { symbol } from '../ir/dim.js';
import { formatType, type Attrs, type NodeId } from '../ir/graph.js';
import { isOp, opOf } from '../ops/index.js';
import { OpError, type OpErrorKind } from '../ops/op.js';
import type { Binding } from '../resolve/modules.js';
import { binary, range, TENSOR_OPERATORS, unary } from './arithmetic.js';
import { BUILTINS, callable } from './builtins.js';
import { call, checkOwn, pipe } from './calls.js';
import { inner as turnOf, join, type Context, type Frame } from './context.js';
import { declareParam } from './parameters.js';
import { index, whole } from './subscripts.js';
import { nearest, suggestion, UNKNOWN_NAME } from './suggest.js';
import { namesInExpr } from './uses.js';
import { bool, describe, dimValue, isPoison, list, nothingKnown, number, poison, string, type Poison, type Tensor, type Value } from './values.js';

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
    case 'record': {
      const twice = e.fields.find((f, i) => e.fields.findIndex((other) => other.name.text === f.name.text) < i);
      if (twice !== undefined) ctx.report('TPS2004', twice.name.range, frame.module, { name: twice.name.text });
      return { kind: 'record', fields: new Map(e.fields.map((f) => [f.name.text, evaluate(ctx, frame, f.value, { param: f.name.text })])) };
    }
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
function bindingValue(ctx: Context, frame: Frame, binding: Binding, at: Range): Value {
  const { decl, module } = binding;
  switch (decl.kind) {
    case 'dim': return dimValue(symbol(decl.name.text));
    case 'setting': return ctx.world.setting(binding);
    case 'block': return { kind: 'closure', block: decl, module, perTask: false, name: decl.name.text };
    case 'tasks': return ctx.world.tasks === undefined ? nothingKnown : { kind: 'tasks', set: ctx.world.tasks };
    case 'model': case 'train': case 'variant': case 'study': case 'dataset': case 'weights': {
      ctx.report('TPS2007', at, frame.module, { what: 'value', name: decl.name.text, help: `\`${decl.name.text}\` is a \`${decl.kind}\` declaration` });
      return nothingKnown;
    }
    default: return decl satisfies never;
  }
}

export function lookup(ctx: Context, frame: Frame, name: string, at: Range): Value {
  const local = frame.scope.find(name);
  if (local !== undefined) return local;
  if (name === 'training') return bool(ctx.trainingIn(frame.path));
  if (name === 'truth') {
    ctx.report('TPS4009', at, frame.module, {});
    return nothingKnown;
  }
  const binding = frame.module.names.get(name) ?? ctx.world.prelude.get(name);
  if (binding !== undefined) return bindingValue(ctx, frame, binding, at);
  if (name === 'tasks' && ctx.world.tasks !== undefined) return { kind: 'tasks', set: ctx.world.tasks };
  if (name === 'tasks' && ctx.definition) return nothingKnown;
  if (BUILTINS.has(name)) return { kind: 'builtin', name };
  if (isOp(name) && opOf(name).surface) return { kind: 'op', name };
  if (!frame.module.doubtful.has(name)) {
    ctx.report('TPS2001', at, frame.module, { name, help: suggestion(name, [...frame.scope.names(), ...frame.module.names.keys(), ...ctx.world.prelude.keys(), ...callable], UNKNOWN_NAME) });
  }
  // it counts as reading what it may stand for: the nearest name, or any
  const near = nearest(name, frame.scope.names());
  return doubt(ctx, frame, near === undefined ? frame.scope.names() : [near]);
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
    ctx.report('TPS4011', at, frame.module, { name: frame.block, what: 'a value of the forward pass' });
    return nothingKnown;
  }
  ctx.builder.place = { path: frame.path, range: at };
  try {
    return ctx.tensor(ctx.builder.add(op, operands.map((o) => o.id), attrs));
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    if (error.kind === 'open' && ctx.definition) return poison(operands);
    ctx.report(CODE_OF[error.kind], at, frame.module, { op: operatorOf(op), detail: error.message.startsWith(`${op}: `) ? error.message.slice(op.length + 2) : error.message, help: error.help ?? '' }, error.help === undefined ? { help: shapesOf(ctx, operands) } : {});
    return poison(operands);
  }
}
const operatorOf = (op: string): string => Object.entries(TENSOR_OPERATORS).find(([, name]) => name === op)?.[0] ?? op;
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

function per(ctx: Context, frame: Frame, e: ExprOf<'per'>, hint: Hint): Value {
  const over = lookup(ctx, frame, e.over.text, e.over.range);
  if (over.kind !== 'task' && !isPoison(over)) ctx.report('TPS4014', e.over.range, frame.module, { name: e.over.text });
  if (e.value.kind === 'param') return declareParam(ctx, frame, hint.param ?? 'param', e.value.type, e.value.init, e.range, true);
  const value = evaluate(ctx, frame, e.value, { ...hint, perTask: true });
  if (value.kind === 'closure') {
    checkOwn(ctx, frame, value, e.value.range);
    return { ...value, perTask: true };
  }
  // a chain that ends in a call has made its instance per task already
  if (e.value.kind === 'call') return value;
  if (!isPoison(value)) ctx.report('TPS3013', e.value.range, frame.module, { where: '`per`', expected: 'a block or a `param`', actual: describe(value) });
  return poison([value]);
}

/** A path with its per-task mark, once. */
export const taskPath = (path: string): string => (path.includes('{task}') ? path : join(path, '{task}'));
