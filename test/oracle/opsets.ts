// Every use of every op in the case tables, and its gradient, written at every opset: files for opsets.py, which checks and runs them in Python.
//   npx tsx test/oracle/opsets.ts --python PATH    (a Python with onnx, onnxruntime and numpy)
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { evaluate } from '../../compiler/evaluate.js';
import { nodeOf, type Graph } from '../../compiler/ir/graph.js';
import type { NdArray } from '../../compiler/ir/ndarray.js';
import { onnxBytes } from '../../compiler/targets/onnx/index.js';
import { OPSETS } from '../../compiler/targets/onnx/opset.js';
import { cases } from '../ops/cases.js';
import { contractions, withoutDifferences } from '../ops/cases-contractions.js';
import { feedsOf, gradientGraph, nameOf, opGraph, passesGradient, variantsOf } from '../ops/harness.js';

const { values: { python } } = parseArgs({ options: { python: { type: 'string', default: 'python3' } } });
const folder = mkdtempSync(join(tmpdir(), 'tpsc-opsets-'));
const json = ({ shape, data }: NdArray) => ({ shape, data: [...data] });
const opsets = Array.from({ length: OPSETS.most - OPSETS.least + 1 }, (_, i) => OPSETS.least + i);

interface Row { readonly name: string; readonly files: Readonly<Record<string, string>>; readonly feeds: object; readonly expected: object }
const rows: Row[] = [];
function add(name: string, graph: Graph, feeds: ReadonlyMap<string, NdArray>): void {
  const files = Object.fromEntries(opsets.map((opset) => {
    const file = `${rows.length}-${opset}.onnx`;
    writeFileSync(join(folder, file), onnxBytes(graph, opset));
    return [opset, file];
  }));
  const read = new Map([...graph.nodes.values()].filter((n) => n.op === 'input').map((n) => [String(n.attrs['name']), n.type.dtype]));
  const values = evaluate(graph, feeds);
  rows.push({
    name, files,
    feeds: Object.fromEntries([...feeds].filter(([key]) => read.has(key)).map(([key, value]) => [key, { dtype: read.get(key), ...json(value) }])),
    expected: Object.fromEntries(graph.outputs.map(({ name: key, id }) => [key, { dtype: nodeOf(graph, id).type.dtype, ...json(values.get(key) as NdArray) }])),
  });
}
try {
  for (const c of [...cases, ...contractions, ...withoutDifferences]) {
    for (const variant of variantsOf(c)) {
      add(nameOf(variant), opGraph(variant), feedsOf(variant));
      if (passesGradient(c)) add(`gradient of ${nameOf(variant)}`, gradientGraph(variant), feedsOf(variant));
    }
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(rows));
  execFileSync(python, [fileURLToPath(new URL('opsets.py', import.meta.url)), folder], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
