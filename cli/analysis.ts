// What `tpsc analyze` does with opened runs: numbers from `runtime/analyze`, figures from `runtime/report/figures`, a few lines for people.
import { basename, resolve } from 'node:path';
import { programName, type Program } from '../compiler/program.js';
import { analyseGates } from '../runtime/analyze/gates.js';
import { chooseItems, panelCells } from '../runtime/analyze/panels.js';
import { analysePrototypes, analyseSeparation, mostAlike, type PrototypeAnalysis, type SeparationAnalysis } from '../runtime/analyze/prototypes.js';
import { keptScores } from '../runtime/analyze/scores.js';
import type { Dataset, ImageCache, Split } from '../runtime/data/index.js';
import type { Engine } from '../runtime/engines/engine.js';
import { UserError } from '../runtime/errors.js';
import type { Scores } from '../runtime/metrics/index.js';
import type { Figure } from '../runtime/report/figures/figure.js';
import { gatesFigure } from '../runtime/report/figures/gates.js';
import { panelsFigure, type PanelColumn } from '../runtime/report/figures/panels.js';
import { separationFigure, similarityFigure, type FigureSource } from '../runtime/report/figures/prototypes.js';
import { evaluateRun } from '../runtime/train/evaluate.js';
import { runPredictor } from '../runtime/train/predictor.js';
import type { CheckpointName, TrainedRun } from '../runtime/train/trained-run.js';

/** A run, opened. */
export interface Subject { readonly root: string; readonly program: Program; readonly trained: TrainedRun }

/** Data and what runs a network on them: opened at first use. */
export interface Means {
  readonly split: Split;
  /** undefined: no data are named. */
  readonly dataset?: () => Promise<Dataset>;
  readonly engine: () => Promise<Engine>;
  readonly cache: ImageCache;
  readonly onImage: (done: number, total: number) => void;
}

/** A figure, and what it shows in words. */
export interface Finding { readonly figure: Figure; readonly says: readonly string[] }

const checkpointText = (checkpoint: CheckpointName, epoch: number): string => `checkpoint ${checkpoint} (epoch ${epoch})`;
const two = (x: number): string => (Number.isFinite(x) ? x.toFixed(2) : '\u2013');

function sourceOf({ root, program, trained }: Subject, more: Readonly<Record<string, unknown>> = {}): FigureSource {
  const { checkpoint, progress: { epoch, step } } = trained;
  return {
    caption: `${programName(program)}, run ${basename(resolve(root))}, ${checkpointText(checkpoint, epoch)}`,
    source: { run: root, model: programName(program), checkpoint, epoch, step, ...more },
  };
}

/** `similarity`, and `separation` where prototypes have a background. Throws UserError where the run has no scores and no data are named. */
export async function findPrototypes(subject: Subject, means: Means): Promise<readonly Finding[]> {
  const analysis = analysePrototypes(subject.program, subject.trained.tensors);
  const scores = analysis.banks.some((b) => b.separation !== undefined) ? await scoresFor(subject, means) : undefined;
  return prototypeFindings(subject, analysis, scores, means.split);
}

/** As `findPrototypes`, with scores that are known; without them there is no `separation`. */
export async function prototypeFindings(subject: Subject, analysis: PrototypeAnalysis, scores: Scores | undefined, split: Split): Promise<readonly Finding[]> {
  const similarity: Finding = {
    figure: await similarityFigure(analysis, sourceOf(subject)),
    says: analysis.banks.flatMap((bank) => {
      const pair = mostAlike(analysis, bank);
      return pair === undefined ? [] : [`${bank.name}: foregrounds are most alike in ${pair.tasks.join(' and ')}, cosine ${two(pair.cosine)}`];
    }),
  };
  const separation = scores === undefined ? undefined : analyseSeparation(analysis, scores);
  if (scores === undefined || separation === undefined) return [similarity];
  return [similarity, { figure: await separationFigure(separation, scores, sourceOf(subject, { split })), says: separationText(separation) }];
}

