// Foreign checkpoints under a spec's paths, and back: values by the map, every misfit named, and a file that is whole or not there.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../../compiler/program.js';
import { f32, type Tensor } from '../../runtime/engines/engine.js';
import { diffWeights } from '../../runtime/state/difference.js';
import { exportWeights } from '../../runtime/state/export.js';
import { chooseMap, importWeights } from '../../runtime/state/import.js';
import { listWeights } from '../../runtime/state/listing.js';
import { readSafetensors, writeSafetensors } from '../../runtime/state/safetensors.js';
import { startingTensors } from '../../runtime/state/weights.js';
import { compileText, programOf } from '../check/support.js';
import { valueOf } from '../models/formula.js';

let folder: string;
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'import-')); });
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const official = fileURLToPath(new URL('../oracle/golden/weights/official.pt', import.meta.url));

const HIERA = (embed: number, depths: string): string => `edition 1
from std.hiera import hiera, sam2
model M(image: f32[B, 3, 32, 32]) -> f32[B, 1, 32, 32] {
  encoder enc = hiera(embed: ${embed}, heads: 1, depths: ${depths}, global: [1], windows: [4, 4])(image) with { frozen: true, weights: sam2 }
  return enc.stages[0] |> conv(1) |> resize([32, 32])
}
`;
const small = programOf(compileText(HIERA(4, '[1, 1]')));

/** A dense layer and one copy a task of another, with a map that turns and cuts. */
const mapped = programOf(compileText(`edition 1
tasks lesions {
  SL "Skin lesion" { folder: "skin_lesion" }
  CP "Colon polyp" { folder: "colon_polyp" }
}
block pair(t: task)(x: f32[B, H, W, C]) -> f32[B, H, W, C] {
  layer all = linear(C)
  layer own = per t linear(C)
  return own(all(x))
}
model M(image: f32[B, 3, 8, 8], t: task of lesions) -> f32[B, 1, 8, 8] {
  encoder enc = pair(t)(image |> channels_last)
  return enc |> channels_first |> conv(1)
}
weights turned of pair {
  "all" -> all.weight |> transpose([1, 0])
  "all.bias" -> all.bias
  "own.{t}" -> own[* as t].weight
  "own.bias" -> own[*].bias |> slice(axis: 0, from: 1, to: 4)
}
weights plain of pair { "all" -> all.weight |> transpose([1, 0]), "own.{t}" -> own[* as t].weight }
`));
const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
function file(name: string, tensors: Readonly<Record<string, Tensor>>): string {
  writeSafetensors(at(name), new Map(Object.entries(tensors)));
  return at(name);
}
const TURNED = { all: f32([3, 3], nine), 'all.bias': f32([3], [0, 1, 2]), 'own.0': f32([3, 3], nine.map((x) => -x)), 'own.1': f32([3, 3], nine), 'own.bias': f32([5], [9, 1, 2, 3, 9]) };

describe('import', () => {
  it('brings the official keys of SAM 2 under the paths of the spec', () => {
    const report = importWeights({ program: small, file: official, out: at('sam2.safetensors') });
    const { tensors, metadata } = readSafetensors(at('sam2.safetensors'));
    const wanted = small.tensors.filter((t) => t.path.startsWith('enc.'));
    expect([...tensors.keys()].sort()).toEqual(wanted.map((t) => t.path).sort());
    for (const { path, shape } of wanted) expect(tensors.get(path), path).toEqual(f32(shape, Float32Array.from(valueOf(path, shape).data)));
    expect(report).toMatchObject({
      format: 'torch', entry: 'model', map: 'sam2', outside: ['maskmem_tpos_enc', 'image_encoder.neck.convs.0.conv.weight', 'memory_attention.layers.0.norm1.weight'],
      dropped: [], untouched: ['conv.weight', 'conv.bias'], stillNeeded: [],
    });
    expect(report.values).toBe(wanted.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0));
    expect(metadata).toEqual({ source: 'official.pt', program: 'M', map: 'sam2' });
  });
  it('gives what a training asks for', () => {
    importWeights({ program: small, file: official, out: at('start.safetensors') });
    expect(() => startingTensors(small, 1)).toThrow(/frozen tensors/);
    expect(startingTensors(small, 1, at('start.safetensors')).tensors.get('enc.blocks.1.proj.weight')!.data).toEqual(Float32Array.from(valueOf('enc.blocks.1.proj.weight', [8, 4]).data));
  });
  it('turns, cuts and spreads values as the rows say', () => {
    importWeights({ program: mapped, file: file('turned.safetensors', TURNED), map: 'turned', out: at('out.safetensors') });
    const { tensors } = readSafetensors(at('out.safetensors'));
    expect(Object.fromEntries([...tensors].map(([k, t]) => [k, [...t.data]]))).toEqual({
      'enc.all.weight': [1, 4, 7, 2, 5, 8, 3, 6, 9], 'enc.all.bias': [0, 1, 2], 'enc.own.SL.weight': nine.map((x) => -x), 'enc.own.CP.weight': nine,
      'enc.own.SL.bias': [1, 2, 3], 'enc.own.CP.bias': [1, 2, 3],
    });
  });
  it('takes equal names where there is no map', () => {
    const program: Program = { ...small, weightMaps: [] };
    const report = importWeights({ program, file: file('names.safetensors', { 'conv.bias': f32([1], [2]), other: f32([1], [3]) }), out: at('names-out.safetensors') });
    expect(report).toMatchObject({ imported: [{ path: 'conv.bias', key: 'conv.bias' }], outside: ['other'] });
    expect(report.map).toBeUndefined();
    expect(report.stillNeeded.length).toBe(small.tensors.length - 2);
  });
  it('widens half floats and rounds doubles', () => {
    const kinds = official.replace('official', 'kinds');
    const program = { ...small, weightMaps: [], tensors: [['f64', [2]], ['f16', [3]], ['bf16', [2]]].map(([path, shape]) => ({ ...small.tensors[0]!, path: String(path), shape: shape as number[] })) };
    importWeights({ program, file: kinds, out: at('kinds.safetensors') });
    expect(Object.fromEntries([...readSafetensors(at('kinds.safetensors')).tensors].map(([k, t]) => [k, [...t.data]]))).toEqual({ f64: [0.5, -1.25], f16: [1, -2.5, 65504], bf16: [3.140625, -1] });
  });
});

