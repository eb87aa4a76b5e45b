// Task-baked files of a real network, its gates closed far enough: against the spec's own graph in float64, and what the file holds.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, describe, expect, it } from 'vitest';
import type { TensorValue } from '../../compiler/bindings.js';
import { evaluate } from '../../compiler/evaluate.js';
import { isLeaf, leafName, type Graph } from '../../compiler/ir/graph.js';
import type { NdArray } from '../../compiler/ir/ndarray.js';
import { optimise } from '../../compiler/passes/index.js';
import { specialise } from '../../compiler/passes/specialise.js';
import { pathForTask, taskCodes } from '../../compiler/program.js';
import { f32 } from '../../runtime/engines/engine.js';
import { toArray } from '../../runtime/engines/feeds.js';
import { exportOnnx, trainedFrom, type Trained } from '../../runtime/export/model-file.js';
import { fileValues } from '../../runtime/export/values.js';
import { writeSafetensors } from '../../runtime/state/safetensors.js';
import { binderOf, scheduleFeeds } from '../../runtime/train/bind.js';
import { compileFile, programOf } from '../check/support.js';
import { numbers } from '../ir/support.js';

const folder = mkdtempSync(join(tmpdir(), 'tpsc-model-file-'));
afterAll(() => { rmSync(folder, { recursive: true }); });

const program = programOf(compileFile('models/tpseg-nano.tps', { block: 'main', set: { size: '64' } }));
/** As after a training: every route gives something, and the gates have closed at both ends. */
const trained: Trained = (() => {
  const { values, schedules } = trainedFrom(program, 'random');
  const changed = [...values].map(([path, value]): [string, TensorValue] => {
    if (/^split\..*\.logits$/.test(path)) return [path, { ...value, read: () => new Float32Array(7).fill(4) }];
    return /^tca\..*up\.weight$/.test(path) ? [path, { ...value, read: () => Float32Array.from(numbers(path, value.shape).data, (v) => 0.1 * v) }] : [path, value];
  });
  return { program, values: new Map(changed), schedules };
})();
const DROPPED = ['tca.0.specific.SL', 'tca.1.specific.SL', 'tca.4.shared', 'tca.5.shared', 'tca.6.shared'];

describe('a task baked into a network', () => {
  const tasks = taskCodes(program);
  const logitsOf = (graph: Graph, image: NdArray): NdArray => {
    const only = { nodes: graph.nodes, outputs: graph.outputs.filter((o) => o.name === 'logits') };
    const leaves = [...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName);
    const tensors = new Map([...trained.values].map(([path, { shape, read }]) => [path, f32(shape, read())]));
    const feeds = { ...binderOf(program).feeds(leaves, tensors, tasks.indexOf('SL')), ...scheduleFeeds(trained.schedules) };
    return evaluate(only, new Map([...Object.entries(feeds).map(([name, t]): [string, NdArray] => [name, toArray(t)]), ['image', image]])).get('logits')!;
  };
  const special = (dropBelow: number) => specialise(program.infer, { tensors: trained.values, tasks, task: 'SL', schedules: trained.schedules }, dropBelow);

  it('changes no logit with the threshold 0, and by less than 1e-5 of their scale with 1e-6', () => {
    const image = numbers('image', [1, 3, 64, 64]);
    const open = logitsOf(program.infer, image);
    const scale = open.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const apart = (dropBelow: number): number => logitsOf(optimise(special(dropBelow).graph), image).data.reduce((most, v, i) => Math.max(most, Math.abs(v - open.data[i]!)), 0) / scale;
    expect(special(0).dropped).toEqual([]);
    // The schedules' float32 feeds are the only difference.
    expect(apart(0)).toBeLessThan(1e-6);
    expect(special(1e-6).dropped.map((d) => pathForTask(d.route, 'SL'))).toEqual(DROPPED);
    expect(apart(1e-6)).toBeLessThan(1e-5);
  });

  it('says what it saved, and the file holds just that', () => {
    const whole = exportOnnx(trained, { file: join(folder, 'a.onnx'), task: 'SL', dropBelow: 0, toolVersion: '0' });
    const model = exportOnnx(trained, { file: join(folder, 'b.onnx'), task: 'SL', toolVersion: '0' });
    const { saving } = model;
    expect(saving?.dropped.map((d) => d.route)).toEqual(DROPPED);
    expect(saving?.dropped.map((d) => d.parameters)).toEqual([1024, 1024, 4096, 4096, 4096]); // 2 x 16 x the block's width
    expect(saving!.parameters.before - saving!.parameters.after).toBe(saving!.dropped.reduce((sum, d) => sum + d.parameters, 0));
    expect(whole.saving).toMatchObject({ dropped: [], parameters: { before: saving?.parameters.before, after: saving?.parameters.before } });
    const { graph, metadataProps } = onnxProto.onnx.ModelProto.decode(model.bytes);
    const names = (graph?.initializer ?? []).map((t) => t.name ?? '');
    for (const path of DROPPED) expect(names.filter((n) => n.startsWith(path))).toEqual([]);
    expect(names.filter((n) => n.startsWith('split'))).toEqual([]);
    expect(names).toContain('tca.0.shared.down.weight');
    expect(model.parameters).toBe(saving?.parameters.after);
    expect(saving!.nodes.after).toBeLessThan(0.7 * saving!.nodes.before);
    expect(saving!.macs.before - saving!.macs.after).toBeGreaterThan(0);
    expect(model.bytes.length).toBeLessThan(whole.bytes.length);
    expect(metadataProps).toContainEqual(expect.objectContaining({ key: 'tpsc.dropBelow', value: '0.000001' }));
  });
});

describe('values in a file', () => {
  const path = join(folder, 'w.safetensors');
  const write = (change: (all: Map<string, ReturnType<typeof f32>>) => void): void => {
    const all = new Map([...trained.values].map(([name, { shape, read }]) => [name, f32(shape, read())]));
    change(all);
    writeSafetensors(path, all);
  };
  it('are read one by one, and are those that were written', () => {
    write(() => undefined);
    const values = fileValues(program, path);
    for (const name of ['split.SL.logits', 'tca.6.shared.up.weight']) expect(values.get(name)?.read()).toEqual(trained.values.get(name)?.read());
  });
  it('are refused where one is missing, of another shape, or not finite', () => {
    write((all) => { all.delete('split.SL.logits'); });
    expect(() => fileValues(program, path)).toThrow(/lacks 1 tensors of Nano: split\.SL\.logits/);
    write((all) => { all.set('split.SL.logits', f32([6], [1, 2, 3, 4, 5, 6])); });
    expect(() => fileValues(program, path)).toThrow('split.SL.logits is [6] in the file and [7] in the spec');
    write((all) => { all.set('split.SL.logits', f32([7], [1, 2, 3, NaN, 5, 6, 7])); });
    expect(() => fileValues(program, path).get('split.SL.logits')?.read()).toThrow('holds NaN at place 3');
  });
});
