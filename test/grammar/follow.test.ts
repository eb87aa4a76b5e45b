// The grammar has no hidden ambiguity: chevrotain checks alternatives, this checks every OPTION and repetition against what follows.
import { createToken, CstParser, type TokenType } from 'chevrotain';
import { describe, expect, it } from 'vitest';
import { TpsParser } from '../../grammar/parse/parser.js';
import { keywords } from '../../grammar/text/tokens.js';
import { lex } from '../../grammar/text/lexer.js';
import { followConflicts } from './follow.js';

const A = createToken({ name: 'A', pattern: 'a' });
const Comma = createToken({ name: 'Comma', pattern: ',' });

/** `pair = a [ , a ]` in `list = pair , a`: the option takes the comma that belongs to the list. */
class Greedy extends CstParser {
  constructor(all: readonly TokenType[]) {
    super([...all], { maxLookahead: 2 });
    this.performSelfAnalysis();
  }
  list = this.RULE('list', () => {
    this.SUBRULE(this.pair);
    this.CONSUME(Comma);
    this.CONSUME(A);
  });
  pair = this.RULE('pair', () => {
    this.CONSUME(A);
    this.OPTION(() => {
      this.CONSUME(Comma);
      this.CONSUME2(A);
    });
  });
}

describe('the grammar', () => {
  it('is LL(2) in its alternatives, or the parser would not build', () => {
    expect(() => new TpsParser()).not.toThrow();
  });

  it('has no optional part that takes what follows it', () => {
    expect(followConflicts(new TpsParser().getGAstProductions())).toEqual([]);
  });

  it('would be told if it had', () => {
    expect(followConflicts(new Greedy([A, Comma]).getGAstProductions())).toEqual(['pair: Comma A against Comma A']);
  });
});

describe('the lexer', () => {
  it('reads a keyword that begins like another, and a name that begins like a keyword, each as itself', () => {
    const words = [...keywords, ...keywords.map((k) => `${k}s_x`), '_', '_x'];
    expect(lex(words.join(' '), 'test.tps').tokens.map((t) => t.image)).toEqual(words);
    const types = lex('in init insert inner import if imports _ _a', 'test.tps').tokens.map((t) => t.tokenType.name);
    expect(types).toEqual(['In', 'Init', 'Insert', 'Name', 'Import', 'If', 'Name', 'Underscore', 'Name']);
  });
  it('needs a digit on both sides of a point', () => {
    expect(lex('0..48 2.5.gate 1e-4 1_000', 'test.tps').tokens.map((t) => t.image)).toEqual(['0', '..', '48', '2.5', '.', 'gate', '1e-4', '1_000']);
  });
});
