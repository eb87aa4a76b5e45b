// From one program, the functions of training and inference, each an ordinary graph over the same tensors.
// Feeds and fetches are named as `leafName` says; `gradFunction` and `applyFunction` add the names documented on them.
import { GraphBuilder } from './ir/builder.js';
import type { Graph, NodeId, Output } from './ir/graph.js';
import { gradients } from './passes/autodiff.js';
import { madeOf, type Backward } from './passes/backward.js';
import { optimise, PASSES, prepare, type Pass } from './passes/index.js';
import { keptAtPrices, rematerialise, rematerialiseWithin, type Recomputation, type Rematerialised } from './passes/rematerialise.js';
import { schedule } from './passes/schedule.js';
import { frozenForAll, trainable, type OptimizerConfig, type Program, type TensorInfo } from './program.js';
import { int8Products, type Int8Product } from './targets/onnx/quantise.js';
import type { TensorValue } from './bindings.js';

/** infer(image; t, schedules) -> logits, … after the passes. */
export const inferFunction = (program: Program): Graph => optimise(program.infer);

/** evaluate(image, truth; t, schedules) -> logits, loss f32[B]. */
export const evalFunction = (program: Program): Graph => {
  const graph = trained(program, program.evaluate);
  return optimise(new GraphBuilder(graph).finish(['logits', 'loss'].map((name) => outputOf(graph, name))));
};

/** What decides how gradients are computed, and nothing of what they are. */
export interface GradOptions {
  readonly passes?: ReadonlySet<Pass>;
  readonly recomputation?: Recomputation;
}

const SEED = 'weights';
const BACKWARD: Backward = { seed: SEED, isGradient: (name) => name.startsWith('grad:') };

/**
 * What a byte is worth where nobody says so: at the first price a step does about 5 % more work and keeps half as much, and a step that would still keep
 * more than 4 GiB pays more, up to the last (decision 17; `bench/step.ts --price`).
 */
const USUAL_PRICES = [100, 150, 200, 300, 400] as const, ROOM = 4 * 2 ** 30;
const spared = (program: Program, graph: Graph, recomputation?: Recomputation): Rematerialised =>
  (recomputation === undefined ? rematerialiseWithin(graph, BACKWARD, USUAL_PRICES, ROOM, program.training?.batch ?? 1) : rematerialise(graph, BACKWARD, recomputation));

/**
 * grad(image, truth, weights f32[B]; t, schedules, drops) -> loss f32[B]; `grad:PATH` of Σ_b weights_b · loss_b for every
 * trainable parameter that the loss reaches; `state:PATH`.
 */
export const gradFunction = (program: Program, options: GradOptions = {}): Graph => economical(program, wholeGradient(program, options), options);

/** grad before it is decided what is kept for the backward and in which order all is done: what may be cut in two. */
export function wholeGradient(program: Program, { passes = PASSES }: GradOptions = {}): Graph {
  const graph = prepare(trained(program, program.train), passes);
  const b = new GraphBuilder(graph);
  const loss = outputOf(graph, 'loss').id;
  const weights = b.leaf('input', { name: SEED }, b.type(loss));
  const total = b.reshape(b.sum(b.mul(weights, loss), [0]), []);
  const paths = new Set(trainable(program).map((tensor) => tensor.path));
  const leaves = [...graph.nodes.values()].filter((n) => n.op === 'param' && paths.has(String(n.attrs.path)));
  // A parameter's copies of other tasks have no gradient: a loss that reads them all would be trained wrongly, in silence.
  const whole = [...b.finish([{ name: 'loss', id: loss }]).nodes.values()].find((n) => n.op === 'every_task' && paths.has(String(n.attrs.path)));
  if (whole !== undefined) throw new Error(`the loss reads the copies of all tasks of the parameter ${String(whole.attrs.path)}; only states can be read so`);
  const found = gradients(b, total, leaves.map((n) => n.id));
  const outputs: Output[] = [{ name: 'loss', id: loss }];
  for (const [i, leaf] of leaves.entries()) {
    const id = found[i];
    if (id !== undefined) outputs.push({ name: `grad:${String(leaf.attrs.path)}`, id });
  }
  return optimise(b.finish([...outputs, ...graph.outputs.filter((o) => o.name.startsWith('state:'))]), passes);
}

