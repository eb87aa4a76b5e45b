// A training step or an inference of a spec, timed and weighed:
// tsx bench/step.ts SPEC[#VARIANT] [--work step|infer] [--batch 1] [--steps 3] [--threads 2] [--set size=256] [--task SL] [--save FILE]
// [--price 100]: what a byte that is not kept may cost (compiler/passes/rematerialise.ts).
// Random weights and one random batch of one task; the first step is not timed. Prints one line of JSON: seconds of compiling (clock; `compile` of the processors, from the text on),
// of each step and of the processors in each, loss of each (or some logits), memory of the process in bytes before and at its peak, and what there is to do: multiply-adds of the
// whole batch, nodes, elements of parameters. `--save` writes the tensors and the batch as safetensors for a peer, and does no work.
import { parseArgs } from 'node:util';
import { elementsOf } from '../compiler/elements.js';
import { gradFunction, inferFunction } from '../compiler/functions.js';
import type { Graph } from '../compiler/ir/graph.js';
import { taskCodes, type Program, type TrainConfig } from '../compiler/program.js';
import { f32, type Tensor } from '../runtime/engines/engine.js';
import { createEngine } from '../runtime/engines/index.js';
import { streamOf } from '../runtime/random.js';
import { multiplyAdds } from '../runtime/report/counts.js';
import { writeSafetensors } from '../runtime/state/safetensors.js';
import { startingTensors } from '../runtime/state/weights.js';
import { binderOf, pick, scheduleFeeds } from '../runtime/train/bind.js';
import { imageInput } from '../runtime/train/image-input.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, taken, trainableSpec } from './subject.js';

const { values, positionals: [spec = ''] } = parseArgs({ allowPositionals: true, options: {
  batch: { type: 'string', default: '1' }, steps: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' },
  set: { type: 'string', multiple: true, default: [] }, task: { type: 'string' }, block: { type: 'string' }, save: { type: 'string' }, price: { type: 'string' }, work: { type: 'string', default: 'step' },
} });
const startBytes = process.memoryUsage.rss();
const { wall: checked, processor: checking, value: { program, training } } = await taken(() => trainableSpec(spec, values));
const codes = taskCodes(program), task = Math.max(0, codes.indexOf(values.task ?? codes[0] ?? ''));
const engine = await createEngine('ort', { threads: Number(values.threads) });

const batch = batchOf(program, Number(values.batch), task), { image, truth } = batch, n = batch.items.length, { height } = imageInput(program);
const { wall: initialised, value: { tensors } } = await taken(() => startingTensors(program, 0, 'random'));
// every zero-initialised layer would hide half the gradient; small noise moves all of it
for (const info of program.tensors) {
  if (info.kind !== 'param' || info.frozen || info.init.kind !== 'constant') continue;
  for (const path of info.perTask ? codes.map((code) => info.path.replace('{task}', code)) : [info.path]) {
    const { shape, data } = tensors.get(path) as Tensor, noise = streamOf(1, path);
    tensors.set(path, f32(shape, Float32Array.from(data as Float32Array, (v) => v + 0.02 * noise.normal())));
  }
}
const schedules = firstValues(program);
const said = { spec, batch: n, size: height, threads: engine.threads, checked, initialised, startBytes, parameters: elementsOf(program).parameters };
/** What a function has to do. */
const amount = (graph: Graph): { readonly macs: number; readonly nodes: number } => ({ macs: n * multiplyAdds(graph), nodes: graph.nodes.size });
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

if (values.save !== undefined) {
  writeSafetensors(values.save, new Map([...tensors, ['image', image], ['truth', truth]]), {});
  console.log(JSON.stringify({ ...said, saved: values.save }));
} else if (values.work === 'infer') await infer(program);
else await train(program, training);

/** Steps of training; the first is a warm-up. */
async function train(from: Program, written: TrainConfig): Promise<void> {
  // as if the spec said this batch, for which is decided what is computed again
  const how = { ...written, batch: n }, of = { ...from, training: how };
  const options = values.price === undefined ? {} : { recomputation: { price: Number(values.price), batch: n } };
  const { wall: compiled, processor, value: stepper } = await taken(() => makeStepper(of, how, engine, options));
  const compile = checking + processor, state = freshState(tensors, stepper, codes);
  const losses: number[] = [];
  const times = await timed(async (step) => { losses.push((await stepper.run(state, batch, { lr: 1e-4, schedules, seed: 0, step })).loss); });
  console.log(JSON.stringify({ ...said, compiled, compile, ...times, losses, peakBytes: peakBytes(), ...amount(gradFunction(of, options)) }));
}

/** Logits of the batch, again and again. */
async function infer(of: Program): Promise<void> {
  const making = await taken(() => inferFunction(of)), { value: graph } = making, { wall: compiled, processor, value: fn } = await taken(() => engine.compile(graph)), compile = checking + making.processor + processor;
  const feeds = pick({ ...binderOf(of).feeds(fn.inputs, tensors, of.readsTask ? task : undefined), ...scheduleFeeds(schedules), image }, fn.inputs);
  let logits = new Float32Array(0);
  const times = await timed(async () => { logits = (await fn.run(feeds))['logits']?.data as Float32Array<ArrayBuffer>; });
  const stride = Math.max(1, Math.floor(logits.length / 64));
  console.log(JSON.stringify({ ...said, compiled, compile, ...times, ...amount(graph), logits: Array.from({ length: 64 }, (_, i) => logits[i * stride]), peakBytes: peakBytes() }));
}

async function timed(work: (step: number) => Promise<void>): Promise<{ readonly steps: readonly number[]; readonly processor: readonly number[] }> {
  const steps: number[] = [], processor: number[] = [];
  for (let step = 0; step <= Number(values.steps); step++) {
    const took = await taken(() => work(step));
    steps.push(took.wall);
    processor.push(took.processor);
  }
  return { steps: steps.slice(1), processor: processor.slice(1) };
}
