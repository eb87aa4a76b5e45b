import onnxProto from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { addDim, mulDim } from '../../compiler/ir/dim.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import type { TensorValue } from '../../compiler/bindings.js';
import { toOnnx, type OnnxOptions } from '../../compiler/targets/onnx/index.js';
import { B, input, param } from '../ir/support.js';

const decode = (graph: Graph, options: Partial<OnnxOptions> = {}) => onnxProto.onnx.ModelProto.decode(toOnnx(graph, { producerVersion: '1.2.3', ...options }).bytes);
const names = (list: readonly { name?: string | null }[] | null | undefined) => (list ?? []).map((v) => v.name);
const ops = (graph: Graph, options: Partial<OnnxOptions> = {}) => (decode(graph, options).graph?.node ?? []).map((n) => n.opType);
const value = (...data: number[]): TensorValue => ({ shape: [data.length], read: () => Float32Array.from(data) });

describe('the file says what it is', () => {
  const b = new GraphBuilder();
  b.place = { path: 'head' };
  const graph = b.finish([{ name: 'logits', id: b.mul(input(b, 'image', [B, 3]), param(b, 'head.weight', [1, 3])) }]);

  test('opset, IR version, producer, metadata, names, the batch as a parameter', () => {
    const model = decode(graph, { name: 'nano', metadata: { tasks: 'WA,BT' } });
    expect(model).toMatchObject({ producerName: 'tpsc', producerVersion: '1.2.3', metadataProps: [{ key: 'tasks', value: 'WA,BT' }] });
    expect([Number(model.irVersion), Number(model.opsetImport[0]?.version), model.graph?.name]).toEqual([9, 20, 'nano']);
    expect([names(model.graph?.input), names(model.graph?.output)]).toEqual([['image', 'head.weight'], ['logits']]);
    expect(model.graph?.input?.[0]?.type?.tensorType?.shape?.dim?.map((d) => d.dimParam || Number(d.dimValue))).toEqual(['B', 3]);
    expect(model.graph?.node?.map((n) => [n.opType, n.name, n.output])).toEqual([['Mul', 'head/mul', ['logits']]]);
  });

  test('shapes can be left unsaid, for an engine that checks them itself', () => {
    const { input: inputs, output } = decode(graph, { hideShapes: true }).graph!;
    expect([...inputs!, ...output!].map((v) => [v.type?.tensorType?.elemType, v.type?.tensorType?.shape])).toEqual([[1, null], [1, null], [1, null]]);
  });

  test('a tensor with a value is written, the others stay inputs', () => {
    const model = decode(graph, { tensors: new Map([['head.weight', { shape: [1, 3], read: () => Float32Array.of(1, 2, 3) }]]) });
    expect([names(model.graph?.input), names(model.graph?.initializer)]).toEqual([['image'], ['head.weight']]);
    expect([...new Float32Array(Uint8Array.from(model.graph!.initializer![0]!.rawData!).buffer)]).toEqual([1, 2, 3]);
  });

  test('a value of another shape than the graph says is refused', () => {
    expect(() => decode(graph, { tensors: new Map([['head.weight', value(1, 2, 3)]]) })).toThrow('head.weight has shape [3]');
  });
});

