// The five nouns of the language and their checks: encoder, adapter, gate, prototypes (and other state), decoder.
import type { Entry, Path, RecordExpr, StmtOf } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { sameShape } from '../ir/builder.js';
import { equalDim } from '../ir/dim.js';
import { formatType, type Node, type NodeId } from '../ir/graph.js';
import type { Init } from '../program.js';
import { runBlock } from './calls.js';
import { Scope, join, staticShape, type Call, type Context, type Frame, type TensorEntry } from './context.js';
import { asTensor, childIndexes, evaluate, lookup, taskPath } from './expressions.js';
import { initOf } from './parameters.js';
import { checkGateLaw } from './rules/gate-law.js';
import { dimsOf } from './shapes.js';
import { bindTarget, define, targetOf } from './statements.js';
import { suggestion } from './suggest.js';
import { describe, isPoison, nothingKnown, number, poison, type Closure, type Tensor, type Value } from './values.js';

// ---------------------------------------------------------------- encoder, decoder

export function encoder(ctx: Context, frame: Frame, s: StmtOf<'encoder' | 'decoder'>): void {
  const target = targetOf(ctx, frame, s.target);
  const name = target?.path ?? s.target.name.text;
  const options = encoderOptions(ctx, frame, s.with);
  const before = new Set(ctx.tensors.keys());
  const value = evaluate(ctx, frame, s.value, { name });
  bindTarget(ctx, frame, s.target.name, target?.at, value);
  for (const [path, entry] of ctx.tensors) {
    if (before.has(path) || entry.info.kind !== 'param') continue;
    entry.info = { ...entry.info, frozen: options.frozen, ...(options.weights === undefined ? {} : { weights: options.weights }) };
  }
  const source = options.weights === undefined ? undefined : frame.module.names.get(options.weights)?.decl;
  if (source?.kind === 'weights') ctx.encoders.push({ path: name, weights: source });
  if (options.frozen && options.weights === undefined) ctx.report('TPS7004', s.target.name.range, frame.module, { name });
}

function encoderOptions(ctx: Context, frame: Frame, record: RecordExpr | undefined): { readonly frozen: boolean; readonly weights?: string } {
  let frozen = false;
  let weights: string | undefined;
  for (const f of record?.fields ?? []) {
    if (f.name.text === 'frozen') {
      const v = evaluate(ctx, frame, f.value);
      if (v.kind === 'bool') frozen = v.value;
      else if (!isPoison(v)) ctx.report('TPS3013', f.value.range, frame.module, { where: '`frozen`', expected: 'true or false', actual: describe(v) });
    } else if (f.name.text === 'weights') {
      const sources = [...frame.module.names].filter(([, b]) => b.decl.kind === 'weights' || b.decl.kind === 'train').map(([n]) => n);
      if (f.value.kind === 'name' && (sources.includes(f.value.name) || frame.module.doubtful.has(f.value.name))) weights = f.value.name;
      else ctx.report('TPS2007', f.value.range, frame.module, { what: '`weights` or `train` declaration', name: printExpr(f.value), help: suggestion(printExpr(f.value), sources) });
    } else ctx.report('TPS3014', f.name.range, frame.module, { what: 'an encoder', name: f.name.text, help: suggestion(f.name.text, ['frozen', 'weights']) });
  }
  return { frozen, ...(weights === undefined ? {} : { weights }) };
}

export function decoder(ctx: Context, frame: Frame, s: StmtOf<'encoder' | 'decoder'>): void {
  const target = targetOf(ctx, frame, s.target);
  const name = target?.path ?? s.target.name.text;
  const value = evaluate(ctx, frame, s.value, { name });
  bindTarget(ctx, frame, s.target.name, target?.at, value);
  if (isPoison(value)) return;
  const logits = value.kind === 'record' ? value.fields.get('logits') : value;
  if (logits !== undefined && isPoison(logits)) return;
  const type = logits?.kind === 'tensor' ? logits.builder.type(logits.id) : undefined;
  if (type?.dtype !== 'f32' || type.shape.length !== 4) ctx.report('TPS4010', s.target.name.range, frame.module, { name });
}

// ---------------------------------------------------------------- paths of nodes

interface Place { readonly path: string; readonly indexes: readonly number[]; readonly bound: ReadonlyMap<string, number> }

