// Every pass left out, one by one and all together: the gradients of a network stay what they are.
import { beforeAll, expect, test } from 'vitest';
import { gradFunction } from '../../compiler/functions.js';
import { leafName } from '../../compiler/ir/graph.js';
import { PASSES, type Pass } from '../../compiler/passes/index.js';
import type { Program } from '../../compiler/program.js';
import { f32, type Engine, type Feeds, type Tensor } from '../../runtime/engines/engine.js';
import { fedLeaves } from '../../runtime/engines/feeds.js';
import { createEngine } from '../../runtime/engines/index.js';
import { streamOf } from '../../runtime/random.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { binderOf, pick, scheduleFeeds } from '../../runtime/train/bind.js';
import { imageInput } from '../../runtime/train/image-input.js';
import { compiled } from '../models/specs.js';

const IMAGES = 2;
let program: Program, engine: Engine, feeds: Feeds, whole: Readonly<Record<string, Tensor>>;

async function gradientsWith(passes: ReadonlySet<Pass>): Promise<Readonly<Record<string, Tensor>>> {
  // a price at which nearly everything is computed again
  const fn = await engine.compile(gradFunction(program, { passes, recomputation: { price: 1e6, batch: IMAGES } }));
  try { return await fn.run(pick(feeds, fn.inputs)); } finally { await fn.dispose(); }
}

beforeAll(async () => {
  program = compiled('models/tpseg-nano.tps', { set: { size: '64' } });
  engine = await createEngine('ort', { threads: 1 });
  const { tensors } = startingTensors(program, 1, 'random'), { height, width } = imageInput(program), random = streamOf(3, 'matrix');
  // what begins at zero would hide half of the gradient
  for (const [path, { shape, data }] of tensors) tensors.set(path, f32(shape, Float32Array.from(data as Float32Array, (v) => v + 0.05 * random.normal())));
  const names = fedLeaves(gradFunction(program)).map(leafName);
  feeds = {
    ...binderOf(program).feeds(names, tensors, 2), ...scheduleFeeds(Object.fromEntries(program.schedules.map((s) => [s.name, s.from]))),
    image: f32([IMAGES, 3, height, width], Float32Array.from({ length: IMAGES * 3 * height * width }, () => random.normal())),
    truth: f32([IMAGES, 1, height, width], Float32Array.from({ length: IMAGES * height * width }, (_, i) => (i % 7 < 3 ? 1 : 0))),
    weights: f32([IMAGES], [0.5, 0.5]),
  };
  whole = await gradientsWith(PASSES);
}, 120_000);

const without: readonly (readonly [string, ReadonlySet<Pass>])[] = [
  ...[...PASSES].map((pass) => [pass, new Set([...PASSES].filter((p) => p !== pass))] as const), ['all passes', new Set<Pass>()],
];
test('there are gradients to compare', () => { expect(Object.keys(whole).length).toBeGreaterThan(100); });

test.each(without)('without %s', async (_, passes) => {
  const found = await gradientsWith(passes);
  expect(Object.keys(found).sort()).toEqual(Object.keys(whole).sort());
  for (const [name, { data }] of Object.entries(whole)) {
    const scale = Math.max(...Array.from(data as Float32Array, Math.abs)), other = found[name]?.data as Float32Array;
    // rounding of float32; a tensor whose true gradient is zero has no scale of its own
    const apart = (data as Float32Array).reduce((most, v, i) => Math.max(most, Math.abs(v - (other[i] ?? NaN))), 0);
    expect(apart, name).toBeLessThan(Math.max(2e-4 * scale, 1e-6));
  }
}, 60_000);
