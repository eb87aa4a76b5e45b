// The networks as text against the same networks in PyTorch, both filled by a formula: logits, losses, every gradient, prototypes
// after a step, ten steps of Adam. What made the goldens: test/oracle/nano.py and unet.py.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { inferFunction } from '../../compiler/functions.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { leafName, type Graph, type NodeId } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { optimise } from '../../compiler/passes/index.js';
import { pathForTask, storedPaths, taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import type { Batch } from '../../runtime/data/index.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import type { TrainState } from '../../runtime/state/checkpoint.js';
import { freshState, makeStepper, type Stepper } from '../../runtime/train/step.js';
import { discs, distance, golden, images, valueOf, type Sketch } from './formula.js';
import { compiled, parameterCount } from './specs.js';

interface Forward {
  readonly task?: string | null; readonly batch: number; readonly loss: readonly number[]; readonly float32LogitsDistance: number;
  readonly logits: { readonly shape: readonly number[]; readonly stride: number; readonly scale: number; readonly values: readonly number[] };
  readonly gradients: Readonly<Record<string, Sketch>>; readonly prototypes?: Readonly<Record<string, Sketch>>; readonly running?: Readonly<Record<string, Sketch>>;
}
interface Golden {
  readonly size: number; readonly parameters: number; readonly paths: readonly string[]; readonly one: Forward;
  readonly mixed?: { readonly tasks: readonly string[]; readonly loss: readonly number[]; readonly gradients: Readonly<Record<string, Sketch>>; readonly prototypes: Readonly<Record<string, Sketch>> };
  readonly steps: { readonly tasks?: readonly string[]; readonly lr: number; readonly losses: readonly number[]; readonly prototypes?: Readonly<Record<string, Sketch>> };
}

const TEMPERATURE = 0.5;
let engine: Engine;
beforeAll(async () => { engine = await createEngine('ort', { threads: 2 }); });

/** Every tensor at its golden value; running statistics as they begin. */
function filled(program: Program): Map<string, NdArray> {
  return new Map(program.tensors.flatMap((tensor) => storedPaths(tensor, taskCodes(program)).map((path): [string, NdArray] => {
    const { init } = tensor;
    return [path, tensor.kind === 'state' && init.kind === 'constant' ? ndarray(tensor.shape, new Float64Array(tensor.shape.reduce((a, b) => a * b, 1)).fill(init.value))
      : tensor.kind === 'state' && path.includes('running') ? ndarray(tensor.shape, new Float64Array(tensor.shape.reduce((a, b) => a * b, 1)).fill(path.endsWith('var') ? 1 : 0))
        : valueOf(path, tensor.shape)];
  })));
}

const tensorOf = (a: NdArray): Tensor => f32(a.shape, Float32Array.from(a.data));
const schedulesOf = (program: Program): Record<string, number> => Object.fromEntries(program.schedules.map((s) => [s.name, TEMPERATURE]));

function batchOf(program: Program, image: NdArray, tasks: readonly string[]): Batch {
  const [count = 0, , size = 0] = image.shape;
  const codes = taskCodes(program);
  return {
    image: tensorOf(image), truth: tensorOf(discs(count, size)), step: 0, tasks: tasks.map((t) => Math.max(0, codes.indexOf(t))),
    items: tasks.map((task, i) => ({ task, stem: `${i}`, image: '', mask: '', group: '', split: 'train' as const })),
  };
}

/** The outputs of an inference graph in float64, by the reference evaluator. */
function exactly(program: Program, graph: Graph, image: NdArray, task: string | null | undefined): ReadonlyMap<string, NdArray> {
  const values = filled(program), codes = taskCodes(program), feeds = new Map<string, NdArray>();
  for (const node of graph.nodes.values()) {
    const name = leafName(node);
    if (node.op === 'param' || node.op === 'state') feeds.set(name, values.get(pathForTask(name, task ?? ''))!);
    if (node.op === 'schedule') feeds.set(name, ndarray([], [TEMPERATURE]));
    if (node.op === 'input') feeds.set(name, name === 't' ? ndarray([], [codes.indexOf(task ?? '')]) : image);
  }
  return evaluate(graph, feeds);
}

/** The same in ONNX Runtime. */
async function inEngine(program: Program, graph: Graph, image: NdArray, task: string | null | undefined): Promise<Readonly<Record<string, Tensor>>> {
  const fn = await engine.compile(graph), values = filled(program), feeds: Record<string, Tensor> = {};
  for (const name of fn.inputs) {
    feeds[name] = name === 't' ? { dtype: 'i64', shape: [], data: BigInt64Array.of(BigInt(taskCodes(program).indexOf(task ?? ''))) }
      : name.startsWith('schedule:') ? f32([], [TEMPERATURE]) : tensorOf(values.get(pathForTask(name, task ?? '')) ?? image);
  }
  const results = await fn.run(feeds);
  await fn.dispose();
  return results;
}

/** The inference graph with what some modules give as outputs too: the last value made in each. */
function watching(program: Program, modules: readonly string[]): Graph {
  const last = new Map<string, NodeId>();
  for (const node of program.infer.nodes.values()) {
    for (const module of modules) if (node.path === module || node.path.startsWith(`${module}.`)) last.set(module, node.id);
  }
  return optimise(new GraphBuilder(program.infer).finish([...last].map(([name, id]) => ({ name, id }))));
}

/** A fresh state: golden values, moments of zero. */
function stateFor(program: Program, stepper: Stepper): TrainState {
  return freshState(new Map([...filled(program)].map(([path, a]) => [path, tensorOf(a)])), stepper, taskCodes(program));
}

/** One step of Adam from nothing leaves m = (1 - beta1) g: reads the gradient of the whole batch off the moments. */
async function gradientsOf(program: Program, stepper: Stepper, batch: Batch): Promise<{ losses: Float32Array; gradients: Map<string, Float64Array>; state: TrainState }> {
  const state = stateFor(program, stepper);
  const { losses } = await stepOf(stepper, program, state, batch, 1e-3);
  const gradients = new Map([...state.updates.keys()].map((path) => [path, Float64Array.from(state.moments.get(`m:${path}`)!.data as Float32Array, (m) => m / 0.1)]));
  return { losses, gradients, state };
}
const stepOf = (stepper: Stepper, program: Program, state: TrainState, batch: Batch, lr: number) =>
  stepper.run(state, batch, { lr, schedules: schedulesOf(program), seed: 0, step: 0 });

/** The spec's training block, but plain Adam without clipping. */
function plainAdam(program: Program): TrainConfig {
  const { clip: _, ...training } = program.training!;
  return { ...training, optimizer: { ...training.optimizer, kind: 'adam', weightDecay: 0 } };
}

const largestDifference = (a: NdArray, b: Tensor): number => a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (b.data as Float32Array)[i]!)), 0);

