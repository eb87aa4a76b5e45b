// The page of one run: scores, curves, images, what the network learnt, how it differs, what it was made with. All numbers are given; this only says them.
import { miouText, dice, type ImageCounts, type Scores } from '../../metrics/index.js';
import { median, sampleDeviation } from '../../statistics/index.js';
import type { EvaluationReport } from '../../train/evaluate.js';
import { validationsOf, type LogLine, type ValidationLine } from '../../train/log.js';
import type { RunSummary } from '../../train/loop.js';
import { shortHash, type RunRecord } from '../../train/run-directory.js';
import type { ParameterCount } from '../counts.js';
import { imagesChart, trainingCharts } from '../figures/curves.js';
import { duration, grouped, plural, short, significant } from '../numbers.js';
import { percent } from '../results-table/numbers.js';
import type { Page } from './page.js';
import { cell, code, facts, figure, folded, gallery, html, join, missing, numberCell, source, table, text, type Html, type Section, type Shot } from './parts.js';

/** An evaluation as `eval` left it. */
export interface Evaluated {
  readonly report: EvaluationReport;
  readonly counts: readonly ImageCounts[];
  readonly scores: Scores;
  /** Trivial answers that were scored on the same images. */
  readonly trivial: readonly { readonly name: string; readonly scores: Scores }[];
}

/** A figure with what it says in words. */
export interface Drawing { readonly title: string; readonly svg: string; readonly alt: string; readonly says: readonly string[] }

/** A picture of a task's worst or best images. */
export interface ScoredShot { readonly task: string; readonly end: 'worst' | 'best'; readonly image: string; readonly dice: number; readonly shot: Pick<Shot, 'layers'> }
export interface Pictures { readonly shots: readonly ScoredShot[]; /** Of each task, from each end. */ readonly images: number; readonly notes: readonly string[] }

export interface RunReport {
  /** As it was given. */
  readonly folder: string;
  readonly name: string;
  readonly record: RunRecord;
  /** Names of the tasks by code. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary?: RunSummary;
  /** Of the whole training, where it is known. */
  readonly seconds?: number;
  readonly log: readonly LogLine[];
  readonly network?: { readonly parameters: ParameterCount; readonly macs: number };
  /** Or why there is none. So with what follows. */
  readonly evaluation: Evaluated | string;
  readonly pictures: Pictures | string;
  readonly gates: readonly Drawing[] | string;
  readonly prototypes: readonly Drawing[] | string;
  /** Absent where there is nothing to compare with. */
  readonly baseline?: { readonly title: string; readonly diff: Html; readonly scores?: string } | string;
  readonly spec: string;
  /** Of tpsc, now. */
  readonly version: string;
}

export async function runPage(r: RunReport): Promise<Page> {
  const { record, summary, evaluation, network } = r, { average } = typeof evaluation === 'string' ? { average: undefined } : evaluation.scores;
  const { report } = typeof evaluation === 'string' ? { report: undefined } : evaluation;
  const curves = await curvesBody(r);
  const sections: readonly Section[] = [
    { id: 'scores', title: 'Scores', body: await scoresBody(r) },
    { id: 'curves', title: 'Training', body: curves },
    { id: 'images', title: 'Worst and best images', body: picturesBody(r) },
    ...optional('gates', 'Gates', r.gates), ...optional('prototypes', 'Prototypes', r.prototypes),
    ...(r.baseline === undefined ? [] : [{ id: 'difference', title: typeof r.baseline === 'string' ? 'Difference from the baseline' : r.baseline.title, body: typeof r.baseline === 'string' ? missing(r.baseline) : html`${r.baseline.scores === undefined ? undefined : html`<p>${text(r.baseline.scores)}</p>\n`}${r.baseline.diff}` }]),
    { id: 'spec', title: 'Spec', body: html`<p>As it was trained: settings, variant and studies resolved. The copy is ${code('spec.tps')} in the run.</p>\n${folded(`the text, ${plural(r.spec.trimEnd().split('\n').length, 'line')}`, source(r.spec))}` },
    { id: 'environment', title: 'Environment', body: environment(r) },
  ];
  return {
    title: r.name,
    subtitle: html`run ${code(r.folder)}${report === undefined ? undefined : html`, checkpoint ${text(report.checkpoint)} of epoch ${report.epoch}, split ${text(report.split)}`}, started ${text(record.started.slice(0, 10))}`,
    headline: [
      ...(average === undefined ? [] : [['Dice', `${percent(average.dice)} %`], ['mIoU', `${percent(average.miou)} %`]] as const),
      ...(record.tasks.length === 0 ? [] : [['tasks', String(record.tasks.length)]] as const),
      ...(network === undefined ? [] : [['parameters', short(network.parameters.total)], ['trainable', short(network.parameters.trainable)], ['MACs an image', short(network.macs)]] as const),
      ...(summary === undefined ? [] : [['steps', grouped(summary.steps)], ['epochs', grouped(summary.epochs)]] as const),
      ...(r.seconds === undefined ? [] : [['training', duration(r.seconds)]] as const),
    ],
    sections, footer: `Made by tpsc ${r.version} from the files of the run. For research; no medical device.`,
  };
}

