// What the tree says: precedence, ranges, documentation, and what a damaged item keeps.
import { describe, expect, it } from 'vitest';
import { parse, type Expr } from '../../grammar/index.js';
import { bare, block, expr, fixture, shape, statements } from './read.js';

describe('precedence', () => {
  it.each([
    ['-x ^ 2', '(- (x ^ 2))'],
    ['(-x) ^ 2', '((- x) ^ 2)'],
    ['a ^ b ^ c', '(a ^ (b ^ c))'],
    ['2 ^ -x', '(2 ^ (- x))'],
    ['a - b - c * d', '((a - b) - (c * d))'],
    ['a * -b * c', '((a * (- b)) * c)'],
    ['not a == b', '(not (a == b))'],
    ['not a and b or c', '(((not a) and b) or c)'],
    ['a == b and c in d', '((a == b) and (c in d))'],
    ['0..n + 1', '(0 .. (n + 1))'],
    ['x |> f |> g(y)', '((x |> f) |> g(y))'],
    ['per t f(c)(x) |> g', '((per t f(c)(x)) |> g)'],
    ['if a then b else if c then d else e + f', '(if a b (if c d (e + f)))'],
  ])('%s', (text, tree) => { expect(shape(expr(text))).toBe(tree); });
});

describe('ranges', () => {
  const text = block('  let y = f(a) + (b)\n  return {\n    k: y }');
  const { file } = parse(text, 'test.tps');
  const at = (e: { readonly range: { readonly start: { readonly offset: number }; readonly end: { readonly offset: number } } }): string =>
    text.slice(e.range.start.offset, e.range.end.offset);

  it('cover exactly what was written', () => {
    const [decl] = file.declarations;
    if (decl?.kind !== 'block') throw new Error('no block');
    const [first, second] = decl.body;
    if (first?.kind !== 'let' || first.value.kind !== 'binary' || second?.kind !== 'return') throw new Error('no statements');
    expect(at(decl)).toBe(text.trimEnd());
    expect(at(first)).toBe('let y = f(a) + (b)');
    expect(at(first.value)).toBe('f(a) + (b)');
    expect(at(first.value.left)).toBe('f(a)');
    expect(at(first.value.right)).toBe('(b)'); // parentheses belong to what they hold
    expect(at(second.value)).toBe('{\n    k: y }');
    expect(second.value.range).toMatchObject({ file: 'test.tps', start: { line: 3, column: 10 }, end: { line: 4, column: 11 } });
  });
});

describe('documentation', () => {
  it('belongs to the item on the next line', () => {
    const [block_] = parse('/// One.\n/// Two.\nblock b(x: f32) -> f32 {\n  /// The first.\n  let y = x\n}\n', 'test.tps').file.declarations;
    expect(block_).toMatchObject({ kind: 'block', doc: 'One.\nTwo.', body: [{ kind: 'let', doc: 'The first.' }] });
  });
});

describe('damage', () => {
  const value = (e: Expr | undefined) => (e?.kind === 'error' ? [...e.names] : undefined);

  it('an item whose name was read keeps it, with an error for its value', () => {
    const [layer, , decoder, mended] = statements('layer a[n] = f(1 2)\nlet b = 3\ndecoder d = g(c3, ^ c4)\ndecoder e = g(d');
    if (layer?.kind !== 'layer' || decoder?.kind !== 'decoder') throw new Error('an item lost its name');
    expect(layer.target.name.text).toBe('a');
    expect(value(layer.value)).toEqual(['a', 'n', 'f']);
    expect(decoder.target.name.text).toBe('d');
    expect(value(decoder.value)).toEqual(['d', 'g', 'c3', 'c4']);
    expect(bare(mended)).toMatchObject({ kind: 'decoder', value: { kind: 'call', args: [{ element: { value: { name: 'd' } } }] } }); // its `)` was put back
  });

  it('an item without a readable head is an error that names what it mentions', () => {
    expect(bare(statements('lett y = f(x)\nlet z = y'))).toMatchObject([{ kind: 'error', names: ['lett', 'y', 'f', 'x'] }, { kind: 'let' }]);
    const [decl] = parse('block broken(x f32) -> f32 {\n  let y = helper(x)\n  return y\n}\n', 'test.tps').file.declarations;
    expect(decl).toMatchObject({ kind: 'error', names: ['broken', 'x', 'f32', 'y', 'helper'] });
  });

  it('what stands before a whole item on its line costs that line nothing else', () => {
    expect(bare(statements('oops let y = x'))).toMatchObject([{ kind: 'error', names: ['oops'] }, { kind: 'let', value: { name: 'x' } }]);
  });

  it('entries and rows that could not be read leave their names', () => {
    const [train, tasks] = parse('train a of M {\n  los structure(d1, truth)\n  epochs = 3 4\n}\ntasks t {\n  WA { a: 1 }\n  BT "b"\n}\n', 'test.tps').file.declarations;
    expect(bare(train)).toMatchObject({ kind: 'train', entries: [{ key: { text: 'epochs' }, value: { kind: 'error' } }], damaged: ['los', 'structure', 'd1', 'truth'] });
    expect(bare(tasks)).toMatchObject({ kind: 'tasks', rows: [{ code: { text: 'BT' } }], damaged: ['WA', 'a'] });
  });

  it('mistakes inside a body with a damaged head are still told', () => {
    const { diagnostics } = parse(block('  for i 0..3 {\n    let = 3\n  }\n  fro i in 0..3 {\n    let a 3\n  }'), 'test.tps');
    expect(diagnostics.map((d) => d.range.start.line)).toEqual([2, 3, 5, 6]);
  });

  it('ten slips give ten errors', () => {
    const slips: readonly (readonly [string, string])[] = [
      ['dim B', 'dim'], ['setting experts: int', 'setting experts int'], ['CO "Cod', 'CO {'], ['layer narrow = conv(hidden', 'layer narrow = conv(hidden,'],
      ['for stage in 0..', 'for stage 0..'], ['param mix: f32[]', 'param mix f32[]'], ['[2, 2, 6, 2]', '[2, 2 6, 2]'],
      ['over enc.blocks', 'enc.blocks'], ['epochs    = 30', 'epochs    = = 30'], ['replace Trawler.low with', 'replace Trawler.low'],
    ];
    const text = slips.reduce((all, [from, to]) => {
      expect(all).toContain(from);
      return all.replace(from, to);
    }, fixture('harbour.tps'));
    expect(parse(text, 'test.tps').diagnostics).toHaveLength(10);
  });

  it('never throws, whatever it reads', () => {
    const whole = fixture('harbour.tps');
    for (const text of ['', '\n', '}', '{{{', ')(', '"', '///', '.', ',', 'block', 'block (', '\u0000', `let x = ${'('.repeat(9000)}`, 'if '.repeat(500), '- '.repeat(50_000)]) {
      expect(Array.isArray(parse(text, 'test.tps').diagnostics)).toBe(true);
    }
    for (let cut = 0; cut < whole.length; cut += 331) expect(parse(whole.slice(0, cut), 'test.tps').file.kind).toBe('file');
  });
});
