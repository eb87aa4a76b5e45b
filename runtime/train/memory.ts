// How much memory a step takes, before it is made: what has to be computed again for a training to stay within a limit.
import { keptAt } from '../../compiler/functions.js';
import { elements } from '../../compiler/elements.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { taskCodes, type Program, type TrainConfig } from '../../compiler/program.js';
import { UserError } from '../errors.js';

/** From the fastest step to the smallest. */
const PRICES = [0, 50, 100, 150, 200, 300, 400, 600, 1000, 1e6] as const;

/** Node, ONNX Runtime and what compiling leaves behind; and of all values of a forward, what is in memory at one time beside those that are kept. Measured with `bench/step.ts --price`. */
const PROCESS = 4e8, PASSING = 0.25;

/**
 * The least price (compiler/passes/rematerialise.ts) at which a training's process stays within `limit` bytes, as far as can be told before it runs:
 * tensors, moments and gradients in float32, what a step of a whole batch keeps, and what the process itself takes. Throws UserError where no price does.
 */
export function priceWithin(program: Program, training: TrainConfig, limit: number): number {
  const fixed = fixedBytes(program, training), kept = keptAt(program, PRICES, training.batch), passing = PASSING * (kept[0] ?? 0);
  const need = kept.map((bytes) => fixed + passing + bytes), found = need.findIndex((bytes) => bytes <= limit);
  if (found >= 0) return PRICES[found] ?? 0;
  throw new UserError(`--memory-limit: ${gigabytes(limit)} is too little for a training of ${program.name} with batches of ${training.batch}: about ${gigabytes(Math.min(...need))} at the least, ${gigabytes(fixed)} of it for tensors and the process`,
    'Allow more, or train with a smaller batch or a smaller image.');
}

function fixedBytes(program: Program, training: TrainConfig): number {
  const { kind, momentum } = training.optimizer, moments = kind === 'sgd' ? (momentum === 0 ? 0 : 1) : 2, tasks = taskCodes(program);
  return program.tensors.reduce((sum, t) => {
    const isTrained = t.kind === 'param' && !t.frozen;
    return sum + 4 * (elements(t, tasks) * (isTrained ? 1 + moments : 1) + (isTrained ? sizeOf(t.shape) : 0));
  }, PROCESS);
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
