// Holm's correction of several p-values. Only that.

/** Adjusted p-values in the order given: the k-th smallest of m times (m - k + 1), none below one before it, at most 1. Throws where one is NaN. */
export function holm(ps: readonly number[]): readonly number[] {
  if (ps.some(Number.isNaN)) throw new Error('a p-value is no number');
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const adjusted = new Array<number>(ps.length);
  let before = 0;
  order.forEach((i, k) => { adjusted[i] = before = Math.min(1, Math.max(before, (ps.length - k) * (ps[i] as number))); });
  return adjusted;
}
