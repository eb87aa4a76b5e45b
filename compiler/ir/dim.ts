// Dimensions: integers, or polynomials with integer coefficients over named symbols (the batch `B` stays symbolic to the end).
// A quotient that does not divide exactly becomes an atom of its own, so that equal texts stay equal.

/** A product of symbols with a coefficient: 3·B·C is { coefficient: 3, symbols: ['B', 'C'] } (sorted). */
interface Term { readonly coefficient: number; readonly symbols: readonly string[] }
export interface Polynomial { readonly terms: readonly Term[] }
export type Dim = number | Polynomial;

const termsOf = (d: Dim): readonly Term[] => (typeof d === 'number' ? (d === 0 ? [] : [{ coefficient: d, symbols: [] }]) : d.terms);
const keyOf = (t: Term): string => t.symbols.join('*');

function normalise(terms: readonly Term[]): Dim {
  const sum = new Map<string, Term>();
  for (const t of terms) {
    const key = keyOf(t);
    const old = sum.get(key);
    sum.set(key, { coefficient: (old?.coefficient ?? 0) + t.coefficient, symbols: t.symbols });
  }
  const kept = [...sum.values()].filter((t) => t.coefficient !== 0).sort((a, b) => b.symbols.length - a.symbols.length || (keyOf(a) < keyOf(b) ? -1 : 1));
  const [only, ...more] = kept;
  if (only === undefined) return 0;
  if (more.length === 0 && only.symbols.length === 0) return only.coefficient;
  return { terms: kept };
}

export const symbol = (name: string): Dim => ({ terms: [{ coefficient: 1, symbols: [name] }] });
export const addDim = (a: Dim, b: Dim): Dim => normalise([...termsOf(a), ...termsOf(b)]);
const negDim = (a: Dim): Dim => normalise(termsOf(a).map((t) => ({ ...t, coefficient: -t.coefficient })));
export const subDim = (a: Dim, b: Dim): Dim => addDim(a, negDim(b));
export const mulDim = (a: Dim, b: Dim): Dim => normalise(termsOf(a).flatMap((x) =>
  termsOf(b).map((y) => ({ coefficient: x.coefficient * y.coefficient, symbols: [...x.symbols, ...y.symbols].sort() }))));
export const productDim = (dims: readonly Dim[]): Dim => dims.reduce(mulDim, 1);
export const equalDim = (a: Dim, b: Dim): boolean => subDim(a, b) === 0;
export const isStatic = (d: Dim): d is number => typeof d === 'number';

/** a / b where b is one term and divides every term of a; undefined otherwise. */
export function divideDim(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined;
  if (equalDim(a, b)) return 1;
  const [divisor, ...others] = termsOf(b);
  if (divisor === undefined || others.length > 0) return undefined;
  const quotients: Term[] = [];
  for (const t of termsOf(a)) {
    if (t.coefficient % divisor.coefficient !== 0) return undefined;
    const symbols = [...t.symbols];
    for (const s of divisor.symbols) {
      const at = symbols.indexOf(s);
      if (at < 0) return undefined;
      symbols.splice(at, 1);
    }
    quotients.push({ coefficient: t.coefficient / divisor.coefficient, symbols });
  }
  return normalise(quotients);
}

/** The value of a dimension where every symbol has one. Throws if one has not. */
export function evaluateDim(d: Dim, sizes: Readonly<Record<string, number>>): number {
  if (typeof d === 'number') return d;
  let sum = 0;
  for (const t of d.terms) {
    let product = t.coefficient;
    for (const s of t.symbols) {
      const size = sizes[s];
      if (size === undefined) throw new Error(`dimension ${s} has no value`);
      product *= size;
    }
    sum += product;
  }
  return sum;
}

/** The value of a dimension where every symbol is `n`: the batch is the only one that is left, whatever a spec calls it. */
export const dimAt = (d: Dim, n: number): number => (typeof d === 'number' ? d : evaluateDim(d, Object.fromEntries(symbolsOf(d).map((s) => [s, n]))));

export function symbolsOf(d: Dim): readonly string[] {
  return typeof d === 'number' ? [] : [...new Set(d.terms.flatMap((t) => t.symbols))];
}

/** `2*B`, `B*C + 1`. */
export function formatDim(d: Dim): string {
  if (typeof d === 'number') return String(d);
  return d.terms.map((t, i) => {
    const c = Math.abs(t.coefficient);
    const factors = [...(c === 1 && t.symbols.length > 0 ? [] : [String(c)]), ...t.symbols].join('*');
    return (t.coefficient < 0 ? (i === 0 ? '-' : ' - ') : i === 0 ? '' : ' + ') + factors;
  }).join('');
}
export const formatShape = (shape: readonly Dim[]): string => `[${shape.map(formatDim).join(', ')}]`;
