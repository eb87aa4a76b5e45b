// The page of a study, or of several runs: its table, its curves, a section for each pair of rows, what it was made with. All numbers are given; this only says them.
import type { RunEntry, StudyFile } from '../../ablate/layout.js';
import type { LogLine } from '../../train/log.js';
import { shortHash } from '../../train/run-directory.js';
import { rowsChart } from '../figures/curves.js';
import { duration, grouped, plural } from '../numbers.js';
import { tableFragment, type ResultsTable, type RowPair } from '../results-table/index.js';
import { percent, points, pText } from '../results-table/numbers.js';
import { AVERAGE } from '../results-table/table.js';
import type { Page } from './page.js';
import { cell, code, facts, figure, folded, gallery, html, missing, numberCell, scrolled, source, table, text, trusted, type Html, type Layers, type Section } from './parts.js';
import { LEGEND, stemOf } from './run.js';

/** An image that changed, as both rows segment it. */
export interface PairPicture { readonly task: string; readonly image: string; readonly a: Layers; readonly b: Layers; /** Of these two runs. */ readonly dice: readonly [a: number, b: number] }

export interface PairReport extends RowPair {
  /** Body of the diff, or why there is none. */
  readonly diff: { readonly body: Html; /** Which networks it is of, where a row has several. */ readonly note?: string } | string;
  readonly pictures: readonly PairPicture[] | string;
  /** Seed of the runs that the pictures are of. */
  readonly seed?: number;
}

export interface StudyReport {
  readonly folder: string;
  readonly results: ResultsTable;
  /** Names of the rows, in the order of the table, and the logs of their runs: none of a row of several networks. */
  readonly rows: readonly { readonly name: string; readonly label: string; readonly logs: readonly (readonly LogLine[])[] }[];
  readonly study?: StudyFile;
  readonly entries: readonly RunEntry[];
  readonly pairs: readonly PairReport[];
  /** Why there are fewer pairs than there could be, or fewer pictures. */
  readonly notes: readonly string[];
  readonly versions: readonly string[];
  readonly machines: readonly string[];
  readonly version: string;
}

export async function studyPage(s: StudyReport): Promise<Page> {
  const { results, study } = s, best = [...results.rows].sort((a, b) => (b.cells[`${AVERAGE}.dice`]?.mean ?? -1) - (a.cells[`${AVERAGE}.dice`]?.mean ?? -1))[0]?.name;
  const sections: readonly Section[] = [
    { id: 'table', title: 'Results', body: html`${trusted(tableFragment(averageFirst(results), (grid) => scrolled(results.title, trusted(grid))))}` },
    { id: 'curves', title: 'Training', body: await curves(s) },
    { id: 'pairs', title: 'Rows beside each other', body: pairsBody(s) },
    ...(s.entries.length === 0 ? [] : [{ id: 'runs', title: 'Runs', body: runsBody(s) }]),
    ...(study === undefined ? [] : [{ id: 'spec', title: 'Spec', body: html`<p>As the study was begun with it.</p>\n${folded(`the text, ${plural(study.specText.trimEnd().split('\n').length, 'line')}`, source(study.specText))}` }]),
    { id: 'environment', title: 'Environment', body: environment(s) },
  ];
  return {
    title: results.title,
    subtitle: html`${study === undefined ? html`runs in` : html`study in`} ${code(s.folder)}, checkpoint ${text(results.checkpoint)}, split ${text(results.split)}`,
    headline: [
      ['rows', String(results.rows.length)], ['seeds', String(results.seeds.length)], ['tasks', String(results.tasks.length)],
      ...(s.entries.length === 0 ? [] : [['runs done', `${new Set(s.entries.filter((e) => e.state === 'done').map((e) => e.run)).size} of ${new Set(s.entries.map((e) => e.run)).size}`]] as const),
      ['validation images', grouped(Object.values(results.images).reduce((a, b) => a + b, 0))], ...(best === undefined ? [] : [['highest average Dice', best]] as const),
    ],
    sections, footer: `Made by tpsc ${s.version} from the files of the runs. For research; no medical device.`,
  };
}

/** Of a table that is wider than the screen, what one looks for is to the left. */
const averageFirst = (t: ResultsTable): ResultsTable => ({ ...t, columns: [...t.columns.filter((c) => c.of === AVERAGE), ...t.columns.filter((c) => c.of !== AVERAGE)] });

