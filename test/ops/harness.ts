// What the op tests share: graphs of one op and of its gradient, finite differences, and runs in ONNX Runtime. No op is named here.
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { evaluateDim, isStatic, type Dim } from '../../compiler/ir/dim.js';
import { formatType, type Attrs, type AttrValue, type Graph, type NodeId, type Output } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { opOf } from '../../compiler/ops/index.js';
import { onnxBytes } from '../../compiler/targets/onnx/index.js';
import { B, f32, SIZES, type Value } from './values.js';

/** One use of an op. Types and dims may hold the symbol B: such a case is also run with B replaced by its size. */
export interface Case {
  readonly op: string;
  /** What the case is about, where op and attributes do not say it. */
  readonly about?: string;
  readonly inputs: readonly Value[];
  readonly attrs?: Attrs;
}

export const nameOf = ({ op, about, inputs, attrs }: Case): string =>
  `${op}(${inputs.map((v) => formatType(v.type)).join(', ')}${Object.entries(attrs ?? {}).map(([k, v]) => `; ${k}: ${JSON.stringify(v)}`).join('')})${about === undefined ? '' : ` ${about}`}`;

/** The case with every symbolic size replaced by a number. */
export function withStaticSizes(c: Case): Case {
  const fixed = (d: Dim): number => evaluateDim(d, SIZES);
  const attr = (op: string, name: string, value: AttrValue): AttrValue =>
    (opOf(op).attrs[name]?.kind === 'dims' ? (value as readonly Dim[]).map(fixed) : value);
  return {
    ...c,
    inputs: c.inputs.map(({ type, value }) => ({ type: { ...type, shape: type.shape.map(fixed) }, value })),
    attrs: Object.fromEntries(Object.entries(c.attrs ?? {}).map(([name, value]) => [name, attr(c.op, name, value)])),
  };
}
export const isSymbolic = (c: Case): boolean => c.inputs.some((v) => v.type.shape.some((d) => !isStatic(d)));
/** A case with its sizes as numbers and, where it has symbols, as it is. */
export const variantsOf = (c: Case): readonly Case[] => (isSymbolic(c) ? [withStaticSizes(c), c] : [withStaticSizes(c)]);

interface Built { readonly b: GraphBuilder; readonly inputs: readonly NodeId[]; readonly y: NodeId; readonly kept: readonly Output[] }

function build(c: Case): Built {
  const b = new GraphBuilder();
  const inputs = c.inputs.map(({ type }, i) => b.leaf('input', { name: `x${i}` }, type));
  // an input that carries the batch is an output too, so that its size can be read whatever the op drops
  const batch = isSymbolic(c) ? [b.leaf('input', { name: 'batch' }, { dtype: 'f32', shape: [B] })] : [];
  return { b, inputs, y: b.add(c.op, inputs, c.attrs), kept: batch.map((id) => ({ name: 'batch-kept', id })) };
}

export function opGraph(c: Case): Graph {
  const { b, y, kept } = build(c);
  return b.finish([{ name: 'y', id: y }, ...kept]);
}

/** Whether a gradient can pass: the op has one, and it leads from a real result to a real input. */
export const passesGradient = (c: Case): boolean => {
  const { b, y } = build(c);
  return opOf(c.op).gradient !== undefined && b.type(y).dtype === 'f32' && c.inputs.some((v) => v.type.dtype === 'f32');
};

/** Outputs `dx<i>`: the vector-Jacobian product with the input `w`, of the output's type. Checks that gradients have the types of their inputs. */
export function gradientGraph(c: Case): Graph {
  const { b, inputs, y, kept } = build(c);
  const w = b.leaf('input', { name: 'w' }, b.type(y));
  const floats = inputs.map((id) => b.type(id).dtype === 'f32');
  const { gradient } = opOf(c.op);
  if (gradient === undefined) throw new Error(`${c.op} has no gradient`);
  const gradients = gradient({ b, node: b.node(y), inputs, output: y, dy: w, needs: (i) => floats[i] === true });
  const outputs = gradients.flatMap((id, i) => (id === undefined ? [] : [{ name: `dx${i}`, id }]));
  for (const { name, id } of outputs) {
    expect(formatType(b.type(id)), `type of ${name} of ${nameOf(c)}`).toBe(formatType(b.type(inputs[Number(name.slice(2))]!)));
  }
  return b.finish([...outputs, ...kept]);
}

