// Some kernels of the wasm backend in a leaner form, under their own names: programs stay what they are. Measured on 2 cores: 32 products of
// 484 x 72 x 484 took 490 ms, one product with a turned side 30 times a plain one; each Slice copied its whole input; Concat and Slice took
// 0.1 µs a run of memory, however short; Reverse went element by element.
import { sizeOf } from '../../../compiler/ir/ndarray.js';
import type * as tfjs from '@tensorflow/tfjs-core';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';

type Core = typeof tfjs;
type DataId = TensorInfo['dataId'];

/** What they need of the backend. */
interface Backend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    cwrap(name: string, result: null, parameters: readonly string[]): (...args: readonly unknown[]) => void;
    readonly tfjs: { disposeData(id: number): void };
  };
  readonly dataIdMap: { get(id: DataId): { readonly id: number; readonly memoryOffset: number }; delete(id: DataId): void };
  makeOutput(shape: readonly number[], dtype: string, memoryOffset?: number): TensorInfo;
  disposeData(id: DataId): boolean;
}

/** In place of the backend's own. */
export function leanKernels(core: Core): void {
  replace(core, 'BatchMatMul', (transpose) => batchMatMul(transpose));
  replace(core, 'Slice', () => slice);
  replace(core, 'Concat', () => concat);
  replace(core, 'Reverse', () => reverse);
}

function replace(core: Core, kernelName: string, make: (transpose: KernelFunc) => KernelFunc): void {
  const transpose = core.getKernel('Transpose', 'wasm').kernelFunc;
  core.unregisterKernel(kernelName, 'wasm');
  core.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: make(transpose) });
}

const bytesOf = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer);

/** Multiply-adds below which the backend's slow loop over all products takes less than a call for each. */
const SMALL_PRODUCT = 4096;

/** Each product by itself, on plain sides: only so does the backend use its fast product. The parts are views into the whole's memory. */
function batchMatMul(transpose: KernelFunc): KernelFunc {
  let product: ((...args: readonly unknown[]) => void) | undefined;
  return ({ inputs, attrs, backend: given }) => {
    const backend = given as Backend;
    product ??= backend.wasm.cwrap('BatchMatMul', null, ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number']);
    const multiply = product;
    const turned: TensorInfo[] = [];
    const upright = (x: TensorInfo, turn: unknown): TensorInfo => {
      if (turn !== true) return x;
      const rank = x.shape.length;
      const y = transpose({ inputs: { x }, backend, attrs: { perm: [...Array(rank - 2).keys(), rank - 1, rank - 2] } } as Parameters<KernelFunc>[0]) as TensorInfo;
      turned.push(y);
      return y;
    };
    const a = upright(inputs.a as TensorInfo, attrs?.transposeA), b = upright(inputs.b as TensorInfo, attrs?.transposeB);
    const [n = 0, k = 0] = a.shape.slice(-2), m = b.shape.at(-1) ?? 0;
    const [manyA, manyB] = [sizeOf(a.shape.slice(0, -2)), sizeOf(b.shape.slice(0, -2))], many = Math.max(manyA, manyB);
    if (manyA !== manyB && manyA !== 1 && manyB !== 1) throw new Error(`BatchMatMul of ${manyA} and ${manyB} matrices`);
    const lead = (manyA >= manyB ? a : b).shape.slice(0, -2);
    const out = backend.makeOutput([...lead, n, m], 'float32');
    if (many > 1 && n * k * m < SMALL_PRODUCT) {
      const [x, y, z] = [a, b, out].map((p) => backend.dataIdMap.get(p.dataId).id);
      multiply(x, bytesOf([manyA, n, k]), 3, y, bytesOf([manyB, k, m]), 3, 0, 0, z);
    } else for (let i = 0; i < many; i++) {
      const parts = [part(backend, a, manyA === 1 ? 0 : i, [1, n, k]), part(backend, b, manyB === 1 ? 0 : i, [1, k, m]), part(backend, out, i, [1, n, m])] as const;
      const [x, y, z] = parts.map((p) => backend.dataIdMap.get(p.dataId).id);
      multiply(x, bytesOf([1, n, k]), 3, y, bytesOf([1, k, m]), 3, 0, 0, z);
      for (const p of parts) {
        // registered, not allocated: the memory belongs to the whole
        backend.wasm.tfjs.disposeData(backend.dataIdMap.get(p.dataId).id);
        backend.dataIdMap.delete(p.dataId);
      }
    }
    for (const y of turned) backend.disposeData(y.dataId);
    return out;
  };
}

function part(backend: Backend, whole: TensorInfo, i: number, shape: readonly number[]): TensorInfo {
  return backend.makeOutput(shape, 'float32', backend.dataIdMap.get(whole.dataId).memoryOffset + i * sizeOf(shape) * 4);
}

/** Bytes up to which a loop is quicker than a call. */
const SHORT = 64;

function copyRun(heap: Uint8Array, from: number, to: number, bytes: number): void {
  if (bytes > SHORT) heap.copyWithin(to, from, from + bytes);
  else for (let i = 0; i < bytes; i++) heap[to + i] = heap[from + i] ?? 0;
}

const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1 };

