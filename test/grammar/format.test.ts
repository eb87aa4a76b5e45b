// The printer: what it writes reads back as the same tree, formatting twice changes nothing, and no comment is lost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { format, parse, printDeclaration, printExpr, type Expr, type SourceFile } from '../../grammar/index.js';
import { random } from './damage.js';
import { bare, block, expr, fixture, told } from './read.js';

const comments = (file: SourceFile): readonly string[] => file.comments.map((c) => c.text).sort();

function survives(text: string): string {
  const { file, diagnostics } = parse(text, 'test.tps');
  expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  const once = format(file);
  const again = parse(once, 'test.tps');
  expect(again.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  expect(bare(again.file.declarations)).toEqual(bare(file.declarations));
  expect(comments(again.file)).toEqual(comments(file));
  expect(format(again.file)).toBe(once);
  return once;
}

describe('format', () => {
  it.each(['harbour.tps', 'untidy.tps'])('%s: same tree, same comments, and settled at once', (name) => { survives(fixture(name)); });

  it('lays out as the language is written', () => {
    expect(survives('block   f( a:int )(x:f32[ B,C ])->f32[B,C] where a>0 {\nlet   y=x|>g( a,k :2 )# why\n\n\n return y }\n')).toBe(
      'block f(a: int)(x: f32[B, C]) -> f32[B, C]\n  where a > 0\n{\n  let y = x |> g(a, k: 2)  # why\n\n  return y\n}\n',
    );
  });

  it('breaks a long call at its arguments and a long pipe at its stages', () => {
    const long = 'a_rather_long_argument_name';
    expect(survives(block(`  let y = call(${long}, k: ${long}, l: ${long}, m: ${long})`))).toContain(`  let y = call(\n    ${long},\n    k: ${long},\n`);
    expect(survives(block(`  let y = ${long} |> first(${long}) |> second(${long}) |> third(${long})`))).toContain(`  let y = ${long}\n    |> first(${long})\n`);
  });

  it('gives back as it is a file that did not parse', () => {
    const text = 'dim   B\nblock f(\n';
    expect(format(parse(text, 'test.tps').file)).toBe(text);
  });

  it('keeps comments at the ends of lines and on lines of their own, wherever they are put', () => {
    const lines = fixture('harbour.tps').split('\n');
    for (let seed = 1; seed <= 12; seed++) {
      const next = random(seed);
      const text = lines.flatMap((l, i) => [
        ...(next() < 0.1 ? [`${' '.repeat(Math.floor(next() * 6))}# own ${i}`] : []),
        l.includes('#') || l === '' || l.includes('///') || next() > 0.3 ? l : `${l} # end ${i}`,
      ]).join('\n');
      survives(text);
    }
  });
});

// ---------------------------------------------------------------- any tree

const range = { file: 'none', start: { line: 1, column: 1, offset: 0 }, end: { line: 1, column: 1, offset: 0 } };
const id = (text: string) => ({ text, range });
const name = fc.constantFrom('a', 'b', 'gate', 'weights', 'x1', 'init');
const word = fc.constantFrom('k', 'for', 'in', 'true', 'mode');
const binary = fc.constantFrom('^', '*', '/', '%', '+', '-', '<', '<=', '>', '>=', '==', '!=', 'in', 'and', 'or');

const { expr: anyExpr } = fc.letrec<{ expr: Expr }>((tie) => {
  const e = tie('expr');
  const type = fc.constantFrom(
    { kind: 'named', name: 'f32', range } as const, { kind: 'tensor', dtype: 'f32', dims: [{ kind: 'rest', range }, { kind: 'any', range }], range } as const,
  );
  const element = fc.oneof(
    { weight: 4, arbitrary: e.map((value) => ({ value, range })) },
    fc.record({ value: e, loop: name, iterable: e, condition: fc.option(e, { nil: undefined }) }).map(({ value, loop, iterable, condition }) =>
      ({ value, range, for: { name: id(loop), iterable, ...(condition === undefined ? {} : { if: condition }) } })),
  );
  const subscript = fc.oneof(
    fc.constant({ kind: 'rest', range } as const), e.map((index) => ({ kind: 'at', index, range }) as const),
    fc.record({ from: fc.option(e, { nil: undefined }), to: fc.option(e, { nil: undefined }) }).map(({ from, to }) =>
      ({ kind: 'slice', range, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }) as const),
  );
  const argument = fc.record({ name: fc.option(word, { nil: undefined }), element }).map((a) =>
    ({ element: a.element, range, ...(a.name === undefined ? {} : { name: id(a.name) }) }));
  const leaf = fc.oneof(
    name.map((n): Expr => ({ kind: 'name', name: n, range })),
    fc.constantFrom('0', '12', '1.5', '1e-4').map((text): Expr => ({ kind: 'number', value: Number(text), integer: !/[.e]/.test(text), text, range })),
    fc.string({ maxLength: 6 }).map((value): Expr => ({ kind: 'string', value, range })),
    fc.boolean().map((value): Expr => ({ kind: 'bool', value, range })),
  );
  const deep = fc.oneof(
    fc.array(element, { maxLength: 3 }).map((elements): Expr => ({ kind: 'list', elements, range })),
    fc.array(fc.record({ key: word, value: e }), { maxLength: 2 }).map((all): Expr =>
      ({ kind: 'record', fields: all.map((f) => ({ name: id(f.key), value: f.value, range })), range })),
    fc.record({ operator: fc.constantFrom('-' as const, 'not' as const), operand: e }).map((u): Expr => ({ kind: 'unary', ...u, range })),
    fc.record({ operator: binary, left: e, right: e }).map((b) => ({ kind: 'binary', ...b, range }) as Expr),
    fc.record({ from: e, to: e }).map((r): Expr => ({ kind: 'range', ...r, range })),
    fc.record({ left: e, right: e }).map((p): Expr => ({ kind: 'pipe', ...p, range })),
    fc.record({ condition: e, then: e, else: e }).map((c): Expr => ({ kind: 'conditional', ...c, range })),
    fc.record({ object: e, name: word }).map((m): Expr => ({ kind: 'member', object: m.object, name: id(m.name), range })),
    fc.record({ callee: e, args: fc.array(argument, { maxLength: 3 }) }).map((c): Expr => ({ kind: 'call', ...c, range })),
    fc.record({ object: e, subscripts: fc.array(subscript, { minLength: 1, maxLength: 3 }) }).map((s): Expr => ({ kind: 'index', ...s, range })),
    e.map((value): Expr => ({ kind: 'per', over: id('t'), value, range })),
    fc.record({ type, init: e }).map((p): Expr => ({ kind: 'param', ...p, range })),
  );
  return { expr: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, deep) };
});

