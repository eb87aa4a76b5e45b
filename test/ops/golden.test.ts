// Single ops against PyTorch in float64 (golden/ops.json, made by oracle/ops.py): value and gradients of each case.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Attrs } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { opOf } from '../../compiler/ops/index.js';
import { distance } from './harness.js';

interface Numbers { readonly shape: readonly number[]; readonly data: readonly number[] }
interface Golden { readonly op: string; readonly attrs: Attrs; readonly inputs: readonly Numbers[]; readonly dy: Numbers; readonly y: Numbers; readonly gradients: readonly Numbers[] }

const { cases } = JSON.parse(readFileSync(new URL('../oracle/golden/ops.json', import.meta.url), 'utf8')) as { readonly cases: readonly Golden[] };

const array = ({ shape, data }: Numbers): NdArray => ndarray(shape, data);

function results(c: Golden): readonly NdArray[] {
  const b = new GraphBuilder();
  const feed = (name: string, { shape }: Numbers) => b.leaf('input', { name }, { dtype: 'f32', shape });
  const inputs = c.inputs.map((x, i) => feed(`x${i}`, x));
  const y = b.add(c.op, inputs, c.attrs);
  const gradients = opOf(c.op).gradient!({ b, node: b.node(y), inputs, output: y, dy: feed('dy', c.dy), needs: () => true });
  const names = ['y', ...inputs.map((_, i) => `dx${i}`)];
  const graph = b.finish([y, ...gradients].map((id, i) => ({ name: names[i]!, id: id! })));
  const found = evaluate(graph, new Map([...c.inputs.map((x, i): [string, NdArray] => [`x${i}`, array(x)]), ['dy', array(c.dy)]]));
  return names.map((name) => found.get(name)!);
}

describe('value and gradients are those of PyTorch', () => {
  for (const c of cases) {
    it(`${c.op}(${c.inputs.map((x) => `[${x.shape.join(', ')}]`).join(', ')}; ${JSON.stringify(c.attrs)})`, () => {
      for (const [i, found] of results(c).entries()) {
        const expected = array([c.y, ...c.gradients][i]!);
        expect(found.shape).toEqual(expected.shape);
        expect(distance(found.data, expected.data), i === 0 ? 'y' : `dx${i - 1}`).toBeLessThan(1e-7);
      }
    });
  }
});
