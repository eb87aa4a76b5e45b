// What the checker says of mistakes: each one once, at its place, and nothing that is not there.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codes, compileFile, compileText, repoPath, spec, trained } from './support.js';

/** `CODE line` of each line of a text that ends in `# ! CODE`. */
const marked = (text: string): string[] => text.split('\n').flatMap((line, i) => {
  const code = /# ! (TPS\d+)$/.exec(line)?.[1];
  return code === undefined ? [] : [`${code} ${i + 1}`];
});

describe('a file with ten mistakes', () => {
  it('gives those ten, each at its place, and nothing else', () => {
    const path = 'test/check/fixtures/ten-mistakes.tps';
    expect(marked(readFileSync(repoPath(path), 'utf8'))).toHaveLength(10);
    expect(codes(compileFile(path, { everything: true }))).toEqual(marked(readFileSync(repoPath(path), 'utf8')));
  });
});

describe('shapes', () => {
  const said = (body: string): string => compileText(spec(body)).diagnostics.map((d) => `${d.code} ${d.message} | ${d.help ?? ''}`).join('\n');

  it('names both shapes where a signature does not fit', () => {
    expect(said('  return x |> needs_three', )).toContain('TPS2001');
    expect(compileText(spec('  return x |> three', 'block three(x: f32[B, 3, H, W]) -> f32[B, 1, H, W] {\n  return x |> conv(1)\n}')).diagnostics[0]).toMatchObject({
      code: 'TPS3007', message: '`three` takes f32[B, 3, H, W] as `x`, but gets f32[B, 8, 16, 16]', help: 'the size has to be 3, not 8',
    });
  });
  it('tells which sizes would divide', () => {
    expect(said('  let h = 16 / 3\n  return x |> conv(1) |> resize([h, h])')).toContain('TPS3003');
    expect(said('  let h = 16 / 3\n  return x |> conv(1) |> resize([h, h])')).toContain('15 and 18');
  });
  it('refuses ranks that do not broadcast', () => {
    expect(said('  return conv(1)(x) + mean(x, axes: [1, 2, 3])[:, 0]')).toMatch(/TPS300[12] \+:/);
  });
  it('tells a result that is not what the signature says', () => {
    expect(said('  return x |> conv(2)')).toContain('returns f32[B, 2, 16, 16]');
  });
  it('keeps quiet about what follows from a mistake', () => {
    expect(codes(compileText(spec('  let a = x |> nothing(3)\n  let b = a |> conv(4)\n  let c = b + x\n  return c |> conv(1)')))).toEqual(['TPS2001 7']);
  });
});

describe('definitions', () => {
  it('checks a block that nothing calls as far as its sizes are linear', () => {
    const block = 'block odd(x: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return x + (x |> transpose([0, 2, 3, 1]))\n}';
    expect(compileText(block, { everything: true }).diagnostics.map((d) => d.code)).toEqual(['TPS3001']);
  });
  it('says nothing of a block that is right for all sizes', () => {
    const block = 'block fine(out: int)(x: f32[B, C, H, W]) -> f32[B, out, H, W] {\n  if C == out {\n    return x\n  } else {\n    return x |> conv(out)\n  }\n}';
    expect(compileText(block, { everything: true }).diagnostics).toEqual([]);
  });
});

