import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sinkSide } from '../../compiler/passes/min-cut.js';

test('the nearest cheapest cut', () => {
  // 0 -3-> 1 -2-> 2 -2-> 3: two cuts of 2, the later one is taken; of an endless path there is none
  const path = (capacities: readonly number[]) => capacities.map((capacity, i) => ({ from: i, to: i + 1, capacity }));
  expect([...sinkSide(4, path([3, 2, 2]), 0, 3)!]).toEqual([3]);
  expect(sinkSide(3, path([Infinity, Infinity]), 0, 2)).toBeUndefined();
  // flow that has to be taken back: the classical diamond with a bridge
  const edges = [[0, 1, 1], [0, 2, 1], [1, 2, 1], [1, 3, 1], [2, 3, 1]].map(([from, to, capacity]) => ({ from: from!, to: to!, capacity: capacity! }));
  expect(sinkSide(4, edges, 0, 3)!.size).toBe(1);
});

test('is what an exhaustive search finds', () => {
  const edge = fc.record({ from: fc.nat(6), to: fc.nat(6), capacity: fc.integer({ min: 0, max: 9 }) }), source = 0, sink = 1;
  fc.assert(fc.property(fc.array(edge, { maxLength: 18 }), (edges) => {
    const cost = (behind: (vertex: number) => boolean): number => edges.reduce((sum, { from, to, capacity }) => sum + (!behind(from) && behind(to) ? capacity : 0), 0);
    const all = Array.from({ length: 32 }, (_, bits) => cost((vertex) => vertex === sink || (vertex !== source && ((bits >> (vertex - 2)) & 1) === 1)));
    const found = sinkSide(7, edges, source, sink)!;
    expect([found.has(source), found.has(sink)]).toEqual([false, true]);
    expect(cost((vertex) => found.has(vertex))).toBe(Math.min(...all));
  }));
});
