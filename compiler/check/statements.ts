// Runs the statements of a body in order. What has a role (encoder, adapter, gate, state, decoder) is in `roles.ts`.
import type { Identifier, Stmt, StmtOf, TypeExpr } from '../../grammar/ast.js';
import { inner, join, type Context, type Frame, type Scope } from './context.js';
import { doubt, evaluate, staticCondition, taskPath } from './expressions.js';
import { declareParam } from './parameters.js';
import { adapter } from './adapters.js';
import { decoder, encoder, gate, state } from './roles.js';
import { apply, runBlock } from './calls.js';
import { dimsOf, formatTypeExpr } from './shapes.js';
import { namesInBody } from './uses.js';
import { describe, hole, isPoison, list, nothingKnown, poison, type Closure, type Value } from './values.js';

export function runBody(ctx: Context, frame: Frame, body: readonly Stmt[]): void {
  for (const s of body) {
    if (frame.returned !== undefined) return;
    run(ctx, frame, s);
  }
}

/** Defines a name once; a second definition is a mistake and does not take effect. */
export function define(ctx: Context, frame: Frame, name: Identifier, value: Value, carry = false): void {
  if (name.text === '_') return;
  const old = ownRange(frame.scope, name.text);
  if (old !== undefined) ctx.report('TPS2004', name.range, frame.module, { name: name.text }, { related: [{ message: 'first here', range: old }] });
  else frame.scope.define(name, value, carry);
}
function ownRange(scope: Scope, name: string): ReturnType<Scope['own']> {
  return scope.own(name) ?? (scope.parent === undefined ? undefined : ownRange(scope.parent, name));
}

function run(ctx: Context, frame: Frame, s: Stmt): void {
  switch (s.kind) {
    case 'error': {
      // The item's text is lost: whatever it names may have been defined by it, and what it reads counts as read.
      const reads = doubt(ctx, frame, s.names);
      ctx.doubtful.push(...reads.ids);
      for (const name of s.names) if (frame.scope.find(name) === undefined && !frame.module.names.has(name)) frame.scope.define({ text: name, range: s.range }, reads);
      return;
    }
    case 'let': return let_(ctx, frame, s);
    case 'layer': return layer(ctx, frame, s);
    case 'param': return define(ctx, frame, s.name, declareParam(ctx, frame, s.name.text, s.type, s.init, s.range));
    case 'carry': return define(ctx, frame, s.name, evaluate(ctx, frame, s.value), true);
    case 'next': {
      const value = evaluate(ctx, frame, s.value);
      if (!frame.scope.rebind(s.name.text, value) && !isPoison(frame.scope.find(s.name.text) ?? nothingKnown)) ctx.report('TPS3018', s.name.range, frame.module, { name: s.name.text });
      return;
    }
    case 'emit': {
      const items = frame.emitted.get(s.name.text) ?? [];
      items.push(evaluate(ctx, frame, s.value));
      frame.emitted.set(s.name.text, items);
      return;
    }
    case 'return':
      frame.returned = evaluate(ctx, frame, s.value);
      return;
    case 'for': {
      const over = evaluate(ctx, frame, s.iterable);
      if (over.kind !== 'list') {
        if (!isPoison(over)) ctx.report('TPS3013', s.iterable.range, frame.module, { where: '`for`', expected: 'a range or a list', actual: describe(over) });
        spoil(ctx, frame, s.body);
        return;
      }
      for (const item of over.items) {
        const turn = inner(frame);
        turn.scope.define(s.name, item);
        runBody(ctx, turn, s.body);
      }
      return;
    }
    case 'if': {
      const condition = staticCondition(ctx, frame, s.condition);
      if (condition === undefined) spoil(ctx, frame, [...s.then, ...(s.else ?? [])]);
      else runBody(ctx, frame, condition ? s.then : s.else ?? []);
      return;
    }
    case 'encoder': return encoder(ctx, frame, s);
    case 'decoder': return decoder(ctx, frame, s);
    case 'adapter': return adapter(ctx, frame, s);
    case 'gate': return gate(ctx, frame, s);
    case 'prototypes': case 'state': return state(ctx, frame, s);
    default: return s satisfies never;
  }
}

/** A body that cannot be run: the names that it would bind or change are not known. */
function spoil(ctx: Context, frame: Frame, body: readonly Stmt[]): void {
  const read = doubt(ctx, frame, namesInBody(body));
  ctx.doubtful.push(...read.ids);
  const unknown = (name: Identifier): void => { if (frame.scope.find(name.text) === undefined) frame.scope.define(name, read); };
  for (const s of body) {
    switch (s.kind) {
      case 'let': s.target.names.forEach(unknown); break;
      case 'layer': case 'encoder': case 'decoder': unknown(s.target.name); break;
      case 'param': case 'carry': case 'gate': case 'prototypes': case 'state': unknown(s.name); break;
      case 'next': frame.scope.rebind(s.name.text, read); break;
      case 'emit': frame.emitted.set(s.name.text, [read]); break;
      case 'return': frame.returned ??= read; break;
      case 'for': spoil(ctx, frame, s.body); break;
      case 'if': spoil(ctx, frame, [...s.then, ...(s.else ?? [])]); break;
      case 'adapter': case 'error': break;
      default: s satisfies never;
    }
  }
}

