// Which ONNX form of a convolution's gradients ONNX Runtime runs fastest, by shape. `compiler/ops/shared/weight_grad_onnx.ts` and
// `compiler/ops/conv_transpose2d.ts` choose by what this prints. Run: npx tsx bench/conv-gradients.ts [--threads N] [--rounds N]
// One thread: processor time, which other processes on the machine disturb little. More: wall time. All forms of a shape in one interleaved run.
import * as ort from 'onnxruntime-node';
import { symbol } from '../compiler/ir/dim.js';
import type { Graph, TensorType } from '../compiler/ir/graph.js';
import { turnedRound } from '../compiler/ops/conv_transpose2d.js';
import { weightGradForm, weightGradOnnx, type WeightGrad, type WeightGradForm } from '../compiler/ops/shared/weight_grad_onnx.js';
import { Emitter } from '../compiler/targets/onnx/emitter.js';
import { encodeModel, valueInfo } from '../compiler/targets/onnx/proto.js';

interface Shape { readonly batch: number; readonly from: number; readonly to: number; readonly size: number; readonly kernel: number; readonly stride?: number; readonly groups?: number }

const SHAPES: readonly Shape[] = [
  { batch: 4, from: 64, to: 64, size: 88, kernel: 3 },
  { batch: 4, from: 256, to: 256, size: 22, kernel: 3 },
  { batch: 8, from: 512, to: 512, size: 8, kernel: 3 },
  { batch: 4, from: 32, to: 16, size: 176, kernel: 3 },
  { batch: 4, from: 144, to: 256, size: 88, kernel: 1 },
  { batch: 8, from: 64, to: 64, size: 32, kernel: 3 },
  { batch: 8, from: 3, to: 32, size: 128, kernel: 3 },
  { batch: 8, from: 3, to: 48, size: 128, kernel: 7, stride: 4 },
  { batch: 8, from: 64, to: 128, size: 32, kernel: 3, stride: 2 },
  { batch: 8, from: 64, to: 64, size: 32, kernel: 3, groups: 64 },
  { batch: 8, from: 256, to: 256, size: 16, kernel: 3, groups: 256 },
];

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const threads = option('--threads', 2), rounds = option('--rounds', 8);

const B = symbol('B');
const EMPTY: Graph = { nodes: new Map(), outputs: [] };
type Inputs = Readonly<Record<string, readonly number[]>>;

/** A model of what `body` emits, reduced to one number so that no large output is copied. The first axis of x and dy is symbolic. */
async function session(inputs: Inputs, body: (e: Emitter) => string): Promise<ort.InferenceSession> {
  const e = new Emitter(EMPTY);
  const typed = Object.entries(inputs).map(([name, dims]): readonly [string, TensorType] => {
    e.reserve(name);
    if (name === 'w') return [name, { dtype: 'f32', shape: dims }];
    e.symbols.set('B', { value: name, axis: 0 });
    return [name, { dtype: 'f32', shape: [B, ...dims.slice(1)] }];
  });
  e.write('Identity', [e.emit('ReduceSum', [body(e)], { keepdims: 0 })], 'sum');
  const graph = { name: 'bench', node: e.nodes, initializer: e.initializers, input: typed.map(([name, type]) => valueInfo(name, type, false)), output: [valueInfo('sum', { dtype: 'f32', shape: [] }, false)] };
  const bytes = encodeModel({ opset: 20, producerVersion: '0', metadata: {}, graph });
  return ort.InferenceSession.create(bytes, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 });
}

const tensor = (dims: readonly number[]): ort.Tensor =>
  new ort.Tensor('float32', Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i)), dims);

async function time(s: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<number> {
  const own = Object.fromEntries(s.inputNames.map((name) => [name, feeds[name] ?? tensor([1])]));
  const cpu = process.cpuUsage(), start = performance.now();
  await s.run(own);
  const used = process.cpuUsage(cpu);
  return threads === 1 ? (used.user + used.system) / 1000 : performance.now() - start;
}

async function measure({ batch, from, to, size, kernel, stride = 1, groups = 1 }: Shape): Promise<string> {
  const padding = kernel >> 1, out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const x = [batch, from, size, size], dy = [batch, to, out, out], w = [to, from / groups, kernel, kernel];
  const pads = (p: number) => ({ ints: [p, p, p, p] }), strides = { ints: [stride, stride] }, group = { int: groups };
  const g: WeightGrad = {
    image: { batch: B, channels: from, size: [size, size] }, kernels: to, channels: from / groups, groups, size: [out, out],
    window: { kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding], dilation: [1, 1] },
  };
  const forms: readonly WeightGradForm[] = groups > 1 ? ['depthwise', 'taps', 'unfold'] : kernel > 1 ? ['taps', 'joined', 'unfold'] : ['taps', 'joined'];
  const rest = size - ((out - 1) * stride - 2 * padding + kernel);
  const runs: [string, ort.InferenceSession][] = [
    ['forward', await session({ x, w }, (e) => e.emit('Conv', ['x', 'w'], { strides, pads: pads(padding), group }))],
    ['dx ConvTranspose', await session({ dy, w }, (e) => e.emit('ConvTranspose', ['dy', 'w'], { strides, pads: pads(padding), group, output_padding: { ints: [rest, rest] } }))],
  ];
  if (stride === 1) runs.push(['dx Conv', await session({ dy, w }, (e) => e.emit('Conv', ['dy', turnedRound(e, 'w', [groups, to / groups, from / groups], [kernel, kernel])], { pads: pads(kernel - 1 - padding), group }))]);
  for (const form of forms) runs.push([`dW ${form}${form === weightGradForm(g) ? '*' : ''}`, await session({ x, dy }, (e) => weightGradOnnx(e, 'x', 'dy', g, form))]);

  const feeds = { x: tensor(x), dy: tensor(dy), w: tensor(w) };
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) for (const [name, s] of runs) best.set(name, Math.min(best.get(name) ?? Infinity, await time(s, feeds)));
  for (const [, s] of runs) await s.release();
  const forward = best.get('forward') ?? 1;
  const title = `${from}->${to} k${kernel}${stride > 1 ? ` s${stride}` : ''}${groups > 1 ? ` g${groups}` : ''} ${size}x${size} b${batch}`;
  return `${title.padEnd(30)} forward ${forward.toFixed(1)} ms | ${[...best].slice(1).map(([name, ms]) => `${name} ${(ms / forward).toFixed(2)}`).join(' | ')}`;
}

console.log(`${threads === 1 ? 'processor' : 'wall'} time, ${threads} thread(s), least of ${rounds}; gradients as multiples of the forward; * is what the compiler takes`);
for (const shape of SHAPES) console.log(await measure(shape));
