// TensorFlow.js as an engine, weighed: `tsx bench/tfjs.ts [--spec models/tpseg-nano.tps] [--set size=32] [--batch 1] [--steps 1000] [--threads 1]`.
// Prints one line of JSON: seconds a step, tensors and bytes that are held after the first step and after the last (equal: nothing leaks), the most
// that was held at once, the resident memory of the process, and where the time of one step goes by kernel.
import { parseArgs } from 'node:util';
import { compileSpec } from '../compiler/index.js';
import { taskCodes } from '../compiler/program.js';
import { parseSet } from '../cli/flags.js';
import { diskHost } from '../cli/host.js';
import { f32, type Tensor } from '../runtime/engines/engine.js';
import { createTfjsEngine } from '../runtime/engines/tfjs/index.js';
import { streamOf } from '../runtime/random.js';
import { startingTensors } from '../runtime/state/weights.js';
import { imageInput } from '../runtime/train/image-input.js';
import { makeStepper } from '../runtime/train/step.js';

const { values } = parseArgs({ options: {
  spec: { type: 'string', default: 'models/tpseg-nano.tps' }, set: { type: 'string', multiple: true, default: ['size=32'] }, batch: { type: 'string', default: '1' },
  steps: { type: 'string', default: '1000' }, threads: { type: 'string', default: '1' },
} });
const { program, diagnostics } = compileSpec({ file: values.spec, set: parseSet(values.set) }, diskHost());
const training = program?.training;
if (program === undefined || training === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n') || `${values.spec} has no train block`);
const engine = await createTfjsEngine({ device: 'cpu', threads: Number(values.threads) });
const { height, width } = imageInput(program), n = Number(values.batch), steps = Number(values.steps), noise = streamOf(0, 'bench');
const batch = {
  image: f32([n, 3, height, width], Float32Array.from({ length: n * 3 * height * width }, () => noise.normal())),
  truth: f32([n, 1, height, width], Float32Array.from({ length: n * height * width }, (_, i) => (i % width < width / 2 ? 1 : 0))),
  tasks: Array.from({ length: n }, () => 0), step: 0,
  items: Array.from({ length: n }, (_, i) => ({ task: taskCodes(program)[0] ?? '', stem: String(i), image: '', mask: '', group: '', split: 'train' as const })),
};
const stepper = await makeStepper(program, training, engine);
const moments = [...stepper.moments(taskCodes(program))].map(([name, shape]): [string, Tensor] => [name, f32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))]);
const state = { tensors: startingTensors(program, 0, 'random').tensors, moments: new Map(moments), updates: new Map<string, number>() };
const held = (): { readonly tensors: number; readonly bytes: number } => ({ tensors: engine.tfjs.tensors(), bytes: engine.tfjs.bytes() });
const one = async (step: number): Promise<number> => {
  const { loss } = await stepper.run(state, batch, { lr: 1e-4, schedules: Object.fromEntries(program.schedules.map((s) => [s.name, s.from])), seed: 0, step });
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
  spec: values.spec, size: height, batch: n, steps, backend: engine.device, threads: engine.threads, median: seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)],
  first, last, peakBytes, residentBytes: process.memoryUsage().rss, firstLoss: losses[0], lastLoss: losses.at(-1), kernels,
}));