/** The instances that a path names; undefined: none (reported). */
function placesOf(ctx: Context, frame: Frame, path: Path): readonly Place[] | undefined {
  const root = lookup(ctx, frame, path.root.text, path.root.range);
  if (isPoison(root)) return undefined;
  // an instance whose result is a plain tensor is known by its name
  const named = join(frame.path, path.root.text);
  const called = [...ctx.calls.keys()].some((k) => k === named || k.startsWith(`${named}.`));
  const rootPath = root.kind === 'record' || root.kind === 'closure' ? root.path : called ? named : undefined;
  const text = pathText(path);
  if (rootPath === undefined) {
    ctx.report('TPS4002', path.root.range, frame.module, { path: text, detail: `\`${path.root.text}\` is ${describe(root)}, no instance`, help: 'a path begins at an encoder, a decoder or a layer' });
    return undefined;
  }
  let places: Place[] = [{ path: rootPath, indexes: [], bound: new Map() }];
  for (const step of path.steps) {
    const next: Place[] = [];
    for (const place of places) {
      if (step.kind === 'member') {
        next.push({ ...place, path: join(place.path, step.name.text) });
        continue;
      }
      const children = childIndexes(ctx, place.path);
      const wanted = step.kind === 'every' ? children : indexesOf(evaluate(ctx, frame, step.index));
      for (const i of wanted ?? []) {
        if (step.kind === 'index' && !children.includes(i)) {
          ctx.report('TPS3015', step.range, frame.module, { index: i, what: `\`${place.path}\``, count: children.length });
          return undefined;
        }
        const bound = step.as === undefined ? place.bound : new Map([...place.bound, [step.as.text, i]]);
        next.push({ path: join(place.path, String(i)), indexes: [...place.indexes, i], bound });
      }
    }
    const alive = next.filter((p) => [...ctx.calls.keys()].some((k) => k === p.path || k.startsWith(`${p.path}.`)));
    if (alive.length === 0) {
      const prefix = places[0]?.path ?? rootPath;
      const names = new Set([...ctx.calls.keys()].filter((k) => k.startsWith(`${prefix}.`)).map((k) => k.slice(prefix.length + 1).split('.')[0] ?? ''));
      const last = step.kind === 'member' ? step.name.text : '*';
      ctx.report('TPS4002', step.range, frame.module, { path: text, detail: `\`${prefix}\` has no ${step.kind === 'member' ? `\`${last}\`` : 'numbered nodes'}`, help: suggestion(last, names) });
      return undefined;
    }
    places = alive;
  }
  return places;
}
const indexesOf = (v: Value): readonly number[] | undefined => {
  if (v.kind === 'number') return [v.value];
  if (v.kind === 'list') return v.items.flatMap((i) => (i.kind === 'number' ? [i.value] : []));
  return undefined;
};
const pathText = (p: Path): string => p.root.text + p.steps.map((s) => (s.kind === 'member' ? `.${s.name.text}` : s.kind === 'every' ? '[*]' : `[${printExpr(s.index)}]`)).join('');

// ---------------------------------------------------------------- adapter

export function adapter(ctx: Context, frame: Frame, s: StmtOf<'adapter'>): void {
  const places = placesOf(ctx, frame, s.path);
  if (places === undefined) {
    ctx.doubtfulNames.push(...namesIn(s));
    return;
  }
  for (const place of places) {
    const turn: Frame = { ...frame, scope: new Scope(frame.scope) };
    for (const [name, i] of place.bound) turn.scope.define({ text: name, range: s.path.range }, number(i, true));
    const value = evaluate(ctx, turn, s.value);
    const closure = value.kind === 'closure' && value.block.config !== undefined && value.config === undefined ? { ...value, config: new Map<string, Value>() } : value;
    if (closure.kind !== 'closure') {
      if (!isPoison(closure)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'adapter', name: s.name.text, found: describe(closure), expected: 'a block' });
      return;
    }
    const own = join(frame.path, [s.name.text, ...place.indexes].join('.'));
    const perTask = s.per !== undefined || closure.perTask;
    for (const call of ctx.calls.get(place.path) ?? []) {
      if (!attach(ctx, turn, s, { ...closure, perTask: false, path: perTask ? taskPath(own) : own }, call)) return;
    }
  }
}
const namesIn = (s: StmtOf<'adapter'>): string[] => (s.value.kind === 'call' ? s.value.args.flatMap((a) => (a.element.value.kind === 'index' && a.element.value.object.kind === 'name' ? [a.element.value.object.name] : [])) : []);

/** Puts an adapter at one call. False: it does not fit (reported). */
function attach(ctx: Context, frame: Frame, s: StmtOf<'adapter'>, closure: Closure, call: Call): boolean {
  const x = call.inputs[0];
  const y = call.output.kind === 'tensor' ? call.output.id : undefined;
  const reads = s.place === 'after' ? y : x;
  const replaced = s.place === 'before' ? x : y;
  if (reads === undefined || replaced === undefined) {
    ctx.report('TPS4002', s.path.range, frame.module, { path: call.path, detail: 'it has no single tensor to adapt', help: 'an adapter sits at a node with a tensor input and a tensor output' });
    return false;
  }
  const expected = ctx.builder.type(replaced);
  const path = closure.path ?? s.name.text;
  // a block of two inputs sees the node's output too, beside or after it
  const feed = (id: NodeId, output?: NodeId): Tensor | undefined => {
    const [input, second] = closure.block.inputs;
    if (input === undefined) return undefined;
    const given = new Map([[input.name.text, ctx.tensor(id)]]);
    if (second !== undefined && output !== undefined) given.set(second.name.text, ctx.tensor(output));
    const value = runBlock(ctx, frame, closure, given, s.value.range, path);
    if (value.kind === 'tensor') return value;
    if (!isPoison(value)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'adapter', name: s.name.text, found: describe(value), expected: 'a block that returns one tensor' });
    return undefined;
  };
  const fits = (out: Tensor): boolean => {
    const type = ctx.builder.type(out.id);
    if (sameShape(type.shape, expected.shape) && type.dtype === expected.dtype) return true;
    ctx.doubtful.push(out.id);
    const width = expected.shape.at(-1);
    ctx.report('TPS4001', s.value.range, frame.module, { name: s.name.text, expected: formatType(expected), actual: formatType(type), width: typeof width === 'number' ? width : '…' });
    return false;
  };
  if (s.place === 'before') {
    const out = feed(reads);
    if (out === undefined || !fits(out)) return false;
    // every reader of x inside the call now reads the adapted x
    for (const node of [...ctx.builder.nodes.values()]) {
      const origin = ctx.movedFrom.get(node.id) ?? node.id;
      if (origin < call.start || origin >= call.end || !node.inputs.includes(reads)) continue;
      ctx.builder.redefine(node.id, { ...node, inputs: node.inputs.map((i) => (i === reads ? out.id : i)) });
    }
    return true;
  }
  // after, beside: y keeps its id for all its readers; what made it moves to a new one
  const node: Node = ctx.builder.node(replaced);
  ctx.builder.place = { path: node.path, ...(node.range === undefined ? {} : { range: node.range }) };
  const moved = ctx.builder.leaf(node.op, node.attrs, node.type, node.inputs);
  ctx.movedFrom.set(moved, ctx.movedFrom.get(replaced) ?? replaced);
  const out = feed(s.place === 'after' ? moved : reads, moved);
  if (out === undefined || !fits(out)) return false;
  const home = { path, range: s.range };
  if (s.place === 'after') ctx.builder.redefine(replaced, { op: 'identity', inputs: [out.id], attrs: {}, type: node.type, ...home });
  else ctx.builder.redefine(replaced, { op: 'add', inputs: [moved, out.id], attrs: {}, type: node.type, ...home });
  return true;
}

// ---------------------------------------------------------------- gate

export function gate(ctx: Context, frame: Frame, s: StmtOf<'gate'>): void {
  const name = s.name.text;
  if (s.per === undefined) ctx.report('TPS4005', s.name.range, frame.module, { name });
  const own = join(frame.path, name);
  const path = s.per === undefined ? own : taskPath(own);
  const body: Frame = { ...frame, path, block: name, ordinals: new Map() };
  const free = s.value.kind === 'call' && s.value.callee.kind === 'name' && s.value.callee.name === 'free';
  // the outermost block is the gate itself: its path is the gate's
  const value = evaluate(ctx, body, s.value, { path });
  const places = placesOf(ctx, frame, s.over);
  const tensor = isPoison(value) ? undefined : asTensor(ctx, value);
  define(ctx, frame, s.name, tensor ?? poison([value]));
  if (tensor === undefined) {
    if (!isPoison(value)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'gate', name, found: describe(value), expected: 'a tensor' });
    return;
  }
  ctx.gates.push({ name, id: tensor.id, range: s.name.range });
  const type = ctx.builder.type(tensor.id);
  const count = places === undefined ? undefined : places.length === 1 && s.over.steps.at(-1)?.kind === 'member' ? childIndexes(ctx, places[0]?.path ?? '').length : places.length;
  if (count !== undefined && (type.shape.length !== 1 || !equalDim(type.shape[0] ?? -1, count))) {
    ctx.report('TPS4003', s.value.range, frame.module, { name, actual: formatType(type), over: pathText(s.over), count });
    return;
  }
  if (free) ctx.report('TPS4006', s.name.range, frame.module, { name });
  else {
    const broken = checkGateLaw(ctx.builder, tensor.id, new Map([...ctx.schedules.values()].map((x) => [x.schedule.name, x.schedule])));
    if (broken !== undefined) ctx.report('TPS4004', s.value.range, frame.module, { name, property: broken });
  }
}

// ---------------------------------------------------------------- state

const ROLE = { prototypes: 'prototypes', state: 'state' } as const;

export function state(ctx: Context, frame: Frame, s: StmtOf<'prototypes' | 'state'>): void {
  const name = s.name.text;
  const dims = dimsOf(ctx, frame, s.type);
  const shape = dims === undefined ? undefined : staticShape(dims);
  const entry = (key: string): Entry | undefined => s.entries.find((e) => e.key.text === key);
  for (const e of s.entries) if (e.key.text !== 'init' && e.key.text !== 'update') ctx.report('TPS6001', e.key.range, frame.module, { block: ROLE[s.kind], key: e.key.text, help: suggestion(e.key.text, ['init', 'update']) });
  const [init, update] = [entry('init'), entry('update')];
  const whole = (s.damaged ?? []).length === 0;
  if (init === undefined && whole) ctx.report('TPS4008', s.name.range, frame.module, { role: ROLE[s.kind], name, entry: 'init', help: 'a state begins with a value: `init = zeros`' });
  if (update === undefined && whole) {
    if (s.kind === 'prototypes') ctx.report('TPS4008', s.name.range, frame.module, { role: 'prototypes', name, entry: 'update', help: 'prototypes are written in every training step: `update = ema(new, momentum: 0.9)`; a learnable prototype is a plain `param`' });
    else ctx.report('TPS7010', s.name.range, frame.module, { name });
  }
  if (shape === undefined || init === undefined) {
    define(ctx, frame, s.name, nothingKnown);
    return;
  }
  const start = stateInit(ctx, frame, init, shape, name);
  const path = s.per === undefined ? join(frame.path, name) : taskPath(join(frame.path, name));
  ctx.builder.place = { path: frame.path, range: s.name.range };
  const id = start === undefined ? undefined : ctx.declare('state', path, name, shape, start, frame, s.name.range, ROLE[s.kind]);
  const value = id === undefined ? nothingKnown : ctx.tensor(id);
  define(ctx, frame, s.name, value);
  if (update === undefined || id === undefined) return;
  frame.deferred.push(() => {
    const scope = new Scope(frame.scope);
    scope.define({ text: 'old', range: s.range }, value);
    if (ctx.truth !== undefined) scope.define({ text: 'truth', range: s.range }, ctx.truth);
    const next = evaluate(ctx, { ...frame, scope }, update.value);
    if (isPoison(next)) {
      ctx.doubtful.push(...(next.kind === 'poison' ? next.ids : []));
      return;
    }
    const tensor = asTensor(ctx, next);
    const type = tensor === undefined ? undefined : ctx.builder.type(tensor.id);
    if (tensor === undefined || type === undefined || !sameShape(type.shape, shape)) {
      ctx.report('TPS4015', update.value.range, frame.module, { entry: 'update', name, actual: type === undefined ? describe(next) : formatType(type), expected: formatType({ dtype: 'f32', shape }) });
      return;
    }
    ctx.updates.push({ path, id: tensor.id });
  });
}

/** A plain initial value, or a graph of its own that is run once (per task) when a run begins. */
function stateInit(ctx: Context, frame: Frame, entry: Entry, shape: readonly number[], name: string): Init | undefined {
  const e = entry.value;
  const plain = e.kind === 'name' || e.kind === 'number' || e.kind === 'list' || (e.kind === 'call' && e.callee.kind === 'name' && ['constant', 'normal', 'truncated_normal', 'uniform'].includes(e.callee.name));
  if (plain) return initOf(ctx, frame, e, shape, name);
  const aside = ctx.aside(() => {
    const apart: Frame = { ...frame, path: join(frame.path, `${name}.init`), block: name, ordinals: new Map(), declared: new Set() };
    return evaluate(ctx, apart, e);
  });
  const { result, builder } = aside;
  if (isPoison(result)) return undefined;
  const type = result.kind === 'tensor' ? builder.type(result.id) : undefined;
  if (result.kind !== 'tensor' || type === undefined || !sameShape(type.shape, shape)) {
    ctx.report('TPS4015', e.range, frame.module, { entry: 'init', name, actual: type === undefined ? describe(result) : formatType(type), expected: formatType({ dtype: 'f32', shape }) });
    return undefined;
  }
  return { kind: 'graph', graph: builder.finish([{ name: 'init', id: result.id }]), params: [...aside.tensors.values()].map((t: TensorEntry) => t.info) };
}
