// `--frozen int8` beside floats: steps of a spec with random weights and one random batch, the two in turn on one engine, each from the same state:
// tsx bench/frozen-int8.ts SPEC[#VARIANT] [--batch 1] [--steps 5] [--threads 2] [--set size=256] [--block main]
// Prints one line of JSON: products in int8, seconds and processor seconds of a step (medians; the first is not timed), their ratios int8 / fp32,
// the losses of the first step and of the last.
import { parseArgs } from 'node:util';
import { frozenProducts, gradFunction } from '../compiler/functions.js';
import { taskCodes } from '../compiler/program.js';
import { createEngine } from '../runtime/engines/index.js';
import { startingTensors } from '../runtime/state/weights.js';
import { frozenValues } from '../runtime/train/frozen-int8.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, taken, trainableSpec } from './subject.js';

const { values: flags, positionals: [spec = ''] } = parseArgs({ allowPositionals: true, options: {
  batch: { type: 'string', default: '1' }, steps: { type: 'string', default: '5' }, threads: { type: 'string', default: '2' },
  set: { type: 'string', multiple: true, default: [] }, block: { type: 'string' },
} });
const { program, training } = trainableSpec(spec, flags);
const engine = await createEngine('ort', { threads: Number(flags.threads) }), batch = batchOf(program, Number(flags.batch)), schedules = firstValues(program);
const { tensors } = startingTensors(program, 0, 'random'), frozen = frozenValues(program, engine, tensors);

const sides = [];
for (const int8 of [undefined, frozen]) {
  const { wall: compiled, value: stepper } = await taken(() => makeStepper(program, training, engine, int8 === undefined ? {} : { int8 }));
  sides.push({ stepper, compiled, state: freshState(new Map(tensors), stepper, taskCodes(program)), wall: [] as number[], processor: [] as number[], losses: [] as number[] });
}
for (let step = 0; step <= Number(flags.steps); step++) for (const { stepper, state, wall, processor, losses } of sides) {
  const took = await taken(() => stepper.run(state, batch, { lr: 1e-4, schedules, seed: 0, step }));
  losses.push(took.value.loss);
  if (step === 0) continue;
  wall.push(took.wall);
  processor.push(took.processor);
}
const [fp32, int8] = sides.map(({ compiled, wall, processor, losses }) => ({ compiled, wall: median(wall), processor: median(processor), firstLoss: losses[0] ?? NaN, lastLoss: losses.at(-1) ?? NaN }));
if (fp32 === undefined || int8 === undefined) throw new Error('two sides were timed');
console.log(JSON.stringify({
  spec, batch: batch.items.length, threads: engine.threads, products: frozenProducts(program, gradFunction(program), frozen).size, fp32, int8,
  ratios: { wall: int8.wall / fp32.wall, processor: int8.processor / fp32.processor }, peakBytes: process.resourceUsage().maxRSS * 1024,
}));
