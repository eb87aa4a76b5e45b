// `weights` declarations: what a map says of a program, and what is wrong with a map, at its place.
import { describe, expect, it } from 'vitest';
import { ndarray } from '../../compiler/ir/ndarray.js';
import type { Program } from '../../compiler/program.js';
import { inverse, keyFilter, resolveWeights, shapeAfter, valuesAfter, type WeightMap } from '../../compiler/weights.js';
import { codes, compileFile, compileText, programOf } from './support.js';

const mapOf = (program: Program, name: string): WeightMap => program.weightMaps!.find((m) => m.name === name)!;
const pairs = (program: Program, name: string): string[] =>
  resolveWeights(mapOf(program, name), program.tensors, program.tasks).pairs.map((p) => `${p.key} -> ${p.path}`);

/** Two routes a node, one of them per task, in a block; the model calls it twice. */
const spec = (maps: string, model = ''): string => `edition 1
tasks lesions {
  SL "Skin lesion" { folder: "skin_lesion" }
  CP "Colon polyp" { folder: "colon_polyp" }
}
block route(t: task)(x: f32[B, H, W, C]) -> f32[B, H, W, C] {
  layer shared = linear(C)
  layer specific = per t linear(C)
  return x + shared(x) + specific(x)
}
block body(t: task, depth: int)(x: f32[B, C, H, W]) -> f32[B, C, H, W] {
  carry y = x |> channels_last
  for i in 0..depth {
    layer nodes[i] = route(t)
    next y = nodes[i](y)
  }
  return y |> channels_first
}
model M(image: f32[B, 3, 16, 16], t: task of lesions) -> f32[B, 1, 16, 16] {
  encoder enc = body(t, 2)(image)${model}
  layer head = conv(1)
  return head(enc)
}
${maps}
`;

describe('a map of a block', () => {
  it('fills the instance, and a task is a number', () => {
    const program = programOf(compileText(spec('weights old of body {\n  "n.{i}.{t}.w" -> nodes[* as i].specific[* as t].weight\n  "s{i}" -> nodes[* as i].shared.bias\n}')));
    expect(mapOf(program, 'old')).toMatchObject({ of: 'body', instances: ['enc'], named: false });
    expect(pairs(program, 'old').sort()).toEqual([
      'n.0.0.w -> enc.nodes.0.specific.SL.weight', 'n.0.1.w -> enc.nodes.0.specific.CP.weight',
      'n.1.0.w -> enc.nodes.1.specific.SL.weight', 'n.1.1.w -> enc.nodes.1.specific.CP.weight',
      's0 -> enc.nodes.0.shared.bias', 's1 -> enc.nodes.1.shared.bias',
    ]);
  });
  it('names tasks by code, chooses indexes, and gives one key to several tensors', () => {
    const program = programOf(compileText(spec('weights old of body {\n  "first" -> nodes[0].specific.CP.weight\n  "bias" -> nodes[0..2].shared.bias\n  "w{i}" -> nodes[1..2 as i].shared.weight\n}')));
    expect(pairs(program, 'old').sort()).toEqual(['bias -> enc.nodes.0.shared.bias', 'bias -> enc.nodes.1.shared.bias', 'first -> enc.nodes.0.specific.CP.weight', 'w1 -> enc.nodes.1.shared.weight']);
  });
  it('counts tasks in the spec\'s own list, whichever are kept', () => {
    const program = programOf(compileText(spec('weights old of body {\n  "n.{i}.{t}.w" -> nodes[* as i].specific[* as t].weight\n}'), { tasks: ['CP'] }));
    expect(pairs(program, 'old')).toEqual(['n.0.1.w -> enc.nodes.0.specific.CP.weight', 'n.1.1.w -> enc.nodes.1.specific.CP.weight']);
  });
  it('says which tensors no row names', () => {
    const program = programOf(compileText(spec('weights old of body {\n  "n.{i}.{t}.w" -> nodes[* as i].specific[* as t].weight\n}')));
    expect(resolveWeights(mapOf(program, 'old'), program.tensors, program.tasks).uncovered.map((u) => u.path)).toEqual([
      'enc.nodes.0.shared.weight', 'enc.nodes.0.shared.bias', 'enc.nodes.0.specific.SL.bias', 'enc.nodes.0.specific.CP.bias',
      'enc.nodes.1.shared.weight', 'enc.nodes.1.shared.bias', 'enc.nodes.1.specific.SL.bias', 'enc.nodes.1.specific.CP.bias',
    ]);
  });
  it('is of those encoders that name it, where some do', () => {
    const map = 'weights old of body {\n  "s{i}" -> nodes[* as i].shared.bias\n}';
    const twice = spec(map, ' with { weights: old }').replace('layer head', 'encoder twin = body(t, 1)(image)\n  let both = twin + enc\n  layer head').replace('head(enc)', 'head(both)');
    expect(mapOf(programOf(compileText(twice)), 'old')).toMatchObject({ instances: ['enc'], named: true });
    expect(mapOf(programOf(compileText(twice.replace(' with { weights: old }', ''))), 'old')).toMatchObject({ instances: ['enc', 'twin'], named: false });
  });
});

