// Calls of ops and of static functions: one list of arguments, matched by place and name to the inputs and attributes of a row.
import type { Argument, Expr, Range } from '../../grammar/ast.js';
import type { AttrValue } from '../ir/graph.js';
import { isNdArray } from '../ir/ndarray.js';
import type { AttrSpec, OpDef } from '../ops/op.js';
import { argument, valuesOf, wellOrdered } from './arguments.js';
import { BUILTINS } from './builtins.js';
import type { Context, Frame } from './context.js';
import { addOp, asTensor, type Hint } from './expressions.js';
import { suggestion } from './suggest.js';
import { asDim, describe, isPoison, poison, string, type Tensor, type Value } from './values.js';

export function callBuiltin(ctx: Context, frame: Frame, name: string, args: readonly Argument[], piped: Value | undefined, at: Range, hint: Hint): Value {
  const builtin = BUILTINS.get(name);
  if (builtin === undefined || !wellOrdered(ctx, frame, args)) return poison(valuesOf(ctx, frame, args, piped));
  const names = builtin.params.map((p) => p.replace(/\?$/, ''));
  const found = new Map<string, Value>();
  const rest = [...names];
  if (piped !== undefined) found.set(rest.shift() ?? 'x', piped);
  for (const [i, a] of args.entries()) {
    const param = a.name?.text ?? rest.shift();
    const given = (): Value => poison([...found.values(), ...valuesOf(ctx, frame, args.slice(i), undefined)]);
    if (param === undefined || !names.includes(param)) {
      if (a.name === undefined) ctx.report('TPS3011', a.range, frame.module, { callee: name, expected: `${names.length} arguments`, actual: args.length, help: builtin.doc });
      else ctx.report('TPS3010', a.name.range, frame.module, { callee: name, argument: a.name.text, help: suggestion(a.name.text, names) });
      return given();
    }
    if (found.has(param)) {
      ctx.report('TPS2004', a.range, frame.module, { name: param });
      return given();
    }
    const words = builtin.words?.[param];
    const e = a.element.value;
    found.set(param, words !== undefined && e.kind === 'name' && words.includes(e.name) ? string(e.name) : argument(ctx, frame, a, param));
  }
  const missing = builtin.params.find((p) => !p.endsWith('?') && !found.has(p));
  if (missing !== undefined) {
    ctx.report('TPS3009', at, frame.module, { callee: name, argument: missing, list: 'arguments', signature: builtin.params.join(', ') });
    return poison([...found.values()]);
  }
  const values = [...found.values()];
  if (values.some(isPoison)) return poison(values);
  return builtin.run({ ctx, frame, at, name, args: found, ...(hint.param === undefined ? {} : { label: hint.param }) });
}

