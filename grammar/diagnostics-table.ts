import type { DiagnosticRow } from './diagnostics.js';

// The rows of `diagnostics.ts`. Each code has a page `docs/diagnostics/CODE.md` with a failing example and its mend.
export const table = {
  // ------------------------------------------------------------ 1xxx syntax
  TPS1001: { severity: 'error', message: '{found} cannot stand here; expected {expected}' },
  TPS1002: { severity: 'error', message: 'unexpected character {found}', help: 'comments begin with `#`, doc comments with `///`; statements end at the line’s end' },
  TPS1003: { severity: 'error', message: '{what} cannot begin with {found}', help: '{help}' },
  TPS1004: { severity: 'error', message: '`{open}` is never closed', help: 'add `{close}`' },
  TPS1005: { severity: 'error', message: '`{close}` closes nothing' },
  TPS1006: { severity: 'error', message: '{text} is not a number', help: 'a digit stands on both sides of a point; there are no units' },
  TPS1007: { severity: 'error', message: '`{operator}` beside `|>` needs parentheses', help: 'write {first} or {second}' },
  TPS1008: { severity: 'error', message: 'edition {found} is not known', help: 'this compiler reads edition 1' },
  TPS1009: { severity: 'error', message: 'a string is not closed on its line', help: 'add `"`' },
} as const satisfies Readonly<Record<string, DiagnosticRow>>;
