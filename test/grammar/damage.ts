// Random damage to a valid text, and how well the parser tells of it: one token deleted, inserted or replaced, seeded.
// An edit is breaking where it alone makes the parser complain; edits never change how many lines a text has.
import { parse } from '../../grammar/index.js';
import { lex } from '../../grammar/text/lexer.js';

export interface EditAt { readonly line: number; readonly from: number; readonly to: number; readonly text: string }

/** mulberry32: small, seeded, good enough to choose tokens. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

export function editsOf(text: string, count: number, seed: number): readonly EditAt[] {
  const { tokens } = lex(text, 'damaged.tps');
  const next = random(seed);
  const pick = (): number => Math.floor(next() * tokens.length);
  return Array.from({ length: count }, () => {
    const token = tokens[pick()]!;
    const other = tokens[pick()]!.image;
    const kind = Math.floor(next() * 3);
    const [from, to] = [token.startOffset, kind === 1 ? token.startOffset : (token.endOffset ?? 0) + 1];
    return { line: token.startLine ?? 1, from, to, text: kind === 0 ? '' : kind === 1 ? `${other} ` : other };
  });
}

/** Edits must not overlap. */
export function apply(text: string, edits: readonly EditAt[]): string {
  return [...edits].sort((a, b) => b.from - a.from).reduce((t, e) => t.slice(0, e.from) + e.text + t.slice(e.to), text);
}

export const errorLines = (text: string): readonly number[] =>
  parse(text, 'damaged.tps').diagnostics.filter((d) => d.severity === 'error').map((d) => d.range.start.line);

export interface Single {
  readonly broken: number; readonly byCount: readonly [one: number, two: number, three: number, fourFive: number, more: number];
  readonly onLine: number; readonly bad: readonly { readonly edit: EditAt; readonly lines: readonly number[] }[];
}

export function single(text: string, count: number, seed: number): Single {
  const byCount: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  let broken = 0;
  let onLine = 0;
  const bad: { edit: EditAt; lines: readonly number[] }[] = [];
  for (const edit of editsOf(text, count, seed)) {
    const lines = errorLines(apply(text, [edit]));
    if (lines.length === 0) continue;
    broken++;
    byCount[lines.length <= 3 ? lines.length - 1 : lines.length <= 5 ? 3 : 4]!++;
    if (lines[0] === edit.line) onLine++;
    if (lines.length > 1 || lines[0] !== edit.line) bad.push({ edit, lines });
  }
  return { broken, byCount, onLine, bad };
}

export interface Ten { readonly errors: number; readonly found: number; readonly invented: number }

/** `texts` texts with ten breaking edits each, at least two lines apart: mean errors a text, share of edits found, of errors invented. */
export function ten(text: string, texts: number, seed: number, each?: (edits: readonly EditAt[], lines: readonly number[]) => void): Ten {
  const pool = editsOf(text, texts * 16, seed).filter((e) => errorLines(apply(text, [e])).length > 0);
  let [errors, found, invented, edits] = [0, 0, 0, 0];
  let at = 0;
  for (let i = 0; i < texts; i++) {
    const chosen: EditAt[] = [];
    for (let tries = 0; chosen.length < 10 && tries < 400; tries++) {
      const edit = pool[at++ % pool.length]!;
      if (chosen.every((c) => Math.abs(c.line - edit.line) >= 2)) chosen.push(edit);
    }
    const lines = errorLines(apply(text, chosen));
    each?.(chosen, lines);
    errors += lines.length;
    edits += chosen.length;
    found += chosen.filter((c) => lines.includes(c.line) || lines.includes(c.line + 1)).length;
    invented += lines.filter((l) => !chosen.some((c) => c.line === l || c.line === l - 1)).length;
  }
  return { errors: errors / texts, found: found / edits, invented: invented / errors };
}
