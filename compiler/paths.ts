// Patterns of paths, as a spec writes them in quotes: `tca.*.inner`. Nothing is looked up here.

/** Whether `path` is what the pattern names, or below it. `*` is any one step. */
export function isAtOrBelow(pattern: string, path: string): boolean {
  const steps = path.split('.');
  return pattern.split('.').every((p, i) => steps[i] !== undefined && (p === '*' || p === steps[i]));
}
