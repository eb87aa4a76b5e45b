// Every op and every gradient in TensorFlow.js against the reference evaluator, with static sizes and with a symbolic batch:
// on wasm, or on the backend that TPSC_TEST_TFJS names.
import { beforeAll, describe, expect, it } from 'vitest';
import { leafName, type Graph } from '../../compiler/ir/graph.js';
import type { NdArray } from '../../compiler/ir/ndarray.js';
import { fedLeaves, toArray, toTensor } from '../../runtime/engines/feeds.js';
import { TFJS_BACKENDS } from '../../runtime/engines/tfjs/backend.js';
import { createTfjsEngine, type TfjsEngine } from '../../runtime/engines/tfjs/index.js';
import { cases } from '../ops/cases.js';
import { checkParity, nameOf } from '../ops/harness.js';

const backend = TFJS_BACKENDS.find((b) => b === process.env['TPSC_TEST_TFJS']) ?? 'wasm';
let engine: TfjsEngine;
beforeAll(async () => { engine = await createTfjsEngine({ device: 'cpu', backend, threads: 1 }); });

async function run(graph: Graph, feeds: ReadonlyMap<string, NdArray>): Promise<Map<string, NdArray>> {
  const before = engine.tfjs.tensors();
  const fn = await engine.compile(graph);
  const given = Object.fromEntries(fedLeaves(graph).map((leaf) => [leafName(leaf), toTensor(feeds.get(leafName(leaf))!, leaf.type.dtype)]));
  const results = await fn.run(given);
  await fn.dispose();
  expect(engine.tfjs.tensors(), 'tensors that were left').toBe(before);
  return new Map(Object.entries(results).map(([name, tensor]) => [name, toArray(tensor)]));
}

describe(`TensorFlow.js on ${backend} computes what \`evaluate\` says`, () => {
  for (const c of cases) it(nameOf(c), () => checkParity(c, 1e-5, run));
});
