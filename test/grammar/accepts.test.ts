// What the language takes and what it refuses, in small pieces. A refused piece gives exactly one error, at its place.
import { describe, expect, it } from 'vitest';
import { block, told } from './read.js';

const declarations = [
  'edition 1',
  'from std.hiera import hiera',
  'from std.import.for import a as b, c',
  'from "./my.tps" import x',
  'dim B',
  'setting size: int = 512 where size % 32 == 0\n  where size > 0',
  'tasks lesions {\n  WA "Wet AMD" { modality: oct, folder: "wet_amd" }, BT "Brain"\n}',
  'tasks none {}',
  'dataset d of lesions { root = "here", split = ratio(0.8) }',
  'block f() (x: f32) -> f32\n{\n}',
  'block f(k: [int], g: block = linear(1))(x: f32[.., C]) -> { a: f32[], b: [f32[..lead, _]] }\n  with s = 2\n  where C > 1\n{ return x }',
  'model M(x: f32[B, 3, S, S],\n  t: task of lesions,\n) -> f32 { return x }',
  'train paper "label" of M { loss = l, epochs = 30\n  batch = 8 }',
  'study s of paper { rows = [A, B], seeds = 3 }',
  'variant A of paper { alias }',
  'variant A "x" of paper {\n  remove M.tca, set experts = 4\n  replace a.b[2] with c\n  insert layer l = f(1)\n  insert for i in 0..2 {\n    emit y = i\n  }\n}',
  'weights w of hiera {\n  "a.{i}.w" -> blocks[* as i].w |> transpose([1, 0])\n  "b" -> c\n}',
];

const inBodies = [
  'let [a, _, b] = x',
  'layer blocks[n + 1] = f(1)(2)',
  'layer spare: f32[B, 8, size / 4, _] = f(1)\nlayer table[0]: task = embedding(16)',
  'let all = proto[*]',
  'param p: f32[1, C] init normal(0.02)',
  'let p = per t param f32[..] init zeros |> f',
  'carry n = 0\nnext n = n + 1\nemit stages = n',
  'for i in 0..len(xs) { next x = f(x) }',
  'if a { return x } else if not b { return y } else { return z }',
  'let a = if c then d else if e then f else g',
  'encoder e = f(1)(x)\n  with { frozen: true, weights: w }',
  'decoder d[1] = f(t)(x, y)',
  'adapter a per t beside enc.blocks[2..6 as b].attn.qkv = low_rank(rank: 4)',
  'gate g per t over enc.blocks = free(x)',
  'prototypes p per t: f32[2, c] { init = zeros, update = ema(a, momentum: 0.9) }',
  'state s: f32[] {\n  init = zeros\n  update = s + 1\n}',
  'let y = x[:, 0:2, .., -1, 3:] + a[0..2] * sum(k[m] for m in 0..n if m != 2)',
  'let gate = weights[:, m] + enc.gate.for(in: 3, if: 4)', // soft keywords are names; members and argument names take any word
  'let y = f(\n  a,\n  b: 2,\n)', // a comma before a `)` that begins a line
  'let y = a\n  - b\n  |> f', // a line that begins with an operator goes on
].map((body) => (body.includes('|> f') && body.startsWith('let y') ? body.replace('a\n  - b', '(a\n  - b)') : body));