function let_(ctx: Context, frame: Frame, s: StmtOf<'let'>): void {
  const value = evaluate(ctx, frame, s.value);
  const [first] = s.target.names;
  if (s.target.kind === 'name') {
    if (first !== undefined) define(ctx, frame, first, value);
    return;
  }
  const { names } = s.target;
  if (value.kind === 'list' && value.items.length === names.length) {
    names.forEach((n, i) => { define(ctx, frame, n, value.items[i] ?? nothingKnown); });
    return;
  }
  if (!isPoison(value)) ctx.report('TPS3013', s.value.range, frame.module, { where: `\`let [${names.map((n) => n.text).join(', ')}]\``, expected: `a list of ${names.length}`, actual: describe(value) });
  for (const n of names) define(ctx, frame, n, poison([value]));
}

/** The name of an indexed target: `blocks` and '3'; undefined index where it is not known. */
export function targetOf(ctx: Context, frame: Frame, target: StmtOf<'layer'>['target']): { readonly path: string; readonly at?: number } | undefined {
  if (target.index === undefined) return { path: target.name.text };
  const v = evaluate(ctx, frame, target.index);
  if (v.kind === 'number' && v.integer && v.value >= 0) return { path: `${target.name.text}.${v.value}`, at: v.value };
  if (!isPoison(v)) ctx.report('TPS3013', target.index.range, frame.module, { where: 'an index', expected: 'a whole number known now', actual: describe(v) });
  return undefined;
}

/** Binds `name` or one place of the list `name[i]`, which lives as long as the body. */
export function bindTarget(ctx: Context, frame: Frame, name: Identifier, at: number | undefined, value: Value): void {
  if (at === undefined) {
    define(ctx, frame, name, value);
    return;
  }
  let root = frame.scope;
  while (root.parent !== undefined) root = root.parent;
  const old = root.find(name.text);
  const items = old?.kind === 'list' ? [...old.items] : [];
  while (items.length <= at) items.push(hole);
  items[at] = value;
  root.define(name, list(items));
}

function layer(ctx: Context, frame: Frame, s: StmtOf<'layer'>): void {
  const target = targetOf(ctx, frame, s.target);
  const value = evaluate(ctx, frame, s.value);
  if (target === undefined) {
    bindTarget(ctx, frame, s.target.name, undefined, poison([value]));
    return;
  }
  const closure = value.kind === 'closure' && value.block.config !== undefined && value.config === undefined ? apply(ctx, frame, value, [], undefined, s.value.range) : value;
  if (closure.kind !== 'closure') {
    if (!isPoison(closure)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'layer', name: s.target.name.text, found: describe(closure), expected: 'a block' });
    bindTarget(ctx, frame, s.target.name, target.at, poison([closure]));
    return;
  }
  const path = join(frame.path, target.path);
  if (frame.declared.has(path)) ctx.report('TPS2004', s.target.name.range, frame.module, { name: target.path });
  frame.declared.add(path);
  const instance = { ...closure, path: closure.perTask ? taskPath(path) : path };
  if (s.type !== undefined) declareLayer(ctx, frame, s, s.type, instance);
  bindTarget(ctx, frame, s.target.name, target.at, instance);
}

/** `layer f: T = …`: the tensors that the layer has for an input of this type, whether or not anything calls it. */
function declareLayer(ctx: Context, frame: Frame, s: StmtOf<'layer'>, type: TypeExpr, instance: Closure & { readonly path: string }): void {
  const [input, ...others] = instance.block.inputs;
  if (input === undefined || others.some((p) => p.value === undefined)) {
    ctx.report('TPS4013', type.range, frame.module, { role: 'layer', name: s.target.name.text, found: `a block of ${instance.block.inputs.length} inputs`, expected: 'a block of one: only its type is said here' });
    return;
  }
  const dims = type.kind === 'tensor' ? dimsOf(ctx, frame, type) : undefined;
  const isTask = type.kind === 'named' && type.name === 'task';
  if (type.kind === 'error' || (type.kind === 'tensor' && dims === undefined)) return;
  if (!isTask && dims === undefined) {
    ctx.report('TPS3013', type.range, frame.module, { where: 'the type of a layer’s input', expected: 'a tensor or a task', actual: formatTypeExpr(type) });
    return;
  }
  ctx.declareOnly(() => {
    const value: Value = dims === undefined ? { kind: 'task', set: ctx.world.tasks } : ctx.tensor(ctx.builder.leaf('input', { name: 'declared' }, { dtype: dtypeOf(type), shape: dims }));
    runBlock(ctx, frame, instance, new Map([[input.name.text, value]]), s.range, instance.path);
  });
}
const dtypeOf = (type: TypeExpr): 'f32' | 'i64' | 'bool' => (type.kind === 'tensor' && (type.dtype === 'i64' || type.dtype === 'bool') ? type.dtype : 'f32');
