// What a training asks of a spec before any data are read: one image in, logits out, the same tensors in training and in use.
import { describe, expect, it } from 'vitest';
import { compileText, programOf, spec, trained } from './support.js';
import { taskCodes } from '../../compiler/program.js';

const said = (text: string): string[] => compileText(text).diagnostics.map((d) => `${d.code} ${d.message}`);
const body = '  let y = conv(1)(x)\n  return y';

describe('a model that is trained', () => {
  it('takes one image', () => {
    expect(said(trained(body).replace('t: task', 'other: f32[B, 8, 16, 16], t: task'))).toEqual(['TPS4017 model `M` is trained, but takes a second tensor, `other`']);
    expect(said(trained(body).replace('f32[B, 8, 16, 16]', 'f32[2, 8, 16, 16]').replace('-> f32[B,', '-> f32[2,'))).toEqual(['TPS4017 model `M` is trained, but takes f32[2, 8, 16, 16]']);
    expect(said(trained('  param p: f32[1, 1, 16, 16] init zeros\n  let y = p\n  return y').replace('x: f32[B, 8, 16, 16], ', '').replace('-> f32[B,', '-> f32[1,')))
      .toEqual(['TPS4017 model `M` is trained, but takes no image']);
  });
  it('returns logits of the image’s size', () => {
    expect(said(trained('  let y = x |> conv(1, kernel: 2, stride: 2)\n  return y').replace('-> f32[B, 1, 16, 16]', '-> f32[B, 1, 8, 8]')))
      .toEqual(['TPS4017 model `M` is trained, but returns f32[B, 1, 8, 8] as logits of f32[B, 8, 16, 16]']);
    expect(said(trained('  let y = conv(1)(x)\n  return { mask: y }').replace('-> f32[B, 1, 16, 16]', '-> { mask: f32[B, 1, 16, 16] }'))).toEqual(['TPS4017 model `M` is trained, but returns no `logits`']);
  });
  it('is not held to that where nothing trains it', () => {
    expect(said(spec('  return x |> conv(4, kernel: 2, stride: 2)').replace('-> f32[B, 1, 16, 16]', '-> f32[B, 4, 8, 8]'))).toEqual([]);
  });
  it('is fed images of its size', () => {
    expect(said(trained(body).replace('batch = 4', 'batch = 4\n  augment = [resize(32)]'))).toEqual(['TPS6002 `augment` cannot be resized to 32 x 32']);
    expect(said(trained(body).replace('batch = 4', 'batch = 4\n  augment = [resize(16)]'))).toEqual([]);
  });
});

describe('training and use', () => {
  it('have tensors of one shape under one path', () => {
    const text = trained('  let y = if training then conv(1)(conv(4)(x)) else conv(1)(x)\n  return y');
    expect(said(text)).toContain('TPS3022 `conv.weight` has shape [1, 8, 1, 1] in one place and [4, 8, 1, 1] in another');
  });
  it('what only use reads is never trained', () => {
    const text = trained('  let h = conv(1)(x)\n  if training {\n    let y = h\n  } else {\n    layer extra = conv(1)\n    let y = extra(h)\n  }\n  return y');
    expect(said(text)).toEqual(['TPS7001 no loss reaches `extra.weight`, which is not there in training']);
  });
});

describe('names', () => {
  it('a declaration that has no value is not read as one', () => {
    expect(said(trained('  let y = conv(1)(x + main)\n  return y'))).toEqual(['TPS2007 there is no value called `main`']);
  });
  it('a signature, a list of tasks and a record name each thing once', () => {
    expect(said(`${spec(body)}block f(a: int, a: int)(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return v |> conv(a)\n}`)).toContain('TPS2004 `a` is declared twice');
    expect(said(trained(body).replace('CP "', 'SL "'))).toEqual(['TPS2004 `SL` is declared twice']);
    expect(said(trained('  let r = { a: 1, a: 2 }\n  let y = conv(r.a)(x) |> conv(1)\n  return y'))).toEqual(['TPS2004 `a` is declared twice']);
  });
  it('a model’s tasks are those of the list that it names', () => {
    const { program } = compileText(`${trained('  let y = per t conv(1)(x)\n  return y').replace('task of lesions', 'task of organs')}tasks organs {\n  LV "Liver"\n}`);
    expect(taskCodes(program!)).toEqual(['LV']);
  });
  it('of the model’s own tensors are none that the functions of a network use', () => {
    expect(said(trained('  param weights: f32[1, 8, 1, 1] init ones\n  let y = conv(1)(x * weights)\n  return y'))).toEqual(['TPS2006 `weights` is what the functions of a network call the weights of the samples']);
    expect(said(trained(body.replace('(x)', '(t)')).replace('x: f32[B, 8, 16, 16], t: task of lesions', 't: f32[B, 8, 16, 16]'))).toEqual(['TPS2006 `t` is what the functions of a network call the number of the task']);
    expect(said(trained('  layer weights = conv(1)\n  let y = weights(x)\n  return y'))).toEqual([]);
  });
  it('an average needs an old value', () => {
    expect(said(trained('  let y = ema(conv(1)(x), momentum: 0.5)\n  return y'))).toEqual(['TPS4016 `ema` stands where there is no old value']);
  });
});

it('a schedule is a scalar tensor', () => {
  const program = programOf(compileText(trained('  let y = conv(1)(x) * (1.0 - anneal(1.0, 0.3, over: epochs))\n  return y')));
  expect(program.schedules).toMatchObject([{ kind: 'linear', from: 1, to: 0.3 }]);
});

it('a damaged file tells its damage under every variant', () => {
  expect(compileText(`${trained(body)}variant V of main {\n  set main.batch = 5\n}\nblock broken(`, { variant: 'V' }).diagnostics.map((d) => d.code[3])).toEqual(['1']);
});
