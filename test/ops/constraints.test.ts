// What the type rules refuse: each row cites the constraint of the op's doc that it breaks, and shows the message and the mend.
// And what they accept: shapes with a symbolic batch.
import { describe, expect, it } from 'vitest';
import { mulDim, subDim, symbol, type Dim } from '../../compiler/ir/dim.js';
import { formatType, type Attrs, type DType, type TensorType } from '../../compiler/ir/graph.js';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { opOf } from '../../compiler/ops/index.js';
import { OpError, type OpErrorKind } from '../../compiler/ops/op.js';

const B = symbol('B');
const t = (dtype: DType, ...shape: Dim[]): TensorType => ({ dtype, shape });
const f = (...shape: Dim[]): TensorType => t('f32', ...shape);

function infer(op: string, inputs: readonly TensorType[], attrs: Attrs = {}): TensorType {
  const b = new GraphBuilder();
  return b.type(b.add(op, inputs.map((type, i) => b.leaf('input', { name: `x${i}` }, type)), attrs));
}

interface Refusal {
  readonly op: string; readonly cites: string; readonly inputs: readonly TensorType[]; readonly attrs?: Attrs;
  readonly kind: OpErrorKind; readonly message: string; readonly help?: string;
}

const refusals: readonly Refusal[] = [
  { op: 'exp', cites: 'C1', inputs: [t('i64', 3)], kind: 'dtype', message: 'exp: x is i64[3]; it takes f32', help: 'cast(x, to: f32)' },
  { op: 'not', cites: 'C1', inputs: [f(3)], kind: 'dtype', message: 'not: x is f32[3]; it takes bool' },
  { op: 'add', cites: 'C1', inputs: [t('bool', 3), t('bool', 3)], kind: 'dtype', message: 'add: a is bool[3]; it takes f32 or i64' },
  { op: 'add', cites: 'C1', inputs: [f(3), t('i64', 3)], kind: 'dtype', message: 'add: a is f32[3], b is i64[3]: their dtypes differ', help: 'cast(b, to: f32)' },
  { op: 'div', cites: 'C1', inputs: [t('i64', 3), t('i64', 3)], kind: 'dtype', message: 'div: a is i64[3]; it takes f32' },
  { op: 'and', cites: 'C1', inputs: [f(3), f(3)], kind: 'dtype', message: 'and: a is f32[3]; it takes bool' },
  { op: 'add', cites: 'C2', inputs: [f(B, 3), f(B, 4)], kind: 'shape', message: 'add: a is f32[B, 3], b is f32[B, 4]: they differ on axis 1, 3 and 4' },
  { op: 'mul', cites: 'C2', inputs: [f(B, 3), f(2, 3)], kind: 'shape', message: 'they differ on axis 0, B and 2' },
  { op: 'mul', cites: 'C2', inputs: [f(B, 8, 32, 32), f(B, 8, 16, 16)], kind: 'shape', message: 'they differ on axis 2, 32 and 16', help: 'resize b to [32, 32]' },
  { op: 'add', cites: 'C2', inputs: [f(B, 64, 8, 8), f(64)], kind: 'rank', message: 'add: a is f32[B, 64, 8, 8], b is f32[64]: their ranks differ', help: 'reshape b to [1, 64, 1, 1]' },
  { op: 'sub', cites: 'C2', inputs: [f(5), f(B, 64)], kind: 'rank', message: 'their ranks differ', help: 'equal rank, or with a scalar' },
  { op: 'where', cites: 'C1', inputs: [f(3), f(3), f(3)], kind: 'dtype', message: 'where: condition is f32[3]; it takes bool' },
  { op: 'where', cites: 'C2', inputs: [t('bool', 3), f(3), t('i64', 3)], kind: 'dtype', message: 'a is f32[3], b is i64[3]' },
  { op: 'where', cites: 'C3', inputs: [t('bool', 4), f(3), f(3)], kind: 'shape', message: 'condition is bool[4]: they differ on axis 0, 3 and 4' },

  { op: 'sum', cites: 'C1', inputs: [t('bool', 3)], attrs: { axes: [0] }, kind: 'dtype', message: 'sum: x is bool[3]; it takes f32', help: 'cast(x, to: f32)' },
  { op: 'mean', cites: 'C2', inputs: [f(B, 3)], attrs: { axes: [2] }, kind: 'attr', message: 'mean: axis 2 is no axis of f32[B, 3]', help: 'from 0 to 1, or from -2 to -1' },
  { op: 'max', cites: 'C2', inputs: [f(B, 3)], attrs: { axes: [1, -1] }, kind: 'attr', message: 'axes [1, -1] names axis 1 of f32[B, 3] twice' },
  { op: 'min', cites: 'C2', inputs: [f(B, 3)], attrs: { axes: [] }, kind: 'attr', message: 'axes is empty' },
  { op: 'sum', cites: 'C2', inputs: [f()], attrs: { axes: [0] }, kind: 'attr', message: 'axis 0 is no axis of f32[]', help: 'a scalar has no axis' },
  { op: 'cumsum', cites: 'C2', inputs: [f(4)], attrs: { axis: -2 }, kind: 'attr', message: 'cumsum: axis -2 is no axis of f32[4]' },

  { op: 'reshape', cites: 'C1', inputs: [f(2, 3, 4)], attrs: { shape: [5, 4] }, kind: 'shape', message: 'reshape: x is f32[2, 3, 4] with 24 elements, [5, 4] has 20', help: '[6, 4] would fit' },
  { op: 'reshape', cites: 'C1', inputs: [f(B, 12)], attrs: { shape: [B, 5, 2] }, kind: 'shape', message: 'x is f32[B, 12] with 12*B elements, [B, 5, 2] has 10*B', help: '[B, 6, 2] would fit' },
  { op: 'reshape', cites: 'C1', inputs: [f(B, 12)], attrs: { shape: [2, 6] }, kind: 'shape', message: '[2, 6] has 12', help: '[2, 6*B] would fit' },
  { op: 'reshape', cites: 'C2', inputs: [f(B, 12)], attrs: { shape: [B, -1, 4] }, kind: 'attr', message: '[B, -1, 4] leaves a size open', help: 'write [B, 3, 4]' },
  { op: 'reshape', cites: 'C2', inputs: [f(4)], attrs: { shape: [4, 0] }, kind: 'attr', message: '[4, 0] is no shape: 0 is no size' },
  { op: 'expand', cites: 'C1', inputs: [f(3)], attrs: { shape: [2, 3] }, kind: 'rank', message: 'expand: x is f32[3], [2, 3] has rank 2', help: 'reshape x to rank 2 first' },
  { op: 'expand', cites: 'C2', inputs: [f(2, 3)], attrs: { shape: [2, 6] }, kind: 'shape', message: 'x is f32[2, 3]; axis 1 of size 3 cannot fill [2, 6]' },
  { op: 'transpose', cites: 'C1', inputs: [f(2, 3)], attrs: { perm: [0, 0] }, kind: 'attr', message: 'transpose: perm [0, 0] is no order of the axes of f32[2, 3]', help: 'each of 0, 1 once' },
  { op: 'transpose', cites: 'C1', inputs: [f(2, 3)], attrs: { perm: [1] }, kind: 'attr', message: 'perm [1] is no order' },
  { op: 'concat', cites: 'C1', inputs: [], attrs: { axis: 0 }, kind: 'attr', message: 'concat: the list is empty' },
  { op: 'concat', cites: 'C1', inputs: [f(2), f(2, 1)], attrs: { axis: 0 }, kind: 'rank', message: 'xs[0] is f32[2], xs[1] is f32[2, 1]: their ranks differ' },
  { op: 'concat', cites: 'C2', inputs: [f(B, 2, 3), f(B, 2, 4)], attrs: { axis: 1 }, kind: 'shape', message: 'xs[1] is f32[B, 2, 4]: they differ on axis 2, 3 and 4', help: 'only axis 1 may differ' },
  { op: 'concat', cites: 'C2', inputs: [f(B, 2, 16, 16), f(B, 2, 8, 8)], attrs: { axis: 1 }, kind: 'shape', message: 'they differ on axis 2, 16 and 8', help: 'resize xs[1] to [16, 16]' },
  { op: 'slice', cites: 'C1', inputs: [f(B, 4)], attrs: { axis: 1, from: 1, to: 5 }, kind: 'attr', message: 'slice: 1:5 of axis 1 of f32[B, 4] reaches beyond its 4 elements', help: 'from 0 to 4' },
  { op: 'slice', cites: 'C1', inputs: [f(B, 4)], attrs: { axis: 1, from: -5 }, kind: 'attr', message: '-5: of axis 1 of f32[B, 4] reaches beyond' },
  { op: 'slice', cites: 'C1', inputs: [f(B, 4)], attrs: { axis: 1, from: 3, to: 3 }, kind: 'attr', message: '3:3 of axis 1 of f32[B, 4] is empty' },
  { op: 'slice', cites: 'C2', inputs: [f(4)], attrs: { axis: 0, from: 3, to: 1, step: -1 }, kind: 'attr', message: 'step -1 is not at least 1', help: 'flip' },
  { op: 'slice', cites: 'C3', inputs: [f(B)], attrs: { axis: 0, from: 0, step: 2 }, kind: 'divide', message: 'B elements do not divide by step 2' },
  { op: 'pad', cites: 'C1', inputs: [t('i64', 3)], attrs: { before: [1], after: [0] }, kind: 'dtype', message: 'pad: x is i64[3]' },
  { op: 'pad', cites: 'C2', inputs: [f(B, 3)], attrs: { before: [1], after: [0, 0] }, kind: 'attr', message: 'pad: before is [1], x is f32[B, 3]: one entry per axis', help: 'give 2 entries' },
  { op: 'pad', cites: 'C2', inputs: [f(B, 3)], attrs: { before: [0, 0], after: [0, -1] }, kind: 'attr', message: '-1 cannot be added on axis 1 of size 3', help: 'slice' },
  { op: 'pad', cites: 'C3', inputs: [f(B, 3)], attrs: { before: [0, 3], after: [0, 0], mode: 'reflect' }, kind: 'attr', message: '3 cannot be added on axis 1 of size 3', help: 'edge' },
  { op: 'flip', cites: 'C1', inputs: [f(B, 3)], attrs: { axes: [-3] }, kind: 'attr', message: 'axis -3 is no axis of f32[B, 3]' },
  { op: 'gather', cites: 'C1', inputs: [f(4, 2), f(1)], attrs: { axis: 0 }, kind: 'dtype', message: 'gather: index is f32[1]; it takes i64', help: 'cast(index, to: i64)' },
  { op: 'gather', cites: 'C1', inputs: [f(4, 2), t('i64', 2, 2)], attrs: { axis: 0 }, kind: 'rank', message: 'index is i64[2, 2] of rank 2; it takes rank 0 or 1' },
  { op: 'gather', cites: 'C2', inputs: [f(B, 2), t('i64')], attrs: { axis: 0 }, kind: 'attr', message: 'axis 0 of f32[B, 2] has no static size' },
  { op: 'one_hot', cites: 'C1', inputs: [f(2)], attrs: { depth: 3 }, kind: 'dtype', message: 'one_hot: index is f32[2]; it takes i64' },
  { op: 'one_hot', cites: 'C2', inputs: [t('i64', 2)], attrs: { depth: 0 }, kind: 'attr', message: 'one_hot: depth 0' },
];

