// Signatures against values: binds the dims that a signature names, and says what does not fit.
import type { DimExpr, TypeExpr } from '../../grammar/ast.js';
import { equalDim, formatDim, formatShape, type Dim } from '../ir/dim.js';
import { printExpr } from '../../grammar/index.js';
import type { Context, Frame } from './context.js';
import { evaluate } from './expressions.js';
import { asDim, describe, dimValue, isPoison, type Value } from './values.js';

/** What a mismatch is, in words: the type asked for, with the values of its dims. */
export interface Mismatch { readonly expected: string; readonly actual: string; readonly detail: string }

const isUnboundName = (d: DimExpr, frame: Frame, known: (name: string) => boolean): string | undefined =>
  (d.kind === 'dim' && d.value.kind === 'name' && frame.scope.find(d.value.name) === undefined && !known(d.value.name) ? d.value.name : undefined);

/**
 * Fits a value to a type of a signature. Names of dims that mean nothing yet are bound in the frame's scope; the others are checked.
 * Returns what does not fit, or undefined. `known` tells names of the module (settings, `dim`s).
 */
export function fit(ctx: Context, frame: Frame, type: TypeExpr, value: Value, known: (name: string) => boolean): Mismatch | undefined {
  if (isPoison(value)) return undefined;
  const mismatch = (detail: string): Mismatch => ({ expected: formatTypeExpr(type), actual: describe(value), detail });
  switch (type.kind) {
    case 'error': return undefined;
    case 'list': {
      if (value.kind !== 'list') return mismatch('');
      for (const item of value.items) {
        const wrong = fit(ctx, frame, type.element, item, known);
        if (wrong !== undefined) return wrong;
      }
      return undefined;
    }
    case 'record': {
      if (value.kind !== 'record') return mismatch('');
      for (const field of type.fields) {
        const item = value.fields.get(field.name.text);
        if (item === undefined) return mismatch(`it has no \`${field.name.text}\``);
        const wrong = fit(ctx, frame, field.type, item, known);
        if (wrong !== undefined) return { ...wrong, expected: `${field.name.text}: ${wrong.expected}`, actual: wrong.actual };
      }
      return undefined;
    }
    case 'named': return fitNamed(type.name, value) ? undefined : mismatch('');
    case 'tensor': {
      if ((value.kind === 'number' || value.kind === 'schedule') && type.dims.length === 0) return undefined;
      if (value.kind !== 'tensor') return mismatch('');
      const actual = value.builder.type(value.id);
      if (actual.dtype !== type.dtype) return mismatch(`\`cast(…, to: ${type.dtype})\` changes the type`);
      return fitDims(ctx, frame, type.dims, actual.shape, known) ?? undefined;
    }
    default: return type satisfies never;
  }

  function fitDims(c: Context, f: Frame, dims: readonly DimExpr[], shape: readonly Dim[], isKnown: (name: string) => boolean): Mismatch | undefined {
    const restAt = dims.findIndex((d) => d.kind === 'rest');
    const fixed = dims.length - (restAt < 0 ? 0 : 1);
    if (restAt < 0 ? shape.length !== fixed : shape.length < fixed) return mismatch(`it has ${axes(shape.length)}, not ${restAt < 0 ? '' : 'at least '}${fixed}`);
    const pairs: [DimExpr, Dim][] = [];
    dims.forEach((d, i) => {
      const size = restAt < 0 || i < restAt ? shape[i] : shape[shape.length - (dims.length - i)];
      if (d.kind !== 'rest' && size !== undefined) pairs.push([d, size]);
    });
    const rest = dims[restAt];
    if (rest?.kind === 'rest') {
      const lead = shape.slice(restAt, restAt + shape.length - fixed);
      const name = rest.name?.text ?? '..';
      const old = f.scope.find(name);
      if (old === undefined) f.scope.define(rest.name ?? { text: '..', range: rest.range }, { kind: 'list', items: lead.map(dimValue) });
      else if (old.kind === 'list' && !(old.items.length === lead.length && old.items.every((v, i) => { const d = asDim(v); return d !== undefined && equalDim(d, lead[i] ?? -1); }))) return mismatch(`\`..${name === '..' ? '' : name}\` stands for ${formatShape(old.items.map((v) => asDim(v) ?? 0))} already`);
    }
    const checks: [DimExpr, Dim][] = [];
    for (const [d, size] of pairs) {
      const name = isUnboundName(d, f, isKnown);
      if (name !== undefined && d.kind === 'dim') f.scope.define({ text: name, range: d.range }, dimValue(size));
      else checks.push([d, size]);
    }
    for (const [d, size] of checks) {
      if (d.kind !== 'dim') continue;
      const said = evaluate(c, f, d.value);
      const wanted = asDim(said);
      if (wanted === undefined) {
        if (!isPoison(said)) return mismatch(`\`${printExpr(d.value)}\` is ${describe(said)}, not a size`);
      } else if (!equalDim(wanted, size)) {
        const text = printExpr(d.value);
        return mismatch(`${text === formatDim(wanted) ? `the size has to be ${text}` : `\`${text}\` is ${formatDim(wanted)}`}, not ${formatDim(size)}`);
      }
    }
    return undefined;
  }
}

const axes = (n: number): string => (n === 1 ? '1 axis' : `${n} axes`);

const NAMED: Readonly<Record<string, (v: Value) => boolean>> = {
  int: (v) => (v.kind === 'number' && v.integer) || v.kind === 'dim',
  float: (v) => v.kind === 'number' || v.kind === 'schedule',
  bool: (v) => v.kind === 'bool',
  string: (v) => v.kind === 'string',
  task: (v) => v.kind === 'task',
  block: (v) => v.kind === 'closure' || v.kind === 'op',
  pair: (v) => v.kind === 'list' && v.items.length === 2 && v.items.every((i) => i.kind === 'number' && i.integer),
  f32: (v) => v.kind === 'tensor' && v.builder.type(v.id).dtype === 'f32',
  i64: (v) => v.kind === 'tensor' && v.builder.type(v.id).dtype === 'i64',
};
export const TYPE_NAMES = Object.keys(NAMED);
const fitNamed = (name: string, value: Value): boolean => NAMED[name]?.(value) ?? true;

/** `pair` takes one int for both. */
export const coerce = (type: TypeExpr, value: Value): Value =>
  (type.kind === 'named' && type.name === 'pair' && value.kind === 'number' ? { kind: 'list', items: [value, value] } : value);

export function formatTypeExpr(type: TypeExpr): string {
  switch (type.kind) {
    case 'tensor': return `${type.dtype}[${type.dims.map((d) => (d.kind === 'rest' ? `..${d.name?.text ?? ''}` : d.kind === 'any' ? '_' : printExpr(d.value))).join(', ')}]`;
    case 'named': return type.of === undefined ? type.name : `${type.name} of ${type.of.text}`;
    case 'list': return `[${formatTypeExpr(type.element)}]`;
    case 'record': return `{ ${type.fields.map((f) => `${f.name.text}: ${formatTypeExpr(f.type)}`).join(', ')} }`;
    case 'error': return '…';
    default: return type satisfies never;
  }
}

/** The dims of a declared tensor (`param w: f32[out, C]`); undefined where one is not a size (reported) or not known. */
export function dimsOf(ctx: Context, frame: Frame, type: TypeExpr): readonly Dim[] | undefined {
  if (type.kind !== 'tensor') {
    if (type.kind !== 'error') ctx.report('TPS3013', type.range, frame.module, { where: 'a tensor', expected: 'a type such as f32[8, 3]', actual: formatTypeExpr(type) });
    return undefined;
  }
  const out: Dim[] = [];
  for (const d of type.dims) {
    if (d.kind === 'rest' || d.kind === 'any') {
      const lead = d.kind === 'rest' ? frame.scope.find(d.name?.text ?? '..') : undefined;
      if (lead?.kind !== 'list') {
        ctx.report('TPS3013', d.range, frame.module, { where: 'a declared tensor', expected: 'a size', actual: d.kind === 'any' ? '`_`' : '`..`' });
        return undefined;
      }
      for (const item of lead.items) out.push(asDim(item) ?? 0);
      continue;
    }
    const value = evaluate(ctx, frame, d.value);
    const size = asDim(value);
    if (size === undefined || (typeof size === 'number' && size < 1)) {
      if (!isPoison(value)) ctx.report('TPS3013', d.range, frame.module, { where: 'a size', expected: 'a whole number of at least 1', actual: describe(value) });
      return undefined;
    }
    out.push(size);
  }
  return out;
}