describe('an import that does not fit', () => {
  const refused = (program: Program, path: string, options: { readonly map?: string; readonly dropExtra?: boolean } = {}): string => {
    try { importWeights({ program, file: path, out: at('never.safetensors'), ...options }); } catch (error) {
      expect(existsSync(at('never.safetensors'))).toBe(false);
      expect(readdirSync(folder).filter((f) => f.endsWith('.tmp'))).toEqual([]);
      return error instanceof Error ? error.message : '';
    }
    return 'it was taken';
  };
  it('names every tensor of another shape, and says both shapes', () => {
    const said = refused(programOf(compileText(HIERA(8, '[1, 1]'))), official).split('\n');
    expect(said[0]).toMatch(/does not fit the map `sam2` of `hiera`: 30 of another shape or dtype$/);
    expect(said).toHaveLength(31);
    expect(said).toContain('  unfit    image_encoder.trunk.blocks.1.proj.weight is f32[8, 4]; the spec wants [16, 8] for enc.blocks.1.proj.weight');
  });
  it('names every missing tensor of a larger spec', () => {
    const said = refused(programOf(compileText(HIERA(4, '[1, 2]'))), official).split('\n');
    expect(said[0]).toMatch(/: 12 missing$/);
    expect(said).toHaveLength(13);
    expect(said).toContain('  missing  image_encoder.trunk.blocks.2.attn.qkv.weight, for enc.blocks.2.attn.qkv.weight f32[24, 8]');
  });
  it('names every extra tensor of a smaller spec, and leaves them out where asked', () => {
    const smaller = programOf(compileText(HIERA(4, '[1]').replace('windows: [4, 4]', 'windows: [4]').replace('global: [1]', 'global: [0]')));
    const said = refused(smaller, official).split('\n');
    expect(said[0]).toMatch(/: 14 extra$/);
    expect(said).toContain('  extra    image_encoder.trunk.blocks.1.proj.bias, for which the spec has no tensor');
    const report = importWeights({ program: smaller, file: official, out: at('smaller.safetensors'), dropExtra: true });
    expect([report.imported.length, report.dropped.length]).toEqual([16, 14]);
  });
  it('names a wrong dtype and an op that does not fit', () => {
    const said = refused(mapped, file('wrong.safetensors', { ...TURNED, 'own.0': { dtype: 'i64', shape: [3, 3], data: new BigInt64Array(9) }, all: f32([9], nine), 'own.bias': f32([3], [1, 2, 3]) }), { map: 'turned' }).split('\n');
    expect(said[0]).toMatch(/: 4 of another shape or dtype$/);
    expect(said).toContain('  unfit    all is f32[9], and transpose: perm [1, 0] is no order of the axes of f32[9] for enc.all.weight');
    expect(said).toContain('  unfit    own.0 is i64[3, 3], but weights are floats for enc.own.SL.weight');
    for (const task of ['SL', 'CP']) expect(said).toContainEqual(expect.stringMatching(`^  unfit    own\\.bias is f32\\[3\\], and slice: .* for enc\\.own\\.${task}\\.bias$`));
  });
  it('stops at a value that is no number, and leaves no part behind', () => {
    const diverged = file('diverged.safetensors', { ...TURNED, 'own.1': f32([3, 3], [...nine.slice(0, 8), Infinity]) });
    expect(refused(mapped, diverged, { map: 'turned' })).toMatch(/tensor own\.1 holds Infinity at place 8/);
    writeFileSync(at('kept.safetensors'), 'old');
    expect(() => importWeights({ program: mapped, file: diverged, map: 'turned', out: at('kept.safetensors') })).toThrow(/Infinity/);
    expect(readFileSync(at('kept.safetensors'), 'utf8')).toBe('old');
  });
  it('says what both sides hold where nothing fits', () => {
    expect(refused(small, file('foreign.safetensors', { 'layer1.0.conv1.weight': f32([1], [1]) }))).toMatch(/nothing in .* fits the map `sam2` of `hiera`/);
  });
  it('shows names of a file without what a terminal would obey', () => {
    const said = refused(small, file('escape.safetensors', { 'a\u001b[2Jb': f32([1], [1]) }));
    expect(said).not.toContain('\u001b');
  });
  it('asks which map is meant, and knows the nearest name', () => {
    expect(() => chooseMap(mapped, undefined)).toThrow(/several maps of weights: turned, plain/);
    expect(() => chooseMap(mapped, 'turnd')).toThrow(/knows no map of weights `turnd`/);
  });
  it('cannot be written where no folder is', () => {
    expect(() => importWeights({ program: small, file: official, out: at('none/x.safetensors') })).toThrow(/cannot be written/);
  });
});

