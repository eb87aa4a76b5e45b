// Adapters: trained parts put before, after or beside nodes that are in the graph already.
import type { StmtOf } from '../../grammar/ast.js';
import { sameShape } from '../ir/builder.js';
import { formatType, type NodeId } from '../ir/graph.js';
import { apply, runBlock } from './calls.js';
import { join, Scope, type Call, type Context, type Frame } from './context.js';
import { evaluate, taskPath } from './expressions.js';
import { placesOf } from './node-paths.js';
import { checkPer } from './roles.js';
import { describe, isPoison, number, type Closure, type Tensor } from './values.js';

/** `adapter a before enc.blocks[*] = …`: one instance at each place, at every call of the node there. */
export function adapter(ctx: Context, frame: Frame, s: StmtOf<'adapter'>): void {
  checkPer(ctx, frame, s.per);
  const places = placesOf(ctx, frame, s.path);
  if (places === undefined) {
    ctx.doubtfulNames.push(...namesIn(s));
    return;
  }
  for (const place of places) {
    const own = join(frame.path, [s.name.text, ...place.indexes].join('.'));
    // what its arguments declare is its own, at each place
    const turn: Frame = { ...frame, scope: new Scope(frame.scope), path: own, ordinals: new Map(), declared: new Set() };
    for (const [name, i] of place.bound) turn.scope.define({ text: name, range: s.path.range }, number(i, true));
    const value = evaluate(ctx, turn, s.value);
    const closure = value.kind === 'closure' && value.block.config !== undefined && value.config === undefined ? apply(ctx, turn, value, [], undefined, s.value.range) : value;
    if (closure.kind !== 'closure') {
      if (!isPoison(closure)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'adapter', name: s.name.text, found: describe(closure), expected: 'a block' });
      return;
    }
    const perTask = s.per !== undefined || closure.perTask;
    ctx.adapted.set(perTask ? taskPath(own) : own, { place: s.place, node: place.path });
    for (const call of ctx.calls.get(place.path) ?? []) {
      if (!attach(ctx, turn, s, { ...closure, perTask: false, path: perTask ? taskPath(own) : own }, call)) return;
    }
  }
}
const namesIn = (s: StmtOf<'adapter'>): string[] => (s.value.kind === 'call' ? s.value.args.flatMap((a) => (a.element.value.kind === 'index' && a.element.value.object.kind === 'name' ? [a.element.value.object.name] : [])) : []);

/** Whether a node belongs to a call, or to one inside it. */
function isInside(ctx: Context, id: NodeId, call: Call): boolean {
  const made = ctx.movedFrom.get(id) ?? id;
  if (made >= call.start && made < call.end) return true;
  for (let home = ctx.homes.get(made); home !== undefined; home = home.within) if (home === call) return true;
  return false;
}

/** Every reader of `from` inside a call reads `to`; so do the calls inside it. False: there is none. */
function redirect(ctx: Context, call: Call, from: NodeId, to: NodeId): boolean {
  const turned = (inputs: readonly NodeId[]): readonly NodeId[] => inputs.map((i) => (i === from ? to : i));
  const readers = [...ctx.builder.nodes.values()].filter((n) => n.inputs.includes(from) && isInside(ctx, n.id, call));
  for (const node of readers) ctx.builder.redefine(node.id, { ...node, inputs: turned(node.inputs) });
  const isWithin = (c: Call | undefined): boolean => c !== undefined && (c === call || isWithin(c.within));
  for (const c of [...ctx.calls.values()].flat()) if (isWithin(c)) c.inputs = turned(c.inputs);
  return readers.length > 0;
}

