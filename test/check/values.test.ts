// Static values out of bounds: told at their place, before they become nodes, memory or not-a-number.
import { expect, it } from 'vitest';
import { compileText, spec } from './support.js';

const first = (expression: string): string => {
  const [d] = compileText(spec(`  let z = ${expression}\n  return conv(1)(x) |> reshape(shape(conv(1)(x)))`)).diagnostics.filter((each) => each.code !== 'TPS7009');
  return d === undefined ? '' : `${d.code} ${d.message}`;
};

it.each([
  ['conv(0)(x)', 'TPS3013 a size takes a whole number of at least 1, not the number 0'],
  ['zeros([-1])', 'TPS3013 `shape` of `zeros` takes a list of sizes, each at least 1, not a list of 1'],
  ['arange(2.5)', 'TPS3013 `n` of `arange` takes a whole number from 1 to 1048576, not the number 2.5'],
  ['tensor([])', 'TPS3013 `values` of `tensor` takes at least one number, not a list of 0'],
  ['tensor([[1, 2], [3], [4, 5, 6]])', 'TPS3013 `values` of `tensor` takes rows of equal length, not a list of 3'],
  ['sqrt(-1)', 'TPS3013 `x` of `sqrt` takes a number that has a square root, not the number -1'],
  ['dropout(1.0)(x)', 'TPS3013 `rate` of `drop_mask` takes a number from 0 to below 1, not the number 1'],
  ['[i for i in 0..1_000_000_000]', 'TPS3024 a range of 1000000000 numbers; a spec unrolls at most 100000'],
  ['x[.., 0, ..]', 'TPS3002 `[…]`: two `..` on one tensor'],
  ['3 / 0', 'TPS3003 3 is not divisible by 0'],
  ['drop_mask(x, 0.5)', 'TPS3025 `drop_mask` stands where the network is not in training'],
])('%s', (expression, message) => expect(first(expression)).toBe(message));

it('a large constant is one value expanded, not written out', () => {
  const { program } = compileText(spec('  let z = mean(zeros([20_000, 20_000]), axes: [0, 1]) |> reshape([1, 1, 1, 1])\n  return conv(1)(x) + z'));
  expect([...program!.infer.nodes.values()].filter((n) => n.op === 'expand')).toHaveLength(1);
});
it('a condition is mended by another value of what it names', () => {
  const block = 'block f(v: f32[B, C, H, W]) -> f32[B, C, H, W]\n  where 12 % H == 0\n{\n  return v\n}';
  expect(compileText(spec('  return x |> f |> conv(1)', block)).diagnostics).toMatchObject([{ code: 'TPS3004', help: 'change the values, or the condition' }]);
  expect(compileText(spec('  return x |> f |> conv(1)', block.replace('12 % H', 'H % 12'))).diagnostics).toMatchObject([{ code: 'TPS3004', help: '`H` can be 12 or 24' }]);
});
it('settings in a circle are told once', () => {
  expect(compileText(spec('  return x |> conv(a) |> conv(1)', 'setting a: int = b\nsetting b: int = a')).diagnostics.map((d) => d.code)).toEqual(['TPS5012']);
});
