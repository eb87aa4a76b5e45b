// The table in LaTeX with booktabs: a table environment for the scores, another for the comparison, and one for the sizes where the scores need the width. What is left out stands in comments.
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

/** More columns of scores than these are told measure by measure: a page has no room for them beside each other. */
const MOST_SCORES = 6;
/** No wider than the text; what is narrower stays as it is. */
const fitted = (body: string): string => `\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}{%\n${body}}\n`;

interface Blocks { readonly scores: string; /** Apart, where the scores fill a page's width. */ readonly sizes?: string }

function blocks(table: ResultsTable): Blocks {
  const scores = table.columns.filter((c) => c.kind === 'score');
  if (scores.length <= MOST_SCORES) return { scores: fitted(tabular(scoreGrid(table))) };
  const ids = (columns: ResultsTable['columns']): ReadonlySet<string> => new Set(columns.map((c) => c.id));
  const measures = [...new Set(scores.map((c) => c.measure))].map((measure) => scores.filter((c) => c.measure === measure));
  const oneMeasure = ({ columns, rows }: Grid): Grid => ({ rows, columns: columns.map(({ group, ...c }) => (group === undefined ? c : { ...c, title: group })) });
  return {
    scores: measures.map((of) => `${latexText(of[0]?.title ?? '')}\\par\\smallskip\n${fitted(tabular(oneMeasure(scoreGrid(table, ids(of), false))))}`).join('\\par\\medskip\n'),
    sizes: fitted(tabular(scoreGrid(table, ids(table.columns.filter((c) => c.kind !== 'score'))))),
  };
}

export function tableLatex(table: ResultsTable): string {
  const label = table.title.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '').toLowerCase(), comparison = comparisonGrid(table);
  const environment = (caption: string, name: string, body: string): string =>
    `\\begin{table*}[t]\n\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\caption{${caption}}\n\\label{tab:${name}}\n\\medskip\n${body}\\end{table*}\n`;
  const starting = (start: string): readonly string[] => table.caption.filter((s) => s.startsWith(start)), { scores, sizes } = blocks(table);
  const apart = [...starting('Against '), ...(sizes === undefined ? [] : starting('Parameters: '))], words = (sentences: readonly string[]): string => sentences.map(latexText).join(' ');
  return `% Needs \\usepackage{booktabs,graphicx} in the preamble.\n${table.notes.map((n) => `% left out: ${n.replaceAll('\n', ' ')}\n`).join('')}`
    + environment(words([`${table.title}.`, ...table.caption.filter((s) => !apart.includes(s))]), label, scores)
    + (sizes === undefined ? '' : `\n${environment(words([`${table.title}: sizes${table.rows.some((r) => r.delta !== undefined) ? ' and differences' : ''}.`, ...starting('Parameters: ')]), `${label}-sizes`, sizes)}`)
    + (comparison === undefined ? '' : `\n${environment(words(starting('Against ')), `${label}-tests`, fitted(tabular(comparison)))}`);
}
