// A training step with the features of its frozen part kept and computed anew, interleaved in one process:
// tsx bench/prefix-cache.ts SPEC[#VARIANT] [--images 16] [--batch 16] [--rounds 1] [--threads 2] [--set size=352] [--block NAME] [--price 0]
// `--price`: what a byte that is not kept may cost (compiler/passes/rematerialise.ts); without, the usual one.
// Random weights, images of noise. First every image once, which fills the cache; then each batch by either stepper, losses compared to the bit.
// Prints one line of JSON: medians in seconds, wall and processor; `ratio`, computed over kept; `allowed`, the same by multiply-adds, backward included;
// `byTime`, by the times of the prefix alone and the step without it.
import { parseArgs } from 'node:util';
import { wholeGradient } from '../compiler/functions.js';
import { taskCodes } from '../compiler/program.js';
import type { Batch } from '../runtime/data/index.js';
import { f32 } from '../runtime/engines/engine.js';
import { createEngine } from '../runtime/engines/index.js';
import { openFeatures } from '../runtime/features/cache.js';
import { startingTensors } from '../runtime/state/weights.js';
import { frozenPart } from '../runtime/train/frozen.js';
import { freshState, makeStepper, type Stepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, taken, trainableSpec } from './subject.js';

const { values, positionals: [spec = 'models/tpseg-nano.tps#A2'] } = parseArgs({ allowPositionals: true, options: {
  images: { type: 'string', default: '16' }, batch: { type: 'string', default: '16' }, rounds: { type: 'string', default: '1' }, threads: { type: 'string', default: '2' },
  set: { type: 'string', multiple: true, default: [] }, block: { type: 'string' }, price: { type: 'string' },
} });
const size = Number(values.batch);
const { program, training } = trainableSpec(spec, values);
const engine = await createEngine('ort', { threads: Number(values.threads) });
const cache = openFeatures({ kind: 'ram' }, 'bench');
const { tensors } = startingTensors(program, 0, 'random');

const all = batchOf(program, Number(values.images));
const part = ({ image, truth, tasks, items }: Batch, from: number): Batch => {
  const cut = ({ shape: [count = 1, ...shape], data }: Batch['image']): Batch['image'] => {
    const each = data.length / count;
    return f32([size, ...shape], (data as Float32Array).subarray(from * each, (from + size) * each));
  };
  return { image: cut(image), truth: cut(truth), tasks: tasks.slice(from, from + size), items: items.slice(from, from + size), step: from / size };
};
const batches = Array.from({ length: Math.floor(all.items.length / size) }, (_, i) => part(all, i * size));

interface Taken { readonly wall: number; readonly cpu: number }
const seconds = async <T>(work: () => Promise<T>): Promise<readonly [Taken, T]> => {
  const { wall, processor: cpu, value } = await taken(work);
  return [{ wall, cpu }, value];
};
const steps = async (name: string, stepper: Stepper): Promise<(step: number, batch: Batch) => Promise<void>> => {
  const state = freshState(new Map(tensors), stepper, taskCodes(program)), schedules = firstValues(program);
  return async (step, batch) => {
    const [took, { loss }] = await seconds(() => stepper.run(state, batch, { lr: 1e-4, schedules, seed: 0, step }));
    (times[name] ??= []).push(took);
    (losses[name] ??= []).push(loss);
  };
};
const times: Record<string, Taken[]> = {}, losses: Record<string, number[]> = {};

const frozen = await frozenPart(program, wholeGradient(program), engine, cache);
if (frozen === undefined) throw new Error(`${spec} has no frozen part that is worth cutting off`);
for (const batch of batches) (times['prefix'] ??= []).push((await seconds(() => frozen.features(tensors, batch.image)))[0]);
const how = values.price === undefined ? {} : { recomputation: { price: Number(values.price), batch: size } };
const [computed, kept] = [await steps('computed', await makeStepper(program, training, engine, how)), await steps('kept', await makeStepper(program, training, engine, { ...how, ...(cache === undefined ? {} : { cache }) }))];
for (let round = 0; round <= Number(values.rounds); round++) {
  for (const [i, batch] of batches.entries()) {
    const step = round * batches.length + i;
    await computed(step, batch);
    await kept(step, batch);
    // the first steps ask for memory, and are not counted
    if (round === 0 && i === 1) break;
  }
}
/** Medians of wall and of processor seconds: the second stand on a machine that is not quiet, too. */
const middle = (name: string, from = Math.min(2, batches.length)): Taken => {
  const all = (times[name] ?? []).slice(from);
  return { wall: median(all.map((t) => t.wall)), cpu: median(all.map((t) => t.cpu)) };
};
const [prefix, whole, rest] = [middle('prefix', batches.length > 1 ? 1 : 0), middle('computed'), middle('kept')];
const ratios = (of: keyof Taken): object => ({ ratio: whole[of] / rest[of], byTime: (rest[of] + prefix[of]) / rest[of] });
const same = losses['computed']?.every((loss, i) => Object.is(loss, losses['kept']?.[i])) === true;
console.log(JSON.stringify({
  spec, set: values.set, batch: size, images: all.items.length, threads: engine.threads, identical: same, steps: times['kept']?.length, mibPerImage: Number((frozen.bytes / 2 ** 20).toFixed(2)),
  prefix, computed: whole, kept: rest, allowed: 1 / (1 - frozen.share), wall: ratios('wall'), cpu: ratios('cpu'), use: cache?.use,
}));
process.exit(0);