describe('a map of a model', () => {
  it('names paths from the root', () => {
    const program = programOf(compileText(spec('weights all of M {\n  "e.{i}" -> enc.nodes[* as i].shared.bias\n  "h" -> head.weight\n}')));
    expect(pairs(program, 'all')).toEqual(['e.0 -> enc.nodes.0.shared.bias', 'e.1 -> enc.nodes.1.shared.bias', 'h -> head.weight']);
  });
  it('is no map of another model', () => {
    const other = 'model N(image: f32[B, 3, 16, 16]) -> f32[B, 1, 16, 16] {\n  return image |> conv(1)\n}\n';
    const program = programOf(compileText(`${spec('weights all of M {\n  "h" -> head.weight\n}')}${other}`));
    expect([program.name, mapOf(program, 'all').instances]).toEqual(['N', []]);
  });
});

describe('the map of SAM 2', () => {
  it('names every tensor of a small Hiera', () => {
    const program = programOf(compileFile('models/tpseg-nano.tps'));
    const { pairs: found, uncovered, idle, doubled } = resolveWeights(mapOf(program, 'sam2'), program.tensors, undefined);
    expect({ found: found.length, uncovered, idle, doubled }).toEqual({ found: 4 + 12 * 7 + 2 * 3, uncovered: [], idle: [], doubled: [] });
    expect(new Set(found.map((p) => p.key)).size).toBe(found.length);
  });
  it.each([
    ['T', 154, 'embed: 96, heads: 1, depths: [1, 2, 7, 2], global: [5, 7, 9], windows: [8, 4, 14, 7]'],
    ['S', 202, 'embed: 96, heads: 1, depths: [1, 2, 11, 2], global: [7, 10, 13], windows: [8, 4, 14, 7]'],
    ['B+', 298, 'embed: 112, heads: 2, depths: [2, 3, 16, 3], global: [12, 16, 20], windows: [8, 4, 14, 7], background: 14'],
    ['L', 586, 'embed: 144, heads: 2, depths: [2, 6, 36, 4], global: [23, 33, 43], windows: [8, 4, 16, 8]'],
  ] as const)('names the state tensors of Hiera-%s: %i', (_, count, config) => {
    const program = programOf(compileText(`edition 1\nfrom std.hiera import hiera, sam2\nmodel M(image: f32[B, 3, 224, 224]) -> f32[B, 1, 56, 56] {\n  encoder enc = hiera(${config})(image) with { frozen: true, weights: sam2 }\n  return enc.stages[0] |> conv(1)\n}\n`));
    const { pairs: found, uncovered, idle } = resolveWeights(mapOf(program, 'sam2'), program.tensors, undefined);
    expect([new Set(found.map((p) => p.key)).size, uncovered, idle]).toEqual([count, [], []]);
  });
  it('knows its keys from others', () => {
    const speaks = keyFilter(mapOf(programOf(compileFile('models/tpseg-nano.tps')), 'sam2'));
    expect(['image_encoder.trunk.blocks.47.mlp.layers.1.bias', 'image_encoder.trunk.pos_embed'].map(speaks)).toEqual([true, true]);
    expect(['image_encoder.trunk.blocks.x.mlp.layers.1.bias', 'image_encoder.trunkXpos_embed', 'image_encoder.neck.convs.0.conv.bias', 'x.image_encoder.trunk.pos_embed'].map(speaks)).toEqual([false, false, false, false]);
  });
});

