// The standard normal distribution in double precision: tails that stay exact where they are small, and quantiles. No tests of anything here.

const density = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** Where the continued fraction takes over: below it the series loses less than two digits to cancellation. */
const TAIL = 2;
const FRACTION_STEPS = 120;

/** P(Z > z); for large z the relative error stays near 1e-14. */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return NaN;
  if (z < 0) return 1 - normalTail(-z);
  if (z === Infinity) return 0;
  if (z < TAIL) {
    // 1/2 - φ(z) Σ z^(2k+1) / (1 · 3 · … · (2k+1))
    let term = z, sum = z;
    for (let k = 1; term > sum * 1e-18; k++) sum += (term *= (z * z) / (2 * k + 1));
    return 0.5 - density(z) * sum;
  }
  // Laplace: φ(z) / (z + 1/(z + 2/(z + 3/(z + …
  let fraction = z;
  for (let k = FRACTION_STEPS; k >= 1; k--) fraction = z + k / fraction;
  return density(z) / fraction;
}

/** P(Z <= z). */
export const normalCdf = (z: number): number => normalTail(-z);

/** z with P(Z <= z) = p: Newton's steps with Halley's correction from a rough beginning. -Infinity at 0, Infinity at 1, NaN outside. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  // Abramowitz and Stegun 26.2.23: within 4.5e-4
  const t = Math.sqrt(-2 * Math.log(p));
  let z = -(t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t));
  for (let i = 0; i < 3; i++) {
    const error = (normalCdf(z) - p) / density(z);
    z -= error / (1 + (z * error) / 2);
  }
  return z;
}
