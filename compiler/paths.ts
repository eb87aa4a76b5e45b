// Patterns of paths, as a spec writes them in quotes: `tca.*.inner`. Nothing is looked up here.

/** Whether `path` is what the pattern names, or below it. `*` is any one step. */
export const isAtOrBelow = (pattern: string, path: string): boolean => areStepsAtOrBelow(pattern, path.split('.'));

/** The same of a path that is cut into its steps already. */
export const areStepsAtOrBelow = (pattern: string, steps: readonly string[]): boolean =>
  pattern.split('.').every((p, i) => steps[i] !== undefined && (p === '*' || p === steps[i]));
