// Runs a model once, for training or for inference: inputs, body, results, loss. What comes out is still full of ids; `program.ts` takes them.
import type { EntriesDecl, ModelDecl, Range } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { symbol, type Dim } from '../ir/dim.js';
import type { NodeId, TensorType } from '../ir/graph.js';
import type { ModelInput, TrainConfig } from '../program.js';
import type { Module } from '../resolve/modules.js';
import { mendOf, valuesIn } from './conditions.js';
import { Context, newFrame, Scope, type Frame, type World } from './context.js';
import { evaluate } from './expressions.js';
import { fit, formatTypeExpr } from './shapes.js';
import { isImage } from './rules/contract.js';
import { runBody } from './statements.js';
import { lossOf, trainConfig } from './training.js';
import { asDim, describe, isPoison, nothingKnown, tensorsIn, type Value } from './values.js';

export interface Elaboration {
  readonly ctx: Context;
  readonly inputs: readonly ModelInput[];
  /** Name and node of each result; `logits` first. Empty where a mistake hides them. */
  readonly outputs: readonly { readonly name: string; readonly id: NodeId }[];
  /** What the model returns; absent where a mistake hides it. */
  readonly result?: Value;
  readonly loss?: NodeId;
  /** All that the results and the loss read, faulty parts too: what counts as read. */
  readonly roots: readonly NodeId[];
  /** What the loss reads, in the same sense. */
  readonly lossRoots: readonly NodeId[];
  readonly config?: TrainConfig;
}

export function elaborate(world: World, module: Module, model: ModelDecl, train: EntriesDecl | undefined, training: boolean, epochs?: number, growing = false): Elaboration {
  const ctx = new Context(world, training, { growing });
  const frame = newFrame(module, '', model.name.text);
  const inputs = bindInputs(ctx, frame, model);
  const image = inputs[0]?.type;
  const [B = 1, , H = 1, W = 1] = image?.shape ?? [];
  // without an image there is no mask of it; that is told elsewhere
  ctx.truth = image === undefined || !isImage(image) ? nothingKnown : ctx.tensor(ctx.builder.leaf('input', { name: 'truth' }, { dtype: 'f32', shape: [B, 1, H, W] }));
  for (const w of model.withs) frame.scope.define(w.name, evaluate(ctx, frame, w.value));
  for (const condition of model.where) {
    const v = evaluate(ctx, frame, condition);
    if (v.kind === 'bool' && !v.value) ctx.report('TPS3004', condition.range, module, { condition: printExpr(condition), name: model.name.text, values: valuesIn(ctx, frame, condition), help: mendOf(ctx, frame, condition) });
  }
  runBody(ctx, frame, model.body);
  const result = frame.returned ?? nothingKnown;
  if (frame.returned === undefined && !model.body.some((s) => s.kind === 'error')) ctx.report('TPS3017', model.name.range, module, { block: model.name.text });
  const wrong = fit(ctx, frame, model.result, result, (n) => module.names.has(n));
  if (wrong !== undefined) ctx.report('TPS3008', returnRange(model), module, { block: model.name.text, expected: wrong.expected, actual: wrong.actual }, wrong.detail === '' ? {} : { help: wrong.detail });
  const outputs = wrong === undefined ? outputsOf(result) : [];
  const network = ctx.builder.nodes.size;
  for (const later of frame.deferred) later();

  const scope = new Scope(frame.scope);
  scope.define({ text: 'truth', range: model.range }, ctx.truth);
  const trainFrame: Frame = { ...frame, scope, block: train?.name.text ?? '', ordinals: new Map() };
  const loss = train === undefined ? undefined : lossOf(ctx, trainFrame, train);
  const config = train === undefined ? undefined : trainConfig(ctx, { ...trainFrame, scope: frame.scope }, train, epochs);
  for (const id of ctx.builder.nodes.keys()) if (id >= network) ctx.lossOnly.add(id);
  const lossRoots = loss === undefined ? [] : [...tensorsIn([loss]), ...ctx.doubtful];
  return {
    ctx, inputs, outputs,
    ...(wrong === undefined && !isPoison(result) ? { result } : {}),
    ...(loss?.kind === 'tensor' ? { loss: loss.id } : {}),
    roots: [...tensorsIn([result]), ...lossRoots, ...ctx.doubtful], lossRoots,
    ...(config === undefined ? {} : { config }),
  };
}

