// Arithmetic of analyses: cosines, Pearson's r with its line. Knows no network.
import { mean } from '../statistics/moments.js';

/** a · b / (|a| |b|); NaN where one of them is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`vectors of ${a.length} and ${b.length} numbers`);
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? Number.NaN : Math.min(1, Math.max(-1, dot / Math.sqrt(aa * bb)));
}

export interface Correlation {
  /** Points. */
  readonly n: number;
  /** Pearson's r. */
  readonly r: number;
  /** The line of least squares, y = intercept + slope · x. */
  readonly slope: number;
  readonly intercept: number;
}

/** Undefined for fewer than three points (two always lie on a line), and where x or y does not vary. */
export function correlation(points: readonly { readonly x: number; readonly y: number }[]): Correlation | undefined {
  const n = points.length;
  if (n < 3) return undefined;
  const mx = mean(points.map((p) => p.x)), my = mean(points.map((p) => p.y));
  const sum = (f: (dx: number, dy: number) => number): number => points.reduce((s, p) => s + f(p.x - mx, p.y - my), 0);
  const xx = sum((dx) => dx * dx), yy = sum((_, dy) => dy * dy), xy = sum((dx, dy) => dx * dy);
  if (!(xx > 0) || !(yy > 0)) return undefined;
  const slope = xy / xx;
  return { n, r: Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy))), slope, intercept: my - slope * mx };
}
