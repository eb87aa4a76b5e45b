// One mistake is one message: what depends on a mistake is not known, but it is read, and nothing second is made up about it.
import { describe, expect, it } from 'vitest';
import { codes, compileText, spec, trained } from './support.js';

const said = (body: string, more = ''): string[] => codes(compileText(trained(body, more))).map((c) => c.split(' ')[0] ?? '');

describe('a faulty call still depends on what it was given', () => {
  it.each([
    ['an unknown argument of a static function', '  let y = conv(1)(x) |> mean(axis: [2, 3])\n  return y', 'TPS3010'],
    ['an unnamed argument behind a named one', '  let y = conv(1)(x) |> resize(size: [16, 16], bilinear)\n  return y', 'TPS3019'],
    ['an argument of an op given twice', '  let y = conv(1)(x) |> resize([16, 16], size: [8, 8])\n  return y', 'TPS2004'],
    ['an argument of a static function given twice', '  let y = conv(1)(x) |> mean(axes: [2], axes: [3])\n  return y', 'TPS2004'],
    ['what is no block', '  let y = conv(1)(x) |> 3\n  return y', 'TPS3012'],
    ['an unknown callee, with a word among its arguments', '  let y = conv(1)(x) |> resise([16, 16], mode: bilinear)\n  return y', 'TPS2001'],
    ['a faulty configuration', '  let y = conv(1)(x) |> conv(1, kernal: 3)\n  return y', 'TPS3010'],
  ])('%s', (_, body, code) => expect(said(body)).toEqual([code]));

  it('a block that returns nothing', () => {
    const block = 'block silent(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  if rank(v) == 3 {\n    return v\n  }\n}';
    expect(said('  let y = conv(1)(x) |> silent\n  return y', block)).toEqual(['TPS3017']);
  });
});

describe('what cannot be run counts as reading all that it names', () => {
  it.each([
    ['a loop over what is not known', '  carry y = conv(1)(x)\n  let b = conv(1)(x)\n  for i in 0..nothing {\n    next y = y + b\n  }\n  return y'],
    ['a branch', '  carry y = conv(1)(x)\n  if nothing > 3 {\n    next y = y + 1\n  }\n  return y'],
    ['a conditional', '  let a = conv(1)(x)\n  let b = conv(1)(x)\n  let y = if nothing then a else b\n  return y'],
    ['a comprehension', '  let [a, b] = [conv(1)(x) for i in 0..2 if i > nothing]\n  let y = a + b\n  return y'],
    ['an index', '  let xs = [conv(1)(x), conv(1)(x)]\n  let y = xs[nothing]\n  return y'],
  ])('%s', (_, body) => expect(said(body)).toEqual(['TPS2001']));
});

it('a slip of a name counts as reading what it may stand for, and nothing else', () => {
  const model = (read: string, lost: string): string[] => said(`  let hidden = conv(4)(x)\n  let other = conv(4)(x)\n  let y = ${read} |> conv(1)\n  return ${lost}`);
  expect(model('hiden', 'y')).toEqual(['TPS7009', 'TPS7001', 'TPS2001']);
  expect(compileText(trained('  let hidden = conv(4)(x)\n  let y = hiden |> conv(1)\n  return y')).diagnostics).toMatchObject([{ code: 'TPS2001', help: 'did you mean `hidden`?' }]);
  expect(compileText(trained('  let y = conv(1)(x)\n  return y').replace('mean(y,', 'mean(nothing_like_it,')).diagnostics.map((d) => d.code)).toEqual(['TPS2001']);
});

it('knows the ops among the names that may have been meant', () => {
  expect(compileText(spec('  return conv(1)(x) |> resise([16, 16])')).diagnostics[0]?.help).toBe('did you mean `resize`?');
});

describe('places of an indexed layer', () => {
  it('tells which are not there', () => {
    expect(compileText(spec('  layer f[1] = conv(1)\n  return f[0](x)')).diagnostics).toMatchObject([{ code: 'TPS3014', message: '`f` has no `[0]`', help: 'there are: `[1]`' }]);
    expect(compileText(spec('  layer f[1] = conv(1)\n  return sum(g(x) for g in f)')).diagnostics).toMatchObject([{ code: 'TPS3014', message: '`f` has no `[0]`' }]);
  });
  it('says nothing of one that begins above 0', () => expect(said('  layer f[1] = conv(1)\n  let y = f[1](x)\n  return y')).toEqual([]));
});