const returnRange = (model: ModelDecl): Range => model.body.find((s) => s.kind === 'return')?.range ?? model.result.range;

function outputsOf(result: Value): { name: string; id: NodeId }[] {
  if (result.kind === 'tensor') return [{ name: 'logits', id: result.id }];
  if (result.kind !== 'record') return [];
  const all = [...result.fields].flatMap(([name, v]) => (v.kind === 'tensor' ? [{ name, id: v.id }] : []));
  return [...all.filter((o) => o.name === 'logits'), ...all.filter((o) => o.name !== 'logits')];
}

function bindInputs(ctx: Context, frame: Frame, model: ModelDecl): ModelInput[] {
  const inputs: ModelInput[] = [];
  for (const p of model.inputs) {
    const { type } = p;
    if (p.name.text === 'truth') {
      ctx.report('TPS4007', p.name.range, frame.module, {});
      frame.scope.define(p.name, nothingKnown);
      continue;
    }
    if (type.kind === 'tensor') ctx.refuseTaken(p.name.text, p.name.range, frame);
    if (type.kind === 'named' && type.name === 'task') {
      const declared = type.of === undefined ? undefined : frame.module.names.get(type.of.text);
      if (type.of !== undefined && declared?.decl.kind !== 'tasks' && !frame.module.doubtful.has(type.of.text)) {
        ctx.report('TPS2007', type.of.range, frame.module, { what: 'list of tasks', name: type.of.text, help: 'declare it: `tasks lesions { SL "Skin lesion" { folder: "skin_lesion" } }`' });
      }
      frame.scope.define(p.name, { kind: 'task', set: ctx.world.tasks });
      continue;
    }
    if (type.kind !== 'tensor') {
      if (type.kind !== 'error') ctx.report('TPS3013', type.range, frame.module, { where: 'an input of a model', expected: 'a tensor or a task', actual: formatTypeExpr(type) });
      frame.scope.define(p.name, nothingKnown);
      continue;
    }
    const shape: Dim[] = [];
    for (const [axis, d] of type.dims.entries()) {
      if (d.kind === 'dim' && d.value.kind === 'name' && axis === 0 && frame.scope.find(d.value.name) === undefined && !frame.module.names.has(d.value.name)) {
        frame.scope.define({ text: d.value.name, range: d.range }, { kind: 'dim', dim: symbol(d.value.name) });
      }
      if (d.kind === 'dim' && d.value.kind === 'name' && frame.scope.find(d.value.name) === undefined && !frame.module.names.has(d.value.name)) {
        if (!frame.module.doubtful.has(d.value.name)) ctx.report('TPS3021', d.range, frame.module, { name: d.value.name });
        frame.scope.define({ text: d.value.name, range: d.range }, nothingKnown);
      }
      const v = d.kind === 'dim' ? evaluate(ctx, frame, d.value) : nothingKnown;
      const size = asDim(v);
      if (size !== undefined) shape.push(size);
      else if (!isPoison(v) || d.kind !== 'dim') ctx.report('TPS3013', d.range, frame.module, { where: 'a size of a model’s input', expected: 'a whole number or the batch', actual: d.kind === 'dim' ? describe(v) : 'an open size' });
    }
    if (shape.length !== type.dims.length) {
      frame.scope.define(p.name, nothingKnown);
      continue;
    }
    const tensor: TensorType = { dtype: type.dtype === 'i64' ? 'i64' : type.dtype === 'bool' ? 'bool' : 'f32', shape };
    inputs.push({ name: p.name.text, type: tensor });
    frame.scope.define(p.name, ctx.tensor(ctx.builder.leaf('input', { name: p.name.text }, tensor)));
  }
  return inputs;
}