/** Runs of memory copied within the heap. */
const slice: KernelFunc = ({ inputs, attrs, backend: given }) => {
  const backend = given as Backend, x = inputs.x as TensorInfo;
  const begin = attrs?.begin as readonly number[], wanted = attrs?.size as readonly number[];
  const shape = wanted.map((n, i) => (n < 0 ? (x.shape[i] ?? 0) - (begin[i] ?? 0) : n));
  const bytes = BYTES[x.dtype];
  if (bytes === undefined) throw new Error(`Slice of ${x.dtype}`);
  const out = backend.makeOutput(shape, x.dtype);
  const heap = backend.wasm.HEAPU8;
  const source = backend.dataIdMap.get(x.dataId).memoryOffset, target = backend.dataIdMap.get(out.dataId).memoryOffset;
  // whole axes at the end belong to the run
  let last = shape.length - 1;
  while (last > 0 && shape[last] === x.shape[last]) last--;
  const inner = sizeOf(shape.slice(last + 1)) * bytes, run = (shape[last] ?? 1) * inner;
  const index = shape.slice(0, Math.max(0, last)).fill(0);
  const strides = x.shape.map((_, i) => sizeOf(x.shape.slice(i + 1)) * bytes);
  let from = source + begin.reduce((sum, b, i) => sum + b * (strides[i] ?? 0), 0);
  for (let to = target, end = target + sizeOf(shape) * bytes; to < end; to += run) {
    copyRun(heap, from, to, run);
    for (let axis = last - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      from -= (strides[axis] ?? 0) * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return out;
};

const concat: KernelFunc = ({ inputs, attrs, backend: given }) => {
  const backend = given as Backend, xs = Object.values(inputs) as TensorInfo[];
  const [first] = xs, axis = attrs?.axis as number, bytes = BYTES[first?.dtype ?? ''];
  if (first === undefined || bytes === undefined) throw new Error(`Concat of ${first?.dtype ?? 'nothing'}`);
  const shape = first.shape.map((d, i) => (i === axis ? xs.reduce((sum, x) => sum + (x.shape[i] ?? 0), 0) : d));
  const out = backend.makeOutput(shape, first.dtype);
  const heap = backend.wasm.HEAPU8;
  const rows = sizeOf(shape.slice(0, axis)), row = sizeOf(shape.slice(axis)) * bytes;
  let before = backend.dataIdMap.get(out.dataId).memoryOffset;
  for (const x of xs) {
    const run = sizeOf(x.shape.slice(axis)) * bytes;
    let from = backend.dataIdMap.get(x.dataId).memoryOffset;
    for (let i = 0, to = before; i < rows; i++, to += row, from += run) copyRun(heap, from, to, run);
    before += run;
  }
  return out;
};

/** Runs of the axes behind the last one that is turned round. */
const reverse: KernelFunc = ({ inputs, attrs, backend: given }) => {
  const backend = given as Backend, x = inputs.x as TensorInfo, { shape } = x, dims = attrs?.dims as readonly number[], bytes = BYTES[x.dtype];
  if (bytes === undefined) throw new Error(`Reverse of ${x.dtype}`);
  const out = backend.makeOutput(shape, x.dtype), heap = backend.wasm.HEAPU8;
  const source = backend.dataIdMap.get(x.dataId).memoryOffset, target = backend.dataIdMap.get(out.dataId).memoryOffset;
  const lead = shape.slice(0, Math.max(...dims) + 1), run = sizeOf(shape.slice(lead.length)) * bytes, rows = sizeOf(lead);
  for (let row = 0; row < rows; row++) {
    let from = 0;
    for (let axis = lead.length - 1, rest = row, step = 1; axis >= 0; axis--) {
      const length = lead[axis] ?? 1, i = rest % length;
      from += (dims.includes(axis) ? length - 1 - i : i) * step;
      rest = (rest - i) / length;
      step *= length;
    }
    copyRun(heap, source + from * run, target + row * run, run);
  }
  return out;
};
