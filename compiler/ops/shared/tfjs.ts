// What the tfjs columns share: orders of axes in memory, elementwise kernels over them, reshapes, slices, pads. Images are in tfjs-images.ts.
// Every kernel named here is in tfjs-node and in the wasm backend: test/targets/tfjs-kernels.test.ts.
import { addDim, dimAt, equalDim, isStatic, mulDim, productDim, subDim, type Dim } from '../../ir/dim.js';
import type { DType } from '../../ir/graph.js';
import { ndarray, scalar, type NdArray } from '../../ir/ndarray.js';
import type { TfjsContext, TfjsValue } from '../op.js';
import { transposed } from './arrays.js';
import { at } from './attrs.js';

export type Order = readonly number[];
export const plainOrder = (rank: number): Order => Array.from({ length: rank }, (_, i) => i);
const isPlain = (order: Order): boolean => order.every((axis, i) => axis === i);
/** The shape in memory. */
export const memoryShape = (x: TfjsValue): readonly Dim[] => x.order.map((axis) => at(x.shape, axis));

/** A tensor whose axes are counted as they lie, seen as one whose axis i in memory is axis `order[i]`. */
export function seenAs(y: TfjsValue, order: Order): TfjsValue {
  const shape: Dim[] = [];
  order.forEach((axis, i) => { shape[axis] = at(y.shape, i); });
  return { ...y, shape, order };
}

/** `x` with its axes in memory in this order, then counted as they lie. A permutation that moves only sizes of 1 is a reshape. */
export function inMemory(c: TfjsContext, x: TfjsValue, order: Order): TfjsValue {
  const shape = order.map((axis) => at(x.shape, axis));
  const raw: TfjsValue = { ...x, shape: memoryShape(x), order: plainOrder(order.length) };
  const perm = order.map((axis) => x.order.indexOf(axis));
  if (isPlain(perm)) return raw;
  const value = c.known(x);
  if (value !== undefined) return c.constant(transposed(value, perm), x.dtype);
  const moved = perm.filter((p) => at(raw.shape, p) !== 1);
  return moved.every((p, i) => i === 0 || p > at(moved, i - 1)) ? rawReshape(c, raw, shape) : c.call('Transpose', { x: raw }, { perm }, shape, x.dtype);
}

/** `x` in the order in which the graph counts. */
export const plain = (c: TfjsContext, x: TfjsValue): TfjsValue => inMemory(c, x, plainOrder(x.order.length));

/** The elements of a tensor that is counted as it lies, under another shape. */
export function rawReshape(c: TfjsContext, x: TfjsValue, shape: readonly Dim[]): TfjsValue {
  if (x.shape.length === shape.length && x.shape.every((d, i) => equalDim(d, at(shape, i)))) return x;
  const value = c.known(x);
  if (value !== undefined && shape.every(isStatic)) return c.constant(ndarray(shape.filter(isStatic), value.data), x.dtype);
  return c.call('Reshape', { x }, { shape }, shape, x.dtype);
}

/** Elements, with every symbol taken as a middling batch: to compare sizes. */
function weightOf(shape: readonly Dim[]): number {
  return dimAt(productDim(shape), 8);
}

/** The order in which the most elements of these values lie; constants have no say where something computed has one. */
function commonOrder(c: TfjsContext, values: readonly TfjsValue[]): Order {
  const rank = Math.max(...values.map((v) => v.shape.length));
  const weights = new Map<string, { readonly order: Order; weight: number }>();
  for (const v of values) {
    if (v.shape.length !== rank || c.known(v) !== undefined) continue;
    const key = v.order.join(), old = weights.get(key);
    if (old === undefined) weights.set(key, { order: v.order, weight: weightOf(v.shape) });
    else old.weight += weightOf(v.shape);
  }
  const [best] = [...weights.values()].sort((a, b) => b.weight - a.weight || Number(isPlain(a.order)) - Number(isPlain(b.order)));
  return best?.order ?? plainOrder(rank);
}

/** The values in one order of axes, counted as they lie; scalars stay scalars. */
export function aligned(c: TfjsContext, values: readonly TfjsValue[]): { readonly order: Order; readonly raw: readonly TfjsValue[] } {
  const order = commonOrder(c, values);
  return { order, raw: values.map((v) => (v.shape.length === 0 ? v : inMemory(c, v, order))) };
}

export function broadcastShape(values: readonly TfjsValue[]): readonly Dim[] {
  const rank = Math.max(...values.map((v) => v.shape.length));
  return Array.from({ length: rank }, (_, axis) => values.reduce<Dim>((d, v) => (d === 1 ? v.shape[axis] ?? 1 : d), 1));
}