describe('values are shared', () => {
  test('equal constants of one dtype are one initialiser; other shapes and dtypes are not', () => {
    const b = new GraphBuilder();
    const x = input(b, 'x', [B, 2]);
    const graph = b.finish(['a', 'b', 'c'].map((name, i) => ({ name, id: b.mul(b.addition(x, b.scalar(2)), b.constant(ndarray(i === 2 ? [1, 1] : [], [2]))) })));
    expect(decode(graph).graph?.initializer).toHaveLength(2);
  });

  test('nodes that say the same are one; asking for more outputs of it adds these', () => {
    const b = new GraphBuilder();
    const x = input(b, 'x', [B, 4]);
    const spread = b.add('inverse_std', [x], { axes: [1] });
    const nodes = decode(b.finish([{ name: 'y', id: b.mul(b.add('normalize', [x], { axes: [1] }), b.mul(spread, spread)) }])).graph?.node ?? [];
    expect(nodes.map((n) => [n.opType, n.output?.length])).toEqual([['LayerNormalization', 3], ['Mul', 1], ['Mul', 1]]);
  });

  test('a symbolic shape is computed once, from the first input that carries the symbol', () => {
    const b = new GraphBuilder();
    const x = input(b, 'x', [3, B, 2]);
    const flat = b.reshape(x, [mulDim(B, 6)]);
    const graph = b.finish([{ name: 'y', id: b.neg(flat) }, { name: 'z', id: b.add('exp', [b.reshape(b.neg(x), [mulDim(B, 6)])]) }]);
    expect(ops(graph).filter((op) => op === 'Shape').length).toBeLessThanOrEqual(1);
  });

  test('a symbol that no input carries alone is told', () => {
    const b = new GraphBuilder();
    const x = input(b, 'x', [addDim(B, 1), 2, 2]);
    expect(() => ops(b.finish([{ name: 'y', id: b.expand(b.sum(x, [0, 1]), [B, B, 2]) }]))).toThrow('no input of the graph carries the dimension B');
  });
});

test('an output called like an input gets a name of its own in the file, and is found by ours', () => {
  const b = new GraphBuilder();
  const w = param(b, 'w', [3]);
  const graph = b.finish([{ name: 'w', id: b.neg(w) }, { name: 'same', id: w }, { name: 'again', id: w }]);
  expect(toOnnx(graph, { producerVersion: '' }).outputs.map((o) => [o.name, o.value])).toEqual([['w', 'next:w'], ['same', 'same'], ['again', 'again']]);
  expect(ops(graph)).toEqual(['Neg', 'Identity', 'Identity']);
});

describe('tensors of tasks', () => {
  const b = new GraphBuilder();
  const own = param(b, 'scale.{task}', [2]);
  const all = b.leaf('every_task', { path: 'scale.{task}' }, { dtype: 'f32', shape: [2, 2] });
  const gate = b.leaf('schedule', { name: 'temperature' }, { dtype: 'f32', shape: [] });
  const graph = b.finish([{ name: 'y', id: b.mul(b.mul(own, b.reshape(b.sum(all, [0]), [2])), gate) }]);
  const bound: Partial<OnnxOptions> = { tasks: ['WA', 'BT'], tensors: new Map([['scale.WA', value(1, 2)], ['scale.BT', value(3, 4)]]) };
  const initial = (options: Partial<OnnxOptions>) => Object.fromEntries((decode(graph, options).graph?.initializer ?? [])
    .filter((t) => t.dataType === 1).map((t) => [t.name, [...new Float32Array(Uint8Array.from(t.rawData!).buffer)]]));

  test('unbound, they are inputs: the loop binds those of the task at hand', () => {
    expect(names(decode(graph).graph?.input)).toEqual(['scale.{task}', 'every_task:scale.{task}', 'schedule:temperature']);
  });
  test('with the task open, they are one stack from which `t` picks', () => {
    expect(names(decode(graph, bound).graph?.input)).toEqual(['t', 'schedule:temperature']);
    expect(initial(bound)).toEqual({ 'scale.*': [1, 2, 3, 4] });
    expect(ops(graph, bound)).toContain('Gather');
  });
  test('with one task baked in, its copy is written and there is no `t`', () => {
    const baked = { ...bound, task: 'BT', schedules: { temperature: 0.25 } };
    expect(names(decode(graph, baked).graph?.input)).toEqual([]);
    expect(initial(baked)).toMatchObject({ 'scale.BT': [3, 4], 'scale.*': [1, 2, 3, 4] });
    expect(Object.values(initial(baked))).toContainEqual([0.25]);
  });
  test('a copy without a value, or an unknown task, is told', () => {
    expect(() => decode(graph, { ...bound, tasks: ['WA', 'SL'] })).toThrow('scale.SL has no value');
    const t = new GraphBuilder();
    const reads = t.finish([{ name: 'y', id: t.add('cast', [t.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] })], { to: 'f32' }) }]);
    expect(() => decode(reads, { tasks: ['WA'], task: 'SL' })).toThrow('task SL is not one of WA');
  });
});
