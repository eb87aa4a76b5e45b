// Where adapters sit, by numbers: the input is 1, every part is a factor or a summand, so the result tells what was applied to what.
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../compiler/evaluate.js';
import { filled } from '../../compiler/ir/ndarray.js';
import type { CompileResult } from '../../compiler/index.js';
import type { Program } from '../../compiler/program.js';
import { codes, compileText, programOf, spec, trained } from './support.js';

const PARTS = `block times(k: float)(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  return k * v
}
block plus(k: float)(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  return v + k
}
block mixed(k: float)(v: f32[B, C, H, W], out: f32[B, C, H, W]) -> f32[B, C, H, W] {
  return k * v + 100.0 * out
}
/// 5 x, by one node inside another.
block outer()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  layer inner = times(5.0)
  return inner(v)
}
/// 5 x, then 5 times that, by one node called twice.
block twice()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  layer same = times(5.0)
  return same(same(v))
}
block idle()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  layer pass = nothing()
  return v + pass(v)
}
block nothing()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {
  return v
}
`;
const text = (trunk: string, adapters: readonly string[]): string =>
  spec(`  encoder enc = ${trunk}()(x)\n${adapters.map((a) => `  adapter ${a}\n`).join('')}  return enc[:, 0:1]`, PARTS);

function result(trunk: string, ...adapters: readonly string[]): number {
  const { infer } = programOf(compileText(text(trunk, adapters)));
  return evaluate(infer, new Map([['x', filled([1, 8, 16, 16], 1)]])).get('logits')?.data[0] ?? NaN;
}

describe('one adapter', () => {
  it('before, after and beside a node', () => {
    expect(result('outer')).toBe(5);
    expect(result('outer', 'a before enc.inner = plus(3.0)')).toBe(5 * (1 + 3));
    expect(result('outer', 'a after enc.inner = plus(3.0)')).toBe(5 + 3);
    expect(result('outer', 'a beside enc.inner = times(3.0)')).toBe(5 + 3);
    expect(result('outer', 'a beside enc.inner = mixed(3.0)')).toBe(5 + 3 + 100 * 5);
  });
  it('sits at every call of a node that is called twice', () => {
    expect(result('twice')).toBe(25);
    expect(result('twice', 'a before enc.same = plus(1.0)')).toBe(5 * (5 * (1 + 1) + 1));
    expect(result('twice', 'a after enc.same = plus(1.0)')).toBe(5 * (5 + 1) + 1);
    expect(result('twice', 'a beside enc.same = times(1.0)')).toBe(5 * 6 + 6);
  });
});

describe('several adapters', () => {
  it('before one node are applied in the order in which they are written', () => {
    expect(result('outer', 'a before enc.inner = plus(3.0)', 'b before enc.inner = times(2.0)')).toBe(5 * ((1 + 3) * 2));
  });
  it('after one node, likewise', () => expect(result('outer', 'a after enc.inner = plus(3.0)', 'b after enc.inner = times(2.0)')).toBe((5 + 3) * 2));
  it('beside a node see its adapted input, whichever is written first', () => {
    const [before, beside] = ['a before enc.inner = plus(3.0)', 'b beside enc.inner = times(2.0)'];
    expect(result('outer', before, beside)).toBe(5 * 4 + 2 * 4);
    expect(result('outer', beside, before)).toBe(5 * 4 + 2 * 4);
  });
  it('at a node and at the node that it stands in, whichever is written first', () => {
    const [inner, outer] = ['a before enc.inner = times(2.0)', 'b before enc = plus(3.0)'];
    expect(result('outer', inner, outer)).toBe(5 * (2 * (1 + 3)));
    expect(result('outer', outer, inner)).toBe(5 * (2 * (1 + 3)));
    expect(result('outer', 'a beside enc.inner = times(2.0)', outer)).toBe(5 * 4 + 2 * 4);
  });
});

describe('what does not fit', () => {
  const said = (trunk: string, adapter: string): string[] => compileText(text(trunk, [adapter])).diagnostics.filter((d) => d.code !== 'TPS7006').map((d) => `${d.code} ${d.message}`);
  it('a node that gives back what it was given has no value of its own', () => {
    expect(said('idle', 'a after enc.pass = plus(1.0)')).toEqual(['TPS4002 `enc.pass` names no node: it gives back a value that it did not make']);
    expect(said('idle', 'a before enc.pass = plus(1.0)')).toEqual(['TPS4002 `enc.pass` names no node: nothing in it reads its input']);
  });
  it('a second input is the node’s output, which is not there before the node', () => {
    expect(said('outer', 'a before enc.inner = mixed(1.0)')).toEqual(['TPS3009 `mixed` needs `out`']);
  });
  it('`per` takes the task alone', () => expect(said('outer', 'a per x before enc.inner = plus(1.0)')).toEqual(['TPS4014 `per x`: `x` is no task']));
});

it('parameters among an adapter’s arguments are its own at each place', () => {
  const trunk = 'block trunk()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  carry y = v\n  for i in 0..2 {\n    layer blocks[i] = times(2.0)\n    next y = blocks[i](y)\n  }\n  return y\n}\nblock gain(by: f32[])(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return by * v\n}\n';
  const p = programOf(compileText(spec('  encoder enc = trunk()(x)\n  adapter a before enc.blocks[*] = gain(by: param f32[] init 1.0)\n  return enc[:, 0:1]', PARTS + trunk)));
  expect(p.tensors.map((t) => t.path)).toEqual(['a.0.by', 'a.1.by']);
});

