// Values of flags that several commands share.
import { describe, expect, it } from 'vitest';
import { parseCache, parseSpecRef, parseSplitRule } from '../../cli/flags.js';

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

describe('--cache', () => {
  it('reads a place and a size', () => {
    expect([parseCache('off'), parseCache('ram'), parseCache('ram:1.5GiB')]).toEqual([{ kind: 'off' }, { kind: 'ram' }, { kind: 'ram', bytes: 1.5 * 2 ** 30 }]);
    expect([parseCache('disk:a/b'), parseCache('disk:C:/x:20gb')]).toEqual([{ kind: 'disk', folder: 'a/b' }, { kind: 'disk', folder: 'C:/x', bytes: 20e9 }]);
  });
  it.each(['', 'on', 'disk', 'disk:', 'disk::1GB', 'ram:0GB', 'ram:4', 'off:1GB', 'ram:1.2.3GB'])('refuses %j', (text) => {
    expect(() => parseCache(text)).toThrow(/is no place for features/);
  });
});