/** A kernel of one input x, element by element. */
export function unaryTfjs(c: TfjsContext, kernel: string, x: TfjsValue, dtype: DType = x.dtype): TfjsValue {
  const raw = inMemory(c, x, x.order);
  return seenAs(c.call(kernel, { x: raw }, {}, raw.shape, dtype), x.order);
}

/** A kernel of inputs a and b that broadcast. */
export function binaryTfjs(c: TfjsContext, kernel: string, a: TfjsValue, b: TfjsValue, dtype: DType = a.dtype): TfjsValue {
  const { order, raw } = aligned(c, [a, b]);
  return seenAs(c.call(kernel, { a: at(raw, 0), b: at(raw, 1) }, {}, broadcastShape(raw), dtype), order);
}

export const scalarTfjs = (c: TfjsContext, value: number): TfjsValue => c.constant(scalar(value), 'f32');
export const addTfjs = (c: TfjsContext, a: TfjsValue, b: TfjsValue): TfjsValue => binaryTfjs(c, 'Add', a, b);
export const subTfjs = (c: TfjsContext, a: TfjsValue, b: TfjsValue): TfjsValue => binaryTfjs(c, 'Sub', a, b);
export const mulTfjs = (c: TfjsContext, a: TfjsValue, b: TfjsValue): TfjsValue => binaryTfjs(c, 'Multiply', a, b);
export const scaleTfjs = (c: TfjsContext, x: TfjsValue, by: number): TfjsValue => (by === 1 ? x : mulTfjs(c, x, scalarTfjs(c, by)));

/** Sum, Mean, Max or Min over some axes, which stay with size 1. */
export function reduceTfjs(c: TfjsContext, kernel: string, x: TfjsValue, axes: readonly number[]): TfjsValue {
  const raw = inMemory(c, x, x.order);
  const places = raw.shape.flatMap((_, i) => (axes.includes(at(x.order, i)) ? [i] : []));
  // one name for what Max calls reductionIndices and the others axis
  const attributes = { axis: places, reductionIndices: places, keepDims: true };
  return seenAs(c.call(kernel, { x: raw }, attributes, raw.shape.map((d, i) => (places.includes(i) ? 1 : d)), x.dtype), x.order);
}

/** f32 by adding to zeros, which broadcasts and is many times as fast on wasm as Tile; other dtypes by Tile. */
export function expandTfjs(c: TfjsContext, x: TfjsValue, shape: readonly Dim[]): TfjsValue {
  const order = x.shape.length === 0 ? plainOrder(shape.length) : x.order;
  const target = order.map((axis) => at(shape, axis));
  const raw = x.shape.length === 0 ? rawReshape(c, x, shape.map(() => 1)) : inMemory(c, x, order);
  if (raw.shape.every((d, i) => equalDim(d, at(target, i)))) return seenAs(raw, order);
  const value = c.known(raw);
  if (x.dtype === 'f32') {
    if (value?.data.length === 1) return seenAs(c.call('Fill', {}, { shape: target, value: at([...value.data], 0), dtype: 'float32' }, target), order);
    return seenAs(c.call('Add', { a: raw, b: c.call('Fill', {}, { shape: target, value: 0, dtype: 'float32' }, target) }, {}, target), order);
  }
  return seenAs(c.call('Tile', { x: raw }, { reps: raw.shape.map((d, i) => (d === 1 ? at(target, i) : 1)) }, target, x.dtype), order);
}

/** The same elements in the graph's row-major order. Axes that are split or joined within themselves keep their places in memory. */
export function reshapeTfjs(c: TfjsContext, x: TfjsValue, shape: readonly Dim[]): TfjsValue {
  const kept = isPlain(x.order) ? undefined : keptGroups(x, shape);
  if (kept === undefined) return rawReshape(c, plain(c, x), shape);
  return seenAs(rawReshape(c, inMemory(c, x, x.order), kept.map((axis) => at(shape, axis))), kept);
}

/**
 * The order in memory of the axes of `shape`, where every run of axes of x that becomes a run of new axes lies together and in order in memory.
 * undefined where one does not.
 */
