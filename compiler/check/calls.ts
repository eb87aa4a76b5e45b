// Calls, and what a call of a block is: its body is run anew for each, so shapes are always concrete. Ops are in `op-calls.ts`.
import type { Argument, BlockDecl, Expr, ExprOf, Parameter, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { opOf } from '../ops/index.js';
import { argument, valuesOf, wellOrdered } from './arguments.js';
import { ordinal } from './builtins.js';
import { mendOf, valuesIn } from './conditions.js';
import { newFrame, join, type Call, type Context, type Frame } from './context.js';
import { evaluate, taskPath, type Hint } from './expressions.js';
import { callBuiltin, callOp } from './op-calls.js';
import { coerce, fit, formatTypeExpr } from './shapes.js';
import { runBody } from './statements.js';
import { suggestion } from './suggest.js';
import { describe, isPoison, list, nothingKnown, poison, tensorsIn, type Closure, type Poison, type Value } from './values.js';

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
      // a signature with the name twice has been told where it is written
      if (params.filter((p) => p.name.text === param.name.text).length === 1) ctx.report('TPS2004', a.range, frame.module, { name: param.name.text });
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

/** The path of the instance that a call makes or uses. One without a name takes none that a layer has. */
function instancePath(frame: Frame, closure: Closure, hint: Hint): string {
  if (closure.path !== undefined) return closure.path;
  let path = hint.path ?? join(frame.path, hint.name ?? ordinal(frame, closure.name));
  while (hint.path === undefined && hint.name === undefined && frame.declared.has(path)) path = join(frame.path, ordinal(frame, closure.name));
  return closure.perTask || hint.perTask === true ? taskPath(path) : path;
}

/** `per t` makes a copy a task: of a layer that has its place already there is no copy to make. */
export function checkOwn(ctx: Context, frame: Frame, closure: Closure, at: Range): void {
  if (closure.path !== undefined && !closure.path.includes('{task}')) {
    ctx.report('TPS3013', at, frame.module, { where: '`per`', expected: 'a block', actual: `the layer \`${closure.path}\`, which is one for all tasks` }, { help: 'write `per` where the layer is declared: `layer f = per t conv(1)`' });
  }
}

function callBlock(ctx: Context, frame: Frame, closure: Closure, args: readonly Argument[], piped: Value | undefined, at: Range, hint: Hint): Value {
  const { block } = closure;
  const inputs = match(ctx, frame, block.name.text, 'inputs', block.inputs, args, piped, at);
  if (!(inputs instanceof Map)) return poison([closure, inputs]);
  if (hint.perTask === true) checkOwn(ctx, frame, closure, at);
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
  const call: Call = { path, within: ctx.running.at(-1), start: ctx.builder.nodes.size, end: ctx.builder.nodes.size, inputs: tensorsIn([...inputs.values()]), output: nothingKnown };
  ctx.running.push(call);
  try {
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
    call.end = ctx.builder.nodes.size;
    call.output = output;
    ctx.calls.set(path, [...ctx.calls.get(path) ?? [], call]);
    return output;
  } finally {
    ctx.running.pop();
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
