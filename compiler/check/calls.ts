// Calls: of ops, of static functions, of blocks. A block's body is run anew for each call, so shapes are always concrete.
import type { Argument, BlockDecl, Expr, ExprOf, Parameter, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import type { AttrValue } from '../ir/graph.js';
import { isNdArray } from '../ir/ndarray.js';
import { opOf } from '../ops/index.js';
import type { AttrSpec, OpDef } from '../ops/op.js';
import { BUILTINS, ordinal } from './builtins.js';
import { newFrame, join, type Context, type Frame } from './context.js';
import { addOp, asTensor, elementValues, evaluate, lookup, taskPath, type Hint } from './expressions.js';
import { coerce, fit, formatTypeExpr } from './shapes.js';
import { runBody } from './statements.js';
import { suggestion } from './suggest.js';
import { isWord } from './vocabulary.js';
import { asDim, describe, isPoison, list, nothingKnown, poison, string, tensorsIn, type Closure, type Poison, type Tensor, type Value } from './values.js';

const MAX_DEPTH = 64;

export function call(ctx: Context, frame: Frame, e: ExprOf<'call'>, piped: Value | undefined, hint: Hint): Value {
  const callee = evaluate(ctx, frame, e.callee, hint);
  return apply(ctx, frame, callee, e.args, piped, e.range, hint);
}

/** `x |> stage`: the stage's callee gets x as its first input. */
export function pipe(ctx: Context, frame: Frame, e: ExprOf<'pipe'>, hint: Hint): Value {
  const left = evaluate(ctx, frame, e.left);
  const stage = e.right;
  if (stage.kind === 'call') {
    const callee = evaluate(ctx, frame, stage.callee, hint);
    if (callee.kind === 'closure' && callee.block.config !== undefined && callee.config === undefined) {
      const configured = configure(ctx, frame, callee, stage.args, stage.range);
      return configured.kind === 'poison' ? poison([left, configured]) : apply(ctx, frame, configured, [], left, e.range, hint);
    }
    return apply(ctx, frame, callee, stage.args, left, e.range, hint);
  }
  return apply(ctx, frame, evaluate(ctx, frame, stage, hint), [], left, e.range, hint);
}

/** Applies a value to arguments. A two-list block without configuration takes it first; with a piped input it takes its defaults. */
export function apply(ctx: Context, frame: Frame, callee: Value, args: readonly Argument[], piped: Value | undefined, at: Range, hint: Hint = {}): Value {
  switch (callee.kind) {
    case 'op': return callOp(ctx, frame, opOf(callee.name), args, piped, at);
    case 'builtin': return callBuiltin(ctx, frame, callee.name, args, piped, at, hint);
    case 'closure': {
      if (callee.block.config !== undefined && callee.config === undefined) {
        const configured = configure(ctx, frame, callee, piped === undefined ? args : [], at);
        if (configured.kind === 'poison') return poison([configured, ...(piped === undefined ? [] : [piped])]);
        return piped === undefined ? configured : apply(ctx, frame, configured, args, piped, at, hint);
      }
      return callBlock(ctx, frame, callee, args, piped, at, hint);
    }
    case 'poison': return poison([callee, ...valuesOf(ctx, frame, args, piped)]);
    default: {
      ctx.report('TPS3012', at, frame.module, { what: describe(callee) });
      return poison([callee, ...valuesOf(ctx, frame, args, piped)]);
    }
  }
}

/** All that a faulty call was given: what comes of it depends on that. A bare word is no value: it may be one that the call would know. */
const valuesOf = (ctx: Context, frame: Frame, args: readonly Argument[], piped: Value | undefined): Value[] => {
  const isWordHere = ({ element: { value: e } }: Argument): boolean => e.kind === 'name' && frame.scope.find(e.name) === undefined && isWord(e.name);
  return [...args.flatMap((a) => (isWordHere(a) ? [] : elementValues(ctx, frame, a.element))), ...(piped === undefined ? [] : [piped])];
};

/** Named arguments after those without a name; false (reported) otherwise. */
function wellOrdered(ctx: Context, frame: Frame, args: readonly Argument[]): boolean {
  let named = false;
  for (const a of args) {
    if (a.name !== undefined) named = true;
    else if (named) {
      ctx.report('TPS3019', a.range, frame.module, {});
      return false;
    }
  }
  return true;
}

const signature = (params: readonly Parameter[]): string => params.map((p) => `${p.name.text}: ${formatTypeExpr(p.type)}${p.value === undefined ? '' : ` = ${printExpr(p.value)}`}`).join(', ');

/** Matches arguments to parameters by place and name. `piped` is the first. Poison of all that was given: reported. */
function match(ctx: Context, frame: Frame, what: string, listName: string, params: readonly Parameter[], args: readonly Argument[], piped: Value | undefined, at: Range): Map<string, Value> | Poison {
  if (!wellOrdered(ctx, frame, args)) return poison(valuesOf(ctx, frame, args, piped));
  const found = new Map<string, Value>();
  const seen = piped === undefined ? [] : [piped];
  const rest = [...params];
  if (piped !== undefined) {
    const first = rest.shift();
    if (first !== undefined) found.set(first.name.text, piped);
  }
  let ok = true;
  for (const a of args) {
    const param = a.name === undefined ? rest.shift() : params.find((p) => p.name.text === a.name?.text);
    const value = argument(ctx, frame, a, param?.name.text);
    seen.push(value);
    if (param === undefined) {
      ok = false;
      if (a.name === undefined) ctx.report('TPS3011', a.range, frame.module, { callee: what, expected: `${params.length} ${listName}`, actual: `${args.length + (piped === undefined ? 0 : 1)}`, help: `its ${listName}: ${signature(params)}` });
      else ctx.report('TPS3010', a.name.range, frame.module, { callee: what, argument: a.name.text, help: suggestion(a.name.text, params.map((p) => p.name.text), `its ${listName}: ${signature(params)}`) });
      continue;
    }
    if (found.has(param.name.text)) {
      ok = false;
      ctx.report('TPS2004', a.range, frame.module, { name: param.name.text });
      continue;
    }
    found.set(param.name.text, coerce(param.type, value));
  }
  for (const p of params) if (ok && p.value === undefined && !found.has(p.name.text)) {
    ctx.report('TPS3009', at, frame.module, { callee: what, argument: p.name.text, list: listName, signature: signature(params) });
    return poison(seen);
  }
  return ok ? found : poison(seen);
}

/** The value of an argument; `e for x in xs` is the list of its turns. */
function argument(ctx: Context, frame: Frame, a: Argument, name: string | undefined): Value {
  if (a.element.for !== undefined) return list(elementValues(ctx, frame, a.element));
  return evaluate(ctx, frame, a.element.value, name === undefined ? {} : { param: name });
}

// ---------------------------------------------------------------- blocks

/** Gives a two-list block its configuration. Poison: reported. */
function configure(ctx: Context, frame: Frame, closure: Closure, args: readonly Argument[], at: Range): Closure | Poison {
  const { block, module } = closure;
  const given = match(ctx, frame, block.name.text, 'configuration', block.config ?? [], args, undefined, at);
  if (!(given instanceof Map)) return given;
  const config = new Map<string, Value>();
  const body = newFrame(module, '', block.name.text);
  for (const p of block.config ?? []) {
    const value = given.get(p.name.text) ?? (p.value === undefined ? nothingKnown : coerce(p.type, evaluate(ctx, body, p.value)));
    const wrong = fit(ctx, body, p.type, value, (n) => module.names.has(n));
    if (wrong !== undefined) {
      const place = args.find((a) => a.name?.text === p.name.text)?.range ?? at;
      ctx.report('TPS3013', place, frame.module, { where: `\`${p.name.text}\` of \`${block.name.text}\``, expected: formatTypeExpr(p.type), actual: describe(value) }, { related: [{ message: 'declared here', range: p.range }] });
      return poison([...given.values()]);
    }
    const named: Value = value.kind === 'closure' && value.path === undefined ? { ...value, name: p.name.text } : value;
    config.set(p.name.text, named);
    body.scope.define(p.name, named);
  }
  return { ...closure, config };
}

/** The path of the instance that a call makes or uses. */
function instancePath(frame: Frame, closure: Closure, hint: Hint): string {
  if (closure.path !== undefined) return closure.path;
  const path = hint.path ?? join(frame.path, hint.name ?? ordinal(frame, closure.name));
  return closure.perTask || hint.perTask === true ? taskPath(path) : path;
}

export function callBlock(ctx: Context, frame: Frame, closure: Closure, args: readonly Argument[], piped: Value | undefined, at: Range, hint: Hint): Value {
  const { block } = closure;
  const inputs = match(ctx, frame, block.name.text, 'inputs', block.inputs, args, piped, at);
  if (!(inputs instanceof Map)) return poison([closure, inputs]);
  return runBlock(ctx, frame, closure, inputs, at, instancePath(frame, closure, hint));
}

/** Runs a block's body on inputs, as the instance `path`. */
export function runBlock(ctx: Context, frame: Frame, closure: Closure, inputs: ReadonlyMap<string, Value>, at: Range, path: string): Value {
  const { block, module } = closure;
  const all = [...inputs.values(), closure];
  if ([...inputs.values(), ...(closure.config?.values() ?? [])].some(isPoison)) return poison(all);
  if (ctx.sites.length >= MAX_DEPTH) {
    ctx.report('TPS3020', at, frame.module, { depth: MAX_DEPTH, name: block.name.text });
    return poison(all);
  }
  const body = newFrame(module, path, block.name.text);
  for (const [name, value] of closure.config ?? []) body.scope.define({ text: name, range: block.range }, value);
  const known = (n: string): boolean => module.names.has(n);
  ctx.sites.push({ range: at, standard: frame.module.standard });
  ctx.executed.add(block);
  ctx.instances.set(path, { block, module });
  ctx.places.set(path, ctx.userPlace(at, frame.module));
  try {
    const start = ctx.builder.nodes.size;
    for (const p of block.inputs) {
      const value = inputs.get(p.name.text) ?? (p.value === undefined ? nothingKnown : evaluate(ctx, body, p.value));
      const wrong = fit(ctx, body, p.type, value, known);
      if (wrong !== undefined) {
        ctx.report('TPS3007', at, frame.module, { block: block.name.text, input: p.name.text, expected: wrong.expected, actual: wrong.actual, help: wrong.detail }, { related: [{ message: 'the input is declared here', range: p.range }] });
        return poison(all);
      }
      body.scope.define(p.name, value);
    }
    for (const w of block.withs) body.scope.define(w.name, evaluate(ctx, body, w.value));
    for (const condition of block.where) if (!holds(ctx, frame, body, block, condition, at)) return poison(all);
    runBody(ctx, body, block.body);
    const output = resultOf(ctx, body, block, all, at);
    for (const later of body.deferred) later();
    const calls = ctx.calls.get(path) ?? [];
    calls.push({ path, start, end: ctx.builder.nodes.size, inputs: tensorsIn([...inputs.values()]), output });
    ctx.calls.set(path, calls);
    return output;
  } finally {
    ctx.sites.pop();
  }
}

/** A `where` of a block, told to the caller with the values that break it. */
function holds(ctx: Context, frame: Frame, body: Frame, block: BlockDecl, condition: Expr, at: Range): boolean {
  const v = evaluate(ctx, body, condition);
  if (v.kind !== 'bool' || v.value) return true;
  ctx.report('TPS3004', at, frame.module, { condition: printExpr(condition), name: block.name.text, values: valuesIn(ctx, body, condition), help: mendOf(ctx, body, condition) },
    { related: [{ message: 'required here', range: condition.range }] });
  return false;
}

/** `S = 100, s = 2`: the values of the names in a condition. */
export function valuesIn(ctx: Context, frame: Frame, e: Expr): string {
  const names = new Map<string, string>();
  const walk = (x: Expr): void => {
    if (x.kind === 'name') {
      const v = frame.scope.find(x.name) ?? lookup(ctx, frame, x.name, x.range);
      if (v.kind === 'number') names.set(x.name, `${x.name} = ${v.value}`);
    } else if (x.kind === 'binary' || x.kind === 'pipe') [x.left, x.right].forEach(walk);
    else if (x.kind === 'unary') walk(x.operand);
    else if (x.kind === 'call') x.args.forEach((a) => { walk(a.element.value); });
  };
  walk(e);
  return [...names.values()].join(', ');
}

/** For `x % n == 0`: the nearest sizes that hold. */
export function mendOf(ctx: Context, frame: Frame, e: Expr): string {
  if (e.kind === 'binary' && e.operator === '==' && e.left.kind === 'binary' && e.left.operator === '%') {
    const [x, n] = [evaluate(ctx, frame, e.left.left), evaluate(ctx, frame, e.left.right)];
    if (x.kind === 'number' && n.kind === 'number' && n.value > 0) {
      const below = Math.floor(x.value / n.value) * n.value;
      return `\`${printExpr(e.left.left)}\` can be ${below > 0 ? `${below} or ` : ''}${below + n.value}; or pad by ${below + n.value - x.value}`;
    }
  }
  return 'change the sizes at the call, or the condition';
}

function resultOf(ctx: Context, body: Frame, block: BlockDecl, given: readonly Value[], at: Range): Value {
  let output = body.returned;
  if (body.emitted.size > 0) {
    const fields = new Map<string, Value>([...body.emitted].map(([name, items]) => [name, list(items)]));
    if (output?.kind === 'record') for (const [name, v] of output.fields) fields.set(name, v);
    output = { kind: 'record', fields };
  }
  if (output === undefined) {
    if (!block.body.some((s) => s.kind === 'error')) ctx.report('TPS3017', block.name.range, body.module, { block: block.name.text });
    return poison(given);
  }
  const wrong = fit(ctx, body, block.result, output, (n) => body.module.names.has(n));
  if (wrong !== undefined) {
    ctx.report('TPS3008', block.result.range, body.module, { block: block.name.text, expected: wrong.expected, actual: wrong.actual }, { related: [{ message: 'called here', range: at }], ...(wrong.detail === '' ? {} : { help: wrong.detail }) });
    return poison([output]);
  }
  return output.kind === 'record' ? { ...output, path: body.path } : output;
}

// ---------------------------------------------------------------- ops and static functions

function callBuiltin(ctx: Context, frame: Frame, name: string, args: readonly Argument[], piped: Value | undefined, at: Range, hint: Hint): Value {
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

function callOp(ctx: Context, frame: Frame, op: OpDef, args: readonly Argument[], piped: Value | undefined, at: Range): Value {
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
  if (ok && missing !== undefined && !optionalAttr(op, missing)) {
    ctx.report('TPS3009', at, frame.module, { callee: op.name, argument: missing, list: 'inputs and attributes', signature: [...op.inputs, ...attrNames].join(', ') });
    return poison(seen);
  }
  return ok ? addOp(ctx, frame, op.name, operands, attrs, at) : poison(seen);
}

/** A pool's stride is its kernel where it is not said. */
const optionalAttr = (op: OpDef, name: string): boolean => op.name.endsWith('_pool') && name === 'stride';

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
