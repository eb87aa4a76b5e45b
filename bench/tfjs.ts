// TensorFlow.js as an engine, weighed: `tsx bench/tfjs.ts [--spec models/tpseg-nano.tps] [--set size=32] [--batch 1] [--steps 1000] [--threads 1]`.
// Prints one line of JSON: seconds a step, tensors and bytes that are held after the first step and after the last (equal: nothing leaks), the most
// that was held at once, the resident memory of the process, and where the time of one step goes by kernel.
import { parseArgs } from 'node:util';
import { taskCodes } from '../compiler/program.js';
import { parseSet } from '../cli/flags.js';
import { createTfjsEngine } from '../runtime/engines/tfjs/index.js';
import { startingTensors } from '../runtime/state/weights.js';
import { imageInput } from '../runtime/train/image-input.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, trainable } from './subject.js';

const { values } = parseArgs({ options: {
  spec: { type: 'string', default: 'models/tpseg-nano.tps' }, set: { type: 'string', multiple: true, default: ['size=32'] }, batch: { type: 'string', default: '1' },
  steps: { type: 'string', default: '1000' }, threads: { type: 'string', default: '1' },
} });
const { program, training } = trainable({ file: values.spec, set: parseSet(values.set) });
const engine = await createTfjsEngine({ device: 'cpu', threads: Number(values.threads) });
const batch = batchOf(program, Number(values.batch)), steps = Number(values.steps), { height } = imageInput(program);
const stepper = await makeStepper(program, training, engine);
const state = freshState(startingTensors(program, 0, 'random').tensors, stepper, taskCodes(program));
const held = (): { readonly tensors: number; readonly bytes: number } => ({ tensors: engine.tfjs.tensors(), bytes: engine.tfjs.bytes() });
const one = async (step: number): Promise<number> => {
  const { loss } = await stepper.run(state, batch, { lr: 1e-4, schedules: firstValues(program), seed: 0, step });
  return loss;
};

const losses = [await one(0)], first = held(), seconds: number[] = [];
for (let step = 1; step < steps; step++) {
  const began = performance.now();
  losses.push(await one(step));
  seconds.push((performance.now() - began) / 1000);
}
const last = held(), peakBytes = engine.takePeakBytes();
const spent = engine.tfjs.profile();
await one(steps);
const kernels = Object.fromEntries([...spent()].sort((a, b) => b[1].milliseconds - a[1].milliseconds).slice(0, 12).map(([name, { milliseconds, calls }]) => [name, { milliseconds: Math.round(milliseconds), calls }]));
console.log(JSON.stringify({
  spec: values.spec, size: height, batch: batch.items.length, steps, backend: engine.device, threads: engine.threads, median: median(seconds),
  first, last, peakBytes, residentBytes: process.memoryUsage().rss, firstLoss: losses[0], lastLoss: losses.at(-1), kernels,
}));
