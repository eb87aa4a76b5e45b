// One error an item and a line: of the errors that one damaged place gives, the first stands.
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics.js';
import { placeOf } from '../text/layout.js';

/** `tokens` are laid out; an error belongs to the item of the last token that begins at or before it. */
export function keepOne(diagnostics: readonly Diagnostic[], tokens: readonly IToken[]): readonly Diagnostic[] {
  const items = new Set<number>();
  const lines = new Set<number>();
  const sorted = [...diagnostics].sort((a, b) => a.range.start.offset - b.range.start.offset);
  return sorted.filter(({ range }) => {
    const item = itemAt(tokens, range.start.offset);
    const told = items.has(item) || lines.has(range.start.line);
    items.add(item);
    lines.add(range.start.line);
    return !told;
  });
}

function itemAt(tokens: readonly IToken[], offset: number): number {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.startOffset ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  const at = tokens[low - 1] ?? tokens[0];
  return at === undefined ? 0 : placeOf(at).item;
}
