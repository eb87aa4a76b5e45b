// One training step of a spec, timed and weighed: `tsx bench/step.ts SPEC[#VARIANT] [--batch 1] [--steps 3] [--threads 2] [--set size=256] [--task SL]`.
// Random weights and one random batch of one task; the first step is not timed. Prints one line of JSON: seconds of compiling and of each step, loss of
// each, peak memory of the process in bytes. `--save FILE` writes the initial tensors and the batch as safetensors, for a peer that runs the same.
import { parseArgs } from 'node:util';
import { compileSpec } from '../compiler/index.js';
import { taskCodes } from '../compiler/program.js';
import { diskHost } from '../cli/host.js';
import { parseSet, parseSpecRef } from '../cli/flags.js';
import { f32, type Tensor } from '../runtime/engines/engine.js';
import { createEngine } from '../runtime/engines/index.js';
import { streamOf } from '../runtime/random.js';
import { writeSafetensors } from '../runtime/state/safetensors.js';
import { startingTensors } from '../runtime/state/weights.js';
import { imageInput } from '../runtime/train/image-input.js';
import { makeStepper } from '../runtime/train/step.js';

const { values, positionals: [spec = ''] } = parseArgs({ allowPositionals: true, options: {
  batch: { type: 'string', default: '1' }, steps: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' },
  set: { type: 'string', multiple: true, default: [] }, task: { type: 'string' }, block: { type: 'string' }, save: { type: 'string' },
} });
const seconds = async <T>(work: () => T | Promise<T>): Promise<readonly [number, T]> => {
  const began = performance.now(), value = await work();
  return [(performance.now() - began) / 1000, value];
};

const { file, variant } = parseSpecRef(spec);
const [checked, { program, diagnostics }] = await seconds(() => compileSpec({ file, set: parseSet(values.set), ...(variant === undefined ? {} : { variant }), ...(values.block === undefined ? {} : { block: values.block }) }, diskHost()));
const training = program?.training;
if (program === undefined || training === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n') || `${file} has no train block`);
const codes = taskCodes(program), task = Math.max(0, codes.indexOf(values.task ?? codes[0] ?? ''));
const engine = await createEngine('ort', { threads: Number(values.threads) });

const { height, width } = imageInput(program), n = Number(values.batch), random = streamOf(0, 'bench');
const image = f32([n, 3, height, width], Float32Array.from({ length: n * 3 * height * width }, () => random.normal()));
const truth = f32([n, 1, height, width], Float32Array.from({ length: n * height * width }, (_, i) => {
  const y = Math.floor(i / width) % height - height / 2, x = (i % width) - width / 2;
  return x * x + y * y < (height / 4) ** 2 ? 1 : 0;
}));
const [initialised, { tensors }] = await seconds(() => startingTensors(program, 0, 'random'));
// every zero-initialised layer would hide half the gradient; small noise moves all of it
for (const info of program.tensors) {
  if (info.kind !== 'param' || info.frozen || info.init.kind !== 'constant') continue;
  for (const path of info.perTask ? codes.map((code) => info.path.replace('{task}', code)) : [info.path]) {
    const { shape, data } = tensors.get(path) as Tensor, noise = streamOf(1, path);
    tensors.set(path, f32(shape, Float32Array.from(data as Float32Array, (v) => v + 0.02 * noise.normal())));
  }
}
if (values.save !== undefined) writeSafetensors(values.save, new Map([...tensors, ['image', image], ['truth', truth]]), {});
const items = Array.from({ length: n }, (_, i) => ({ task: codes[task] ?? '', stem: String(i), image: '', mask: '', group: '', split: 'train' as const }));
const [compiled, stepper] = await seconds(() => makeStepper(program, training, engine));
const state = { tensors, updates: new Map<string, number>(), moments: new Map([...stepper.moments(codes)].map(([name, shape]) => [name, f32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))] as const)) };
const schedules = Object.fromEntries(program.schedules.map((s) => [s.name, s.from]));
const steps: number[] = [], losses: number[] = [];
for (let step = 0; step <= Number(values.steps); step++) {
  const [took, { loss }] = await seconds(() => stepper.run(state, { image, truth, step, items, tasks: items.map(() => task) }, { lr: 1e-4, schedules, seed: 0, step }));
  losses.push(loss);
  if (step > 0) steps.push(took);
}
console.log(JSON.stringify({ spec, batch: n, size: height, threads: engine.threads, checked, initialised, compiled, steps, losses, peakBytes: process.resourceUsage().maxRSS * 1024 }));
