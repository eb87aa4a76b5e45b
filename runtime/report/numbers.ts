// How numbers are written for people: counts, bytes, times, scores. No tables here.

/** 1,234,567 */
export const grouped = (n: number): string => Math.round(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** `1 task`, `2 tasks`. */
export const plural = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;

const scaled = (n: number, base: number, units: readonly string[]): string => {
  let [value, unit] = [n, 0];
  while (value >= base && unit < units.length - 1) [value, unit] = [value / base, unit + 1];
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit] ?? ''}`;
};

/** 31.0 M, 1.23 G: decimal. */
export const short = (n: number): string => scaled(n, 1000, ['', ' k', ' M', ' G', ' T']);
/** 118 MiB: binary. */
export const bytes = (n: number): string => scaled(n, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']);

/** 8 s, 3 min 05 s, 2 h 07 min. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
}

/** A score in [0, 1] with three digits; `–` where there is none. */
export const score = (x: number | null | undefined): string => (x === null || x === undefined || !Number.isFinite(x) ? '–' : x.toFixed(3));
/** A loss or a difference: four significant digits, an exponent only where it needs one. */
export const significant = (x: number): string => (x === 0 ? '0' : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5 ? String(Number(x.toPrecision(4))) : x.toExponential(2));