const optional = (id: string, title: string, drawings: readonly Drawing[] | string): readonly Section[] =>
  (typeof drawings === 'string' ? [{ id, title, body: missing(drawings) }] : drawings.length === 0 ? [] : [{ id, title, body: join(drawings.map(drawing), '') }]);

const drawing = ({ svg, alt, says }: Drawing): Html => html`${figure(svg, alt)}${says.length === 0 ? undefined : html`<ul>${says.map((s) => html`<li>${text(s)}</li>`)}</ul>\n`}`;

// ---------------------------------------------------------------- scores

async function scoresBody({ evaluation, labels }: RunReport): Promise<Html> {
  if (typeof evaluation === 'string') return missing(evaluation);
  const { report, counts, scores, trivial } = evaluation, tasks = Object.keys(scores.perTask);
  const { svg, alt } = await imagesChart(counts, tasks);
  const rows = tasks.map((task) => {
    const own = counts.filter((c) => c.task === task).map(dice), s = scores.perTask[task];
    return [
      cell(task), cell(labels[task] ?? ''), numberCell(own.length, grouped), numberCell(s?.dice, percent), numberCell(sampleDeviation(own), percent), numberCell(median(own), percent), numberCell(Math.min(...own), percent),
      numberCell(s?.miou, percent), ...trivial.map((t) => numberCell(t.scores.perTask[task]?.dice, percent)),
    ];
  });
  const columns = [
    { title: 'task' }, { title: '' }, ...['images', 'Dice', 'deviation', 'median', 'worst', 'mIoU', ...trivial.map((t) => `Dice of ${t.name}`)].map((title) => ({ title, numeric: true })),
  ];
  const average = [cell('average'), cell(''), numberCell(counts.length, grouped), numberCell(scores.average.dice, percent), cell(''), cell(''), cell(''), numberCell(scores.average.miou, percent), ...trivial.map((t) => numberCell(t.scores.average.dice, percent))];
  const words = `In percent. Dice: mean over the images of a task, with its standard deviation over them. mIoU: ${miouText(scores.miouDefinition)}. Average: mean over the tasks. Masks are compared at ${report.at === 'original' ? 'each image’s own size' : 'the network’s size'}. Counts of every image: ${report.counts}.`;
  return html`${table(`Scores on the split ${report.split}, checkpoint ${report.checkpoint}`, columns, rows, tasks.length > 1 ? [average] : [])}<p class="results-caption">${text(words)}</p>\n${figure(svg, alt)}`;
}

// ---------------------------------------------------------------- training

async function curvesBody({ log, record, summary }: RunReport): Promise<Html> {
  const charts = await trainingCharts(log, summary?.best);
  if (charts.length === 0) return missing('The run has logged no step yet: its metrics.jsonl is missing or empty.');
  const validations = validationsOf(log);
  return html`<div class="charts">${charts.map((c) => figure(c.svg, c.alt))}</div>\n${validations.length === 0 ? missing('Nothing was validated: the data have no image in the split val, or no epoch has ended.') : folded(`every validation in numbers (${grouped(validations.length)})`, validationTable(validations, record.tasks))}`;
}

function validationTable(validations: readonly ValidationLine[], tasks: readonly string[]): Html {
  const known = tasks.filter((t) => validations.some((v) => v.perTask[t] !== undefined));
  const columns = [{ title: 'epoch' }, ...['step', 'training loss', 'validation loss', 'Dice', 'mIoU', ...(known.length > 1 ? known.map((t) => `${t} Dice`) : [])].map((title) => ({ title, numeric: true }))];
  return table('Validations', columns, validations.map((v) => [
    { ...cell(String(v.epoch)), value: v.epoch }, numberCell(v.step, grouped), numberCell(v.trainLoss, significant), numberCell(v.loss, significant), numberCell(v.dice, percent), numberCell(v.miou, percent),
    ...(known.length > 1 ? known.map((t) => numberCell(v.perTask[t]?.dice, percent)) : []),
  ]));
}