/** The bias of attention's keys moves all scores of a query alike, which softmax does not see: its gradient is zero, and what is there is rounding. */
const vanishes = (path: string): boolean => path.endsWith('attend.k.bias');

/** Every ||a - b|| / ||b|| is at most 1e-3; where b is zero, ||a|| is at most 1e-6 of the norm of all gradients together. */
function expectGradients(found: ReadonlyMap<string, ArrayLike<number>>, expected: Readonly<Record<string, Sketch>>): void {
  expect([...found.keys()].sort()).toEqual(Object.keys(expected).sort());
  const total = Math.hypot(...Object.values(expected).map((s) => s.norm));
  for (const [path, sketch] of Object.entries(expected)) {
    const off = distance(found.get(path) ?? [], sketch);
    if (vanishes(path)) expect([sketch.norm < 1e-12 * total, off < 1e-6 * total], path).toEqual([true, true]);
    else expect(off / sketch.norm, path).toBeLessThan(1e-3);
  }
}

function expectTensors(found: ReadonlyMap<string, Tensor>, expected: Readonly<Record<string, Sketch>>, tolerance: number): void {
  for (const [path, sketch] of Object.entries(expected)) {
    expect(distance(found.get(path)!.data as Float32Array, sketch) / sketch.norm, path).toBeLessThan(tolerance);
  }
}

const BLOCKS = Array.from({ length: 7 }, (_, i) => `enc.blocks.${i}`);
const CASES: readonly { readonly name: string; readonly spec: string; readonly block: string; readonly file: string; readonly set: Readonly<Record<string, string>>; readonly features: readonly string[] }[] = [
  { name: 'TP-Seg nano', spec: 'models/tpseg-nano.tps', block: 'main', file: 'nano.json', set: { size: '64' }, features: [...BLOCKS, 'd3.depthwise', 'd2.depthwise', 'd1.depthwise'] },
  { name: 'its pretraining', spec: 'models/tpseg-nano.tps', block: 'pretrain', file: 'nano-pretrain.json', set: { size: '64' }, features: [] },
  { name: 'UNet', spec: 'models/unet.tps', block: 'main', file: 'unet.json', set: { size: '64', width: '4' }, features: [] },
];

