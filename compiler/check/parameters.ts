// Tensors that a spec declares: `param`s with their initial values, and how an `init` is read.
import type { Expr, Range, TypeExpr } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { formatShape } from '../ir/dim.js';
import { ndarray, sizeOf } from '../ir/ndarray.js';
import type { Init } from '../program.js';
import { join, staticShape, type Context, type Frame } from './context.js';
import { evaluate, taskPath } from './expressions.js';
import { dimsOf } from './shapes.js';
import { describe, isPoison, nothingKnown, type Value } from './values.js';

/** `param name: f32[…] init I`: a leaf at the instance's path, trained unless its encoder is frozen. */
export function declareParam(ctx: Context, frame: Frame, name: string, type: TypeExpr, init: Expr, range: Range, perTask = false): Value {
  if (type.kind === 'tensor' && type.dtype !== 'f32') ctx.report('TPS3013', type.range, frame.module, { where: 'a trained tensor', expected: 'the type f32', actual: type.dtype });
  const dims = dimsOf(ctx, frame, type);
  const shape = dims === undefined ? undefined : staticShape(dims);
  if (dims !== undefined && shape === undefined && !ctx.definition) {
    ctx.report('TPS3016', type.range, frame.module, { what: `the size of \`${name}\``, dependsOn: `the batch: ${formatShape(dims)}` });
  }
  if (shape === undefined) return nothingKnown;
  const start = initOf(ctx, frame, init, shape, name);
  if (start === undefined) return nothingKnown;
  const path = join(frame.path, name);
  ctx.builder.place = { path: frame.path, range };
  const id = ctx.declare('param', perTask ? taskPath(path) : path, name, shape, start, frame, range, 'parameter');
  return id === undefined ? nothingKnown : ctx.tensor(id);
}

/** An initial value: `zeros`, `normal(std: 0.02)`, a number, a list of numbers. undefined: reported. */
export function initOf(ctx: Context, frame: Frame, e: Expr, shape: readonly number[], name: string): Init | undefined {
  if (e.kind === 'name' && frame.scope.find(e.name) === undefined) {
    if (e.name === 'zeros') return { kind: 'constant', value: 0 };
    if (e.name === 'ones') return { kind: 'constant', value: 1 };
  }
  const v = evaluate(ctx, frame, e);
  if (v.kind === 'init') return v.init;
  if (v.kind === 'number') return { kind: 'constant', value: v.value };
  if (v.kind === 'list') {
    const values = numbersIn(v);
    if (values !== undefined && values.length === sizeOf(shape)) return { kind: 'values', value: ndarray(shape, values) };
    if (!isPoison(v)) ctx.report('TPS3013', e.range, frame.module, { where: `the init of \`${name}\``, expected: `${sizeOf(shape)} numbers`, actual: values === undefined ? describe(v) : `${values.length}` });
    return undefined;
  }
  if (!isPoison(v)) ctx.report('TPS3013', e.range, frame.module, { where: `the init of \`${name}\``, expected: 'zeros, ones, constant, normal, truncated_normal, uniform, a number or a list', actual: printExpr(e) });
  return undefined;
}

/** The numbers of a nested list in reading order; undefined where something else is in it. */
export function numbersIn(v: Value): readonly number[] | undefined {
  if (v.kind === 'number') return [v.value];
  if (v.kind !== 'list') return undefined;
  const out: number[] = [];
  for (const item of v.items) {
    const inner = numbersIn(item);
    if (inner === undefined) return undefined;
    out.push(...inner);
  }
  return out;
}

/** The shape of a nested list of numbers; undefined where its rows differ. */
export function nestedShape(v: Value): readonly number[] | undefined {
  if (v.kind !== 'list') return [];
  const rows = v.items.map(nestedShape);
  const [first] = rows;
  if (first === undefined) return rows.length === 0 ? [0] : undefined;
  return rows.every((row) => row?.join() === first.join()) ? [v.items.length, ...first] : undefined;
}
