// The nouns of the language and their checks: encoder, gate, prototypes (and other state), decoder. Adapters are in `adapters.ts`.
import type { Entry, Identifier, RecordExpr, StmtOf } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { sameShape } from '../ir/builder.js';
import { equalDim, formatShape } from '../ir/dim.js';
import { formatType, isLeaf, type Node } from '../ir/graph.js';
import type { Init } from '../program.js';
import { Scope, join, staticShape, type Context, type Frame, type TensorEntry } from './context.js';
import { asTensor, childIndexes, evaluate, lookup, taskPath } from './expressions.js';
import { pathText } from '../resolve/variants.js';
import { placesOf } from './node-paths.js';
import { initOf } from './parameters.js';
import { readsTask } from './rules/batch.js';
import { checkGateLaw } from './rules/gate-law.js';
import { dimsOf } from './shapes.js';
import { bindTarget, define, targetOf } from './statements.js';
import { suggestion } from './suggest.js';
import { describe, isPoison, nothingKnown, poison } from './values.js';

// ---------------------------------------------------------------- encoder, decoder

export function encoder(ctx: Context, frame: Frame, s: StmtOf<'encoder' | 'decoder'>): void {
  const target = targetOf(ctx, frame, s.target);
  const name = target?.path ?? s.target.name.text;
  const options = encoderOptions(ctx, frame, s.with);
  const before = new Set(ctx.tensors.keys());
  const start = ctx.builder.nodes.size;
  const value = ctx.within(options.frozen, () => evaluate(ctx, frame, s.value, { name }));
  bindTarget(ctx, frame, s.target.name, target?.at, value);
  // what it declares, and what its instances read of layers that were called before
  const read = new Set([...ctx.builder.nodes.values()].flatMap((n) => (n.id >= start && n.path !== frame.path ? n.inputs : [])));
  for (const [path, entry] of ctx.tensors) {
    if ((before.has(path) && !read.has(entry.id)) || entry.info.kind !== 'param') continue;
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

/** `per t` of a statement: `t` must be the task. */
export function checkPer(ctx: Context, frame: Frame, per: Identifier | undefined): void {
  if (per === undefined) return;
  const over = lookup(ctx, frame, per.text, per.range);
  if (over.kind !== 'task' && !isPoison(over)) ctx.report('TPS4014', per.range, frame.module, { name: per.text });
}

// ---------------------------------------------------------------- gate

export function gate(ctx: Context, frame: Frame, s: StmtOf<'gate'>): void {
  const name = s.name.text;
  if (s.per === undefined) ctx.report('TPS4005', s.name.range, frame.module, { name });
  checkPer(ctx, frame, s.per);
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
  const whole = places?.length === 1 && s.over.steps.at(-1)?.kind === 'member' ? places[0]?.path : undefined;
  const nodes = whole === undefined ? places?.map((p) => p.path) : childIndexes(ctx, whole).map((i) => join(whole, String(i)));
  ctx.gates.push({ name, path: own, over: pathText(s.over), nodes: nodes ?? [], id: tensor.id, range: s.name.range });
  const type = ctx.builder.type(tensor.id);
  const count = nodes?.length;
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
  checkPer(ctx, frame, s.per);
  const dims = dimsOf(ctx, frame, s.type);
  const shape = dims === undefined ? undefined : staticShape(dims);
  if (dims !== undefined && shape === undefined && !ctx.definition) ctx.report('TPS3016', s.type.range, frame.module, { what: `the size of \`${name}\``, dependsOn: `the batch: ${formatShape(dims)}` });
  const entry = (key: string): Entry | undefined => s.entries.find((e) => e.key.text === key);
  for (const e of s.entries) if (entry(e.key.text) !== e) ctx.report('TPS2004', e.key.range, frame.module, { name: e.key.text });
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
  const start = stateInit(ctx, frame, init, shape, name, s.per !== undefined || frame.path.includes('{task}'));
  const path = s.per === undefined ? join(frame.path, name) : taskPath(join(frame.path, name));
  ctx.builder.place = { path: frame.path, range: s.name.range };
  const id = start === undefined ? undefined : ctx.declare('state', path, name, shape, start, frame, s.name.range, ROLE[s.kind]);
  const declared = s.kind === 'prototypes' ? ctx.tensors.get(path) : undefined;
  if (declared !== undefined) declared.info = { ...declared.info, role: 'prototypes' };
  const value = id === undefined ? nothingKnown : ctx.tensor(id);
  define(ctx, frame, s.name, value);
  if (update === undefined || id === undefined) return;
  frame.deferred.push(() => {
    const scope = new Scope(frame.scope);
    // an instance that is called twice is updated twice, the second time from what the first gave
    const earlier = ctx.updates.findIndex((u) => u.path === path);
    scope.define({ text: 'old', range: s.range }, ctx.updates[earlier] === undefined ? value : ctx.tensor(ctx.updates[earlier].id));
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
    // the law is checked, and writes nothing
    if (ctx.frozen) return;
    if (earlier >= 0) ctx.updates.splice(earlier, 1);
    ctx.updates.push({ path, id: tensor.id });
  });
}

const isTaskInput = (n: Node): boolean => n.op === 'input' && n.attrs['name'] === 't';

/** A plain initial value, or a graph of its own that is run once (per task) when a run begins. */
function stateInit(ctx: Context, frame: Frame, entry: Entry, shape: readonly number[], name: string, perTask: boolean): Init | undefined {
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
  const graph = builder.finish([{ name: 'init', id: result.id }]);
  const open = [...graph.nodes.values()].find((n) => isLeaf(n.op) && n.op !== 'constant' && !(n.op === 'param' || isTaskInput(n)) || (!perTask && readsTask(n)));
  if (open !== undefined) {
    ctx.report('TPS4011', e.range, frame.module, { name, what: readsTask(open) ? 'the task, but has one value for all tasks' : 'what only a step knows' }, readsTask(open) ? { help: `write \`per t\` after \`${name}\` to have one value a task` } : {});
    return undefined;
  }
  return { kind: 'graph', graph, params: [...aside.tensors.values()].map((t: TensorEntry) => t.info) };
}
