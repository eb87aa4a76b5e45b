// What the routes to ONNX Runtime cost, as docs/decisions/0012 cites it: `tsx bench/engine.ts [SPEC] [--steps 5] [--threads 2]`.
// Times are medians of one interleaved run, and processor seconds beside them, for a machine that is not quiet; memory is the peak of a process of its own
// for each variant. `--variant NAME` is what such a process is started with.
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { applyFunction } from '../compiler/functions.js';
import { GraphBuilder } from '../compiler/ir/builder.js';
import type { Graph } from '../compiler/ir/graph.js';
import { taskCodes } from '../compiler/program.js';
import { f32, type CompiledFunction, type Engine, type RunOptions, type Tensor } from '../runtime/engines/engine.js';
import { addonSettings, compileWithAddon } from '../runtime/engines/ort-addon.js';
import { createOrtEngine } from '../runtime/engines/ort.js';
import { startingTensors } from '../runtime/state/weights.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, trainable } from './subject.js';

const { values, positionals: [spec = 'models/tpseg-tiny.tps'] } = parseArgs({ allowPositionals: true, options: {
  steps: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' }, variant: { type: 'string' },
} });
const threads = Number(values.threads), rounds = Number(values.steps);

const withAddon = (enableMemPattern: boolean): Engine =>
  ({ name: 'ort', version: '', device: 'cpu', threads, compile: (graph) => compileWithAddon(ort, graph, { ...addonSettings('cpu', threads), enableMemPattern }) });
const VARIANTS: Readonly<Record<string, () => Promise<Engine>>> = {
  'addon, memory pattern': () => Promise.resolve(withAddon(true)),
  addon: () => Promise.resolve(withAddon(false)),
  direct: () => createOrtEngine({ device: 'cpu', threads, route: 'direct' }),
};

const rounded = (xs: readonly number[]): number => Number(median(xs).toFixed(1));
const MB = (bytes: number): number => Math.round(bytes / 1e6);

/** Milliseconds of wall and processor, and how often a timer of 1 ms went off meanwhile. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly wall: number; readonly cpu: number; readonly ticks: number }> {
  let ticks = 0;
  const timer = setInterval(() => { ticks++; }, 1), began = performance.now(), before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before), wall = performance.now() - began;
  clearInterval(timer);
  return { wall, cpu: (user + system) / 1000, ticks };
}

async function interleaved(cases: Readonly<Record<string, () => Promise<unknown>>>): Promise<Readonly<Record<string, object>>> {
  const taken = Object.fromEntries(Object.keys(cases).map((name) => [name, [] as { wall: number; cpu: number; ticks: number }[]]));
  for (let round = 0; round <= rounds; round++) for (const [name, work] of Object.entries(cases)) {
    const took = await timed(work);
    if (round > 0) taken[name]?.push(took);
  }
  return Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, { ms: rounded(all.map((t) => t.wall)), processorMs: rounded(all.map((t) => t.cpu)), ticks: rounded(all.map((t) => t.ticks)) }]));
}

/** 71 MB in, 71 MB out. */
function reluGraph(): { readonly graph: Graph; readonly feeds: Record<string, Tensor> } {
  const b = new GraphBuilder(), shape = [4, 7744, 576];
  return { graph: b.finish([{ name: 'y', id: b.add('relu', [b.leaf('input', { name: 'x' }, { dtype: 'f32', shape })]) }]), feeds: { x: f32(shape, new Float32Array(4 * 7744 * 576).fill(0.5)) } };
}

/** Adam over 20 tensors of 2 M values. */
function adamGraph(): { readonly graph: Graph; readonly feeds: () => Record<string, Tensor> } {
  const names = Array.from({ length: 20 }, (_, i) => `w${i}`), shape = [2048, 1024];
  const graph = applyFunction(names.map((path) => ({ path, shape })),
    { kind: 'adam', lr: { name: 'lr', kind: 'constant', from: 1, to: 1, over: 'steps' }, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, momentum: 0 });
  const all = (): [string, Tensor][] => names.flatMap((w) => [w, `grad:${w}`, `m:${w}`, `v:${w}`].map((name): [string, Tensor] => [name, f32(shape, new Float32Array(2048 * 1024).fill(0.1))]));
  return { graph, feeds: () => ({ ...Object.fromEntries(all()), lr: f32([], [1e-3]), step: f32([], [1]), clip: f32([], [1]) }) };
}

const picked = (feeds: Record<string, Tensor>, fn: CompiledFunction): RunOptions => ({ into: Object.fromEntries(fn.outputs.map((name) => [name, feeds[name] as Tensor])) });

async function stepOf(engine: Engine): Promise<() => Promise<unknown>> {
  const { program, training } = trainable({ file: spec }), stepper = await makeStepper(program, training, engine);
  const state = freshState(startingTensors(program, 0, 'random').tensors, stepper, taskCodes(program)), batch = batchOf(program, 1), schedules = firstValues(program);
  return () => stepper.run(state, batch, { lr: 1e-4, schedules, seed: 0, step: 0 });
}

if (values.variant !== undefined) {
  const step = await stepOf(await (VARIANTS[values.variant] ?? fail)());
  for (let i = 0; i < 3; i++) await step();
  console.log(process.resourceUsage().maxRSS * 1024);
  process.exit(0);
}
function fail(): never { throw new Error(`variants: ${Object.keys(VARIANTS).join(', ')}`); }

// First, for a process begins with the peak of the one that started it.
const peakMB = Object.fromEntries(Object.keys(VARIANTS).map((name) => [name, MB(Number(execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), spec, '--threads', String(threads), '--variant', name], { encoding: 'utf8' })))]));

const [addon, direct] = [withAddon(false), await createOrtEngine({ device: 'cpu', threads, route: 'direct' })];
const relu = reluGraph(), adam = adamGraph();
const [reluAddon, reluDirect, adamAddon, adamDirect] = [await addon.compile(relu.graph), await direct.compile(relu.graph), await addon.compile(adam.graph), await direct.compile(adam.graph)];
const own = { y: f32([4, 7744, 576], new Float32Array(4 * 7744 * 576)) }, feeds = adam.feeds(), inPlace = adam.feeds();
const steps: Record<string, () => Promise<unknown>> = {};
for (const [name, make] of Object.entries(VARIANTS)) steps[name] = await stepOf(await make());
console.log(JSON.stringify({
  threads, rounds, spec,
  'relu of 71 MB': await interleaved({ addon: () => reluAddon.run(relu.feeds), direct: () => reluDirect.run(relu.feeds), 'direct, into': () => reluDirect.run(relu.feeds, { into: own }) }),
  'adam of 40 M values': await interleaved({ addon: () => adamAddon.run(feeds), direct: () => adamDirect.run(feeds), 'direct, in place': () => adamDirect.run(inPlace, picked(inPlace, adamDirect)) }),
  step: await interleaved(steps),
  peakMB,
}, null, 2));
process.exit(0);
