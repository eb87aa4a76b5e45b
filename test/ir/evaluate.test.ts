import { expect, test } from 'vitest';
import { evaluate, FeedError } from '../../compiler/evaluate.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { addDim, mulDim } from '../../compiler/ir/dim.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import { B, input, numbers } from './support.js';

function doubled() {
  const b = new GraphBuilder();
  const x = input(b, 'x', [B, 3]);
  const twice = b.add('concat', [x, x], { axis: 0 });
  return b.finish([{ name: 'twice', id: twice }, { name: 'flat', id: b.reshape(twice, [mulDim(B, 6)]) }]);
}

test('a symbolic batch takes its size from the feed, also inside attributes', () => {
  for (const batch of [1, 4]) {
    const x = numbers('x', [batch, 3]);
    const out = evaluate(doubled(), new Map([['x', x]]));
    expect(out.get('twice')?.shape).toEqual([2 * batch, 3]);
    expect(out.get('flat')).toEqual(ndarray([6 * batch], [...x.data, ...x.data]));
  }
});

test('a missing or misshapen feed is told by name and type', () => {
  expect(() => evaluate(doubled(), new Map())).toThrow(new FeedError('x (f32[B, 3]) is not fed'));
  expect(() => evaluate(doubled(), new Map([['x', numbers('x', [2, 4])]]))).toThrow('x is fed with shape [2, 4]; the graph says f32[B, 3]');
});

test('two feeds that disagree about a symbol are refused', () => {
  const b = new GraphBuilder();
  const graph = b.finish([{ name: 'y', id: b.addition(input(b, 'x', [B]), input(b, 'z', [B])) }]);
  expect(() => evaluate(graph, new Map([['x', numbers('x', [2])], ['z', numbers('z', [3])]]))).toThrow(FeedError);
});

test('a dimension that is a polynomial is checked against the symbols bound elsewhere', () => {
  const b = new GraphBuilder();
  const z = input(b, 'z', [addDim(B, 1)]);
  const graph = b.finish([{ name: 'y', id: input(b, 'x', [B]) }, { name: 'w', id: b.neg(z) }]);
  expect(() => evaluate(graph, new Map([['x', numbers('x', [2])], ['z', numbers('z', [2])]]))).toThrow(FeedError);
  expect(evaluate(graph, new Map([['x', numbers('x', [2])], ['z', numbers('z', [3])]])).get('w')?.shape).toEqual([3]);
});