describe('export', () => {
  it('gives the official keys back, value by value', () => {
    importWeights({ program: small, file: official, out: at('there.safetensors') });
    const report = exportWeights({ file: at('there.safetensors'), out: at('back.pt'), by: { program: small, map: chooseMap(small, 'sam2')! }, entry: 'model' });
    expect(report).toMatchObject({ leftOut: [] });
    expect(diffWeights(official, at('back.pt'))).toMatchObject({ onlyB: [], unlike: [], equal: 30, different: [] });
  });
  it('turns back what an import turned', () => {
    const { all, 'own.0': first, 'own.1': second } = TURNED;
    const source = file('plain.safetensors', { all, 'own.0': first, 'own.1': second });
    const by = { program: mapped, map: chooseMap(mapped, 'plain')! };
    importWeights({ program: mapped, file: source, map: 'plain', out: at('plain-in.safetensors') });
    exportWeights({ file: at('plain-in.safetensors'), out: at('plain-out.safetensors'), by });
    expect(diffWeights(source, at('plain-out.safetensors'))).toMatchObject({ equal: 3, different: [], unlike: [], onlyA: [], onlyB: [] });
  });
  it('joins what an import cut apart', () => {
    const program = programOf(compileText(`edition 1
model M(image: f32[B, 3, 8, 8]) -> f32[B, 1, 8, 8] {
  let x = image |> channels_last
  layer q = linear(2)
  layer k = linear(3)
  let y = concat([q(x), k(x)], axis: -1)
  return y |> channels_first |> conv(1)
}
weights cut of M { "in" -> k.weight |> slice(axis: 0, from: 2), "in" -> q.weight |> slice(axis: 0, from: 0, to: 2), "b" -> q.bias |> slice(axis: 0, from: 1, to: 3) }
`));
    const source = file('whole.safetensors', { in: f32([5, 3], Array.from({ length: 15 }, (_, i) => i)), b: f32([3], [7, 8, 9]) });
    importWeights({ program, file: source, map: 'cut', out: at('cut-in.safetensors') });
    expect([...readSafetensors(at('cut-in.safetensors')).tensors.get('k.weight')!.data]).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14]);
    const map = chooseMap(program, 'cut')!, rows = map.rows.filter((r) => r.keyText === 'in');
    exportWeights({ file: at('cut-in.safetensors'), out: at('cut-out.safetensors'), by: { program, map: { ...map, rows } } });
    expect(diffWeights(source, at('cut-out.safetensors'))).toMatchObject({ equal: 1, onlyA: ['b'], onlyB: [], unlike: [] });
    // the first element of `b` went nowhere
    expect(() => exportWeights({ file: at('cut-in.safetensors'), out: at('cut-out.safetensors'), by: { program, map } })).toThrow(/\n  b$/);
  });
  it('goes back into the file that it came from, with all else in it, in its order', () => {
    importWeights({ program: small, file: official, out: at('half.safetensors') });
    const { tensors } = readSafetensors(at('half.safetensors'));
    writeSafetensors(at('trained.safetensors'), new Map([...tensors].map(([k, t]) => [k, f32(t.shape, [...t.data].map((x) => Number(x) + 1))])));
    const report = exportWeights({ file: at('trained.safetensors'), out: at('onto.pt'), by: { program: small, map: chooseMap(small, 'sam2')! }, onto: official });
    expect(report.kept).toBe(3);
    expect(listWeights(at('onto.pt'))).toMatchObject({ entry: 'model', tensors: listWeights(official).tensors });
    const { equal, different } = diffWeights(official, at('onto.pt'));
    expect([equal, different.length, different.every((d) => Math.abs(d.largest - 1) < 1e-6)]).toEqual([3, 30, true]);
    expect(() => exportWeights({ file: at('trained.safetensors'), out: at('onto.pt'), by: { program: small, map: chooseMap(small, 'sam2')! }, onto: at('half.safetensors') })).toThrow(/pos_embed is not in it/);
    expect(() => exportWeights({ file: at('trained.safetensors'), out: at('onto.pt'), onto: official })).toThrow(/--onto needs --map/);
  });
  it('knows the shape before a reshape from the file that it came from', () => {
    const program = programOf(compileText(`edition 1
model M(image: f32[B, 3, 8, 8]) -> f32[B, 1, 8, 8] {
  layer one = linear(1)
  return image |> channels_last |> one |> channels_first
}
weights convs of M { "conv.weight" -> one.weight |> reshape([1, 3]), "conv.bias" -> one.bias }
`));
    const source = file('conv.safetensors', { 'conv.weight': f32([1, 3, 1, 1], [1, 2, 3]), 'conv.bias': f32([1], [4]) });
    const by = { program, map: chooseMap(program, 'convs')! };
    importWeights({ program, file: source, out: at('lin.safetensors') });
    expect(readSafetensors(at('lin.safetensors')).tensors.get('one.weight')!.shape).toEqual([1, 3]);
    expect(() => exportWeights({ file: at('lin.safetensors'), out: at('lin.pt'), by })).toThrow(/cannot be undone\n  conv\.weight$/);
    exportWeights({ file: at('lin.safetensors'), out: at('lin-back.safetensors'), by, onto: source });
    const other = file('other.safetensors', { 'conv.weight': f32([1, 4], [1, 2, 3, 4]), 'conv.bias': f32([1], [4]) });
    expect(() => exportWeights({ file: at('lin.safetensors'), out: at('lin.pt'), by, onto: other })).toThrow(/does not fit the map: reshape/);
    expect(diffWeights(source, at('lin-back.safetensors'))).toMatchObject({ equal: 2, unlike: [], onlyA: [], onlyB: [] });
  });
  it('leaves an optimiser\'s moments out', () => {
    const source = file('moments.safetensors', { w: f32([1], [1]), 'm:w': f32([1], [2]), 'v:w': f32([1], [3]) });
    expect(exportWeights({ file: source, out: at('moments.pt') }).exported).toEqual(['w']);
    expect(listWeights(at('moments.pt')).tensors.map((t) => t.name)).toEqual(['w']);
  });
  it('refuses what cannot be read backwards, unknown endings, and a checkpoint of another spec', () => {
    importWeights({ program: mapped, file: file('turned2.safetensors', TURNED), map: 'turned', out: at('t.safetensors') });
    const by = { program: mapped, map: chooseMap(mapped, 'turned')! };
    expect(() => exportWeights({ file: at('t.safetensors'), out: at('t.pt'), by })).toThrow(/`turned` cannot be read backwards: .*\n  own\.bias$/);
    expect(() => exportWeights({ file: at('t.safetensors'), out: at('t.ckpt') })).toThrow(/no known format/);
    expect(() => exportWeights({ file: file('lone.safetensors', { w: f32([1], [1]) }), out: at('lone.pt'), by })).toThrow(/lacks 6 tensors/);
  });
});

it('a difference says how far', () => {
  const [a, b] = [file('a.safetensors', { same: f32([2], [1, 2]), moved: f32([2], [3, 4.5]), shaped: f32([2], [1, 2]), gone: f32([1], [1]) }), file('b.safetensors', { same: f32([2], [1, 2]), moved: f32([2], [3, 4]), shaped: f32([1, 2], [1, 2]), fresh: f32([1], [1]) })];
  expect(diffWeights(a, b)).toEqual({ onlyA: ['gone'], onlyB: ['fresh'], unlike: [{ name: 'shaped', a: 'f32[2]', b: 'f32[1, 2]' }], equal: 1, different: [{ name: 'moved', largest: 0.5, relative: 0.1 }] });
});
