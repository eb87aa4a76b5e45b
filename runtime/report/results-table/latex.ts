// The table in LaTeX with booktabs: a table environment for the scores, another for the comparison. What is left out stands in comments.
import { comparisonGrid, scoreGrid, spans, type Grid, type GridCell } from './grid.js';
import type { ResultsTable } from './table.js';

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '{': '\\{', '}': '\\}', $: '\\$', '&': '\\&', '#': '\\#', '%': '\\%', _: '\\_', '~': '\\textasciitilde{}', '^': '\\textasciicircum{}',
  '<': '$<$', '>': '$>$', '|': '$|$', '±': '$\\pm$', '×': '$\\times$', '→': '$\\to$', '−': '$-$', '–': '--', '—': '---', '’': "'", '‘': '`', '“': '``', '”': "''", '≥': '$\\geq$', '≤': '$\\leq$', '·': '$\\cdot$', '…': '\\ldots{}',
  α: '$\\alpha$', β: '$\\beta$', λ: '$\\lambda$', μ: '$\\mu$', κ: '$\\kappa$', Δ: '$\\Delta$',
};
/** What LaTeX reads as this text. */
export const latexText = (text: string): string => [...text].map((char) => SPECIAL[char] ?? char).join('');

/** A number with its sign as mathematics sets it: -1.20 with a minus, 8.1e-10 as a power. */
function latexNumber(text: string): string {
  const [, digits, power] = /^([\d.]+)e([+-]\d+)$/.exec(text) ?? [];
  if (digits !== undefined && power !== undefined) return `$${digits}\\times10^{${Number(power)}}$`;
  return /^[+-][\d.]+( to [+-]?[\d.]+)?$/.test(text) ? text.split(' to ').map((part) => `$${part}$`).join(' to ') : latexText(text);
}

function cellLatex(cell: GridCell, numeric: boolean, published: boolean): string {
  const mean = numeric ? latexNumber(cell.mean) : latexText(cell.mean), rest = cell.deviation === undefined ? '' : ` $\\pm$ ${cell.deviation}`;
  if (cell.mark === 'best') return `\\textbf{${mean}}${rest}`;
  if (cell.mark === 'second') return `\\underline{${mean}}${rest}`;
  return published && mean !== '' ? `\\textit{${mean}}` : `${mean}${rest}`;
}

function tabular({ columns, rows }: Grid): string {
  const groups = spans(columns), grouped = groups.some((g) => g.group !== '');
  const line = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\\n`;
  const heads = groups.flatMap((g) => (g.group === '' ? new Array<string>(g.size).fill('') : [`\\multicolumn{${g.size}}{c}{${latexText(g.group)}}`]));
  const rules = groups.filter((g) => g.group !== '').map((g) => `\\cmidrule(lr){${g.from + 1}-${g.from + g.size}}`);
  return `\\begin{tabular}{${columns.map((c) => (c.numeric ? 'r' : 'l')).join('')}}\n\\toprule\n${grouped ? `${line(heads)}${rules.join(' ')}\n` : ''}${line(columns.map((c) => latexText(c.title)))}\\midrule\n`
    + `${rows.map((r) => line(r.cells.map((cell, i) => cellLatex(cell, columns[i]?.numeric === true, r.kind === 'published')))).join('')}\\bottomrule\n\\end{tabular}\n`;
}

/** More columns than these are scaled to the width of the text. */
const WIDE = 12;
const fitted = (grid: Grid): string => (grid.columns.length > WIDE ? `\\resizebox{\\textwidth}{!}{%\n${tabular(grid)}}\n` : tabular(grid));

export function tableLatex(table: ResultsTable): string {
  const label = table.title.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '').toLowerCase(), comparison = comparisonGrid(table);
  const environment = (caption: string, name: string, body: string): string =>
    `\\begin{table*}[t]\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\caption{${caption}}\n\\label{tab:${name}}\n${body}\\end{table*}\n`;
  const against = table.caption.filter((s) => s.startsWith('Against ')), others = table.caption.filter((s) => !s.startsWith('Against '));
  return `% Needs \\usepackage{booktabs,graphicx} in the preamble.\n${table.notes.map((n) => `% left out: ${n.replaceAll('\n', ' ')}\n`).join('')}`
    + environment([`${table.title}.`, ...others].map(latexText).join(' '), label, fitted(scoreGrid(table)))
    + (comparison === undefined ? '' : `\n${environment(against.map(latexText).join(' '), `${label}-tests`, tabular(comparison))}`);
}
