// Every op and every gradient as the oldest and the newest opset say it, in ONNX Runtime against the reference evaluator.
// All opsets, under `onnx.checker` and in Python too: test/oracle/opsets.ts.
import { describe, expect, it } from 'vitest';
import onnxProto from 'onnx-proto';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { onnxBytes } from '../../compiler/targets/onnx/index.js';
import { OPSETS } from '../../compiler/targets/onnx/opset.js';
import { input } from '../ir/support.js';
import { cases } from './cases.js';
import { contractions, withoutDifferences } from './cases-contractions.js';
import { checkParity, runOnnx } from './harness.js';

describe('every op in ONNX Runtime computes what `evaluate` says', () => {
  const all = [...cases, ...contractions, ...withoutDifferences];
  // The newest has the forms of the usual one, which other tests walk through: some uses show that they are still accepted.
  for (const [opset, count] of [[OPSETS.least, Infinity], [OPSETS.most, 2]] as const) {
    for (const op of new Set(all.map((c) => c.op))) it(`${op} at opset ${opset}`, async () => {
      for (const c of all.filter((use) => use.op === op).slice(0, count)) await checkParity(c, 1e-5, (graph, feeds) => runOnnx(graph, feeds, opset));
    });
  }
});

describe('forms that are younger than an opset', () => {
  const written = (graph: Graph, opset: number) => (onnxProto.onnx.ModelProto.decode(onnxBytes(graph, opset)).graph?.node ?? []);
  const mean = (() => { const b = new GraphBuilder(); return b.finish([{ name: 'y', id: b.mean(input(b, 'x', [2, 3, 4]), [0, 1]) }]); })();
  it('axes are an input from 18 on and an attribute before', () => {
    expect(written(mean, 17).map((n) => [n.opType, n.input?.length, n.attribute?.map((a) => [a.name, (a.ints ?? []).map(Number)])])).toEqual([['ReduceMean', 1, [['axes', [0, 1]], ['keepdims', []]]]]);
    expect(written(mean, 18)[0]?.input).toHaveLength(2);
  });
  it('Gelu is one node from 20 on and its formula before', () => {
    const b = new GraphBuilder();
    const graph = b.finish([{ name: 'y', id: b.add('gelu', [input(b, 'x', [2])]) }]);
    expect(written(graph, 19).map((n) => n.opType)).toEqual(['Div', 'Erf', 'Add', 'Mul', 'Mul']);
    expect(written(graph, 20).map((n) => n.opType)).toEqual(['Gelu']);
  });
});
