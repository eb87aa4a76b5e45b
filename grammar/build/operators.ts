// Precedence: a flat list of operands and operators becomes a tree. The table is the language's; the grammar has none.
// Refuses what has no single reading: chains of comparisons or ranges, and an operator beside `|>` (rule b12 of the grammar notes).
import type { IToken } from 'chevrotain';
import type { BinaryOperator, Expr } from '../ast.js';
import { diagnostic } from '../diagnostics.js';
import { tokenRange } from '../text/lexer.js';
import { spanning, type Context } from './cst.js';

/** Tight binds more. `not` and prefix `-` stand among the infix operators: `-x ^ 2` is `-(x ^ 2)`, `not a == b` is `not (a == b)`. */
export const precedence = {
  '|>': 1, or: 2, and: 3, not: 4, in: 5, '<': 5, '<=': 5, '>': 5, '>=': 5, '==': 5, '!=': 5, '..': 6,
  '+': 7, '-': 7, '*': 8, '/': 8, '%': 8, negative: 9, '^': 10,
} as const;

const comparison = 5;
const range = 6;

export type Piece =
  | { readonly kind: 'prefix'; readonly operator: '-' | 'not'; readonly at: IToken }
  | { readonly kind: 'operand'; readonly value: Expr; readonly text: string }
  | { readonly kind: 'infix'; readonly operator: BinaryOperator | '|>' | '..'; readonly at: IToken };

/** What a flat list of pieces means; undefined after a diagnostic. */
export function climb(pieces: readonly Piece[], context: Context): Expr | undefined {
  if (refusesPipe(pieces, context)) return undefined;
  let at = 0;
  let sound = true;

  const operand = (): Expr => {
    const piece = pieces[at++];
    if (piece?.kind === 'operand') return piece.value;
    if (piece?.kind !== 'prefix') throw new Error('an operator without its operand reached the builder');
    const inner = above(piece.operator === '-' ? precedence.negative : precedence.not);
    return { kind: 'unary', operator: piece.operator, operand: inner, range: spanning(tokenRange(piece.at, context.file), inner.range) };
  };

  const above = (least: number): Expr => {
    let left = operand();
    let chained: number | undefined;
    for (;;) {
      const piece = pieces[at];
      if (piece?.kind !== 'infix') return left;
      const power = precedence[piece.operator];
      if (power < least) return left;
      if (power === chained) {
        sound = false;
        context.diagnostics.push(diagnostic('TPS1010', tokenRange(piece.at, context.file), {
          operator: piece.operator, help: power === comparison ? 'write `a < b and b < c`' : 'a range has two ends',
        }));
      }
      chained = power === comparison || power === range ? power : undefined;
      at++;
      const right = above(piece.operator === '^' ? power : power + 1);
      left = combine(piece.operator, left, right);
    }
  };

  const tree = above(0);
  return sound ? tree : undefined;
}

function combine(operator: BinaryOperator | '|>' | '..', left: Expr, right: Expr): Expr {
  const span = spanning(left.range, right.range);
  if (operator === '|>') return { kind: 'pipe', left, right, range: span };
  if (operator === '..') return { kind: 'range', from: left, to: right, range: span };
  return { kind: 'binary', operator, left, right, range: span };
}

const text = (pieces: readonly Piece[]): string =>
  pieces.map((p) => (p.kind === 'operand' ? p.text : p.kind === 'infix' ? ` ${p.operator} ` : p.operator === 'not' ? 'not ' : '-')).join('');

const short = (whole: string): string => (whole.length > 40 ? '…' : whole);

/** `a + b |> f` could mean two things: both are given as mends. */
function refusesPipe(pieces: readonly Piece[], context: Context): boolean {
  const pipe = pieces.findIndex((p) => p.kind === 'infix' && p.operator === '|>');
  if (pipe < 0) return false;
  const other = pieces.findIndex((p) => p.kind === 'infix' && p.operator !== '|>');
  const stray = pieces.findIndex((p, i) => p.kind === 'prefix' && i > pipe);
  const beside = other >= 0 ? pieces[other] : pieces[stray];
  if (beside === undefined || beside.kind === 'operand') return false;
  const split = other < 0 ? stray : other;
  const whole = text(pieces);
  const nearest = split < pipe ? pipe : lastPipeBefore(pieces, split);
  const tight = split < pipe
    ? `\`${short(`(${text(pieces.slice(0, pipe))})${text(pieces.slice(pipe))}`)}\``
    : `\`${short(`(${text(pieces.slice(0, split))})${text(pieces.slice(split))}`)}\``;
  const loose = split < pipe
    ? `\`${short(`${text(pieces.slice(0, split + 1))}(${text(pieces.slice(split + 1))})`)}\``
    : `\`${short(`${text(pieces.slice(0, nearest + 1))}(${text(pieces.slice(nearest + 1))})`)}\``;
  context.diagnostics.push(diagnostic('TPS1007', tokenRange(beside.at, context.file), {
    operator: beside.operator, first: whole.length > 60 ? 'parentheses around the operator' : tight, second: whole.length > 60 ? 'around the pipe' : loose,
  }));
  return true;
}

function lastPipeBefore(pieces: readonly Piece[], end: number): number {
  for (let i = end - 1; i >= 0; i--) {
    const piece = pieces[i];
    if (piece?.kind === 'infix' && piece.operator === '|>') return i;
  }
  return -1;
}