async function curves({ rows }: StudyReport): Promise<Html> {
  const logged = rows.filter((r) => r.logs.some((log) => log.length > 0));
  if (logged.length === 0) return missing('No run has a log: their metrics.jsonl are missing.');
  const { svg, alt } = await rowsChart(logged);
  const without = rows.filter((r) => !logged.includes(r)).map((r) => r.name);
  const words = [...(rows.some((r) => r.logs.length > 1) ? ['Line: mean over the seeds of a row. Band: from the lowest to the highest seed.'] : []), ...(without.length === 0 ? [] : [`Without a curve, for want of a log or of one network for all tasks: ${without.join(', ')}.`])];
  return figure(svg, alt, words.length === 0 ? undefined : words.join(' '));
}

// ---------------------------------------------------------------- pairs

const idOf = (a: number, b: number): string => `pair-${Math.min(a, b)}-${Math.max(a, b)}`;

function pairsBody({ rows, pairs, notes, results }: StudyReport): Html {
  if (pairs.length === 0) return html`${missing('There are no two rows with scores to compare.')}${notes.map(missing)}`;
  const shown = rows.map((_, i) => i).filter((i) => pairs.some((p) => p.a === i || p.b === i));
  const options = shown.map((i) => html`<option value="${i}">${text(rows[i]?.name ?? '')}</option>`);
  return html`${notes.map(missing)}${matrix(rows, pairs, shown)}<p class="pairs"><label>Compare <select aria-label="first row">${options}</select></label> <label>with <select aria-label="second row">${options}</select></label></p>\n${pairs.map((pair) => pairBody(pair, rows, results))}`;
}

/** Average Dice of a row less that of a column; each cell leads to the pair. */
function matrix(rows: StudyReport['rows'], pairs: readonly PairReport[], shown: readonly number[]): Html {
  const entry = (row: number, column: number): Html => {
    const pair = pairs.find((p) => (p.a === row && p.b === column) || (p.a === column && p.b === row)), difference = pair?.comparison?.difference;
    if (pair === undefined) return html`<td class="number"></td>`;
    const told = difference === undefined ? '–' : points(pair.b === row ? difference : -difference);
    return html`<td class="number"><a href="#${text(idOf(row, column))}" aria-label="${text(`${rows[row]?.name ?? ''} less ${rows[column]?.name ?? ''}: ${told}`)}">${text(told)}</a></td>`;
  };
  const caption = 'Average Dice of the row less that of the column, in points';
  return scrolled(caption, html`<table class="results matrix">\n<caption>${text(caption)}</caption>\n<thead><tr><td></td>${shown.map((i) => html`<th scope="col" class="number">${text(rows[i]?.name ?? '')}</th>`)}</tr></thead>\n<tbody>\n${
    shown.map((r) => html`<tr><th scope="row">${text(rows[r]?.name ?? '')}</th>${shown.map((c) => entry(r, c))}</tr>\n`)}</tbody></table>\n`);
}

const LISTED = 12;

function pairBody(pair: PairReport, rows: StudyReport['rows'], results: ResultsTable): Html {
  const [a, b] = [rows[pair.a], rows[pair.b]], names = [a?.name ?? '', b?.name ?? ''] as const, id = idOf(pair.a, pair.b);
  const label = (r: typeof a): Html => (r === undefined || r.label === '' || r.label === r.name ? html`` : html` <span class="soft">${text(r.label)}</span>`);
  return html`<article class="pair" id="${text(id)}" aria-labelledby="${text(id)}-title">\n<h3 id="${text(id)}-title">${text(names[0])}${label(a)} and ${text(names[1])}${label(b)}</h3>\n${
    testBody(pair, names, results)}<h4>Images whose score changed most</h4>\n${picturesBody(pair, names)}${changesTable(pair, names)}<h4>What differs</h4>\n${typeof pair.diff === 'string' ? missing(pair.diff) : html`${pair.diff.note === undefined ? undefined : html`<p>${text(pair.diff.note)}</p>\n`}${pair.diff.body}`}</article>\n`;
}

function testBody({ comparison: c }: PairReport, [a, b]: readonly [string, string], { bootstrap, tasks }: ResultsTable): Html {
  if (c === undefined) return missing('They have no seed in common with scores of every task, so nothing can be paired.');
  const { interval, test } = c;
  return facts([
    [`${b} less ${a}`, html`<b>${text(points(c.difference))}</b> points of Dice${text(tasks.length > 1 ? ', averaged over the tasks' : '')}`],
    [`${100 * bootstrap.level} % interval`, interval === undefined ? text('none: nothing varies, or a task has one image') : html`${text(points(interval.low))} to ${text(points(interval.high))} <span class="soft">bootstrap over images, ${text(bootstrap.method)}, ${text(grouped(bootstrap.resamples))} resamples</span>`],
    ['p', test === undefined ? text('none: all differences are zero') : html`${text(pText(test.p))} <span class="soft">Wilcoxon’s signed-rank test, two-sided, ${text(test.method)}; this pair alone, without correction for the others</span>`],
    ['images and seeds', text(`${plural(c.images, 'image')}, ${plural(c.seeds.length, 'seed')} (${c.seeds.join(', ')}); each image’s Dice is averaged over the seeds first`)],
  ]);
}

