// Reads attributes of an op by the kind that its row declares. A value of another kind is a fault of ours, not of the spec:
// the checker has already turned the text into the kinds of `AttrSpec`.
import type { Dim } from '../../ir/dim.js';
import { formatType, type Attrs, type DType, type TensorType } from '../../ir/graph.js';
import { OpError } from '../op.js';

/** The element of a list that must be there. */
export function at<T>(list: readonly T[], i: number): T {
  const value = list[i];
  if (value === undefined) throw new Error(`a list of ${list.length} has no element ${i}`);
  return value;
}

const wrong = (name: string): Error => new Error(`attribute ${name} has another kind than its row says`);

export function numberAttr(attrs: Attrs, name: string): number {
  const value = attrs[name];
  if (typeof value !== 'number') throw wrong(name);
  return value;
}
export function boolAttr(attrs: Attrs, name: string): boolean {
  const value = attrs[name];
  if (typeof value !== 'boolean') throw wrong(name);
  return value;
}
export function textAttr(attrs: Attrs, name: string): string {
  const value = attrs[name];
  if (typeof value !== 'string') throw wrong(name);
  return value;
}
export function dtypeAttr(attrs: Attrs, name: string): DType {
  const value = attrs[name];
  if (value !== 'f32' && value !== 'i64' && value !== 'bool') throw wrong(name);
  return value;
}
export function dimsAttr(attrs: Attrs, name: string): readonly Dim[] {
  const value = attrs[name];
  if (!Array.isArray(value)) throw wrong(name);
  return value as readonly Dim[];
}
export function intsAttr(attrs: Attrs, name: string): readonly number[] {
  const value = dimsAttr(attrs, name);
  if (!value.every((d): d is number => typeof d === 'number')) throw wrong(name);
  return value;
}
/** `[height, width]` of a `pair` attribute. */
export function pairAttr(attrs: Attrs, name: string): readonly [number, number] {
  const value = intsAttr(attrs, name);
  return [at(value, 0), at(value, 1)];
}

/** The axis of `x` that `value` means, counted from the front. Throws OpError 'attr' where there is none. */
export function axisOf(op: string, x: TensorType, value: number, name = 'axis'): number {
  const rank = x.shape.length;
  const axis = value < 0 ? value + rank : value;
  if (Number.isInteger(value) && axis >= 0 && axis < rank) return axis;
  throw new OpError('attr', `${op}: ${name} ${value} is no axis of ${formatType(x)}`, rank === 0
    ? 'a scalar has no axis'
    : `axes of ${formatType(x)} run from 0 to ${rank - 1}, or from ${-rank} to -1 counted from the end`);
}

/** The axes of `x` that an `axes` attribute means, counted from the front and sorted. Throws OpError 'attr' on none and on doubles. */
export function axesOf(op: string, x: TensorType, values: readonly number[]): readonly number[] {
  if (values.length === 0) throw new OpError('attr', `${op}: axes is empty`, `name at least one axis of ${formatType(x)}`);
  const axes = values.map((v) => axisOf(op, x, v)).sort((p, q) => p - q);
  const twice = axes.find((axis, i) => axes[i - 1] === axis);
  if (twice !== undefined) throw new OpError('attr', `${op}: axes [${values.join(', ')}] names axis ${twice} of ${formatType(x)} twice`, 'name each axis once');
  return axes;
}

/** `axisOf` on a shape that infer has already accepted. */
export const normalAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
export const normalAxes = (axes: readonly number[], rank: number): readonly number[] => axes.map((a) => normalAxis(a, rank));
