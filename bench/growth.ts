// How fast a cost grows with a size: exponents of power laws, and whether they stay below that of the arithmetic. Numbers only.

export interface Point { readonly x: number; readonly y: number }

/** p of the least-squares line log y = p log x + c. NaN for fewer than two sizes, or where a value is not positive. */
export function exponent(points: readonly Point[]): number {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) })), mean = (of: (p: Point) => number): number => logs.reduce((sum, p) => sum + of(p), 0) / logs.length;
  const [mx, my] = [mean((p) => p.x), mean((p) => p.y)], spread = logs.reduce((sum, p) => sum + (p.x - mx) ** 2, 0);
  return spread > 0 && Number.isFinite(my) ? logs.reduce((sum, p) => sum + (p.x - mx) * (p.y - my), 0) / spread : NaN;
}

/**
 * The exponent where sizes are large: of the last three points. Fixed costs hide growth at small sizes, so all points together would show too little;
 * two alone would show noise.
 */
export const growth = (points: readonly Point[]): number => exponent([...points].sort((a, b) => a.x - b.x).slice(-3));

/** Growth that noise of a shared machine can feign. */
export const TOLERANCE = 0.15;
/** No faster than what there is to do, of whichever amount grows fastest; below a straight line of the size itself, nothing is amiss. */
export const within = (cost: number, amounts: readonly number[]): boolean => cost <= Math.max(...amounts) + TOLERANCE;
