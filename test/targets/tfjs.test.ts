// Graphs as programs for TensorFlow.js: which kernels they call, where axes lie, when tensors go.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyFunction, evalFunction, gradFunction, inferFunction } from '../../compiler/functions.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { trainable } from '../../compiler/program.js';
import { kernelsOf, toTfjs, type TfjsProgram } from '../../compiler/targets/tfjs/index.js';
import { slotsOf } from '../../compiler/targets/tfjs/program.js';
import { B, input, param } from '../ir/support.js';
import { compiled } from '../models/specs.js';
import { cases } from '../ops/cases.js';
import { gradientGraph, opGraph, passesGradient, variantsOf } from '../ops/harness.js';

const registry = JSON.parse(readFileSync(new URL('./tfjs-node-kernels.json', import.meta.url), 'utf8')) as { readonly package: string; readonly kernels: readonly string[] };

async function wasmKernels(): Promise<ReadonlySet<string>> {
  const core = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-wasm');
  return new Set(core.getKernelsForBackend('wasm').map((k) => k.kernelName));
}

describe('every kernel that a program calls is one of tfjs-node, and of the wasm backend', () => {
  const functionsOf = (spec: string, set: Readonly<Record<string, string>>): readonly Graph[] => {
    const program = compiled(spec, { set }), { training } = program;
    return [inferFunction(program), evalFunction(program), gradFunction(program), applyFunction(trainable(program), training!.optimizer)];
  };
  const check = async (graphs: Iterable<Graph>): Promise<ReadonlySet<string>> => {
    const called = new Set([...graphs].flatMap((graph) => kernelsOf(toTfjs(graph)))), wasm = await wasmKernels();
    expect([...called].filter((k) => !registry.kernels.includes(k)), `not in ${registry.package}`).toEqual([]);
    expect([...called].filter((k) => !wasm.has(k)), 'not in the wasm backend').toEqual([]);
    return called;
  };

  it('for every op and its gradient', async () => {
    const called = await check(cases.flatMap((c) => variantsOf(c).flatMap((v) => [opGraph(v), ...(passesGradient(v) ? [gradientGraph(v)] : [])])));
    expect(called.size).toBeGreaterThan(40);
  });
  it('for the four functions of tpseg-nano and of a UNet', async () => {
    await check([...functionsOf('models/tpseg-nano.tps', { size: '64' }), ...functionsOf('models/unet.tps', { size: '64', width: '4' })]);
  });
  it('and the list is of the published package', () => {
    expect([registry.package, registry.kernels.includes('Conv2D'), registry.kernels.includes('RotateWithOffset')]).toEqual(['@tensorflow/tfjs-node@4.22.0', true, false]);
  });
});

const count = (program: TfjsProgram, kernel: string): number => program.calls.filter((call) => call.kernel === kernel).length;

describe('axes lie where the kernels want them', () => {
  it('two convolutions with what is between them: one transpose in, one out', () => {
    const b = new GraphBuilder();
    const conv = (x: number, name: string): number => b.add('conv2d', [x, param(b, name, [4, 4, 3, 3]), param(b, `${name}.bias`, [4])], { padding: [1, 1] });
    const normal = b.add('normalize', [conv(input(b, 'x', [B, 4, 8, 8]), 'a')], { axes: [1, 2, 3] });
    const scaled = b.mul(b.add('gelu', [normal]), param(b, 'scale', [1, 4, 1, 1]));
    const pooled = b.add('max_pool', [b.add('pad', [scaled], { before: [0, 0, 1, 1], after: [0, 0, 1, 1] })], { kernel: [2, 2], stride: [2, 2] });
    const program = toTfjs(b.finish([{ name: 'y', id: conv(b.add('concat', [b.add('slice', [pooled], { axis: 1, from: 0, to: 2 }), b.add('slice', [pooled], { axis: 1, from: 2, to: 4 })], { axis: 1 }), 'b') }]));
    const images = program.calls.filter((call) => call.kernel === 'Transpose' && call.type.shape[0] !== 3);
    expect(images.map((call) => call.attributes['perm'])).toEqual([[0, 2, 3, 1], [0, 3, 1, 2]]);
    expect(count(program, 'FusedConv2D')).toBe(2);
  });
  it('images as a list of tokens and back need no transpose at all', () => {
    const b = new GraphBuilder();
    const x = b.add('conv2d', [input(b, 'x', [B, 3, 8, 8]), param(b, 'w', [4, 3, 2, 2])], { stride: [2, 2] });
    const tokens = b.transpose(b.reshape(x, [B, 4, 16]), [0, 2, 1]);
    const mixed = b.add('matmul', [tokens, param(b, 'm', [4, 4])]);
    const back = b.reshape(b.transpose(mixed, [0, 2, 1]), [B, 4, 4, 4]);
    const program = toTfjs(b.finish([{ name: 'y', id: b.add('conv2d', [back, param(b, 'v', [1, 4, 1, 1])]) }]));
    // the image in and one weight; sizes of 1 move by a reshape
    expect(count(program, 'Transpose')).toBe(2);
  });
  it('constants are turned when the program is made', () => {
    const b = new GraphBuilder();
    const w = b.constant({ shape: [2, 3, 1, 1], data: Float64Array.of(1, 2, 3, 4, 5, 6) });
    const program = toTfjs(b.finish([{ name: 'y', id: b.add('conv2d', [input(b, 'x', [B, 3, 4, 4]), w]) }]));
    expect(program.constants.map(({ value }) => [value.shape, [...value.data]])).toEqual([[[1, 1, 3, 2], [1, 4, 2, 5, 3, 6]]]);
  });
});

describe('tensors go after their last reader', () => {
  it('every result is disposed once, after its last use, and the outputs never', () => {
    const program = toTfjs(gradFunction(compiled('models/unet.tps', { set: { size: '64', width: '4' } })));
    const kept = new Set(program.outputs.map((o) => o.slot)), live = new Set<number>();
    for (const call of program.calls) {
      for (const slot of slotsOf(call.inputs)) {
        expect(live.has(slot) || program.inputs.some((i) => i.slot === slot) || program.constants.some((c) => c.slot === slot)).toBe(true);
      }
      live.add(call.output);
      for (const slot of call.frees) expect([live.delete(slot), kept.has(slot)]).toEqual([true, false]);
    }
    expect([...live].sort((a, b) => a - b)).toEqual([...kept].sort((a, b) => a - b));
  });
  it('an output that is an input, or another output, is a tensor of its own', () => {
    const b = new GraphBuilder();
    const x = input(b, 'x', [2]), y = b.neg(x);
    const program = toTfjs(b.finish([{ name: 'x2', id: x }, { name: 'y', id: y }, { name: 'y2', id: y }]));
    expect(new Set(program.outputs.map((o) => o.slot)).size).toBe(3);
    expect(count(program, 'Identity')).toBe(2);
  });
});