describe('any expression', () => {
  it('prints on one line and over several, and reads back as itself', () => {
    fc.assert(fc.property(anyExpr, (tree) => {
      const text = printExpr(tree);
      expect(text).not.toContain('\n');
      expect(bare(expr(text))).toEqual(bare(tree));
      const decl = printDeclaration({ kind: 'setting', name: id('s'), type: { kind: 'named', name: 'int', range }, value: tree, where: [], range });
      expect(told(`${decl}\n`)).toEqual([]);
      const [read] = parse(decl, 'test.tps').file.declarations;
      expect(read?.kind === 'setting' && bare(read.value)).toEqual(bare(tree));
      expect(decl.split('\n').every((l) => l === l.trimEnd())).toBe(true);
    }), { numRuns: 250, seed: 5 });
  });

  it('that did not parse prints as a question mark', () => {
    expect(printExpr({ kind: 'error', names: ['a'], range })).toBe('?');
  });

  it('a declaration prints with its documentation', () => {
    const [decl] = parse(`/// What it is.\n${block('  /// why\n  let y = x')}`, 'test.tps').file.declarations;
    if (decl === undefined) throw new Error('no declaration');
    expect(printDeclaration(decl)).toBe('/// What it is.\nblock b(x: f32) -> f32 {\n  /// why\n  let y = x\n}');
  });
});