function separationText({ tasks, banks, points, correlation: { dice, miou } }: SeparationAnalysis): readonly string[] {
  const least = banks.flatMap(({ name, separation }) => {
    const [lowest] = tasks.map((task, i) => ({ task, value: separation[i] ?? Number.NaN })).filter((s) => Number.isFinite(s.value)).sort((a, b) => a.value - b.value);
    return lowest === undefined ? [] : [`${name}: separation is least in ${lowest.task}, ${two(lowest.value)}`];
  });
  const r = dice === undefined || miou === undefined ? `n = ${points.length}: too few tasks, or too equal, for a correlation` : `separation against Dice r = ${two(dice.r)}, against mIoU r = ${two(miou.r)}, n = ${dice.n}`;
  return [...least, r];
}

/** As `eval` left them, else (with data) by evaluating now. */
async function scoresFor({ root, program, trained }: Subject, { split, dataset, engine, cache }: Means): Promise<Scores> {
  if (dataset === undefined) {
    const kept = keptScores(trained, split);
    if (kept !== undefined) return kept;
    throw new UserError(`${root} has no scores of its checkpoint ${trained.checkpoint} on the split ${split}; separation is drawn against them`,
      `Give --data DIR, or run first: tpsc eval ${root} --data DIR --split ${split} --checkpoint ${trained.checkpoint}`);
  }
  const data = await dataset();
  return keptScores(trained, split, data.fingerprint) ?? evaluateRun({ run: root, program, engine: await engine(), dataset: data, cache, split, checkpoint: trained.checkpoint });
}

/** `gates` */
export async function findGates(subject: Subject): Promise<Finding> {
  const gates = await analyseGates(subject.program, subject.trained);
  const says = gates.map(({ name, tasks }) => `${name}: split b* ${tasks.map(({ task, split }) => `${task === undefined ? '' : `${task} `}${split ?? 'never'}`).join(', ')}`);
  return { figure: await gatesFigure(gates, sourceOf(subject, { schedules: subject.trained.schedules })), says };
}

/** A PNG of more would be higher than the 32767 pixels that are drawn. */
const MOST_ROWS = 90;

/** `panels`: `images` of each task of the data, one column a run. */
export async function findPanels(subjects: readonly Subject[], images: number, means: Means & { readonly dataset: () => Promise<Dataset> }): Promise<Finding> {
  const dataset = await means.dataset(), items = chooseItems(dataset, means.split, images);
  if (items.length === 0) throw new UserError(`${dataset.root} has no image in the split ${means.split}`, 'Choose another --split, or mend manifest.csv.');
  if (items.length > MOST_ROWS) throw new UserError(`${items.length} images are too many for one sheet of panels: ${MOST_ROWS} at most`, 'Lower --images.');
  const columns: PanelColumn[] = [];
  let done = 0;
  for (const { root, program, trained } of subjects) {
    const predictor = await runPredictor({ run: root, program, engine: await means.engine(), checkpoint: trained.checkpoint });
    try {
      const cells = await panelCells(predictor, program.tasks?.rows.map((r) => r.code), dataset, items, means.cache, () => { means.onImage(++done, items.length * subjects.length); });
      columns.push({ head: program.variantLabel ?? programName(program), note: root, cells });
    } finally {
      await predictor.dispose();
    }
  }
  const labels = Object.fromEntries(subjects.flatMap((s) => s.program.tasks?.rows ?? []).map((r) => [r.code, r.label]));
  const says = columns.map(({ head, note, cells }) => {
    const known = cells.flatMap((c) => (c === undefined ? [] : [c.dice]));
    return `${head} (${note}): mean Dice ${two(known.reduce((a, b) => a + b, 0) / known.length)} over the ${known.length} images shown`;
  });
  const runs = subjects.map(({ root, trained: { checkpoint, progress: { epoch, step } } }) => ({ run: root, checkpoint, epoch, step }));
  const source = { caption: `split ${means.split}, ${images === 1 ? 'one image' : `${images} images`} a task, evenly chosen by name`, source: { data: dataset.fingerprint, split: means.split, runs } };
  return { figure: await panelsFigure({ root: dataset.root, items, labels, columns }, source), says };
}
