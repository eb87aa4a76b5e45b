// `x[…]`: a place or a part of a list, a slice of a tensor; and indexed layers of which a place is missing.
import type { Expr, ExprOf, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import type { TensorType } from '../ir/graph.js';
import type { Context, Frame } from './context.js';
import { addOp, evaluate, lookup } from './expressions.js';
import { describe, isPoison, list, poison, type Value } from './values.js';

/** `x[…]` of a list or a tensor. */
export function index(ctx: Context, frame: Frame, e: ExprOf<'index'>): Value {
  const object = e.object.kind === 'name' ? lookup(ctx, frame, e.object.name, e.object.range) : evaluate(ctx, frame, e.object);
  if (e.subscripts.some((s) => s.kind === 'every')) return everyTask(ctx, frame, e, object);
  const subscripts = e.subscripts.filter((s) => s.kind !== 'every').map((s) => (s.kind === 'at' ? { ...s, value: evaluate(ctx, frame, s.index) } : s.kind === 'slice'
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
  const again = subscripts.slice(restAt + 1).find((s) => s.kind === 'rest');
  if (restAt >= 0 && again !== undefined) {
    ctx.report('TPS3002', again.range, frame.module, { op: '`[…]`', detail: 'two `..` on one tensor', help: 'one `..` stands for all axes that are not named' });
    return poison([object]);
  }
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

/** `p[*]`: the copies of all tasks of a state of the task at hand, on a new first axis in the order of the tasks; a constant of the step. */
function everyTask(ctx: Context, frame: Frame, e: ExprOf<'index'>, object: Value): Value {
  if (isPoison(object) || ctx.definition) return poison([object]);
  const node = object.kind === 'tensor' && object.builder === ctx.builder ? ctx.builder.node(object.id) : undefined;
  const path = String(node?.attrs['path']);
  const { tasks } = ctx.world;
  if (node?.op !== 'state' || !path.includes('{task}') || tasks === undefined || e.subscripts.length !== 1) {
    ctx.report('TPS3013', e.range, frame.module, { where: '`[*]`', expected: 'prototypes, or another state of the task at hand, by itself', actual: describe(object) });
    return poison([object]);
  }
  const type: TensorType = { dtype: 'f32', shape: [tasks.rows.length, ...node.type.shape] };
  return ctx.tensor(ctx.once(`every ${path}`, (b) => b.leaf('every_task', { path }, type)));
}

/** An indexed layer whose places are used together must have them all. */
export function whole(ctx: Context, frame: Frame, v: Value, e: Expr): Value {
  const at = v.kind === 'list' ? v.items.findIndex(isHole) : -1;
  return v.kind === 'list' && at >= 0 ? noPlace(ctx, frame, v, at, e, e.range) : v;
}
const isHole = (v: Value): boolean => v.kind === 'poison' && v.hole === true;
function noPlace(ctx: Context, frame: Frame, object: Value & { kind: 'list' }, at: number, e: Expr, range: Range): Value {
  const there = object.items.flatMap((x, i) => (isHole(x) ? [] : [`\`[${i}]\``]));
  ctx.report('TPS3014', range, frame.module, { what: `\`${printExpr(e)}\``, name: `[${at}]`, help: `there are: ${there.join(', ')}` });
  return poison([object]);
}