function keptGroups(x: TfjsValue, shape: readonly Dim[]): Order | undefined {
  const groups: { readonly from: number[]; readonly to: number[] }[] = [];
  let [i, j] = [0, 0];
  while (i < x.shape.length || j < shape.length) {
    const from: number[] = [], to: number[] = [];
    let a: Dim = 1, b: Dim = 1;
    do {
      // take from the side that lags behind; of two that are level, both
      const takeFrom = i < x.shape.length && (from.length === 0 || !ahead(a, b));
      const takeTo = j < shape.length && (to.length === 0 || !ahead(b, a));
      if (!takeFrom && !takeTo) return undefined;
      if (takeFrom) { a = mulDim(a, at(x.shape, i)); from.push(i++); }
      if (takeTo) { b = mulDim(b, at(shape, j)); to.push(j++); }
    } while (!equalDim(a, b));
    groups.push({ from, to });
  }
  const order: number[] = [], seen = new Set<number>();
  for (let place = 0; place < x.order.length; place++) {
    const axis = at(x.order, place);
    if (at(x.shape, axis) === 1 || seen.has(axis)) continue;
    const group = groups.find((g) => g.from.includes(axis));
    const run = (group?.from ?? []).filter((k) => at(x.shape, k) !== 1);
    const lying = x.order.slice(place).filter((k) => at(x.shape, k) !== 1).slice(0, run.length);
    if (group === undefined || lying.some((k, n) => k !== run[n])) return undefined;
    run.forEach((k) => seen.add(k));
    order.push(...group.to);
  }
  // axes that come of sizes of 1 alone may lie anywhere
  for (const g of groups) if (!g.from.some((k) => seen.has(k))) order.push(...g.to);
  return order;
}

/** Whether a is surely the larger of two products of sizes, of which one divides the other. */
function ahead(a: Dim, b: Dim): boolean {
  return weightOf([a]) > weightOf([b]);
}

/** Costs nothing: the axes are only counted anew. */
export const transposeTfjs = (x: TfjsValue, perm: readonly number[]): TfjsValue =>
  ({ ...x, shape: perm.map((p) => at(x.shape, p)), order: x.order.map((axis) => perm.indexOf(axis)) });

export function concatTfjs(c: TfjsContext, xs: readonly TfjsValue[], axis: number): TfjsValue {
  const [only, ...more] = xs;
  if (only !== undefined && more.length === 0) return only;
  const { order, raw } = aligned(c, xs);
  const place = order.indexOf(axis);
  const size = raw.reduce<Dim>((sum, x) => addDim(sum, at(x.shape, place)), 0);
  return seenAs(c.call('Concat', raw, { axis: place }, at(raw, 0).shape.map((d, i) => (i === place ? size : d)), at(raw, 0).dtype), order);
}

/** `length` elements of one axis from a place on. */
export function sliceTfjs(c: TfjsContext, x: TfjsValue, axis: number, from: Dim, length: Dim): TfjsValue {
  if (equalDim(length, at(x.shape, axis))) return x;
  const raw = inMemory(c, x, x.order), place = x.order.indexOf(axis);
  const size = raw.shape.map((d, i) => (i === place ? length : d));
  return seenAs(c.call('Slice', { x: raw }, { begin: raw.shape.map((_, i) => (i === place ? from : 0)), size }, size, x.dtype), x.order);
}

/**
 * Every step-th of one axis, `length` of them from a place on: the first column of rows of `step`. StridedSlice is many times slower on wasm,
 * and calls what it makes f32.
 */
export function stridedTfjs(c: TfjsContext, x: TfjsValue, axis: number, from: Dim, length: Dim, step: number): TfjsValue {
  if (step === 1) return sliceTfjs(c, x, axis, from, length);
  const span = mulDim(length, step), beyond = subDim(addDim(from, span), at(x.shape, axis));
  const missing = isStatic(beyond) ? Math.max(0, beyond) : 0;
  if (missing > 0 && x.dtype !== 'f32') {
    const wide = stridedTfjs(c, castTfjs(c, x, 'f32'), axis, from, length, step);
    return castTfjs(c, wide, x.dtype);
  }
  const padded = missing > 0 ? padTfjs(c, x, x.shape.map(() => 0), x.shape.map((_, i) => (i === axis ? missing : 0)), 0) : x;
  const cut = sliceTfjs(c, padded, axis, from, span);
  const raw = inMemory(c, cut, cut.order), place = cut.order.indexOf(axis);
  const rows = [productDim([...raw.shape.slice(0, place), length])], inner = productDim(raw.shape.slice(place + 1));
  const table = rawReshape(c, raw, [...rows, mulDim(step, inner)]);
  return seenAs(rawReshape(c, sliceTfjs(c, table, 1, 0, inner), raw.shape.map((d, i) => (i === place ? length : d))), cut.order);
}

/** Adds a constant value around; entries in the order of the graph. */
export function padTfjs(c: TfjsContext, x: TfjsValue, before: readonly number[], after: readonly number[], value: number): TfjsValue {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const raw = inMemory(c, x, x.order);
  const paddings = x.order.map((axis) => [at(before, axis), at(after, axis)] as const);
  const shape = raw.shape.map((d, i) => paddings[i]?.reduce<Dim>(addDim, d) ?? d);
  return seenAs(c.call('PadV2', { x: raw }, { paddings, constantValue: value }, shape, x.dtype), x.order);
}