describe.each(CASES)('$name', ({ spec, block, file, set, features }) => {
  const expected = golden<Golden>(file);
  const program = compiled(spec, { block, set });
  const { one } = expected;
  const image = images('a', one.batch, expected.size);
  const tasks = Array.from({ length: one.batch }, () => one.task ?? 'SL');
  let stepper: Stepper;
  beforeAll(async () => { stepper = await makeStepper(program, plainAdam(program), engine); }, 120_000);
  afterAll(() => stepper.dispose(), 120_000);

  it('has the same tensors by name, and as many parameters', () => {
    const paths = program.tensors.filter((t) => t.kind === 'param' || t.perTask).flatMap((t) => storedPaths(t, taskCodes(program))).sort();
    expect(paths).toEqual([...expected.paths].sort());
    expect(parameterCount(program)).toBe(expected.parameters);
  });

  it('gives the same logits in float64, and in ONNX Runtime as near as PyTorch’s float32', async () => {
    const graph = inferFunction(program);
    const exact = exactly(program, graph, image, one.task).get('logits')!;
    expect(exact.shape).toEqual(one.logits.shape);
    const apart = (data: ArrayLike<number>): number => Math.max(...one.logits.values.map((v, i) => Math.abs(v - data[i * one.logits.stride]!)));
    expect(apart(exact.data) / one.logits.scale).toBeLessThan(1e-8);
    const { logits } = await inEngine(program, graph, image, one.task);
    expect(largestDifference(exact, logits!)).toBeLessThan(4 * one.float32LogitsDistance);
  });

  it.runIf(features.length > 0)('has its features, and y of eq. (10), within 1e-4 of their scale in ONNX Runtime', async () => {
    const graph = watching(program, features);
    const exact = exactly(program, graph, image, one.task), found = await inEngine(program, graph, image, one.task);
    expect([...exact.keys()]).toEqual(features);
    for (const [name, value] of exact) expect(largestDifference(value, found[name]!) / Math.max(...value.data.map(Math.abs)), name).toBeLessThan(1e-4);
  });

  it('has the same loss, the same gradient of every tensor, and the same state after the step', async () => {
    const { losses, gradients, state } = await gradientsOf(program, stepper, batchOf(program, image, tasks));
    one.loss.forEach((l, i) => { expect(losses[i]).toBeCloseTo(l, 4); });
    expectGradients(gradients, one.gradients);
    expectTensors(state.tensors, { ...one.prototypes, ...one.running }, 1e-5);
  });

  it.runIf(program.readsTask)('leaves parameters, moments, step counts and prototypes of every other task as they were, bit for bit', async () => {
    const before = stateFor(program, stepper), { state } = await gradientsOf(program, stepper, batchOf(program, image, tasks));
    const strangers = taskCodes(program).filter((code) => code !== one.task);
    const ofStranger = (path: string): boolean => path.split('.').some((step) => strangers.includes(step));
    const bits = (tensors: ReadonlyMap<string, Tensor>): readonly string[] => [...tensors].filter(([path]) => ofStranger(path)).map(([path, t]) => `${path} ${Buffer.from(t.data.buffer).toString('base64')}`);
    expect(bits(before.tensors).length).toBeGreaterThan(7 * 30);
    expect(bits(state.tensors)).toEqual(bits(before.tensors));
    expect(bits(state.moments)).toEqual(bits(before.moments));
    expect([...state.updates.keys()].filter(ofStranger)).toEqual([]);
  });

  it('takes ten steps of Adam with the same losses, and prototypes at their end', async () => {
    const state = stateFor(program, stepper), order = expected.steps.tasks ?? ['first', 'second'];
    const losses: number[] = [];
    for (let step = 0; step < 10; step++) {
      const task = order[step % 2] ?? '';
      losses.push((await stepOf(stepper, program, state, batchOf(program, images(`step${step % 2}`, 2, expected.size), [task, task]), expected.steps.lr)).loss);
    }
    expected.steps.losses.forEach((l, i) => { expect(Math.abs(losses[i]! - l), `step ${i}: ${losses[i]} for ${l}`).toBeLessThan(1e-3); });
    expectTensors(state.tensors, expected.steps.prototypes ?? {}, 1e-3);
  });

  it.runIf(expected.mixed !== undefined)('updates from a batch over several tasks as from the mean loss over the batch', async () => {
    const { mixed } = expected;
    const { losses, gradients, state } = await gradientsOf(program, stepper, batchOf(program, images('mixed', mixed!.tasks.length, expected.size), mixed!.tasks));
    mixed!.loss.forEach((l, i) => { expect(losses[i]).toBeCloseTo(l, 4); });
    expectGradients(gradients, mixed!.gradients);
    expectTensors(state.tensors, mixed!.prototypes, 1e-5);
  });
});
