// What an edit of a variant reaches: every statement of its name.
import { expect, it } from 'vitest';
import { compileText, programOf, trained } from './support.js';

const TOWER = `block tower()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  carry u = v
  for i in 0..2 {
    layer steps[i] = conv(C)
    next u = steps[i](u)
  }
  layer ends[0] = conv(C)
  layer ends[1] = conv(C)
  if C > 4 {
    let w = ends[0](u)
  } else {
    let w = ends[1](u)
  }
  return w
}
`;
const text = (edit: string): string => trained('  let y = x |> tower |> conv(1)\n  return y', `${TOWER}variant V of main {\n  ${edit}\n}`);
const shapes = (edit: string): Record<string, string> =>
  Object.fromEntries(programOf(compileText(text(edit), { variant: 'V' })).tensors.filter((t) => t.path.endsWith('weight')).map((t) => [t.path.replace(/\.weight$/, ''), t.shape.join('x')]));

it('all places of an indexed layer, by its name; one place, by its number', () => {
  const kernel = '8x8x3x3', plain = '8x8x1x1';
  expect(shapes('set tower.steps = conv(C, kernel: 3, padding: 1)')).toMatchObject({ 'tower.steps.0': kernel, 'tower.steps.1': kernel, 'tower.ends.0': plain });
  expect(shapes('set tower.ends[0] = conv(C, kernel: 3, padding: 1)')).toMatchObject({ 'tower.steps.0': plain, 'tower.ends.0': kernel });
  expect(compileText(text('set tower.steps[0] = conv(C)'), { variant: 'V' }).diagnostics).toMatchObject([
    { code: 'TPS5001', help: 'there are: `u`, `steps[i]`, `ends[0]`, `ends[1]`, `w`' },
  ]);
});
it('both sides of an `if`', () => {
  expect(Object.keys(shapes('set tower.w = u'))).toEqual(['tower.steps.0', 'tower.steps.1', 'conv']);
});

it('what a variant takes away, or makes use of, is not warned about', () => {
  const spare = trained('  let y = x |> conv(1)\n  layer spare: f32[B, 8, 16, 16] = conv(1)\n  layer other: f32[B, 8, 16, 16] = conv(1)\n  return y', `variant V of main { remove M.spare }
variant W of main { set M.y = other(x) }
variant X of V { set main.epochs = 3 }
`);
  const unused = (variant?: string): string[] => compileText(spare, variant === undefined ? {} : { variant }).diagnostics.filter((d) => d.code === 'TPS7009').map((d) => d.message);
  // a use by any variant is a use of the file's: `other` is never called useless
  expect([unused(), unused('V'), unused('W'), unused('X')]).toEqual([['`spare` is never used'], [], ['`spare` is never used'], []]);
});
