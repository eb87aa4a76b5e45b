// Documents and how they become lines: groups that stay on one line where they fit and break together where not.
// Knows nothing of the language.

export type Doc =
  | string
  | readonly Doc[]
  /** a blank, or a new line where its group breaks */
  | { readonly kind: 'line' }
  /** nothing, or a new line where its group breaks */
  | { readonly kind: 'softline' }
  /** always a new line; every group around it breaks */
  | { readonly kind: 'hardline' }
  | { readonly kind: 'group'; readonly doc: Doc; readonly breaks: boolean }
  | { readonly kind: 'indent'; readonly doc: Doc }
  /** as many items a line as fit; `separator` stands after each but the last */
  | { readonly kind: 'fill'; readonly items: readonly Doc[]; readonly separator: string }
  /** text that waits for the end of its line: a comment */
  | { readonly kind: 'trailing'; readonly text: string };

export const line: Doc = { kind: 'line' };
export const softline: Doc = { kind: 'softline' };
export const hardline: Doc = { kind: 'hardline' };
export const group = (...doc: readonly Doc[]): Doc => ({ kind: 'group', doc, breaks: mustBreak(doc) });
export const indent = (...doc: readonly Doc[]): Doc => ({ kind: 'indent', doc });
export const fill = (items: readonly Doc[], separator: string): Doc => ({ kind: 'fill', items, separator });
/** A comment at the line's end; whatever follows it goes to the next line. */
export const trailing = (text: string): Doc => ({ kind: 'trailing', text });

export function join(items: readonly Doc[], separator: Doc): Doc {
  return items.flatMap((item, i) => (i === 0 ? [item] : [separator, item]));
}

const isList = (doc: Doc): doc is readonly Doc[] => Array.isArray(doc);

/** Holds a hard line or a comment. */
export function mustBreak(doc: Doc): boolean {
  if (typeof doc === 'string') return false;
  if (isList(doc)) return doc.some(mustBreak);
  switch (doc.kind) {
    case 'hardline': case 'trailing': return true;
    case 'group': return doc.breaks;
    case 'indent': return mustBreak(doc.doc);
    case 'fill': return doc.items.some(mustBreak);
    default: return false;
  }
}

interface Command { readonly depth: number; readonly flat: boolean; readonly doc: Doc }

/** The document as text; `width` in characters, comments not counted. */
export function render(doc: Doc, width: number): string {
  const out: string[] = [];
  const waiting: string[] = [];
  let column = 0;
  const stack: Command[] = [{ depth: 0, flat: false, doc }];
  const newline = (depth: number): void => {
    out.push(...waiting.splice(0).map((text) => `  ${text}`), '\n', '  '.repeat(depth));
    column = 2 * depth;
  };
  for (let command = stack.pop(); command !== undefined; command = stack.pop()) {
    const { depth, flat, doc: at } = command;
    if (typeof at === 'string') {
      out.push(at);
      column += at.length;
    } else if (isList(at)) {
      for (let i = at.length - 1; i >= 0; i--) stack.push({ depth, flat, doc: at[i] ?? '' });
    } else {
      switch (at.kind) {
        case 'trailing': waiting.push(at.text); break;
        case 'hardline': newline(depth); break;
        case 'indent': stack.push({ depth: depth + 1, flat, doc: at.doc }); break;
        case 'line': case 'softline':
          if (!flat) newline(depth);
          else if (at.kind === 'line') {
            out.push(' ');
            column++;
          }
          break;
        case 'group': stack.push({ depth, flat: !at.breaks && fits(at.doc, stack, width - column), doc: at.doc }); break;
        case 'fill': {
          const [first, ...rest] = at.items;
          if (first === undefined) break;
          if (rest.length > 0) stack.push({ depth, flat, doc: { kind: 'fill', items: rest, separator: at.separator } });
          out.push(flatText(first));
          column += flatText(first).length;
          const [next] = rest;
          if (next === undefined) break;
          out.push(at.separator);
          column += at.separator.length;
          if (flat || column + 1 + flatText(next).length < width) {
            out.push(' ');
            column++;
          } else newline(depth);
          break;
        }
        default: at satisfies never;
      }
    }
  }
  out.push(...waiting.map((text) => `  ${text}`));
  return out.join('').replace(/[ \t]+$/gm, '');
}

const flatText = (doc: Doc): string => (typeof doc === 'string' ? doc : render(group(doc), Infinity));

/** Does the document fit flat, with what follows it on the same line? */
function fits(doc: Doc, rest: readonly Command[], width: number): boolean {
  let left = width;
  let next = rest.length - 1;
  const stack: Command[] = [{ depth: 0, flat: true, doc }];
  while (left >= 0) {
    const command = stack.pop() ?? rest[next--];
    if (command === undefined) return true;
    const { flat, doc: at } = command;
    if (typeof at === 'string') left -= at.length;
    else if (isList(at)) for (let i = at.length - 1; i >= 0; i--) stack.push({ ...command, doc: at[i] ?? '' });
    else if (at.kind === 'group') stack.push({ ...command, flat: flat || !at.breaks, doc: at.doc });
    else if (at.kind === 'indent') stack.push({ ...command, doc: at.doc });
    else if (at.kind === 'fill') left -= at.items.reduce((sum: number, item) => sum + flatText(item).length + at.separator.length + 1, 0);
    else if (at.kind === 'hardline') return true;
    else if (at.kind === 'line' || at.kind === 'softline') {
      if (!flat) return true;
      if (at.kind === 'line') left--;
    }
  }
  return false;
}