/** What the graphs of a case read. */
export function feedsOf(c: Case, seed = 5): Map<string, NdArray> {
  const { b, y } = build(c);
  const weights = f32(b.shape(y), { seed, low: -1, high: 1 }).value;
  return new Map([...c.inputs.map(({ value }, i): [string, NdArray] => [`x${i}`, value]), ['w', weights], ['batch', f32([B]).value]]);
}

const STEP = 1e-5;

/** dL/dx_i of L = Σ w·op(x) by central differences. */
function differences(c: Case, i: number, weights: NdArray): Float64Array {
  const graph = opGraph(c);
  const feeds = feedsOf(c);
  const x = c.inputs[i]!.value;
  const loss = (at: number, shift: number): number => {
    const moved = ndarray(x.shape, x.data.slice());
    moved.data[at]! += shift;
    const y = evaluate(graph, new Map([...feeds, [`x${i}`, moved]])).get('y')!;
    return y.data.reduce((sum, v, k) => sum + v * weights.data[k]!, 0);
  };
  return x.data.map((_, at) => (loss(at, STEP) - loss(at, -STEP)) / (2 * STEP));
}

/** The gradient column against finite differences in float64, for every f32 input; relative to the largest entry. */
export function checkGradient(c: Case, tolerance = 1e-6): void {
  for (const variant of variantsOf(c)) {
    const feeds = feedsOf(variant);
    const graph = gradientGraph(variant);
    const gradients = evaluate(graph, feeds);
    for (const [i, { type }] of c.inputs.entries()) {
      if (type.dtype !== 'f32') continue;
      const expected = differences(withStaticSizes(c), i, feeds.get('w')!);
      const found = gradients.get(`dx${i}`)?.data ?? new Float64Array(expected.length);
      expect(distance(found, expected), `dL/dx${i} of ${nameOf(variant)}\n${[...found].join(' ')}\n${[...expected].join(' ')}`).toBeLessThan(tolerance);
    }
  }
}

/** max |a - b| relative to the largest |b|, or absolute where b is tiny. NaN where a value is not a number. */
export function distance(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  const scale = Math.max(...b.map(Math.abs), 1e-2);
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i]!) / scale), 0);
}

/** A graph in ONNX Runtime on one thread. */
export async function runOnnx(graph: Graph, feeds: ReadonlyMap<string, NdArray>, opset?: number): Promise<Map<string, NdArray>> {
  const session = await ort.InferenceSession.create(onnxBytes(graph, opset), { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  const dtypes = new Map([...graph.nodes.values()].map((n) => [String(n.attrs.name), n.type.dtype]));
  const results = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds.get(name)!, dtypes.get(name)!)])));
  const values = new Map(Object.entries(results).map(([name, t]) =>
    [name, ndarray([...t.dims], Float64Array.from(t.data as ArrayLike<number | bigint>, Number))]));
  await session.release();
  return values;
}

function toOrt(value: NdArray, dtype: 'f32' | 'i64' | 'bool'): ort.Tensor {
  switch (dtype) {
    case 'f32': return new ort.Tensor('float32', Float32Array.from(value.data), value.shape);
    case 'i64': return new ort.Tensor('int64', BigInt64Array.from(value.data, BigInt), value.shape);
    case 'bool': return new ort.Tensor('bool', Uint8Array.from(value.data), value.shape);
  }
}

type Run = (graph: Graph, feeds: ReadonlyMap<string, NdArray>) => Promise<Map<string, NdArray>>;

/** An engine (ONNX Runtime) against the reference evaluator, for the op and for its gradient; relative to each output's scale. */
export async function checkParity(c: Case, tolerance = 1e-5, run: Run = runOnnx): Promise<void> {
  for (const variant of variantsOf(c)) {
    const graphs = [opGraph(variant), ...(passesGradient(c) ? [gradientGraph(variant)] : [])];
    for (const graph of graphs) {
      const feeds = feedsOf(variant);
      const expected = evaluate(graph, feeds);
      const found = await run(graph, feeds);
      for (const { name } of graph.outputs.filter((o) => o.name !== 'batch-kept')) {
        const [a, e] = [found.get(name)!, expected.get(name)!];
        expect(a.shape, `shape of ${name} of ${nameOf(variant)}`).toEqual(e.shape);
        expect(distance(a.data, e.data), `${name} of ${nameOf(variant)}`).toBeLessThan(tolerance);
      }
    }
  }
}

