// Blocks of the standard library alone: laws that must hold whatever network uses them.
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { inferFunction } from '../../compiler/functions.js';
import { leafName, type Graph } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { pathForTask, storedPaths, taskCodes, type Program } from '../../compiler/program.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { toArray } from '../../runtime/engines/feeds.js';
import { discs, images, valueOf } from './formula.js';
import { compiled, compiledText } from './specs.js';

/** Runs a graph in float64; parameters by the formula unless given. */
function run(graph: Graph, given: Readonly<Record<string, NdArray>>): Map<string, NdArray> {
  const feeds = new Map<string, NdArray>();
  for (const node of graph.nodes.values()) {
    const name = leafName(node);
    if (['param', 'state', 'input', 'schedule'].includes(node.op)) feeds.set(name, given[name] ?? valueOf(name, node.type.shape as readonly number[]));
  }
  return evaluate(graph, feeds);
}

/** The values of an expression f32[1, 1, H, W] over `image` f32[1, 3, H, W]. */
function valuesOf(imports: string, body: string, image: NdArray): number[] {
  const [, , height, width] = image.shape;
  const program = compiledText(`edition 1\n${imports}\nmodel M(image: f32[B, 3, ${height}, ${width}]) -> f32[B, 1, ${height}, ${width}] {\n${body}\n}`);
  return [...run(program.infer, { image }).get('logits')!.data];
}

describe('gates', () => {
  const weights = (law: string, temperature: string): number[] => valuesOf('from std.gate import ' + law, `
    let own = { raw: param f32[12] init zeros }
    let g = ${law}(own.raw, ${temperature})
    return mean(image, axes: [1]) * 0.0 + (g |> reshape([1, 1, 1, 12]))`, ndarray([1, 3, 1, 12], new Float64Array(36)));

  it.each(['cumulative_sigmoid', 'cumulative_softmax', 'hazard', 'position'])('%s rises from node to node and stays in [0, 1]', (law) => {
    for (const temperature of ['1.0', '0.3', '0.05']) {
      const g = weights(law, temperature);
      expect(g.every((v, i) => v >= 0 && v <= 1 + 1e-12 && (i === 0 || v >= g[i - 1]!))).toBe(true);
    }
  });

  it('cooling makes the cumulative sigmoid a step', () => {
    const [warm, cold] = ['1.0', '0.05'].map((t) => weights('cumulative_sigmoid', t).filter((v) => v > 0.05 && v < 0.95).length);
    expect(cold).toBeLessThan(warm!);
    expect(weights('cumulative_sigmoid', '0.05')[0]).toBeLessThan(1e-6);
    expect(weights('cumulative_sigmoid', '0.05')[11]).toBeGreaterThan(1 - 1e-6);
  });
});

describe('depthwise with a kernel per sample', () => {
  it('by the identity kernel leaves its input', () => {
    const image = images('identity', 1, 5);
    const out = valuesOf('from std.pgtd import depthwise, identity_kernel', 'return depthwise(image, identity_kernel(3)() |> expand([B, 3, 3, 3]))[:, 1:2]', image);
    expect(out).toEqual([...image.data.slice(25, 50)]);
  });

  it('by one kernel for all is a grouped convolution', () => {
    const image = images('depthwise', 1, 6);
    const difference = valuesOf('from std.pgtd import depthwise', `
      param k: f32[3, 1, 3, 3] init zeros
      let ours = depthwise(image, k |> reshape([1, 3, 3, 3]) |> expand([B, 3, 3, 3]))
      return sum(abs(ours - conv2d(image, k, padding: 1, groups: 3)), axes: [1])`, image);
    expect(Math.max(...difference)).toBeLessThan(1e-14);
  });
});

