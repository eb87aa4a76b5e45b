// Single ops against PyTorch in float64: value and gradients of each case of golden/ops.json and golden/elementwise.json,
// made by oracle/ops.py and oracle/elementwise.py.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Attrs, DType } from '../../compiler/ir/graph.js';
import { ndarray, type NdArray } from '../../compiler/ir/ndarray.js';
import { opOf } from '../../compiler/ops/index.js';
import { distance } from './harness.js';

interface Numbers { readonly dtype?: DType; readonly shape: readonly number[]; readonly data: readonly number[] }
interface Golden { readonly op: string; readonly attrs: Attrs; readonly inputs: readonly Numbers[]; readonly dy: Numbers; readonly y: Numbers; /** null where PyTorch passes none. */ readonly gradients: readonly (Numbers | null)[] }

const goldens = (file: string): readonly Golden[] =>
  (JSON.parse(readFileSync(new URL(`../oracle/golden/${file}`, import.meta.url), 'utf8')) as { readonly cases: readonly Golden[] }).cases;
const cases = [...goldens('ops.json'), ...goldens('elementwise.json')];

const array = ({ shape, data }: Numbers): NdArray => ndarray(shape, data);

/** The value, then the gradients; undefined where none passes. */
function results(c: Golden): readonly (NdArray | undefined)[] {
  const b = new GraphBuilder();
  const feed = (name: string, { dtype = 'f32', shape }: Numbers) => b.leaf('input', { name }, { dtype, shape });
  const inputs = c.inputs.map((x, i) => feed(`x${i}`, x));
  const y = b.add(c.op, inputs, c.attrs);
  const gradients = c.gradients.every((g) => g === null)
    ? []
    : opOf(c.op).gradient!({ b, node: b.node(y), inputs, output: y, dy: feed('dy', c.dy), needs: (i) => c.gradients[i] !== null });
  const names = ['y', ...inputs.map((_, i) => `dx${i}`)];
  const graph = b.finish([y, ...gradients].flatMap((id, i) => (id === undefined ? [] : [{ name: names[i]!, id }])));
  const found = evaluate(graph, new Map([...c.inputs.map((x, i): [string, NdArray] => [`x${i}`, array(x)]), ['dy', array(c.dy)]]));
  return names.map((name) => found.get(name));
}

describe('value and gradients are those of PyTorch', () => {
  for (const c of cases) {
    it(`${c.op}(${c.inputs.map((x) => `[${x.shape.join(', ')}]`).join(', ')}; ${JSON.stringify(c.attrs)})`, () => {
      for (const [i, found] of results(c).entries()) {
        const golden = [c.y, ...c.gradients][i]!;
        expect(found === undefined).toBe(golden === null);
        if (found === undefined) continue;
        const expected = array(golden);
        expect(found.shape).toEqual(expected.shape);
        expect(distance(found.data, expected.data), i === 0 ? 'y' : `dx${i - 1}`).toBeLessThan(1e-7);
      }
    });
  }
});
