// Two forms of a bilinear resize that ONNX Runtime took for something else: one behind a chosen channel, one among transposes.
import { expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { symbol } from '../../compiler/ir/dim.js';
import type { NodeId } from '../../compiler/ir/graph.js';
import { createEngine } from '../../runtime/engines/index.js';
import { f32, i64 } from '../../runtime/engines/engine.js';

const B = symbol('B');
const IMAGE = f32([3, 2, 4, 4], Float32Array.from({ length: 96 }, (_, i) => Math.sin(i)));

async function bothEngines(build: (b: GraphBuilder, x: NodeId) => NodeId): Promise<readonly (readonly number[])[]> {
  const b = new GraphBuilder();
  const y = build(b, b.leaf('input', { name: 'x' }, { dtype: 'f32', shape: [B, 2, 4, 4] }));
  const graph = b.finish([{ name: 'y', id: y }]);
  return Promise.all(['ort', 'reference'].map(async (name) => {
    const fn = await (await createEngine(name, { threads: 1 })).compile(graph);
    return [...(await fn.run({ x: IMAGE, t: i64(1) }))['y']!.data as Float32Array];
  }));
}
const near = ([found, exact]: readonly (readonly number[])[]): void => found!.forEach((v, i) => { expect(v).toBeCloseTo(exact![i]!, 5); });

it('a channel chosen by the task, resized', async () => {
  near(await bothEngines((b, x) => b.add('resize', [b.reshape(b.add('gather', [x, b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] })], { axis: 1 }), [B, 1, 4, 4])], { size: [7, 8] })));
});
it('a resize between transposes', async () => {
  near(await bothEngines((b, x) => b.transpose(b.add('relu', [b.add('resize', [b.transpose(b.add('relu', [b.transpose(x, [0, 2, 3, 1])]), [0, 3, 1, 2])], { size: [6, 11], align_corners: true })]), [0, 2, 3, 1])));
});
