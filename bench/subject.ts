// What several measurements are made of: a spec's program with its training block, a batch of one task, what work takes, a median, how far two results are apart.
import { compileSpec, type CompileRequest } from '../compiler/index.js';
import { taskCodes, type Program, type TrainConfig } from '../compiler/program.js';
import { parseSet, parseSpecRef } from '../cli/flags.js';
import { diskHost } from '../cli/host.js';
import type { Batch } from '../runtime/data/index.js';
import { f32 } from '../runtime/engines/engine.js';
import { streamOf } from '../runtime/random.js';
import { imageInput } from '../runtime/train/image-input.js';

/** Throws what is wrong with the spec. */
export function trainable(request: CompileRequest): { readonly program: Program; readonly training: TrainConfig } {
  const { program, diagnostics } = compileSpec(request, diskHost()), training = program?.training;
  if (program === undefined || training === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n') || `${request.file} has no train block`);
  return { program, training };
}

/** The same of SPEC[#VARIANT] with the flags `--set` and `--block`. */
export function trainableSpec(spec: string, { set, block }: { readonly set: readonly string[]; readonly block?: string | undefined }): ReturnType<typeof trainable> {
  const { file, variant } = parseSpecRef(spec);
  return trainable({ file, set: parseSet(set), ...(variant === undefined ? {} : { variant }), ...(block === undefined ? {} : { block }) });
}

/** `n` images of noise, each with a disc for truth, of the task of this index. */
export function batchOf(program: Program, n: number, task = 0): Batch {
  const { height, width } = imageInput(program), random = streamOf(0, 'bench'), code = taskCodes(program)[task] ?? '';
  const disc = (i: number): number => (((i % width) - width / 2) ** 2 + (Math.floor(i / width) % height - height / 2) ** 2 < (height / 4) ** 2 ? 1 : 0);
  return {
    image: f32([n, 3, height, width], Float32Array.from({ length: n * 3 * height * width }, () => random.normal())),
    truth: f32([n, 1, height, width], Float32Array.from({ length: n * height * width }, (_, i) => disc(i))),
    step: 0, tasks: Array.from({ length: n }, () => task), items: Array.from({ length: n }, (_, i) => ({ task: code, stem: String(i), image: '', mask: '', group: '', split: 'train' as const })),
  };
}

/** The values that the schedules begin with. */
export const firstValues = (program: Program): Readonly<Record<string, number>> => Object.fromEntries(program.schedules.map((s) => [s.name, s.from]));

/** Seconds on the clock and of all processors (the second stand on a machine that is not quiet), and what the work gives. */
export async function taken<T>(work: () => T | Promise<T>): Promise<{ readonly wall: number; readonly processor: number; readonly value: T }> {
  const began = performance.now(), before = process.cpuUsage(), value = await work(), { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - began) / 1000, processor: (user + system) / 1e6, value };
}

export const median = (xs: readonly number[]): number => [...xs].sort((a, b) => a - b)[Math.floor(xs.length / 2)] ?? NaN;

/** Largest difference over the largest value of the second. */
export function apart(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || a.length !== b.length) return Infinity;
  const most = (of: (i: number) => number): number => a.reduce((max, _, i) => Math.max(max, Math.abs(of(i))), 0);
  return most((i) => (a[i] ?? NaN) - (b[i] ?? NaN)) / most((i) => b[i] ?? NaN);
}
