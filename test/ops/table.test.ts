// The op table as a whole: every op is documented, has cases, and is fit to be called from a spec.
import { describe, expect, it } from 'vitest';
import { isLeaf } from '../../compiler/ir/graph.js';
import { isOp, opOf, ops } from '../../compiler/ops/index.js';
import { cases } from './cases.js';
import { contractions, withoutDifferences } from './cases-contractions.js';
import { passesGradient } from './harness.js';

const all = [...cases, ...contractions, ...withoutDifferences];

describe('the op table', () => {
  it('names every op once, in the order of the alphabet', () => {
    const files = ops.map((op) => op.name);
    expect(files).toEqual([...new Set(files)].sort());
  });
  it('shares no name with a leaf of the graph', () => expect(ops.filter((op) => isLeaf(op.name))).toEqual([]));
  it('knows its names and no others', () => {
    expect(ops.every((op) => isOp(op.name) && opOf(op.name) === op)).toBe(true);
    expect(isOp('hiera')).toBe(false);
    expect(() => opOf('hiera')).toThrow('hiera');
  });
  for (const op of ops) {
    it(`${op.name} says in one line what it is`, () => {
      expect(op.doc).toMatch(/^\S[^\n]{2,160}$/);
      for (const [name, attr] of Object.entries(op.attrs)) expect(attr.doc, name).toMatch(/^\S[^\n]+$/);
      for (const [i, constraint] of (op.constraints ?? []).entries()) expect(constraint).toMatch(new RegExp(`^\\(C${i + 1}\\) \\S`));
    });
    it(`${op.name} has cases, with a gradient where it has one`, () => {
      const own = all.filter((c) => c.op === op.name);
      expect(own.length).toBeGreaterThan(0);
      if (op.gradient !== undefined) expect(own.some(passesGradient)).toBe(true);
    });
    it(`${op.name} has an attribute value for every choice that it offers`, () => {
      for (const [name, attr] of Object.entries(op.attrs)) for (const value of attr.values ?? []) {
        const tried = all.some((c) => c.op === op.name && (c.attrs?.[name] ?? attr.default) === value);
        expect(tried, `a case with ${name}: ${value}`).toBe(true);
      }
    });
  }
});