const refused: readonly (readonly [text: string, error: string])[] = [
  ['edition 2', '1:9 TPS1008 edition 2 is not known'],
  ['from std import', '1:16 TPS1001 the end of the line cannot stand here; expected a name'],
  ['setting size = 3', '1:14 TPS1001 `=` cannot stand here; expected `:`'],
  ['dim B dim C', '1:7 TPS1001 `dim` cannot stand here; expected the end of the line'],
  ['x = 3', '1:1 TPS1003 A declaration cannot begin with `x`'],
  ['let x = 3', '1:1 TPS1003 A declaration cannot begin with `let`'],
  ['study s of p { rows: [A] }', '1:20 TPS1001 `:` cannot stand here; expected `=`'],
  ['tasks t { "Wet" }', '1:11 TPS1003 A task cannot begin with `"Wet"`'],
  ['variant A of p { drop x }', '1:18 TPS1003 An edit cannot begin with `drop`'],
  ['weights w of h { a -> b }', '1:18 TPS1003 A weight rule cannot begin with `a`'],
  ['setting s: int = 3x', '1:18 TPS1006 `3x` is not a number'],
  ['setting s: float = 1e-', '1:20 TPS1006 `1e-` is not a number'],
  ['setting s: string = "open', '1:21 TPS1009 a string is not closed on its line'],
  ['setting s: int = 3 // note', '1:20 TPS1002 unexpected character `//`'],
  ['setting s: int = 3 ; dim B', '1:20 TPS1002 unexpected character `;`'],
  ['setting s: bool = 1 < 2 < 3', '1:25 TPS1010 `<` does not chain'],
  ['setting s: int = 1 + if a then b else c', '1:22 TPS1001 `if` cannot stand here; expected a value'],
  ['setting s: int = { x }', '1:22 TPS1001 `}` cannot stand here; expected `:`'],
  ['setting s: int = f(a for x in y for z in w)', '1:33 TPS1001 `for` cannot stand here; expected `,` or `)`'],
  ['block f(x f32) -> f32 {}', '1:11 TPS1001 `f32` cannot stand here; expected `:`'],
  [block('  x = 3'), '2:3 TPS1003 A statement cannot begin with `x`'],
  [block('  let y = f\n  (x)'), '3:3 TPS1003 A statement cannot begin with `(`'],
  [block('  let y = a + b |> f'), '2:13 TPS1007 `+` beside `|>` needs parentheses'],
  [block('  let y = x |> -f'), '2:16 TPS1007 `-` beside `|>` needs parentheses'],
  [block('  let y = f(x,)'), '2:15 TPS1001 `)` cannot stand here; expected a value'],
  [block('  let y = 1, let z = 2'), '2:12 TPS1001 `,` cannot stand here; expected the end of the line'],
  [block('  let y = if c { 1 } else { 2 }'), '2:16 TPS1001 `{` cannot stand here; expected `then`'],
  [block('  let y = f(x'), '2:13 TPS1004 `)` is missing: nothing closes `(`'],
  [block('  let y = f x)'), '2:13 TPS1001 `x` cannot stand here; expected the end of the line'],
  [block('  for i in 0..3\n    next x = f(x)\n  }'), '2:15 TPS1013 `{` is missing here'],
  [block('  adapter a enc.blocks = f(1)'), '2:13 TPS1001 `enc` cannot stand here; expected `before`, `after` or `beside`'],
];

describe('accepted', () => {
  it.each(declarations)('%s', (text) => { expect(told(`${text}\n`)).toEqual([]); });
  it.each(inBodies)('%s', (body) => { expect(told(block(body))).toEqual([]); });
  it('needs no line end after the last declaration, and takes any line ending', () => {
    expect(told('dim B')).toEqual([]);
    expect(told('dim B\r\nblock f(x: f32) -> f32 {\r\n  return x\r\n}\r\n')).toEqual([]);
  });
});

describe('refused, with one error', () => {
  it.each(refused)('%s', (text, error) => { expect(told(text)).toEqual([error]); });
});

describe('mends', () => {
  it('both readings of an operator beside a pipe', async () => {
    const { parse } = await import('../../grammar/index.js');
    const [error] = parse(block('  let y = a + b |> f'), 'test.tps').diagnostics;
    expect(error?.help).toBe('write `(a + b) |> f` or `a + (b |> f)`');
    const [other] = parse(block('  let y = x |> f(1) * c'), 'test.tps').diagnostics;
    expect(other?.help).toBe('write `(x |> f(1)) * c` or `x |> (f(1) * c)`');
  });
  it('a doc comment above nothing is a warning', () => {
    expect(told('dim B\n/// lost\n\ndim C\n')).toEqual(['2:1 TPS1011 this doc comment documents nothing']);
  });
});
