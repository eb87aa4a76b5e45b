// A comparison for a terminal.
import { paint, type Paint } from '../colour.js';
import { renderTable } from '../table.js';
import type { Comparison } from './compare.js';
import { sectionsOf, sideName, type Mark, type Row, type Section } from './sections.js';
import { deltaInWords } from './words.js';

export interface TextOptions { readonly colour: boolean; readonly showPath: (path: string) => string }

const WIDEST = 44;

const colourOf = (mark: Mark, p: Paint): ((text: string) => string) => ({ '+': p.green, '-': p.red, '~': p.yellow, '>': p.blue })[mark];

function rowLines(row: Row, width: number, p: Paint): readonly string[] {
  const mark = colourOf(row.mark, p)(row.mark);
  if (row.texts !== undefined) return row.texts.map((t) => `  ${colourOf(t.mark, p)(`${t.mark} ${t.text}`)}`);
  const first = row.detail === '' ? `  ${mark} ${row.what}` : row.what.length > WIDEST ? `  ${mark} ${row.what}\n      ${row.detail}` : `  ${mark} ${row.what.padEnd(width)}  ${row.detail}`;
  return [first];
}

function sectionText(s: Section, p: Paint): string {
  const width = Math.max(0, ...s.rows.filter((r) => r.detail !== '' && r.texts === undefined).map((r) => r.what.length).filter((n) => n <= WIDEST));
  const table = s.table === undefined ? [] : renderTable(s.table.columns.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })), s.table.rows).trimEnd().split('\n').map((line) => `  ${line}`);
  const note = s.note === undefined ? [] : s.note.split('\n').map((line) => `  ${line}`);
  return [p.bold(s.title), ...note, ...table, ...s.rows.flatMap((r) => rowLines(r, width, p))].join('\n');
}

export function diffText(c: Comparison, { colour, showPath }: TextOptions): string {
  const p = paint(colour);
  const head = `${p.bold('A')}  ${sideName(c.a, showPath)}\n${p.bold('B')}  ${sideName(c.b, showPath)}\n`;
  if (c.equal) return `${head}\nNothing differs that could change a number: both have the hash ${c.a.hash}\n`;
  return `${head}\n${deltaInWords(c)}\n\n${sectionsOf(c).map((s) => sectionText(s, p)).join('\n\n')}\n`;
}
