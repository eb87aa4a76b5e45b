// For every elementwise, reduction and movement op some uses: the table that the gradient, parity and shape tests walk.
// Contractions have theirs in cases-contractions.ts.
import type { Case } from './harness.js';
import { mulDim, type Dim } from '../../compiler/ir/dim.js';
import { B, bool, exactly, f32, i64, positive, type Value } from './values.js';

type Shape = readonly Dim[];
const unary = (op: string, value: (shape: Shape) => Value = f32): readonly Case[] => [{ op, inputs: [value([B, 3, 4])] }, { op, inputs: [value([])] }];

/** Every way in which two operands may broadcast. */
const broadcasts = (op: string, value: (shape: Shape, seed: number) => Value): readonly Case[] => [
  { op, inputs: [value([B, 3], 1), value([B, 3], 2)] },
  { op, inputs: [value([B, 3, 1], 1), value([1, 3, 4], 2)] },
  { op, inputs: [value([1, 3], 1), value([B, 1], 2)] },
  { op, inputs: [value([B, 3], 1), value([], 2)] },
  { op, inputs: [value([], 1), value([B, 2], 2)] },
  { op, inputs: [value([], 1), value([], 2)] },
];
const real = (shape: Shape, seed: number): Value => f32(shape, { seed });
const overlapping = (shape: Shape, seed: number): Value => f32(shape, { low: -1.6, high: 1.5, seed });

