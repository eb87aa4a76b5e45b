// What each pass is worth, and that none changes the training: npx tsx bench/passes.ts SPEC[#VARIANT] [--rounds 7] [--batch 4] [--set size=64] [--curve 200] [--lr 1e-4]
// Steps with every pass, and with each left out, interleaved; a ratio is without / with, of the medians of processor time, so above 1 a pass pays. Bytes are
// what the forward keeps for its gradients. With --curve, so many steps with all passes, with none, and with all from weights nudged by half a unit
// of their last place: relative differences of the losses. What the nudge does no pass can do without.
import { parseArgs } from 'node:util';
import { gradFunction, keptAt, usuallyKept } from '../compiler/functions.js';
import { PASSES, type Pass } from '../compiler/passes/index.js';
import { taskCodes } from '../compiler/program.js';
import { f32 } from '../runtime/engines/engine.js';
import { createEngine } from '../runtime/engines/index.js';
import { streamOf } from '../runtime/random.js';
import { startingTensors } from '../runtime/state/weights.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, taken, trainableSpec } from './subject.js';

const { values, positionals: [spec = 'models/tpseg-nano.tps'] } = parseArgs({ allowPositionals: true, options: {
  rounds: { type: 'string', default: '7' }, batch: { type: 'string', default: '4' }, set: { type: 'string', multiple: true, default: [] }, threads: { type: 'string', default: '2' }, curve: { type: 'string', default: '0' }, lr: { type: 'string', default: '1e-4' },
} });
const count = Number(values.batch), steps = Number(values.curve);
const { program, training } = trainableSpec(spec, values);
const engine = await createEngine('ort', { threads: Number(values.threads) }), codes = taskCodes(program), schedules = firstValues(program);

const without: ReadonlyMap<string, ReadonlySet<Pass>> = new Map([['', PASSES], ...[...PASSES].map((p) => [p, new Set([...PASSES].filter((q) => q !== p))] as const), ['all', new Set<Pass>()]]);
async function trainer(passes: ReadonlySet<Pass>, nudge = 0): Promise<(step: number) => Promise<{ readonly loss: number; readonly processor: number }>> {
  const stepper = await makeStepper(program, training, engine, { passes }), { tensors } = startingTensors(program, 0, 'random'), random = streamOf(1, 'nudge');
  if (nudge > 0) for (const [path, t] of tensors) if (t.dtype === 'f32') tensors.set(path, f32(t.shape, Float32Array.from(t.data as Float32Array, (v) => v * (1 + nudge * random.normal()))));
  const state = freshState(tensors, stepper, codes);
  return async (step) => {
    const batch = batchOf(program, count, codes.length === 0 ? 0 : step % codes.length);
    const { processor, value: { loss } } = await taken(() => stepper.run(state, batch, { lr: Number(values.lr), schedules, seed: 0, step }));
    return { loss, processor };
  };
}

const trainers = new Map<string, Awaited<ReturnType<typeof trainer>>>(), times = new Map<string, number[]>();
if (Number(values.rounds) > 0) for (const [name, passes] of without) trainers.set(name, await trainer(passes));
for (let round = 0; round <= Number(values.rounds); round++) for (const [name, step] of trainers) {
  const { processor } = await step(round);
  if (round > 0) times.set(name, [...times.get(name) ?? [], processor]);
}
const base = median(times.get('') ?? []);
const passes = [...times].map(([name, ts]) => ({ without: name, processor: median(ts), ratio: median(ts) / base, nodes: gradFunction(program, { passes: without.get(name) ?? PASSES }).nodes.size }));
let curve: object | undefined;
if (steps > 0) {
  const [all, none, nudged] = [await trainer(PASSES), await trainer(new Set()), await trainer(PASSES, 2 ** -24)], losses: (readonly [all: number, none: number, nudged: number])[] = [];
  for (let step = 0; step < steps; step++) losses.push([(await all(step)).loss, (await none(step)).loss, (await nudged(step)).loss]);
  const apart = (of: 1 | 2): object => {
    const each = losses.map((l) => Math.abs(l[0] - l[of]) / l[0]);
    return { median: median(each), largest: Math.max(...each) };
  };
  curve = { steps, first: losses[0]?.[0], last: losses.at(-1)?.[0], withoutPasses: apart(1), nudged: apart(2) };
}
const [everything] = keptAt(program, [0], count), usual = usuallyKept({ ...program, training: { ...training, batch: count } });
console.log(JSON.stringify({ spec, batch: count, set: values.set, threads: engine.threads, kept: { everything, usual }, passes, ...(curve === undefined ? {} : { curve }) }));
process.exit(0);
