// Rows of the tables at nano size: those whose structure no other test runs learn a batch. (That all of them check: tpseg.test.ts, program.test.ts.)
import { beforeAll, describe, expect, it } from 'vitest';
import { taskCodes, type Program } from '../../compiler/program.js';
import type { Batch } from '../../runtime/data/index.js';
import { f32, type Engine, type Tensor } from '../../runtime/engines/engine.js';
import { createEngine } from '../../runtime/engines/index.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { freshState, makeStepper } from '../../runtime/train/step.js';
import { discs, images } from './formula.js';
import { compiled } from './specs.js';

let engine: Engine;
beforeAll(async () => { engine = await createEngine('ort', { threads: 2 }); });

const plain = (a: { readonly shape: readonly number[]; readonly data: ArrayLike<number> }): Tensor => f32(a.shape, Float32Array.from(a.data));

/** The losses of some steps on one batch of one task, from random weights. */
async function losses(program: Program, steps: number): Promise<number[]> {
  const stepper = await makeStepper(program, program.training!, engine);
  const state = freshState(startingTensors(program, 3, 'random').tensors, stepper, taskCodes(program));
  const batch: Batch = {
    image: plain(images('variants', 4, 64)), truth: plain(discs(4, 64)), step: 0, tasks: [1, 1, 1, 1],
    items: ['w', 'x', 'y', 'z'].map((stem) => ({ task: 'BT', stem, image: '', mask: '', group: '', split: 'train' as const })),
  };
  const schedules = Object.fromEntries(program.schedules.map((s) => [s.name, s.from]));
  const seen: number[] = [];
  for (let step = 0; step < steps; step++) seen.push((await stepper.run(state, batch, { lr: 2e-3, schedules, seed: 0, step })).loss);
  await stepper.dispose();
  return seen;
}

describe('a variant at nano size learns its batch', () => {
  it.each(['A1', 'B1', 'fused'])('%s', async (variant) => {
    const seen = await losses(compiled('models/tpseg-nano.tps', { variant, tasks: ['WA', 'BT'], set: { size: '64' } }), 4);
    expect(seen.every(Number.isFinite)).toBe(true);
    expect(seen.at(-1)).toBeLessThan(seen[0]!);
  }, 60_000);
});
