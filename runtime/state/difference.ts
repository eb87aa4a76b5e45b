// How two files of weights differ, tensor by tensor. Nothing is written here.
import { isMoment } from './checkpoint.js';
import { tensorOf } from './dtypes.js';
import { typeText, type TensorFile } from './stored.js';
import { withTensorFile } from './tensor-file.js';

export interface TensorDifference {
  readonly name: string;
  /** max |a - b| */
  readonly largest: number;
  /** ||a - b|| / ||b||, or ||a - b|| where b is zero. */
  readonly relative: number;
}
export interface WeightsDifference {
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /** Same name, other shape or dtype. */
  readonly unlike: readonly { readonly name: string; readonly a: string; readonly b: string }[];
  /** Bit for bit. */
  readonly equal: number;
  readonly different: readonly TensorDifference[];
}

/** Compares two files tensor by tensor, holding two at a time. Moments of an optimiser are left aside. */
export const diffWeights = (a: string, b: string): WeightsDifference => withTensorFile(a, undefined, (fileA) => withTensorFile(b, undefined, (fileB) => {
  const names = (file: TensorFile): readonly string[] => [...file.tensors.keys()].filter((name) => !isMoment(name));
  const unlike: { name: string; a: string; b: string }[] = [], different: TensorDifference[] = [];
  let equal = 0;
  for (const name of names(fileA)) {
    const [x, y] = [fileA.tensors.get(name), fileB.tensors.get(name)];
    if (x === undefined || y === undefined) continue;
    if (x.dtype !== y.dtype || x.shape.join() !== y.shape.join()) {
      unlike.push({ name, a: typeText(x), b: typeText(y) });
      continue;
    }
    const [u, v] = [x.read(), y.read()];
    if (Buffer.compare(u, v) === 0) equal++;
    else different.push({ name, ...distance(tensorOf(x.dtype, x.shape, u).data, tensorOf(y.dtype, y.shape, v).data) });
  }
  return { onlyA: names(fileA).filter((n) => !fileB.tensors.has(n)), onlyB: names(fileB).filter((n) => !fileA.tensors.has(n)), unlike, equal, different };
}));

function distance(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): { readonly largest: number; readonly relative: number } {
  let [largest, squares, norm] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const y = Number(b[i]), d = Math.abs(Number(a[i]) - y);
    if (d > largest || Number.isNaN(d)) largest = d;
    squares += d * d;
    norm += y * y;
  }
  return { largest, relative: norm === 0 ? Math.sqrt(squares) : Math.sqrt(squares / norm) };
}