/** What is made of `wholeGradient`, or of a part of it with its loss and gradients, with less memory and the same values. */
export function economical(program: Program, graph: Graph, { passes = PASSES, recomputation }: GradOptions = {}): Graph {
  const less = passes.has('rematerialise') ? spared(program, graph, recomputation).graph : graph;
  return passes.has('schedule') ? schedule(less, BACKWARD) : less;
}

/** Bytes of the forward that grad keeps for its gradients at each price, for a batch of `batch` images. */
export const keptAt = (program: Program, prices: readonly number[], batch: number): readonly number[] => keptAtPrices(wholeGradient(program), BACKWARD, prices, batch);
/** The same as it is where nobody says a price, for a batch of the training's size. */
export const usuallyKept = (program: Program): number => spared(program, wholeGradient(program)).kept;

/**
 * The forward's products in a function of `program` with a frozen matrix that all tasks share, copies of them for the backward too: what can be in int8.
 * Gradients' products with the same matrices are none of them.
 */
export function frozenProducts(program: Program, graph: Graph, tensors: ReadonlyMap<string, TensorValue>): ReadonlyMap<NodeId, Int8Product> {
  const paths = frozenForAll(program), gradient = madeOf(graph, SEED);
  return new Map([...int8Products(graph, { tensors }, paths)].filter(([id]) => !gradient.has(id)));
}

/**
 * apply over some tensors: feeds `PATH`, `grad:PATH`, `m:PATH`, `v:PATH` (those that the optimiser keeps), and the scalars `lr`,
 * `step` (1 at the first update of these tensors) and `clip` (the factor min(1, c / ||g||), 1 without clipping); gives `PATH`, `m:PATH`, `v:PATH`.
 */
export function applyFunction(tensors: readonly Pick<TensorInfo, 'path' | 'shape'>[], optimizer: OptimizerConfig): Graph {
  const b = new GraphBuilder();
  const scalars = { lr: scalarInput(b, 'lr'), step: scalarInput(b, 'step'), clip: scalarInput(b, 'clip') };
  const outputs = tensors.flatMap((tensor) => {
    const type = { dtype: 'f32', shape: tensor.shape } as const;
    const named = (kind: string): NodeId => b.leaf('input', { name: `${kind}:${tensor.path}` }, type);
    const value = b.leaf('param', { path: tensor.path }, type);
    const gradient = b.mul(named('grad'), scalars.clip);
    const updated = UPDATES[optimizer.kind]({ b, optimizer, ...scalars, value, gradient, kept: named });
    return [{ name: tensor.path, id: updated.value }, ...Object.entries(updated.kept).map(([kind, id]) => ({ name: `${kind}:${tensor.path}`, id }))];
  });
  return optimise(b.finish(outputs));
}

/**
 * All that a training by somebody else needs, by name: infer, eval, grad, and the updates of what the loss reaches: apply of the tensors that tasks share,
 * apply_task of one task's own, whose counts of steps differ. Either is absent where it has no tensors.
 */
export function trainingFunctions(program: Program, optimizer: OptimizerConfig): Readonly<Record<string, Graph>> {
  const grad = gradFunction(program), reached = new Set(grad.outputs.map((o) => o.name));
  const trained = trainable(program).filter((t) => reached.has(`grad:${t.path}`));
  const updates = ([['apply', false], ['apply_task', true]] as const).flatMap(([name, perTask]) => {
    const tensors = trained.filter((t) => t.perTask === perTask);
    return tensors.length === 0 ? [] : [[name, applyFunction(tensors, optimizer)] as const];
  });
  return { infer: inferFunction(program), eval: evalFunction(program), grad, ...Object.fromEntries(updates) };
}

