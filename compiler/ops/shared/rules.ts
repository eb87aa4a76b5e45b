// Type rules that many ops share: dtypes, ranks, broadcasting. Each failure is an OpError that names the shapes and, where there is one, a mend.
import { equalDim, formatDim, formatShape, isStatic, type Dim } from '../../ir/dim.js';
import { formatType, type DType, type TensorType } from '../../ir/graph.js';
import { OpError } from '../op.js';

/** An input with the name that its row gives it. */
export interface NamedInput { readonly name: string; readonly type: TensorType }
export const named = (name: string, type: TensorType): NamedInput => ({ name, type });

/** Throws OpError 'dtype' unless `x` has one of the dtypes. */
export function requireDType(op: string, x: NamedInput, dtypes: readonly DType[]): void {
  if (dtypes.includes(x.type.dtype)) return;
  throw new OpError('dtype', `${op}: ${x.name} is ${formatType(x.type)}; it takes ${dtypes.join(' or ')}`, `cast(${x.name}, to: ${dtypes[0] ?? 'f32'})`);
}

/** Throws OpError 'dtype' unless both have the same dtype. */
export function requireSameDType(op: string, a: NamedInput, b: NamedInput): void {
  if (a.type.dtype === b.type.dtype) return;
  throw new OpError('dtype', `${op}: ${a.name} is ${formatType(a.type)}, ${b.name} is ${formatType(b.type)}: their dtypes differ`,
    `cast(${b.name}, to: ${a.type.dtype})`);
}

/** Throws OpError 'rank' unless `x` has one of the ranks. `layout` says what the axes are: `[B, C, H, W]`. */
export function requireRank(op: string, x: NamedInput, ranks: readonly number[], layout?: string): void {
  if (ranks.includes(x.type.shape.length)) return;
  throw new OpError('rank', `${op}: ${x.name} is ${formatType(x.type)} of rank ${x.type.shape.length}; it takes rank ${ranks.join(' or ')}${layout === undefined ? '' : `, ${layout}`}`,
    `reshape ${x.name} to rank ${ranks.join(' or ')}`);
}

/**
 * The shape of operands that broadcast: equal ranks, where sizes are equal or 1, or scalars.
 * Throws OpError 'rank' or 'shape'.
 */
export function broadcast(op: string, operands: readonly NamedInput[]): readonly Dim[] {
  let result: NamedInput | undefined;
  let shape: readonly Dim[] = [];
  for (const operand of operands) {
    if (operand.type.shape.length === 0) continue;
    if (result === undefined) {
      result = operand;
      shape = operand.type.shape;
      continue;
    }
    if (operand.type.shape.length !== shape.length) throw rankMismatch(op, result, operand);
    const against = result;
    shape = shape.map((d, axis) => {
      const e = operand.type.shape[axis] ?? 1;
      if (equalDim(d, e) || e === 1) return d;
      if (d === 1) return e;
      throw sizeMismatch(op, against, operand, axis);
    });
  }
  return shape;
}

function rankMismatch(op: string, a: NamedInput, b: NamedInput): OpError {
  const [small, large] = a.type.shape.length < b.type.shape.length ? [a, b] : [b, a];
  const fit = aligned(small.type.shape, large.type.shape);
  return new OpError('rank', `${op}: ${a.name} is ${formatType(a.type)}, ${b.name} is ${formatType(b.type)}: their ranks differ`,
    fit === undefined
      ? 'shapes broadcast at equal rank, or with a scalar; reshape one of them'
      : `shapes broadcast at equal rank, or with a scalar; reshape ${small.name} to ${formatShape(fit)}`);
}

function sizeMismatch(op: string, a: NamedInput, b: NamedInput, axis: number): OpError {
  const [p, q] = [a.type.shape[axis] ?? 1, b.type.shape[axis] ?? 1];
  const image = a.type.shape.length === 4 && axis >= 2 && a.type.dtype === 'f32';
  return new OpError('shape',
    `${op}: ${a.name} is ${formatType(a.type)}, ${b.name} is ${formatType(b.type)}: they differ on axis ${axis}, ${formatDim(p)} and ${formatDim(q)}`,
    image ? `resize ${b.name} to ${formatShape(a.type.shape.slice(2))}, or make both equal on axis ${axis}` : `sizes on an axis must be equal, or 1 in one of them`);
}

/** The small shape spread over the axes of the large one where its sizes occur there in order: [C] in [B, C, H, W] is [1, C, 1, 1]. */
function aligned(small: readonly Dim[], large: readonly Dim[]): readonly Dim[] | undefined {
  let next = 0;
  const fit = large.map((d): Dim => {
    const wanted = small[next];
    if (wanted === undefined || !equalDim(wanted, d)) return 1;
    next++;
    return d;
  });
  return next === small.length ? fit : undefined;
}

/** Throws OpError 'attr' unless every size is static and at least 1, or symbolic. */
export function requireSizes(op: string, shape: readonly Dim[]): void {
  const bad = shape.find((d) => isStatic(d) && (!Number.isInteger(d) || d < 1));
  if (bad !== undefined) throw new OpError('attr', `${op}: ${formatShape(shape)} is no shape: ${formatDim(bad)} is no size`, 'sizes are integers from 1 on');
}
