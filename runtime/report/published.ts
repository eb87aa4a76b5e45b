// Reported values: a CSV of a paper's table, the line that belongs to a row, and whether a number that we have prints as the one printed there.
import { existsSync, readFileSync } from 'node:fs';
import { records } from '../data/csv.js';
import { UserError } from '../errors.js';

export interface Published {
  readonly path: string;
  readonly header: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

/** Throws UserError where the file is missing or has no line below its header. */
export function readPublished(path: string): Published {
  if (!existsSync(path)) throw new UserError(`there is no file of published values ${path}`, 'the study’s `published` names a CSV file, relative to the spec; mend the path or leave the entry out');
  const [header, ...lines] = [...records(readFileSync(path, 'utf8'))].map((r) => r.fields);
  if (header === undefined || lines.length === 0) throw new UserError(`${path} holds no published values`, 'it needs a line of column names and a line for each row');
  return { path, header, lines };
}

/**
 * The cells that belong to a row, by column: those of the line with most of these names in it (`A2` and "w/o TCA"), or,
 * where the table stands on its side, those below one of the names. None where no line has them, or several have them equally.
 */
export function cellsOf(table: Published, names: readonly string[]): ReadonlyMap<string, string> {
  const wanted = [...new Set(names)];
  const score = (line: readonly string[]): number => wanted.filter((name) => line.includes(name)).length;
  const best = Math.max(...table.lines.map(score));
  const found = table.lines.filter((line) => score(line) === best);
  const [line] = found;
  if (best > 0) return new Map(line === undefined || found.length > 1 ? [] : table.header.map((column, i) => [column, line[i] ?? '']));
  const at = table.header.findIndex((column, i) => i > 0 && wanted.includes(column));
  return new Map(at < 0 ? [] : table.lines.map((cells) => [cells[0] ?? '', cells[at] ?? '']));
}

/** A number as it is printed. `step` is what its last digit counts. Percents stay percents. */
export interface Printed { readonly value: number; readonly step: number; /** `~` stands before it */ readonly about: boolean }

const UNITS: Readonly<Record<string, number>> = { '': 1, '%': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `3.37 M`, `+0.001 M`, `~0`, `1.27%`; `unit` where the text has none. undefined: no number (empty, `-`, words). */
export function printedNumber(text: string, unit = ''): Printed | undefined {
  const [, about, digits, own] = /^([~≈]?)\s*([+-]?\d[\d,]*(?:\.\d+)?)\s*([kMGT%]?)$/.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const factor = UNITS[own === undefined || own === '' ? unit : own] ?? 1;
  const decimals = digits.split('.')[1]?.length ?? 0;
  return { value: Number(digits.replaceAll(',', '')) * factor, step: factor * 10 ** -decimals, about: about !== '' };
}

/** The printed number of one cell. A bare zero says no digits: it is as fine as the finest number of its column. */
export function printedCell(text: string, column: readonly string[], unit: string): Printed | undefined {
  const printed = printedNumber(text, unit);
  if (printed === undefined || printed.value !== 0) return printed;
  const steps = column.flatMap((other) => { const p = printedNumber(other, unit); return p === undefined || p.value === 0 ? [] : [p.step]; });
  return { ...printed, step: Math.min(...(steps.length === 0 ? [printed.step] : steps)) };
}

/** Whether the number, rounded as the printed one is, is the printed one. */
export const printsAs = (printed: Printed, value: number): boolean =>
  Math.abs(value - printed.value) <= (printed.about && printed.value !== 0 ? 1 : 0.5) * printed.step * (1 + 1e-9);