function changesTable({ changes }: PairReport, [a, b]: readonly [string, string]): Html {
  if (changes.length === 0) return html``;
  const [gained, lost] = [changes.filter((c) => c.change > 0).length, changes.filter((c) => c.change < 0).length];
  const rows = changes.slice(0, LISTED).map((c) => [cell(c.image), cell(c.task), numberCell(c.a, percent), numberCell(c.b, percent), numberCell(c.change, points)]);
  return html`<p>${text(`${plural(gained, 'image')} better in ${b}, ${grouped(lost)} worse, ${grouped(changes.length - gained - lost)} alike.`)}</p>\n${table(`Dice in percent, mean over the seeds; the ${changes.length > LISTED ? `${LISTED} of ${grouped(changes.length)} images` : 'images'} that changed most`, [{ title: 'image' }, { title: 'task' }, ...[a, b, 'change'].map((title) => ({ title, numeric: true }))], rows)}`;
}

function picturesBody({ pictures, seed }: PairReport, [a, b]: readonly [string, string]): Html {
  if (typeof pictures === 'string') return missing(pictures);
  if (pictures.length === 0) return html``;
  const duo = (p: PairPicture): Html => gallery(p.image, ([[a, p.a, p.dice[0]], [b, p.b, p.dice[1]]] as const).map(([row, layers, value]) => ({
    layers, alt: `${p.image} as ${row} segments it, with the outline of the truth: Dice ${percent(value)} percent`, caption: html`${text(row)} <b>${text(percent(value))}</b> <span class="soft">${text(p.task)} ${text(stemOf(p.image))}</span>`,
  })));
  return html`<p>${text(`${a} to the left, ${b} to the right, both of seed ${seed ?? ''}; the table below is of all seeds.`)}</p>\n${LEGEND}<div class="duos">${pictures.map(duo)}</div>\n`;
}

// ---------------------------------------------------------------- runs and environment

const runsBody = ({ entries, results }: StudyReport): Html => table('Runs of the study', [{ title: 'run' }, { title: 'row' }, { title: 'tasks' }, { title: 'seed', numeric: true }, { title: 'state' }, { title: 'steps', numeric: true }, { title: 'time', numeric: true }],
  entries.map((e) => [
    cell(e.run), cell(e.row), cell(e.tasks.length === results.tasks.length ? 'all' : e.tasks.join(', ')), numberCell(e.seed, String), cell(e.reason === undefined || e.state !== 'failed' ? e.state : `${e.state}: ${e.reason}`),
    numberCell(e.state === 'done' ? e.steps : e.step, grouped), numberCell(e.seconds, duration),
  ]));

function environment({ study, folder, versions, machines, results }: StudyReport): Html {
  const { metric, budget, weights } = study ?? {};
  return facts([
    ['folder', code(folder)],
    ['commands', study === undefined ? undefined : html`every run’s own is in its run.json; a run’s page: ${code(`tpsc report ${folder}/runs/RUN`)}`],
    ['machines', text(machines.length === 0 ? 'not recorded' : machines.join('; '))],
    ['versions', text(versions.join('; '))],
    ['engine', study === undefined ? undefined : text(`${study.engine}, ${plural(study.threads, 'thread')} a run`)],
    ['spec', study === undefined ? undefined : html`${code(study.spec)}, study ${code(study.study)} of ${code(study.block)}`],
    ['data', html`fingerprint ${text(results.data.map(shortHash).join(', '))}`],
    ['budget', text(budget === undefined || Object.keys(budget).length === 0 ? results.budget : Object.entries(budget).map(([k, v]) => `${k} ${String(v)}`).join(', '))],
    ['scored', metric === undefined ? undefined : text(`checkpoint ${metric.checkpoint}, threshold ${metric.threshold}, mIoU ${metric.miou}, at ${metric.at === 'original' ? 'each image’s own size' : 'the network’s size'}`)],
    ['starting weights', weights === undefined ? undefined : text(weights.source ?? shortHash(weights.identity))],
    ['seeds', text(results.seeds.join(', '))],
  ]);
}
