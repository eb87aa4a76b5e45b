// The error function in double precision, for the `evaluate` columns of erf and gelu.
// A Taylor series about the nearest of the nodes 0, 1/8, 2/8, …: no table of magic constants, error below 1e-15.

const STEP = 1 / 8;
/** Beyond it 1 - erf(x) is less than half a unit in the last place. */
const END = 6;
const TERMS = 12;

const nodes = Array.from({ length: END / STEP + 1 }, (_, k) => taylor(k * STEP));

/** erf at a node by Σ 2^n x^(2n+1) / (2n+1)!! · 2/√π · e^(-x²), all of whose terms are positive. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Coefficients of erf(x0 + d) in d: the n-th derivative of erf' is (-1)^n H_n(x0) erf'(x0), H the Hermite polynomials. */
function taylor(x0: number): readonly number[] {
  const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-x0 * x0);
  const coefficients = [series(x0)];
  let [before, hermite, factorial] = [0, 1, 1];
  for (let n = 0; n < TERMS; n++) {
    factorial *= n + 1;
    coefficients.push(((n % 2 === 0 ? 1 : -1) * hermite * slope) / factorial);
    [before, hermite] = [hermite, 2 * x0 * hermite - 2 * n * before];
  }
  return coefficients;
}

/** erf(x) = 2/√π ∫₀ˣ e^(-t²) dt */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size < END)) return Number.isNaN(x) ? x : Math.sign(x);
  const node = Math.round(size / STEP);
  const d = size - node * STEP;
  let sum = 0;
  for (const c of (nodes[node] ?? []).toReversed()) sum = sum * d + c;
  return x < 0 ? -sum : sum;
}
