// A comparison as one page that asks for nothing else: no script, no font, no picture. `diffHtmlBody` is the part that a larger page takes in.
import { escapeMarkup } from '../markup.js';
import type { Comparison } from './compare.js';
import { sectionsOf, sideName, type Row, type Section } from './sections.js';
import { deltaInWords } from './words.js';

const h = escapeMarkup;

const KINDS = { '+': 'added', '-': 'removed', '~': 'changed', '>': 'moved' } as const;

/** Marks say it without colour, too. */
export const diffStyle = `
.diff { font: 15px/1.45 system-ui, sans-serif; max-width: 75rem; color: #1b1f24; }
.diff code, .diff pre { font: 13px/1.45 ui-monospace, monospace; }
.diff pre { margin: .1rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.diff table { border-collapse: collapse; } .diff td, .diff th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top; }
.diff .numbers td + td, .diff .numbers th + th { text-align: right; font-variant-numeric: tabular-nums; }
.diff .mark { font: 700 13px ui-monospace, monospace; }
.diff .added { color: #116329; } .diff .removed { color: #a40e26; } .diff .changed { color: #7a4d00; } .diff .moved { color: #0550ae; }
.diff h2, .diff h3, .diff h4 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; border-bottom: 1px solid #d0d7de; }
@media print { .diff { max-width: none; } .diff tr { break-inside: avoid; } }
@media (prefers-color-scheme: dark) { :root:not(.report) body { background: #16191d; } :root:not(.report) .diff { color: #e6e6e6; } :root:not(.report) .diff .added { color: #7ee787; } :root:not(.report) .diff .removed { color: #ff9a92; } :root:not(.report) .diff .changed { color: #e3b341; } :root:not(.report) .diff .moved { color: #79c0ff; } }
`;

function rowHtml(r: Row): string {
  const texts = r.texts?.map((t) => `<pre class="${KINDS[t.mark]}">${t.mark} ${h(t.text)}</pre>`).join('') ?? '';
  if (texts !== '') return `<tr><td colspan="3">${texts}</td></tr>`;
  return `<tr><td class="mark ${KINDS[r.mark]}" title="${KINDS[r.mark]}">${h(r.mark)}</td><td><code>${h(r.what)}</code></td><td>${h(r.detail)}</td></tr>`;
}

function sectionHtml(s: Section, level: number): string {
  const note = s.note === undefined ? '' : s.note.split('\n').map((line) => `<p>${h(line)}.</p>`).join('');
  const table = s.table === undefined ? '' : `<table class="numbers"><thead><tr>${s.table.columns.map((c) => `<th scope="col">${h(c)}</th>`).join('')}</tr></thead><tbody>${
    s.table.rows.map(([first = '', ...rest]) => `<tr><td>${h(first).replace(/^ +/, '&emsp;')}</td>${rest.map((c) => `<td>${h(c)}</td>`).join('')}</tr>`).join('')}</tbody></table>`;
  const rows = s.rows.length === 0 ? '' : `<table><tbody>${s.rows.map(rowHtml).join('\n')}</tbody></table>`;
  return `<section><h${level}>${h(s.title)}</h${level}>\n${note}${table}${rows}</section>`;
}

/** `level` is of its headings: below the one that it stands under. */
export function diffHtmlBody(c: Comparison, showPath: (path: string) => string, level = 2): string {
  const head = `<p>A <code>${h(sideName(c.a, showPath))}</code><br>B <code>${h(sideName(c.b, showPath))}</code></p>`;
  if (c.equal) return `<div class="diff">${head}<p>Nothing differs that could change a number: both have the hash <code>${c.a.hash}</code>.</p></div>`;
  return `<div class="diff">${head}<p><strong>${h(deltaInWords(c))}</strong></p>\n${sectionsOf(c).map((s) => sectionHtml(s, level)).join('\n')}\n</div>`;
}

export function diffHtml(c: Comparison, showPath: (path: string) => string): string {
  const title = `${sideName(c.a, showPath)} → ${sideName(c.b, showPath)}`;
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${h(title)}</title><style>${diffStyle}</style></head>\n<body><main><h1>${h(title)}</h1>\n${diffHtmlBody(c, showPath)}</main></body></html>\n`;
}