interface UpdateContext {
  readonly b: GraphBuilder;
  readonly optimizer: OptimizerConfig;
  readonly lr: NodeId;
  readonly step: NodeId;
  readonly value: NodeId;
  readonly gradient: NodeId;
  /** What the optimiser keeps of this tensor under a name, before the step. */
  readonly kept: (kind: 'm' | 'v') => NodeId;
}
interface Updated { readonly value: NodeId; readonly kept: Readonly<Record<string, NodeId>> }

const UPDATES: Readonly<Record<OptimizerConfig['kind'], (u: UpdateContext) => Updated>> = {
  adam: (u) => adamStep(u, u.value, withDecay(u)),
  // Decoupled: p (1 - lr λ), and the gradient is left alone (Loshchilov and Hutter 2019, alg. 2, as PyTorch).
  adamw: (u) => {
    const { b, optimizer, lr, value, gradient } = u;
    return adamStep(u, optimizer.weightDecay === 0 ? value : b.mul(value, b.shift(b.scale(lr, -optimizer.weightDecay), 1)), gradient);
  },
  sgd: (u): Updated => {
    const { b, optimizer: { momentum }, lr, value, kept } = u;
    const gradient = withDecay(u);
    if (momentum === 0) return { value: b.sub(value, b.mul(gradient, lr)), kept: {} };
    const m = b.addition(b.scale(kept('m'), momentum), gradient);
    return { value: b.sub(value, b.mul(m, lr)), kept: { m } };
  },
};

/** g + λ p: L2 regularisation. */
const withDecay = ({ b, optimizer: { weightDecay }, value, gradient }: UpdateContext): NodeId =>
  (weightDecay === 0 ? gradient : b.addition(gradient, b.scale(value, weightDecay)));

/**
 * Adam (Kingma and Ba 2015, alg. 1) with c_i = 1 - β_i^step:
 * m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², p - lr·(m/c₁)/(√(v/c₂) + ε), the last as lr·√c₂/c₁ · m/(√v + ε√c₂): two passes over the tensor less.
 */
function adamStep({ b, optimizer: { beta1, beta2, eps }, lr, step, kept }: UpdateContext, value: NodeId, gradient: NodeId): Updated {
  const m = b.addition(b.scale(kept('m'), beta1), b.scale(gradient, 1 - beta1));
  const v = b.addition(b.scale(kept('v'), beta2), b.scale(b.mul(gradient, gradient), 1 - beta2));
  const root = b.add('sqrt', [oneMinusPower(b, beta2, step)]);
  const rate = b.div(b.mul(lr, root), oneMinusPower(b, beta1, step));
  const direction = b.div(m, b.addition(b.add('sqrt', [v]), b.scale(root, eps)));
  return { value: b.sub(value, b.mul(direction, rate)), kept: { m, v } };
}

/** 1 - β^step = 2u / (1 + u) with u = tanh(-step ln β / 2): in float32, 1 - 0.999^1 by `pow` is wrong in the fifth digit. */
function oneMinusPower(b: GraphBuilder, beta: number, step: NodeId): NodeId {
  if (beta === 0) return b.scalar(1);
  const u = b.add('tanh', [b.scale(step, -Math.log(beta) / 2)]);
  return b.div(b.scale(u, 2), b.shift(u, 1));
}

const scalarInput = (b: GraphBuilder, name: string): NodeId => b.leaf('input', { name }, { dtype: 'f32', shape: [] });

function trained(program: Program, graph: Graph | undefined): Graph {
  if (graph === undefined) throw new Error(`${program.file} has no train block`);
  return graph;
}

function outputOf(graph: Graph, name: string): Output {
  const output = graph.outputs.find((o) => o.name === name);
  if (output === undefined) throw new Error(`the graph has no output ${name}`);
  return output;
}