/** Puts an adapter at one call. False: it does not fit (reported). */
function attach(ctx: Context, frame: Frame, s: StmtOf<'adapter'>, closure: Closure, call: Call): boolean {
  const x = call.inputs[0];
  const y = call.output.kind === 'tensor' ? call.output.id : undefined;
  const reads = s.place === 'after' ? y : x;
  const replaced = s.place === 'before' ? x : y;
  const elsewhere = s.place !== 'before' && y !== undefined && !isInside(ctx, y, call);
  if (reads === undefined || replaced === undefined || elsewhere) {
    ctx.report('TPS4002', s.path.range, frame.module, {
      path: call.path, detail: elsewhere ? 'it gives back a value that it did not make' : 'it has no single tensor to adapt',
      help: elsewhere ? 'put the adapter at the node that makes the value' : 'an adapter sits at a node with a tensor input and a tensor output',
    });
    return false;
  }
  // beside a node is inside it: what adapts the node's input adapts this input too
  const home = s.place === 'beside' ? call : call.within;
  const first = ctx.builder.nodes.size;
  const moved = s.place === 'before' ? undefined : moveAway(ctx, replaced);
  const out = feed(ctx, frame, s, closure, home, s.place === 'after' && moved !== undefined ? moved : reads, moved);
  for (let id = first; id < ctx.builder.nodes.size; id++) if (id !== moved) ctx.homes.set(id, home);
  if (out === undefined || !fits(ctx, frame, s, out, replaced)) return false;
  if (moved === undefined) {
    if (redirect(ctx, call, reads, out.id)) return true;
    ctx.report('TPS4002', s.path.range, frame.module, { path: call.path, detail: 'nothing in it reads its input', help: 'put the adapter at the node that the value comes from, or goes to' });
    return false;
  }
  const made = { attrs: {}, type: ctx.builder.type(replaced), path: closure.path ?? s.name.text, range: s.range };
  ctx.builder.redefine(replaced, s.place === 'after' ? { op: 'identity', inputs: [out.id], ...made } : { op: 'add', inputs: [moved, out.id], ...made });
  return true;
}

/** What made a value moves to a new id, so that the old one, with all its readers, can be given to another node. */
function moveAway(ctx: Context, id: NodeId): NodeId {
  const node = ctx.builder.node(id);
  ctx.builder.place = { path: node.path, ...(node.range === undefined ? {} : { range: node.range }) };
  const moved = ctx.builder.leaf(node.op, node.attrs, node.type, node.inputs);
  ctx.movedFrom.set(moved, ctx.movedFrom.get(id) ?? id);
  return moved;
}

/** Runs the adapter's block on `id`; one of two inputs sees the node's output too. undefined: reported. */
function feed(ctx: Context, frame: Frame, s: StmtOf<'adapter'>, closure: Closure, home: Call | undefined, id: NodeId, output: NodeId | undefined): Tensor | undefined {
  const [input, second] = closure.block.inputs;
  if (input === undefined) {
    ctx.report('TPS4013', s.value.range, frame.module, { role: 'adapter', name: s.name.text, found: `block \`${closure.block.name.text}\` without an input`, expected: 'a block of one input' });
    return undefined;
  }
  const given = new Map([[input.name.text, ctx.tensor(id)]]);
  if (second !== undefined && output !== undefined) given.set(second.name.text, ctx.tensor(output));
  const missing = closure.block.inputs.find((p) => p.value === undefined && !given.has(p.name.text));
  if (missing !== undefined) {
    ctx.report('TPS3009', s.value.range, frame.module, { callee: closure.block.name.text, argument: missing.name.text, list: 'inputs', signature: s.place === 'before' ? 'before a node, its input alone is given' : 'the node’s input or output is given, and its output as a second input' });
    return undefined;
  }
  if (home !== undefined) ctx.running.push(home);
  const value = runBlock(ctx, frame, closure, given, s.value.range, closure.path ?? s.name.text);
  if (home !== undefined) ctx.running.pop();
  if (value.kind === 'tensor') return value;
  if (!isPoison(value)) ctx.report('TPS4013', s.value.range, frame.module, { role: 'adapter', name: s.name.text, found: describe(value), expected: 'a block that returns one tensor' });
  return undefined;
}

/** An adapter gives back the type of what it stands for. */
function fits(ctx: Context, frame: Frame, s: StmtOf<'adapter'>, out: Tensor, replaced: NodeId): boolean {
  const [type, expected] = [ctx.builder.type(out.id), ctx.builder.type(replaced)];
  if (sameShape(type.shape, expected.shape) && type.dtype === expected.dtype) return true;
  ctx.doubtful.push(out.id);
  const width = expected.shape.at(-1);
  ctx.report('TPS4001', s.value.range, frame.module, { name: s.name.text, expected: formatType(expected), actual: formatType(type), width: typeof width === 'number' ? width : '…' });
  return false;
}