describe('losses', () => {
  it('structure_iou is the weighted cross-entropy and IoU of its definition', () => {
    const size = 6, z = images('z', 1, size).data.slice(0, size * size).map((v) => 3 * v), m = discs(1, size).data;
    const pixels = Array.from({ length: size * size }, (_, i) => i);
    // the 31 x 31 window covers the whole picture; what lies outside counts as zeros
    const mean = m.reduce((a, b) => a + b, 0) / 961;
    const w = pixels.map((i) => 1 + 5 * Math.abs(mean - m[i]!));
    const sum = (f: (i: number) => number): number => pixels.reduce((s, i) => s + f(i), 0);
    const p = (i: number): number => 1 / (1 + Math.exp(-z[i]!));
    const cross = sum((i) => -w[i]! * (m[i]! * Math.log(p(i)) + (1 - m[i]!) * Math.log(1 - p(i)))) / sum((i) => w[i]!);
    const both = sum((i) => w[i]! * p(i) * m[i]!), either = sum((i) => w[i]! * (p(i) + m[i]!));
    const program = compiledText(`edition 1
from std.loss import structure_iou
model M(image: f32[B, 3, 6, 6]) -> f32[B, 1, 6, 6] {
  param shift: f32[] init 0.0
  let logits = image[:, 0:1] + shift
  return logits
}
train main of M {
  loss = structure_iou(logits, truth)
  optimizer = adam(lr: 1e-3)
  epochs = 1, batch = 1
}`);
    const image = ndarray([1, 3, size, size], [...z, ...z, ...z]);
    const loss = run(program.evaluate!, { image, truth: ndarray([1, 1, size, size], m), shift: ndarray([], [0]) }).get('loss')!;
    expect(loss.data[0]).toBeCloseTo(cross + 1 - (both + 1) / (either - both + 1), 8);
  });

  it('stay finite where logits are huge', () => {
    const out = valuesOf('from std.loss import cross_entropy', 'return cross_entropy(image[:, 0:1], image[:, 1:2])', ndarray([1, 3, 1, 2], [1e4, -1e4, 1, 1, 0, 0]));
    expect(out).toEqual([0, 1e4]);
  });
});

describe('what TP-Seg nano begins as', () => {
  /** The tensors of a fresh run, as feeds of one task. */
  const fresh = (program: Program, task: string): Record<string, NdArray> => {
    const { tensors } = startingTensors(program, 7, 'random');
    return Object.fromEntries(program.tensors.map((t) => [t.path, toArray(tensors.get(pathForTask(t.path, task))!)]));
  };
  const set = { size: '32' };
  const inputs = { image: images('fresh', 2, 32), t: ndarray([], [7]) };

  it('adapters begin as the identity, so the whole network begins as its variant without them', () => {
    const whole = compiled('models/tpseg-nano.tps', { set }), without = compiled('models/tpseg-nano.tps', { set, variant: 'no_adapters' });
    const schedules = Object.fromEntries(whole.schedules.map((s) => [`schedule:${s.name}`, ndarray([], [s.from])]));
    const a = run(inferFunction(whole), { ...inputs, ...schedules, ...fresh(whole, 'SL') }).get('logits')!;
    const b = run(inferFunction(without), { ...inputs, ...fresh(without, 'SL') }).get('logits')!;
    expect(Math.max(...a.data.map((v, i) => Math.abs(v - b.data[i]!)))).toBeLessThan(1e-9);
  });

  it('prototypes begin as unit vectors, another pair for each task', () => {
    const program = compiled('models/tpseg-nano.tps', { set });
    const { tensors } = startingTensors(program, 7, 'random');
    const prototypes = program.tensors.filter((t) => t.path.includes('.proto.')).flatMap((t) => storedPaths(t, taskCodes(program))).map((path) => toArray(tensors.get(path)!));
    expect(prototypes).toHaveLength(3 * 8);
    for (const { data, shape } of prototypes) for (const row of [0, 1]) expect(Math.hypot(...data.slice(row * shape[1]!, (row + 1) * shape[1]!))).toBeCloseTo(1, 5);
    expect(new Set(prototypes.map(({ data }) => data.join())).size).toBe(3 * 8);
  });

  it('a region that the batch does not show leaves its prototype alone', () => {
    const program = compiled('models/tpseg-nano.tps', { set }), tensors = fresh(program, 'SL');
    const schedules = Object.fromEntries(program.schedules.map((s) => [`schedule:${s.name}`, ndarray([], [s.from])]));
    const truth = ndarray([2, 1, 32, 32], new Float64Array(2 * 32 * 32));
    const after = run(program.train!, { ...inputs, ...schedules, ...tensors, truth });
    const width = 32, before = tensors['d1.proto.{task}']!.data, now = after.get('state:d1.proto.{task}')!.data;
    const moved = (row: number): number => Math.max(...Array.from({ length: width }, (_, i) => Math.abs(before[row * width + i]! - now[row * width + i]!)));
    expect(moved(0)).toBeLessThan(1e-6);
    expect(moved(1)).toBeGreaterThan(1e-3);
  });
});
