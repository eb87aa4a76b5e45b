// Where a derivative is not unique, or is found by a route of its own: what the op says, as PyTorch does.
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import type { Attrs } from '../../compiler/ir/graph.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { opOf } from '../../compiler/ops/index.js';
import { erf } from '../../compiler/ops/shared/erf.js';
import { gradientGraph, runOnnx } from './harness.js';
import { exactly, f32, type Value } from './values.js';

/** The gradients of Σ op(inputs), from the evaluator and from ONNX Runtime, which must agree. */
async function gradients(op: string, inputs: readonly Value[], attrs: Attrs = {}): Promise<readonly (readonly number[])[]> {
  const graph = gradientGraph({ op, inputs, attrs });
  const w = [...graph.nodes.values()].find((n) => n.attrs.name === 'w')!;
  const ones = exactly(w.type.shape, new Array<number>(w.type.shape.reduce<number>((n, d) => n * (d as number), 1)).fill(1));
  const feeds = new Map([...inputs.map((v, i) => [`x${i}`, v.value] as const), ['w', ones.value] as const]);
  const exact = evaluate(graph, feeds);
  const run = await runOnnx(graph, feeds);
  return graph.outputs.map(({ name }) => {
    const values = [...exact.get(name)!.data];
    expect([...run.get(name)!.data]).toEqual(values.map((v) => expect.closeTo(v, 5)));
    return values;
  });
}

describe('gradients at ties and kinks', () => {
  it('max and min share evenly among equal values', async () => {
    expect(await gradients('max', [exactly([4], [2, 1, 2, 2])], { axes: [0] })).toEqual([[1 / 3, 0, 1 / 3, 1 / 3]]);
    expect(await gradients('min', [exactly([2, 2], [1, 1, 0, 3])], { axes: [1] })).toEqual([[0.5, 0.5, 1, 0]]);
  });
  it('maximum and minimum give half to each of two equal values', async () => {
    expect(await gradients('maximum', [exactly([3], [1, 2, 3]), exactly([3], [2, 2, 2])])).toEqual([[0, 0.5, 1], [1, 0.5, 0]]);
    expect(await gradients('minimum', [exactly([3], [1, 2, 3]), exactly([3], [2, 2, 2])])).toEqual([[1, 0.5, 0], [0, 0.5, 1]]);
  });
  it('relu and abs give nothing at 0', async () => {
    expect(await gradients('relu', [exactly([3], [-1, 0, 1])])).toEqual([[0, 0, 1]]);
    expect(await gradients('abs', [exactly([3], [-1, 0, 1])])).toEqual([[-1, 0, 1]]);
  });
  it('pow has finite gradients at 0 for exponents that are 0 or at least 1', async () => {
    const [base, exponent] = await gradients('pow', [exactly([3], [0, 0, 0]), exactly([3], [0, 1, 2])]);
    expect(base).toEqual([0, 1, 0]);
    expect(exponent).toEqual([0, 0, 0]);
  });
  it.each([0, 1, 2, 3, 0.5])('a constant exponent %d takes the short form', (n) => {
    const b = new GraphBuilder();
    const x = b.leaf('input', { name: 'x' }, { dtype: 'f32', shape: [3] });
    const y = b.add('pow', [x, b.scalar(n)]);
    const dy = b.constant(exactly([3], [1, 1, 1]).value);
    const [dx, other] = opOf('pow').gradient!({ b, node: b.node(y), inputs: b.node(y).inputs, output: y, dy, needs: (i) => i === 0 });
    const graph = b.finish([{ name: 'dx', id: dx! }]);
    const found = evaluate(graph, new Map([['x', exactly([3], [0.5, 1, 2]).value]])).get('dx')!;
    expect([...found.data]).toEqual([0.5, 1, 2].map((v) => expect.closeTo(n * v ** (n - 1), 12)));
    expect(other).toBeUndefined();
    expect([...graph.nodes.values()].some((node) => node.op === 'where')).toBe(false);
  });
  it('detach lets none pass', () => expect(opOf('detach').gradient).toBeUndefined());
  it('an input that nobody asks for gets no nodes', () => {
    const b = new GraphBuilder();
    const [p, q] = [0, 1].map((i) => b.leaf('input', { name: `x${i}` }, f32([2, 3]).type));
    const y = b.add('mul', [p!, q!]);
    const before = b.nodes.size;
    const found = opOf('mul').gradient!({ b, node: b.node(y), inputs: [p!, q!], output: y, dy: y, needs: (i) => i === 1 });
    expect(found[0]).toBeUndefined();
    expect(b.nodes.size).toBe(before + 1);
  });
});

describe('erf', () => {
  // Abramowitz and Stegun, table 7.1, and the definition's series far out
  it.each([[0.5, 0.5204998778130465], [1, 0.8427007929497149], [1.6, 0.976348383344644], [2, 0.9953222650189527], [3.1, 0.9999883513426328], [5, 0.9999999999984626], [7, 1]])(
    'of %d is within 1e-15', (x, y) => {
      expect(Math.abs(erf(x) - y)).toBeLessThan(1e-15);
      expect(erf(-x)).toBe(-erf(x));
    });
  it('keeps its relative precision near 0', () => expect(Math.abs(erf(1e-9) / (2e-9 / Math.sqrt(Math.PI)) - 1)).toBeLessThan(1e-15));
});
