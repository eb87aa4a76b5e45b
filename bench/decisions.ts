// The measurements that docs/decisions/ cites: sizes of graphs, what binding a task costs, what copying outputs costs.
// Run on a quiet machine: npx tsx bench/decisions.ts [--threads N] [--rounds N]. Times are medians of one interleaved run; trust their ratios.
import { leafName, type Graph } from '../compiler/ir/graph.js';
import { evaluateDim } from '../compiler/ir/dim.js';
import { applyFunction, gradFunction } from '../compiler/functions.js';
import { compileSpec } from '../compiler/index.js';
import { pathForTask, taskCodes, trainable, type Program } from '../compiler/program.js';
import { diskHost } from '../cli/host.js';
import { createEngine } from '../runtime/engines/index.js';
import { f32, type CompiledFunction, type Tensor } from '../runtime/engines/engine.js';
import { median } from './subject.js';

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const threads = option('--threads', 2), rounds = option('--rounds', 7);

const started = performance.now();
const { program, diagnostics } = compileSpec({ file: 'models/tpseg-nano.tps', block: 'main' }, diskHost());
const checked = performance.now() - started;
if (program === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
const engine = await createEngine('ort', { threads, device: 'cpu' });

const timed = async <T>(run: () => T | Promise<T>): Promise<{ readonly ms: number; readonly value: T }> => {
  const t = performance.now();
  const value = await run();
  return { ms: performance.now() - t, value };
};

function feedsOf(graph: Graph, B: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const n of graph.nodes.values()) {
    if (!['input', 'param', 'state', 'schedule'].includes(n.op)) continue;
    const shape = n.type.shape.map((d) => evaluateDim(d, { B }));
    const size = shape.reduce((a, b) => a * b, 1);
    feeds[leafName(n)] = n.type.dtype === 'i64' ? { dtype: 'i64', shape, data: new BigInt64Array(size) } : f32(shape, Float32Array.from({ length: size }, (_, i) => (n.op === 'schedule' ? 0.5 : 0.1 * Math.sin(1.7 * i + n.id))));
  }
  return feeds;
}

/** The same network with one task's tensors under plain names: what a session per task would run. */
function baked(p: Program, code: string): Program {
  const graph = (g: Graph): Graph => ({ ...g, nodes: new Map([...g.nodes].map(([id, n]) => [id, 'path' in n.attrs ? { ...n, attrs: { ...n.attrs, path: pathForTask(String(n.attrs['path']), code) } } : n])) });
  return { ...p, tensors: p.tensors.map((t) => ({ ...t, path: pathForTask(t.path, code), perTask: false })), ...(p.train === undefined ? {} : { train: graph(p.train) }) };
}

const grad = await timed(() => gradFunction(program));
const open = await timed(() => engine.compile(grad.value));
const one = await timed(() => engine.compile(gradFunction(baked(program, taskCodes(program)[0] ?? ''))));
const apply = await timed(() => engine.compile(applyFunction(trainable(program), program.training?.optimizer ?? fail())));
function fail(): never { throw new Error('no train block'); }

const cases: Record<string, { readonly fn: CompiledFunction; readonly feeds: Record<string, Tensor>; readonly times: number[] }> = {
  'grad, 1 image': { fn: open.value, feeds: feedsOf(grad.value, 1), times: [] },
  'grad, 2 images': { fn: open.value, feeds: feedsOf(grad.value, 2), times: [] },
  'grad, 8 images of one task': { fn: open.value, feeds: feedsOf(grad.value, 8), times: [] },
  'apply, all trainable tensors': { fn: apply.value, feeds: { ...feedsOf(applyFunction(trainable(program), program.training?.optimizer ?? fail()), 1), lr: f32([], [1e-3]), step: f32([], [1]), clip: f32([], [1]) }, times: [] },
};
for (let round = 0; round <= rounds; round++) for (const c of Object.values(cases)) {
  const { ms } = await timed(() => c.fn.run(c.feeds));
  if (round > 0) c.times.push(ms);
}
const elements = trainable(program).reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0);
const copied = new Float32Array(elements);
const copies = [];
for (let i = 0; i < rounds; i++) copies.push((await timed(() => copied.slice())).ms);

console.log(JSON.stringify({
  threads, rounds, spec: 'models/tpseg-nano.tps',
  checkMs: Math.round(checked), nodes: { infer: program.infer.nodes.size, train: program.train?.nodes.size, grad: grad.value.nodes.size }, autodiffMs: Math.round(grad.ms),
  sessionMs: { taskBound: Math.round(open.ms), oneTaskBaked: Math.round(one.ms) }, tasks: taskCodes(program).length,
  medianMs: Object.fromEntries(Object.entries(cases).map(([name, c]) => [name, Number(median(c.times).toFixed(1))])),
  trainableElementsOfOneTask: elements, copyOfThemMs: Number(median(copies).toFixed(2)),
}, null, 2));
process.exit(0);