describe('roles', () => {
  const encoder = '  encoder enc = trunk()(x)';
  const trunk = 'block trunk()(x: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  carry y = x\n  for i in 0..3 {\n    layer blocks[i] = conv(C)\n    next y = blocks[i](y)\n  }\n  return y\n}';
  const gate = (value: string): string[] => compileText(trained(`${encoder}\n  gate g per t over enc.blocks = ${value}\n  let y = conv(1)(enc) * g[0]\n  return y`, trunk)).diagnostics.map((d) => d.code);

  it('takes a gate whose rise the ops show', () => {
    expect(gate('sigmoid(cumsum(softplus(param f32[3] init zeros), axis: 0) - 1.0)')).toEqual([]);
    expect(gate('cumsum(softmax(param f32[3] init zeros, axis: 0), axis: 0)')).toEqual([]);
    // a step rises with what it compares, but trains nothing
    expect(gate('cast(cumsum(softplus(param f32[3] init zeros), axis: 0) >= 0.5, to: f32)')).toEqual(['TPS7001']);
    expect(gate('cast(0.5 < cumsum(softplus(param f32[3] init zeros), axis: 0), to: f32)')).toEqual(['TPS7001']);
  });
  it('refuses a gate that nothing shows to rise, or to stay in [0, 1]', () => {
    expect(gate('sigmoid(param f32[3] init zeros)')).toEqual(['TPS4004']);
    expect(gate('cast(cumsum(softplus(param f32[3] init zeros), axis: 0) < 0.5, to: f32)')).toEqual(['TPS4004', 'TPS7001']);
    expect(gate('cumsum(softplus(param f32[3] init zeros), axis: 0)')).toEqual(['TPS4004']);
  });
  it('warns of a gate that is declared free', () => {
    expect(gate('free(sigmoid(param f32[3] init zeros))')).toEqual(['TPS4006']);
  });
  it('wants one weight a node', () => {
    expect(gate('sigmoid(cumsum(softplus(param f32[4] init zeros), axis: 0))')).toEqual(['TPS4003']);
  });
  it('refuses batch statistics in a network that reads the task, unless batches hold one task', () => {
    const body = '  let y = x |> batch_norm() |> conv(1) |> task_bias(t)\n  return y';
    const bias = 'block task_bias(v: f32[B, 1, H, W], t: task) -> f32[B, 1, H, W] {\n  return per t conv(1)(v)\n}';
    expect(compileText(trained(body, bias)).diagnostics.map((d) => d.code)).toEqual(['TPS4012']);
    const one = trained(body, bias).replace('epochs = 2', 'sampler = shuffle(one_task: true), drop_last = true, epochs = 2');
    expect(compileText(one).diagnostics).toEqual([]);
  });
  it('proves that no result depends on the ground truth', () => {
    const body = '  let y = x |> conv(1)\n  state memory: f32[1, 1, 16, 16] {\n    init   = zeros\n    update = ema(mean(truth, axes: [0]), momentum: 0.5)\n  }\n  return y + memory';
    expect(compileText(trained(body)).diagnostics.map((d) => d.code).filter((c) => c === 'TPS4007')).toEqual([]);
    expect(compileText(trained('  let y = x |> conv(1)\n  return y + truth')).diagnostics.map((d) => d.code)).toEqual(['TPS4009']);
  });
  it('refuses a model that takes the ground truth', () => {
    expect(compileText(trained('  let y = x |> conv(1)\n  return y').replace('t: task of lesions', 'truth: f32[B, 1, 16, 16], t: task of lesions')).diagnostics.map((d) => d.code)).toEqual(['TPS4007']);
  });
  it('warns of a parameter behind `detach`: no gradient comes through', () => {
    expect(compileText(trained('  let y = conv(1)(x) + detach(conv(1)(x))\n  return y')).diagnostics.map((d) => d.code)).toEqual(['TPS7001']);
  });
  it('wants prototypes to have a law', () => {
    const body = '  prototypes p per t: f32[1, 8, 1, 1] {\n    init = zeros\n  }\n  let y = conv(1)(x * p)\n  return y';
    expect(compileText(trained(body)).diagnostics.map((d) => d.code)).toEqual(['TPS4008']);
  });
});

describe('variants', () => {
  const base = trained('  let wide = x |> conv(4) |> relu\n  let y = wide |> conv(1)\n  return y');
  const of = (edits: string): string[] => codes(compileText(`${base}variant V of main {\n${edits}\n}`, { everything: true })).map((c) => c.split(' ')[0] ?? '');

  it('applies an edit of an argument', () => expect(of('  set M.wide = x |> conv(6) |> relu')).toEqual([]));
  it('names a path that is not there', () => expect(of('  remove M.nothing')).toEqual(['TPS5001']));
  it('refuses an edit that changes nothing', () => expect(of('  set main.batch = 4')).toEqual(['TPS5002']));
  it('refuses two edits of one place', () => expect(of('  set main.batch = 5\n  set main.batch = 6')).toEqual(['TPS5003']));
  it('tells at the edit what the edit breaks', () => {
    const result = compileText(`${base}variant V of main {\n  remove M.wide\n}`, { everything: true });
    expect(result.diagnostics).toMatchObject([{ code: 'TPS5004', range: { start: { line: 17 } } }]);
  });
  it('takes an alias for what it is', () => expect(of('  alias')).toEqual([]));
});