export function callOp(ctx: Context, frame: Frame, op: OpDef, args: readonly Argument[], piped: Value | undefined, at: Range): Value {
  if (!wellOrdered(ctx, frame, args)) return poison(valuesOf(ctx, frame, args, piped));
  const inputNames = op.inputs.map((n) => n.replace(/[?*]$/, ''));
  const attrNames = Object.keys(op.attrs);
  const inputs = new Map<string, Value>();
  const attrs: Record<string, AttrValue> = {};
  const openInputs = [...inputNames];
  const openAttrs = [...attrNames];
  if (piped !== undefined) inputs.set(openInputs.shift() ?? 'x', piped);
  const seen: Value[] = piped === undefined ? [] : [piped];
  let ok = true;
  for (const a of args) {
    let target = a.name?.text;
    if (target === undefined) {
      const next = openInputs[0];
      const optional = next !== undefined && op.inputs[inputNames.indexOf(next)]?.endsWith('?') === true;
      // an optional tensor input may be left out before the attributes: what stands there decides
      const looksStatic = optional && isStaticExpr(a.element.value);
      target = next !== undefined && !looksStatic ? openInputs.shift() : openAttrs.shift();
    }
    const spec = target === undefined ? undefined : op.attrs[target];
    if (target !== undefined && (inputs.has(target) || attrs[target] !== undefined)) {
      ok = false;
      ctx.report('TPS2004', a.range, frame.module, { name: target });
    } else if (target !== undefined && inputNames.includes(target)) {
      const v = argument(ctx, frame, a, target);
      seen.push(v);
      inputs.set(target, v);
    } else if (target !== undefined && spec !== undefined) {
      const at_ = openAttrs.indexOf(target);
      if (at_ >= 0) openAttrs.splice(at_, 1);
      const v = wordOf(a.element.value, spec, frame) ?? argument(ctx, frame, a, target);
      seen.push(v);
      const attr = isPoison(v) ? undefined : attrOf(v, spec);
      if (attr === undefined) {
        ok = false;
        if (!isPoison(v)) ctx.report('TPS3013', a.range, frame.module, { where: `\`${target}\` of \`${op.name}\``, expected: kindText(spec), actual: describe(v) });
      } else attrs[target] = attr;
    } else {
      ok = false;
      const help = `${op.name}(${[...op.inputs, ...attrNames].join(', ')})`;
      if (a.name === undefined) ctx.report('TPS3011', a.range, frame.module, { callee: op.name, expected: `at most ${inputNames.length + attrNames.length} arguments`, actual: args.length, help });
      else ctx.report('TPS3010', a.name.range, frame.module, { callee: op.name, argument: a.name.text, help: suggestion(a.name.text, [...inputNames, ...attrNames], help) });
    }
  }
  const operands: Tensor[] = [];
  for (const [i, name] of inputNames.entries()) {
    const v = inputs.get(name);
    const spelled = op.inputs[i] ?? name;
    if (v === undefined) {
      if (spelled.endsWith('?')) continue;
      if (ok) ctx.report('TPS3009', at, frame.module, { callee: op.name, argument: name, list: 'inputs and attributes', signature: [...op.inputs, ...attrNames].join(', ') });
      return poison(seen);
    }
    if (isPoison(v)) return poison(seen);
    const many = spelled.endsWith('*') && v.kind === 'list' ? v.items : [v];
    for (const item of many) {
      const tensor = asTensor(ctx, item);
      if (tensor === undefined) {
        ctx.report('TPS3013', at, frame.module, { where: `\`${name}\` of \`${op.name}\``, expected: spelled.endsWith('*') ? 'a list of tensors' : 'a tensor', actual: describe(item) });
        return poison(seen);
      }
      operands.push(tensor);
    }
  }
  const missing = attrNames.find((n) => op.attrs[n]?.default === undefined && attrs[n] === undefined);
  if (ok && missing !== undefined) {
    ctx.report('TPS3009', at, frame.module, { callee: op.name, argument: missing, list: 'inputs and attributes', signature: [...op.inputs, ...attrNames].join(', ') });
    return poison(seen);
  }
  return ok ? addOp(ctx, frame, op.name, operands, attrs, at) : poison(seen);
}

const isStaticExpr = (e: Expr): boolean => e.kind === 'number' || e.kind === 'list' || e.kind === 'bool' || e.kind === 'string';

/** A bare word for an enum attribute, where no local has that name. */
const wordOf = (e: Expr, spec: AttrSpec, frame: Frame): Value | undefined =>
  (spec.kind === 'enum' && e.kind === 'name' && frame.scope.find(e.name) === undefined && spec.values?.includes(e.name) === true ? string(e.name) : undefined);

/** A static value as an attribute; undefined where it is of another kind. */
export function attrOf(v: Value, spec: AttrSpec): AttrValue | undefined {
  const int = (x: Value): number | undefined => (x.kind === 'number' && x.integer ? x.value : undefined);
  const ints = (x: Value): readonly number[] | undefined => {
    if (x.kind !== 'list') return undefined;
    const out = x.items.map(int);
    return out.every((n): n is number => n !== undefined) ? out : undefined;
  };
  switch (spec.kind) {
    case 'int': case 'axis': return int(v);
    case 'float': return v.kind === 'number' ? v.value : undefined;
    case 'bool': return v.kind === 'bool' ? v.value : undefined;
    case 'ints': return ints(v);
    case 'axes': { const n = int(v); return n === undefined ? ints(v) : [n]; }
    case 'pair': { const n = int(v); const two = n === undefined ? ints(v) : [n, n]; return two?.length === 2 ? two : undefined; }
    case 'dims': {
      if (v.kind !== 'list') return undefined;
      const dims = v.items.map(asDim);
      return dims.every((d) => d !== undefined) ? dims as AttrValue : undefined;
    }
    case 'enum': return v.kind === 'string' && spec.values?.includes(v.value) === true ? v.value : undefined;
    case 'tensor': return isNdArray(v) ? v : undefined;
    default: return spec.kind satisfies never;
  }
}
export function kindText(spec: AttrSpec): string {
  switch (spec.kind) {
    case 'int': return 'a whole number';
    case 'axis': return 'an axis';
    case 'axes': return 'an axis or a list of axes';
    case 'float': return 'a number';
    case 'bool': return 'true or false';
    case 'ints': return 'a list of whole numbers';
    case 'pair': return 'a whole number or two';
    case 'dims': return 'a list of sizes';
    case 'enum': return (spec.values ?? []).join(', ');
    case 'tensor': return 'a constant';
    default: return spec.kind satisfies never;
  }
}