it('a frozen encoder freezes a layer that was called before it', () => {
  const p = programOf(compileText(trained('  layer f = conv(8)\n  let z = f(x)\n  encoder enc = f(z) with { frozen: true, weights: main }\n  let y = conv(1)(enc)\n  return y')));
  expect(p.tensors.map((t) => [t.path, t.frozen])).toEqual([['f.weight', true], ['f.bias', true], ['conv.weight', false], ['conv.bias', false]]);
});

describe('a frozen encoder is built as for use, also in training', () => {
  const body = 'block body(rate: float)(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  return v |> batch_norm |> dropout(rate)\n}';
  const mixed = (frozen: boolean, adapter = ''): CompileResult => compileText(trained(`  encoder enc = body(0.5)(x) with { frozen: ${frozen}, weights: main }\n${adapter}  let y = per t conv(1)(enc)\n  return y`, body));
  const leaves = (p: Program, op: string): string[] => [...p.train!.nodes.values()].flatMap((n) => (n.op === op ? [String(n.attrs['path'])] : []));

  it('its batch norm reads the running statistics and leaves them, its dropout is off, and batches may mix tasks', () => {
    const p = programOf(mixed(true));
    expect(p.train!.outputs.map((o) => o.name)).toEqual(['logits', 'loss']);
    expect(leaves(p, 'state')).toEqual(['enc.batch_norm.running_mean', 'enc.batch_norm.running_var']);
    expect(leaves(p, 'drop')).toEqual([]);
    expect(p.tensors.filter((t) => t.kind === 'state').map((t) => t.path)).toEqual(['enc.batch_norm.running_mean', 'enc.batch_norm.running_var']);
  });
  it('where it is not frozen, batch norm takes the batch’s, and a batch of several tasks is refused', () => {
    expect(codes(mixed(false)).map((c) => c.slice(0, 7))).toEqual(['TPS4012']);
    const p = programOf(compileText(trained('  encoder enc = body(0.5)(x)\n  let y = conv(1)(enc)\n  return y', body)));
    expect(p.train!.outputs.map((o) => o.name)).toEqual(['logits', 'loss', 'state:enc.batch_norm.running_mean', 'state:enc.batch_norm.running_var']);
    expect(leaves(p, 'drop')).toEqual(['enc.dropout.drop']);
  });
  it('adapters inside it are trained parts, and so in training', () => {
    expect(leaves(programOf(mixed(true, '  adapter a after enc.batch_norm = dropout(0.1)\n')), 'drop')).toEqual(['a.drop']);
  });
});

describe('states', () => {
  const said = (body: string): string[] => compileText(trained(body)).diagnostics.map((d) => `${d.code} ${d.message}`);
  const state = (head: string, init = 'zeros', update = 'old'): string => `  ${head} {\n    init   = ${init}\n    update = ${update}\n  }\n  let y = conv(1)(x) + s\n  return y`;
  it('of an instance that is called twice are updated twice, the second time from what the first gave', () => {
    const counted = 'block counted()(v: f32[B, C, H, W]) -> f32[B, C, H, W] {\n  state n: f32[1, 1, 1, 1] {\n    init   = zeros\n    update = old * 2.0 + 1.0\n  }\n  return v + n\n}';
    const { train } = programOf(compileText(trained('  layer c = counted()\n  let y = conv(1)(c(c(x)))\n  return y', counted)));
    expect(train!.outputs.map((o) => o.name)).toEqual(['logits', 'loss', 'state:c.n']);
    const next = { nodes: train!.nodes, outputs: train!.outputs.filter((o) => o.name === 'state:c.n') };
    const feeds = new Map([['x', filled([1, 8, 16, 16], 1)], ['c.n', filled([1, 1, 1, 1], 10)], ['conv.weight', filled([1, 8, 1, 1], 1)], ['conv.bias', filled([1], 1)]]);
    expect(evaluate(next, feeds).get('state:c.n')?.data[0]).toBe((10 * 2 + 1) * 2 + 1);
  });
  it('have a size that is known', () => expect(said(state('state s: f32[B]'))).toContain('TPS3016 the size of `s` must be known when the spec is compiled, but depends on the batch: [B]'));
  it('have each law once', () => expect(said(state('state s: f32[1, 1, 1, 1]', 'zeros\n    init = ones'))).toEqual(['TPS2004 `init` is declared twice']));
  it('are per task by the task alone', () => expect(said(state('state s per x: f32[1, 1, 1, 1]'))).toEqual(['TPS4014 `per x`: `x` is no task']));
  it('begin from what is known before any step', () => {
    const row = 'gather(param f32[2, 1] init zeros, t, axis: 0) |> reshape([1, 1, 1, 1])';
    expect(said(state('state s: f32[1, 1, 1, 1]', row))).toEqual(['TPS4011 the `init` of `s` reads the task, but has one value for all tasks']);
    expect(said(state('state s per t: f32[1, 1, 1, 1]', row))).toEqual([]);
  });
});