// ---------------------------------------------------------------- images

export const LEGEND = html`<p class="soft"><span class="key prediction"></span> prediction, <span class="key truth"></span> outline of the truth. A picture opens in a viewer: arrows go on, O takes the overlay away, Escape closes.</p>\n`;

/** `skin_lesion/images/sl_0017.png` as people call it: sl_0017. */
export const stemOf = (path: string): string => path.replace(/^.*\//, '').replace(/\.[^.]*$/, '');

function picturesBody({ pictures, evaluation, labels }: RunReport): Html {
  if (typeof pictures === 'string') return missing(pictures);
  const { shots, images, notes } = pictures, tasks = [...new Set(shots.map((s) => s.task))];
  const stated = typeof evaluation === 'string' ? '' : `, checkpoint ${evaluation.report.checkpoint}`;
  const group = (task: string, end: ScoredShot['end']): Html => {
    const own = shots.filter((s) => s.task === task && s.end === end);
    return own.length === 0 ? html`` : html`<div><h4>${text(end)}</h4>\n${gallery(`${end} images of ${task}`, own.map(({ image, dice: d, shot }) => ({
      ...shot, alt: `${image} with its prediction and the outline of the truth: Dice ${percent(d)} percent`, caption: html`<b>${text(percent(d))}</b> <span class="soft">${text(stemOf(image))}</span>`,
    })))}</div>`;
  };
  return html`<p>Of each task the ${text(images === 1 ? 'image' : `${images} images`)} of lowest and of highest Dice${text(stated)}; where a task has fewer, all. The numbers are Dice in percent as they were scored; the masks are predicted anew for these images alone.</p>\n${LEGEND}${notes.map(missing)}${
    tasks.map((task) => html`<h3>${text(task)} ${labels[task] === undefined ? undefined : html`<span class="soft">${text(labels[task])}</span>`}</h3>\n<div class="ends">${group(task, 'worst')}${group(task, 'best')}</div>\n`)}`;
}

// ---------------------------------------------------------------- environment

function environment({ record, folder, summary, seconds, network, log }: RunReport): Html {
  const { identity, reading = {}, versions, added } = record, { accept, split } = reading;
  const read = [...(split === undefined ? [] : [split.kind === 'ratio' ? `split ratio ${split.val}, seed ${split.seed}` : `fold ${split.fold} of ${split.folds}, seed ${split.seed}`]), ...(accept === undefined ? [] : [`accepted: ${accept.join(', ')}`])];
  const stopped = summary === undefined ? 'not yet' : summary.stopped === 'finished' ? 'all epochs done' : `${summary.stopped === 'interrupted' ? 'interrupted' : 'stopped'} at step ${grouped(summary.steps)}`;
  return facts([
    ['command', record.command === undefined ? undefined : code(record.command)],
    ['machine', text(record.machine ?? 'not recorded')],
    ['engine', html`${text(identity.engine)}, ${text(plural(identity.threads, 'thread'))}`],
    ['versions', text(Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', '))],
    ['seed', text(String(identity.seed))],
    ['starting weights', text(record.weights ?? shortHash(identity.weights))],
    ['task added', added === undefined ? undefined : text(`${added.task}, to ${added.from}`)],
    ['data', html`${record.dataFolder === undefined ? undefined : html`${code(record.dataFolder)}, `}fingerprint ${code(shortHash(identity.data))}${read.length === 0 ? undefined : html`; ${text(read.join('; '))}`}`],
    ['spec', html`${code(record.file)}${record.variant === undefined ? undefined : html`, variant ${code(record.variant)}`}, train block ${code(record.block)}`],
    ['program', code(shortHash(identity.program))],
    ['parameters', network === undefined ? undefined : text(`${grouped(network.parameters.total)}: ${grouped(network.parameters.trainable)} trainable, ${grouped(network.parameters.frozen)} frozen${network.parameters.buffers > 0 ? `; and ${grouped(network.parameters.buffers)} in state` : ''}`)],
    ['started', text(record.started.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))],
    ['finished', text(stopped)],
    ['time of training', seconds === undefined ? undefined : text(duration(seconds))],
    ['run', html`${code(folder)}, identity ${code(shortHash(record.hash))}`],
    ['log', text(plural(log.length, 'line'))],
  ]);
}
