// What each pass is worth, and that none changes the training: npx tsx bench/passes.ts SPEC[#VARIANT] [--rounds 7] [--batch 4] [--set size=64] [--curve 200]
// Steps with every pass, and with each left out, interleaved; a ratio is without / with, of the medians of processor time, so above 1 a pass pays. Bytes are
// what the forward keeps for its gradients. With --curve, so many steps with all passes and with none from one start: the losses' largest relative difference.
import { parseArgs } from 'node:util';
import { gradFunction, keptAt, USUAL_PRICE } from '../compiler/functions.js';
import { PASSES, type Pass } from '../compiler/passes/index.js';
import { taskCodes } from '../compiler/program.js';
import { parseSet, parseSpecRef } from '../cli/flags.js';
import { createEngine } from '../runtime/engines/index.js';
import { startingTensors } from '../runtime/state/weights.js';
import { freshState, makeStepper } from '../runtime/train/step.js';
import { batchOf, firstValues, median, trainable } from './subject.js';

const { values, positionals: [spec = 'models/tpseg-nano.tps'] } = parseArgs({ allowPositionals: true, options: {
  rounds: { type: 'string', default: '7' }, batch: { type: 'string', default: '4' }, set: { type: 'string', multiple: true, default: [] }, threads: { type: 'string', default: '2' }, curve: { type: 'string', default: '0' },
} });
const { file, variant } = parseSpecRef(spec), count = Number(values.batch), steps = Number(values.curve);
const { program, training } = trainable({ file, set: parseSet(values.set), ...(variant === undefined ? {} : { variant }) });
const engine = await createEngine('ort', { threads: Number(values.threads) }), codes = taskCodes(program), schedules = firstValues(program);

const without: ReadonlyMap<string, ReadonlySet<Pass>> = new Map([['', PASSES], ...[...PASSES].map((p) => [p, new Set([...PASSES].filter((q) => q !== p))] as const), ['all', new Set<Pass>()]]);
async function trainer(passes: ReadonlySet<Pass>): Promise<(step: number) => Promise<{ readonly loss: number; readonly processor: number }>> {
  const stepper = await makeStepper(program, training, engine, { passes }), state = freshState(startingTensors(program, 0, 'random').tensors, stepper, codes);
  return async (step) => {
    const task = codes.length === 0 ? 0 : step % codes.length, before = process.cpuUsage();
    const { loss } = await stepper.run(state, batchOf(program, count, task), { lr: 1e-3, schedules, seed: 0, step });
    const { user, system } = process.cpuUsage(before);
    return { loss, processor: (user + system) / 1e6 };
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
  const [all, none] = [await trainer(PASSES), await trainer(new Set())];
  let [most, first, last] = [0, 0, 0];
  for (let step = 0; step < steps; step++) {
    const [a, b] = [await all(step), await none(step)];
    most = Math.max(most, Math.abs(a.loss - b.loss) / Math.abs(b.loss));
    if (step === 0) first = a.loss;
    last = a.loss;
  }
  curve = { steps, first, last, largestRelativeDifference: most };
}
const [everything, usual] = keptAt(program, [0, USUAL_PRICE], count);
console.log(JSON.stringify({ spec, batch: count, set: values.set, threads: engine.threads, kept: { everything, usual }, passes, ...(curve === undefined ? {} : { curve }) }));
process.exit(0);
