// Values of flags that several commands share.
import { describe, expect, it } from 'vitest';
import { parseSpecRef, parseSplitRule } from '../../cli/flags.js';

describe('--split-rule', () => {
  it('reads a ratio or a fold, each with a seed', () => {
    expect(parseSplitRule('ratio:0.2')).toEqual({ kind: 'ratio', val: 0.2, seed: 0 });
    expect(parseSplitRule('fold:3/5:7')).toEqual({ kind: 'folds', fold: 3, folds: 5, seed: 7 });
    expect(parseSplitRule(undefined)).toBeUndefined();
  });
  it.each(['ratio:0', 'ratio:1.5', 'fold:5/5', 'fold:0/1', 'fold:1', 'half', 'ratio:0.2:x'])('refuses %s', (text) => {
    expect(() => parseSplitRule(text)).toThrow(/is no rule/);
  });
});

describe('SPEC#VARIANT', () => {
  it('takes the part after the last #', () => expect(parseSpecRef('a#b/net.tps#A2')).toEqual({ file: 'a#b/net.tps', variant: 'A2' }));
});