export const cases: readonly Case[] = [
  ...['neg', 'abs', 'sign', 'exp', 'tanh', 'sigmoid', 'relu', 'erf', 'gelu', 'softplus'].flatMap((op) => unary(op)),
  ...['tanh', 'sigmoid', 'erf', 'gelu', 'softplus'].map((op): Case => ({ op, about: 'over a wide range', inputs: [f32([41], { low: -9, high: 9 })] })),
  ...['log', 'sqrt', 'reciprocal'].flatMap((op) => unary(op, positive)),
  { op: 'reciprocal', about: 'of negatives', inputs: [f32([B, 3], { low: -2, high: -0.5 })] },
  { op: 'not', inputs: [bool([B, 3])] },

  ...['add', 'sub', 'mul'].flatMap((op) => broadcasts(op, real)),
  ...['add', 'sub', 'mul'].map((op): Case => ({ op, inputs: [i64([2, 2], [7, -3, 0, 5]), i64([1, 2], [2, -4])] })),
  ...broadcasts('div', (shape, seed) => (seed === 2 ? positive(shape, seed) : f32(shape, { seed }))),
  ...broadcasts('pow', (shape, seed) => (seed === 2 ? f32(shape, { seed }) : positive(shape, seed))),
  { op: 'pow', about: 'with a zero exponent', inputs: [positive([3]), exactly([3], [0, 1, 2])] },
  ...['maximum', 'minimum'].flatMap((op) => broadcasts(op, (shape, seed) => (seed === 2 ? overlapping(shape, seed) : real(shape, seed)))),

  ...['less', 'less_equal', 'greater', 'greater_equal', 'equal', 'not_equal'].flatMap((op) => [
    ...broadcasts(op, overlapping),
    { op, about: 'of equal values', inputs: [exactly([3], [1, 2, 3]), exactly([3], [1, 3, 2])] },
    { op, inputs: [i64([4], [1, 2, 3, -4]), i64([], [2])] },
  ]),
  ...['equal', 'not_equal'].map((op): Case => ({ op, inputs: [bool([B, 4], 1), bool([B, 4], 2)] })),
  ...['and', 'or'].flatMap((op): readonly Case[] => [
    { op, inputs: [bool([B, 4], 1), bool([B, 4], 2)] },
    { op, inputs: [bool([B, 4, 1], 1), bool([1, 4, 3], 2)] },
    { op, inputs: [bool([4], 1), bool([], 2)] },
  ]),

  { op: 'where', inputs: [bool([B, 3]), f32([B, 3]), f32([B, 3], { seed: 2 })] },
  { op: 'where', inputs: [bool([B, 3, 4]), f32([]), f32([B, 1, 4], { seed: 2 })] },
  { op: 'where', inputs: [bool([1, 3]), f32([B, 1]), f32([], { seed: 2 })] },
  { op: 'where', inputs: [bool([]), f32([B, 3]), f32([1, 3], { seed: 2 })] },
  { op: 'where', inputs: [bool([3]), i64([3], [1, 2, 3]), i64([], [9])] },

  { op: 'cast', inputs: [f32([B, 3])], attrs: { to: 'f32' } },
  { op: 'cast', about: 'towards zero', inputs: [exactly([5], [-2.7, -0.5, 0, 0.5, 2.7])], attrs: { to: 'i64' } },
  { op: 'cast', inputs: [exactly([4], [-2, 0, 0.25, 1])], attrs: { to: 'bool' } },
  { op: 'cast', inputs: [bool([B, 3])], attrs: { to: 'f32' } },
  { op: 'cast', inputs: [bool([B, 3])], attrs: { to: 'i64' } },
  { op: 'cast', inputs: [i64([3], [-2, 0, 7])], attrs: { to: 'f32' } },
  { op: 'identity', inputs: [f32([B, 3])] },
  { op: 'after', inputs: [f32([B, 3]), f32([2])] }, { op: 'after', inputs: [f32([4, 1, 5]), f32([B, 2])] },
  { op: 'detach', inputs: [f32([B, 3])] },

  ...['sum', 'mean', 'max', 'min'].flatMap((op): readonly Case[] => [
    { op, inputs: [f32([B, 3, 4])], attrs: { axes: [1] } },
    { op, inputs: [f32([B, 3, 4])], attrs: { axes: [-1, 1] } },
    { op, about: 'over the batch', inputs: [f32([B, 3, 2])], attrs: { axes: [0, 2] } },
    { op, about: 'over everything', inputs: [f32([B, 3])], attrs: { axes: [0, 1] } },
  ]),
  { op: 'cumsum', inputs: [f32([B, 5])], attrs: { axis: 1 } },
  { op: 'cumsum', inputs: [f32([3, 2, 2])], attrs: { axis: -2 } },
  { op: 'cumsum', about: 'along the batch', inputs: [f32([B, 3])], attrs: { axis: 0 } },

  { op: 'reshape', inputs: [f32([B, 6])], attrs: { shape: [B, 2, 3] } },
  { op: 'reshape', about: 'joining the batch', inputs: [f32([B, 3, 2])], attrs: { shape: [mulDim(3, B), 2] } },
  { op: 'reshape', about: 'with two symbolic sizes', inputs: [f32([B, B, 3])], attrs: { shape: [3, B, B] } },
  { op: 'reshape', about: 'of one element to a scalar', inputs: [f32([1, 1])], attrs: { shape: [] } },
  { op: 'reshape', about: 'of a scalar', inputs: [f32([])], attrs: { shape: [1, 1, 1] } },
  { op: 'reshape', inputs: [i64([2, 2], [1, 2, 3, 4])], attrs: { shape: [4] } },
  { op: 'expand', inputs: [f32([1, 3, 1])], attrs: { shape: [4, 3, 2] } },
  { op: 'expand', inputs: [f32([B, 1, 2])], attrs: { shape: [B, 3, 2] } },
  { op: 'expand', about: 'of a scalar', inputs: [f32([])], attrs: { shape: [2, 3] } },
  { op: 'expand', about: 'to what it is', inputs: [f32([B, 2])], attrs: { shape: [B, 2] } },
  { op: 'transpose', inputs: [f32([B, 3, 4])], attrs: { perm: [2, 0, 1] } },
  { op: 'transpose', inputs: [f32([B, 2, 3, 2])], attrs: { perm: [0, 2, -1, 1] } },
  { op: 'transpose', about: 'of a scalar', inputs: [f32([])], attrs: { perm: [] } },
  { op: 'concat', inputs: [f32([B, 2, 3]), f32([B, 1, 3], { seed: 2 }), f32([B, 4, 3], { seed: 3 })], attrs: { axis: 1 } },
  { op: 'concat', about: 'of one', inputs: [f32([B, 2])], attrs: { axis: -1 } },
  { op: 'concat', about: 'of equal batches', inputs: [f32([B, 2]), f32([B, 2], { seed: 2 }), f32([B, 2], { seed: 3 })], attrs: { axis: 0 } },
  { op: 'concat', about: 'of a batch between static rows', inputs: [f32([1, 2]), f32([B, 2], { seed: 2 }), f32([3, 2], { seed: 3 })], attrs: { axis: 0 } },
  { op: 'concat', inputs: [i64([2], [1, 2]), i64([1], [3])], attrs: { axis: 0 } },
  { op: 'concat', inputs: [bool([2]), bool([3])], attrs: { axis: 0 } },

  { op: 'slice', inputs: [f32([B, 5, 2])], attrs: { axis: 1, from: 1, to: 4 } },
  { op: 'slice', inputs: [f32([B, 5])], attrs: { axis: -1, from: -3, to: -1 } },
  { op: 'slice', about: 'to the end', inputs: [f32([B, 5])], attrs: { axis: 1, from: 2 } },
  ...[[0, 7, 2], [0, 6, 2], [1, 7, 3], [1, 5, 3], [2, 7, 4], [0, 6, 5]].map(([from, to, step]): Case =>
    ({ op: 'slice', inputs: [f32([B, 7, 2])], attrs: { axis: 1, from: from!, to: to!, step: step! } })),
  { op: 'slice', about: 'of the batch', inputs: [f32([B, 3])], attrs: { axis: 0, from: 1 } },
  { op: 'slice', about: 'of the batch', inputs: [f32([B, 3])], attrs: { axis: 0, from: 0, to: 1 } },
  { op: 'slice', about: 'of the batch', inputs: [f32([B, 3])], attrs: { axis: 0, from: 0, to: -1 } },
  { op: 'slice', about: 'of every second of twice the batch', inputs: [f32([mulDim(2, B), 2])], attrs: { axis: 0, from: 0, step: 2 } },

  { op: 'pad', inputs: [f32([B, 3, 2])], attrs: { before: [0, 1, 0], after: [0, 2, 1] } },
  { op: 'pad', about: 'with a value', inputs: [f32([B, 3])], attrs: { before: [0, 2], after: [0, 0], value: 7.5 } },
  { op: 'pad', about: 'of the batch', inputs: [f32([B, 3])], attrs: { before: [1, 0], after: [2, 0] } },
  { op: 'pad', inputs: [f32([B, 4, 3])], attrs: { before: [0, 3, 1], after: [0, 2, 2], mode: 'reflect' } },
  { op: 'pad', inputs: [f32([B, 4, 3])], attrs: { before: [0, 0, 2], after: [0, 1, 0], mode: 'reflect' } },
  { op: 'pad', inputs: [f32([B, 4, 3])], attrs: { before: [0, 3, 1], after: [0, 5, 0], mode: 'edge' } },
  { op: 'pad', about: 'of the batch', inputs: [f32([B, 3])], attrs: { before: [2, 0], after: [1, 4], mode: 'edge' } },
  { op: 'flip', inputs: [f32([B, 3, 4])], attrs: { axes: [2] } },
  { op: 'flip', inputs: [f32([B, 3, 4])], attrs: { axes: [0, -2] } },
  { op: 'gather', about: 'by a scalar', inputs: [f32([B, 4, 2]), i64([], [2])], attrs: { axis: 1 } },
  { op: 'gather', about: 'by a scalar', inputs: [f32([5, B]), i64([], [4])], attrs: { axis: 0 } },
  { op: 'gather', about: 'by a list with repeats', inputs: [f32([4, 3]), i64([5], [2, 0, 2, 3, 2])], attrs: { axis: 0 } },
  { op: 'gather', about: 'by a list', inputs: [f32([B, 4, 3]), i64([2], [3, 1])], attrs: { axis: -2 } },
  { op: 'gather', about: 'by the batch', inputs: [f32([4, 3]), i64([B], [3, 1])], attrs: { axis: 0 } },
  { op: 'gather', about: 'from a list', inputs: [f32([6]), i64([], [3])], attrs: { axis: 0 } },
  { op: 'one_hot', inputs: [i64([B], [2, 0])], attrs: { depth: 4 } },
  { op: 'one_hot', about: 'of a scalar', inputs: [i64([], [1])], attrs: { depth: 3 } },
  { op: 'one_hot', inputs: [i64([2, 2], [0, 1, 2, 1])], attrs: { depth: 3 } },
];
