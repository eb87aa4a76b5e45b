// What is there although nothing calls or reads it whole: layers declared with the type of their input, and states of all tasks.
import { describe, expect, it } from 'vitest';
import type { Program } from '../../compiler/program.js';
import { inspectProgram } from '../../runtime/report/counts.js';
import { codes, compileText, programOf, spec, trained } from './support.js';

const shapes = (p: Program): [string, readonly number[]][] => p.tensors.map((t) => [t.path, t.shape]);

describe('a layer declared with the type of its input', () => {
  const text = trained('  layer spare: f32[B, 8, 4, 4] = conv(2, kernel: 3)\n  let y = x |> conv(1)\n  return y');

  it('has its tensors though nothing calls it, and costs no multiply-adds', () => {
    const p = programOf(compileText(text));
    expect(shapes(p)).toEqual([['spare.weight', [2, 8, 3, 3]], ['spare.bias', [2]], ['conv.weight', [1, 8, 1, 1]], ['conv.bias', [1]]]);
    const { parameters, macs, modules } = inspectProgram(p);
    expect([parameters.total, macs.total]).toEqual([2 * 73 + 9, 8 * 16 * 16]);
    expect(modules.find((m) => m.path === 'spare')).toMatchObject({ parameters: 146, macs: 0, output: null });
  });
  it('is warned about: nothing calls it, and no loss reaches it', () => {
    expect(codes(compileText(text))).toEqual(['TPS7001 7', 'TPS7009 7']);
  });
  it('is the same layer where it is called, of the same type', () => {
    const called = (type: string): string => trained(`  layer wide: ${type} = conv(1)\n  let y = wide(x)\n  return y`);
    expect(codes(compileText(called('f32[B, 8, 16, 16]')))).toEqual([]);
    expect(shapes(programOf(compileText(called('f32[B, 8, 4, 4]'))))).toHaveLength(2);
    expect(codes(compileText(called('f32[B, 9, 16, 16]')))).toContain('TPS3022 8');
  });
  it('may take the task, and be one of a list or per task', () => {
    const p = programOf(compileText(spec('  layer table: task = embedding(5)\n  layer heads[1]: f32[B, 8, 4, 4] = per t conv(1)\n  return x |> conv(1)')));
    expect(shapes(p).slice(0, 3)).toEqual([['table.weight', [2, 5]], ['heads.1.{task}.weight', [1, 8, 1, 1]], ['heads.1.{task}.bias', [1]]]);
  });
  it('takes part in no law, gate or schedule', () => {
    const p = programOf(compileText(trained('  layer spare: f32[B, 8, 4, 4] = batch_norm()\n  let y = x |> conv(1)\n  return y')));
    expect(p.train?.outputs.map((o) => o.name)).toEqual(['logits', 'loss']);
  });
  it('says what cannot be', () => {
    const said = (layer: string): string[] => codes(compileText(spec(`  layer spare: ${layer}\n  return x |> conv(1)`)));
    expect(said('int = conv(1)')).toContain('TPS3013 7');
    expect(said('f32[B, 8, 4, 4] = cosine')).toContain('TPS4013 7');
    expect(said('f32[B, 8, 4] = conv(1)')).toContain('TPS3007 7');
  });
});

describe('`p[*]`', () => {
  it('is the state of every task, bound whole', () => {
    const p = programOf(compileText(trained(`  let u = x |> conv(4)
  prototypes p per t: f32[2, 4] {
    init = zeros([2, 4])
    update = ema(p, momentum: 0.9)
  }
  let y = conv(1)(u) + (mean(p[*], axes: [0, 1, 2]) |> reshape([]))
  return y`)));
    const node = [...(p.train?.nodes.values() ?? [])].find((n) => n.op === 'every_task');
    expect(node).toMatchObject({ attrs: { path: 'p.{task}' }, type: { shape: [2, 2, 4] }, inputs: [] });
  });
  it('reads states of the task at hand alone', () => {
    expect(codes(compileText(trained('  let all = x[*]\n  let y = conv(1)(x)\n  return y')))).toContain('TPS3013 7');
    expect(codes(compileText(trained('  layer own = per t conv(1)\n  let y = own(x)\n  let all = y[*, 0]\n  return y')))).toContain('TPS3013 9');
  });
});
