// A comparison as Markdown: headings, lists and tables that any reader shows.
import type { Comparison } from './compare.js';
import { sectionsOf, sideName, type Section } from './sections.js';
import { deltaInWords } from './words.js';

const WORDS = { '+': 'added', '-': 'removed', '~': 'changed', '>': 'moved' } as const;
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();
const code = (text: string): string => (text === '' ? '' : `\`${text.replaceAll('`', '\'').replaceAll('|', '\\|')}\``);
const table = (columns: readonly string[], rows: readonly (readonly string[])[], right = false): string =>
  [`| ${columns.join(' | ')} |`, `|${columns.map((_, i) => (right && i > 0 ? '---:' : '---')).join('|')}|`, ...rows.map((r) => `| ${r.map(cell).join(' | ')} |`)].join('\n');

function sectionText(s: Section): string {
  const parts = [`## ${s.title.charAt(0).toUpperCase()}${s.title.slice(1)}`];
  if (s.note !== undefined) parts.push(`${s.note.replaceAll('\n', '; ')}.`);
  if (s.table !== undefined) parts.push(table(s.table.columns, s.table.rows, true));
  if (s.rows.some((r) => r.texts !== undefined)) {
    parts.push(['```diff', ...s.rows.flatMap((r) => r.texts?.map((t) => `${t.mark} ${t.text}`) ?? [`  ${r.what}: ${r.detail === '' ? WORDS[r.mark] : r.detail}`]), '```'].join('\n'));
  } else if (s.rows.length > 0) parts.push(table(['', 'what', 'how'], s.rows.map((r) => [WORDS[r.mark], code(r.what), r.detail])));
  return parts.join('\n\n');
}

export function diffMarkdown(c: Comparison, showPath: (path: string) => string): string {
  const head = `# ${sideName(c.a, showPath)} → ${sideName(c.b, showPath)}`;
  if (c.equal) return `${head}\n\nNothing differs that could change a number: both have the hash \`${c.a.hash}\`.\n`;
  return `${head}\n\n${deltaInWords(c)}\n\n${sectionsOf(c).map(sectionText).join('\n\n')}\n`;
}