describe('ops between the file and the tensor', () => {
  const steps = (text: string): WeightMap['rows'][number]['steps'] =>
    mapOf(programOf(compileText(spec(`setting c: int = 3\nweights old of body {\n  "w" -> nodes[0].shared.weight |> ${text}\n}`))), 'old').rows[0]!.steps;
  it('are evaluated by their reference meaning, one after the other', () => {
    const chain = steps('transpose([1, 0]) |> slice(axis: 0, from: 1, to: 3)');
    expect(shapeAfter(chain, [2, 3])).toEqual([2, 2]);
    expect([...valuesAfter(chain, ndarray([2, 3], [1, 2, 3, 4, 5, 6])).data]).toEqual([2, 5, 3, 6]);
  });
  it('take settings and static arithmetic', () => { expect(shapeAfter(steps('reshape([c, 2 * c])'), [18])).toEqual([3, 6]); });
  it('tell what does not fit', () => { expect(() => shapeAfter(steps('reshape([c, c])'), [2, 3])).toThrow(/reshape: .*6 elements.*has 9/); });
  it('can be undone where they only move', () => {
    const chain = steps('transpose([2, 0, 1])'), value = ndarray([2, 1, 3], [1, 2, 3, 4, 5, 6]);
    expect(valuesAfter(inverse(chain)!, valuesAfter(chain, value))).toEqual(value);
    expect(inverse(steps('reshape([9])'))).toBeUndefined();
  });
});

describe('what is wrong with a map', () => {
  const said = (rows: string, of = 'body'): string[] => codes(compileText(spec(`weights old of ${of} {\n${rows}\n}`)));
  it.each([
    ['a path that names nothing', '  "a" -> nodes[0].shared.wieght', 'TPS8001 25'],
    ['an index that is not there', '  "a" -> nodes[7].shared.weight', 'TPS8001 25'],
    ['a placeholder without an index', '  "a.{j}" -> nodes[* as i].shared.weight', 'TPS8002 25'],
    ['a lone brace', '  "a.{" -> nodes[0].shared.weight', 'TPS8002 25'],
    ['an empty key', '  "" -> nodes[0].shared.weight', 'TPS8002 25'],
    ['two rows for one tensor', '  "a.{i}" -> nodes[* as i].shared.weight\n  "b" -> nodes[1].shared.weight', 'TPS8003 26'],
    ['a block between', '  "a" -> nodes[0].shared.weight |> linear(3)', 'TPS8004 25'],
    ['an op of two inputs between', '  "a" -> nodes[0].shared.weight |> add(1)', 'TPS8004 25'],
    ['an attribute that is missing', '  "a" -> nodes[0].shared.weight |> transpose', 'TPS3009 25'],
    ['an attribute of another kind', '  "a" -> nodes[0].shared.weight |> transpose(1.5)', 'TPS3013 25'],
    ['an index that is no number', '  "a" -> nodes["x"].shared.weight', 'TPS3013 25'],
    ['an index bound twice', '  "a.{i}" -> nodes[* as i].specific[* as i].weight', 'TPS2004 25'],
  ])('%s', (_, rows, expected) => { expect(said(rows)).toEqual([expected]); });
  it('a block that is not there', () => { expect(said('  "a" -> b', 'bodi')).toEqual(['TPS2007 24']); });
  it('nothing, where a choice of tasks or a variant takes a tensor away', () => {
    const text = spec('weights old of body {\n  "a" -> nodes[0].specific.CP.weight\n}');
    expect(codes(compileText(text, { tasks: ['SL'] }))).toEqual([]);
  });
  it('suggests the nearest path', () => {
    expect(compileText(spec('weights old of body {\n  "a" -> nodes[0].shard.weight\n}')).diagnostics[0]).toMatchObject({ help: 'did you mean `nodes[*].shared.weight`?' });
  });
});
