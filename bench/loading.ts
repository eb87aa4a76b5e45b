// What a training step waits for its images: `npx tsx bench/loading.ts SPEC DATA [--batch 8] [--steps 10] [--rounds 3] [--threads 2] [--tasks A,B] [--set size=128] [--device MS]`.
// Three ways, interleaved: loading alone, with no step to hide behind; batches ahead on the thread of JavaScript; ahead on a thread of its own (what `tpsc train` does).
// Each once with nothing decoded yet (cold) and once with the same epoch decoded before (warm). `--device MS`: in place of the engine a step that keeps the thread of
// JavaScript for so long, as engines do that drive a GPU from it. Prints JSON: milliseconds of waiting a batch, wall and processor a step, medians over the rounds.
import { parseArgs } from 'node:util';
import { parseSet, parseSpecRef, parseTasks } from '../cli/flags.js';
import { taskCodes } from '../compiler/program.js';
import { makeCache, scanDataset, startLoader, taskFolders, trainBatches, type Batch, type ImageCache } from '../runtime/data/index.js';
import { createEngine } from '../runtime/engines/index.js';
import { startingTensors } from '../runtime/state/weights.js';
import { imageInput } from '../runtime/train/image-input.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { firstValues, median, trainable } from './subject.js';

const { values, positionals: [spec = '', data = ''] } = parseArgs({ allowPositionals: true, options: {
  batch: { type: 'string', default: '8' }, steps: { type: 'string', default: '10' }, rounds: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' },
  tasks: { type: 'string' }, set: { type: 'string', multiple: true, default: [] }, device: { type: 'string' },
} });
const { file, variant } = parseSpecRef(spec), tasks = parseTasks(values.tasks), steps = Number(values.steps);
const { program, training } = trainable({ file, set: parseSet(values.set), ...(tasks === undefined ? {} : { tasks }), ...(variant === undefined ? {} : { variant }) });
const dataset = await scanDataset(data, await taskFolders(data, program.tasks?.rows ?? []));
const { height, width } = imageInput(program), codes = taskCodes(program);

/** A step of training on the engine, or one that keeps this thread. */
async function stepOf(): Promise<(batch: Batch, step: number) => Promise<unknown>> {
  if (values.device !== undefined) {
    const cell = new Int32Array(new SharedArrayBuffer(4)), milliseconds = Number(values.device);
    return async () => Atomics.wait(cell, 0, 0, milliseconds);
  }
  const stepper = await makeStepper(program, training, await createEngine('ort', { threads: Number(values.threads) }));
  const state = freshState(startingTensors(program, 0, 'random').tensors, stepper, codes), schedules = firstValues(program);
  return (batch, step) => stepper.run(state, batch, { lr: 1e-4, schedules, seed: 0, step });
}

const step = await stepOf();
const nothing = async (): Promise<void> => undefined;
const WAYS: Readonly<Record<string, { readonly open: () => ImageCache; readonly work: typeof step }>> = {
  'no step': { open: makeCache, work: nothing }, 'this thread': { open: makeCache, work: step }, 'own thread': { open: startLoader, work: step },
};
interface Took { readonly waiting: number; readonly wall: number; readonly processor: number }

/** The first steps of an epoch. */
async function epoch(cache: ImageCache, work: typeof step): Promise<Took> {
  const { sampler: { kind: sampler }, augment, oneTaskPerBatch, dropLast } = training;
  const batches = trainBatches(dataset, 'train', { batch: Number(values.batch), sampler, augment, size: { height, width }, oneTaskPerBatch, dropLast, seed: 0, cache, codes });
  const waits: number[] = [], before = process.cpuUsage(), began = performance.now();
  const flow = batches.epoch(0);
  for (let k = 0; k < steps; k++) {
    const asked = performance.now(), { value: batch } = await flow.next();
    waits.push(performance.now() - asked);
    if (batch === undefined) break;
    await work(batch, k);
    await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return { waiting: median(waits), wall: (performance.now() - began) / waits.length, processor: (user + system) / 1000 / waits.length };
}

const taken: Record<string, Took[]> = {};
for (let round = 0; round <= Number(values.rounds); round++) for (const [name, { open, work }] of Object.entries(WAYS)) {
  const cache = open();
  // its thread is there before the clock runs
  await cache.pixels({ root: data, samples: [], pipeline: { size: undefined, flips: [], scale: [], shift: [] } });
  for (const state of ['cold', 'warm']) {
    const took = await epoch(cache, work);
    if (round > 0) (taken[`${name}, ${state}`] ??= []).push(took);
  }
  await cache.close();
}
const one = (of: readonly Took[], what: keyof Took): number => Number(median(of.map((t) => t[what])).toFixed(2));
console.log(JSON.stringify({
  spec, size: height, batch: Number(values.batch), step: values.device === undefined ? `ort, ${values.threads} threads` : `keeps the thread ${values.device} ms`,
  ...Object.fromEntries(Object.entries(taken).map(([name, of]) => [name, { waiting: one(of, 'waiting'), wall: one(of, 'wall'), processor: one(of, 'processor') }])),
}, null, 2));
process.exit(0);