const TFJS_DTYPE = { f32: 'float32', i64: 'int32', bool: 'bool' } as const satisfies Record<DType, string>;
export const tfjsDType = (dtype: DType): 'float32' | 'int32' | 'bool' => TFJS_DTYPE[dtype];

export function castTfjs(c: TfjsContext, x: TfjsValue, to: DType): TfjsValue {
  if (x.dtype === to) return x;
  if (to === 'bool') return binaryTfjs(c, 'NotEqual', x, c.constant(scalar(0), x.dtype), 'bool');
  const raw = inMemory(c, x, x.order);
  return seenAs(c.call('Cast', { x: raw }, { dtype: tfjsDType(to) }, raw.shape, to), x.order);
}

/** The product of matrices [n, k] and [k, m], or of as many of them as both lists [L, n, k] and [L, k, m] have; the flags take a side's rows for columns. */
export function matrixProduct(c: TfjsContext, a: TfjsValue, b: TfjsValue, transposeA = false, transposeB = false): TfjsValue {
  const rows = at(a.shape, a.shape.length - (transposeA ? 1 : 2)), columns = at(b.shape, b.shape.length - (transposeB ? 2 : 1));
  return c.call('BatchMatMul', { a, b }, { transposeA, transposeB }, [...a.shape.slice(0, -2), rows, columns]);
}

/** `matmul` of the table: b is one matrix, or has the leading axes of a. */
export function matmulTfjs(c: TfjsContext, a: TfjsValue, b: TfjsValue, transposeA: boolean, transposeB: boolean): TfjsValue {
  const rank = a.shape.length, lead = a.shape.slice(0, -2);
  const swapped = (x: TfjsValue): TfjsValue => transposeTfjs(x, [...plainOrder(x.shape.length - 2), x.shape.length - 1, x.shape.length - 2]);
  const left = transposeA ? swapped(a) : a, right = transposeB ? swapped(b) : b;
  const columns = at(right.shape, right.shape.length - 1);
  if (right.shape.length === 2 && rank > 2) {
    // wherever the other axes lie, they are rows of one product
    const order = [...left.order.filter((axis) => axis !== rank - 1), rank - 1];
    const rows = inMemory(c, left, order), { shape } = rows;
    const product = matrixProduct(c, rawReshape(c, rows, [productDim(shape.slice(0, -1)), at(shape, rank - 1)]), plain(c, right));
    return seenAs(rawReshape(c, product, [...shape.slice(0, -1), columns]), order);
  }
  const [x, turnedX] = matrices(c, left), [y, turnedY] = matrices(c, right);
  return rawReshape(c, matrixProduct(c, x, y, turnedX, turnedY), [...lead, at(left.shape, rank - 2), columns]);
}

/** Matrices as one list of them, and whether each lies with its rows for columns: the kernel takes it so. */
function matrices(c: TfjsContext, x: TfjsValue): readonly [TfjsValue, boolean] {
  const rank = x.order.length, turned = x.order[rank - 1] === rank - 2 && x.order[rank - 2] === rank - 1;
  const order = turned ? [...plainOrder(rank - 2), rank - 1, rank - 2] : plainOrder(rank);
  const raw = inMemory(c, x, order);
  return [rank === 2 ? raw : rawReshape(c, raw, [productDim(raw.shape.slice(0, -2)), ...raw.shape.slice(-2)]), turned];
}

/** Elements of an axis by index; a scalar index drops the axis. */
export function gatherTfjs(c: TfjsContext, x: TfjsValue, index: TfjsValue, axis: number): TfjsValue {
  const raw = inMemory(c, x, x.order), place = x.order.indexOf(axis), scalarIndex = index.shape.length === 0;
  const indices = scalarIndex ? rawReshape(c, index, [1]) : index;
  const shape = raw.shape.map((d, i) => (i === place ? at(indices.shape, 0) : d));
  const rows = c.call('GatherV2', { x: raw, indices }, { axis: place, batchDims: 0 }, shape, x.dtype);
  if (!scalarIndex) return seenAs(rows, x.order);
  return seenAs(rawReshape(c, rows, shape.filter((_, i) => i !== place)), x.order.filter((a) => a !== axis).map((a) => (a > axis ? a - 1 : a)));
}

/** x · matrix over the last axis in memory of x, whose axes are counted as they lie; the matrix [in, out] is the same for all. */
export function onLastAxis(c: TfjsContext, x: TfjsValue, matrix: NdArray): TfjsValue {
  const lead = x.shape.slice(0, -1), [from, to] = matrix.shape as readonly [number, number];
  return rawReshape(c, matrixProduct(c, rawReshape(c, x, [productDim(lead), from]), c.constant(matrix, 'f32')), [...lead, to]);
}