describe('a type rule refuses what breaks a constraint, and says a mend', () => {
  for (const { op, cites, inputs, attrs, kind, message, help } of refusals) {
    it(`${op} (${cites}): ${inputs.map(formatType).join(', ')}`, () => {
      expect(opOf(op).constraints?.some((c) => c.startsWith(`(${cites}) `))).toBe(true);
      let caught: unknown;
      try { infer(op, inputs, attrs); } catch (error) { caught = error; }
      if (!(caught instanceof OpError)) throw new Error(`accepted, or another error: ${String(caught)}`);
      expect(caught.kind).toBe(kind);
      expect(caught.message).toContain(message);
      expect(caught.help ?? '').toContain(help ?? '');
      expect(caught.help, 'every refusal says a mend').toBeTruthy();
    });
  }
});

describe('a type rule keeps symbolic sizes', () => {
  const accepted: readonly (readonly [op: string, inputs: readonly TensorType[], attrs: Attrs, result: TensorType])[] = [
    ['add', [f(B, 1, 4), f(1, 3, 4)], {}, f(B, 3, 4)],
    ['mul', [f(), f(B, 3)], {}, f(B, 3)],
    ['less', [t('i64', B), t('i64')], {}, t('bool', B)],
    ['where', [t('bool', B, 1), t('i64'), t('i64', 1, 3)], {}, t('i64', B, 3)],
    ['cast', [t('bool', B)], { to: 'f32' }, f(B)],
    ['mean', [f(B, 3, 4)], { axes: [0, -1] }, f(1, 3, 1)],
    ['reshape', [f(B, 6)], { shape: [mulDim(2, B), 3] }, f(mulDim(2, B), 3)],
    ['expand', [f()], { shape: [B, 2] }, f(B, 2)],
    ['transpose', [f(B, 2, 3)], { perm: [-1, 0, 1] }, f(3, B, 2)],
    ['concat', [f(B, 2), f(B, 2), f(1, 2)], { axis: 0 }, f({ terms: [{ coefficient: 2, symbols: ['B'] }, { coefficient: 1, symbols: [] }] }, 2)],
    ['slice', [f(B, 5)], { axis: 1, from: 0, to: 5, step: 2 }, f(B, 3)],
    ['slice', [f(B, 5)], { axis: 0, from: 1 }, f(subDim(B, 1), 5)],
    ['pad', [f(B, 5)], { before: [0, 2], after: [0, 1] }, f(B, 8)],
    ['gather', [f(4, B), t('i64')], { axis: 0 }, f(B)],
    ['gather', [f(B, 4, 2), t('i64', 7)], { axis: -2 }, f(B, 7, 2)],
    ['one_hot', [t('i64', B)], { depth: 5 }, f(B, 5)],
  ];
  for (const [op, inputs, attrs, result] of accepted) {
    it(`${op}: ${inputs.map(formatType).join(', ')} -> ${formatType(result)}`, () => expect(formatType(infer(op, inputs, attrs))).toBe(formatType(result)));
  }
});
