// What `tpsc report` puts into a page of a run: all that its folder holds, what its checkpoint says by itself, and predictions of a few images.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { programName, type Program } from '../compiler/program.js';
import { readableGates } from '../runtime/analyze/gates.js';
import { panelCells } from '../runtime/analyze/panels.js';
import { analysePrototypes, prototypesOf } from '../runtime/analyze/prototypes.js';
import { findStudyFile, readRunEntries, studyPaths } from '../runtime/ablate/layout.js';
import { readTime } from '../runtime/ablate/scan.js';
import { foldersIn, makeCache, scanDataset, taskFolders, type DataItem, type Dataset, type ImageCache } from '../runtime/data/index.js';
import type { Engine } from '../runtime/engines/engine.js';
import { UserError } from '../runtime/errors.js';
import { BASELINES, dice, scoresOf, type ImageCounts, type MiouDefinition } from '../runtime/metrics/index.js';
import { inspectProgram } from '../runtime/report/counts.js';
import { comparePrograms } from '../runtime/report/diff/compare.js';
import { diffHtmlBody } from '../runtime/report/diff/html.js';
import { plural } from '../runtime/report/numbers.js';
import { trusted, type Layers } from '../runtime/report/page/parts.js';
import { baseUri, overlayUri, subjectOf } from '../runtime/report/page/pictures.js';
import type { Drawing, Evaluated, Pictures, RunReport, ScoredShot } from '../runtime/report/page/run.js';
import { comparisonOf, isEvaluated, type Choice } from '../runtime/report/results-table/index.js';
import { points, pText } from '../runtime/report/results-table/numbers.js';
import type { EvaluationReport } from '../runtime/train/evaluate.js';
import { evaluationStem, readCounts } from '../runtime/train/evaluation-files.js';
import { readLog } from '../runtime/train/log.js';
import type { RunSummary } from '../runtime/train/loop.js';
import { runPredictor } from '../runtime/train/predictor.js';
import { readRun, runPaths, type RunRecord } from '../runtime/train/run-directory.js';
import { CHECKPOINTS, openTrainedRun, type CheckpointName } from '../runtime/train/trained-run.js';
import { findGates, prototypeFindings, type Finding, type Subject } from './analysis.js';
import { toolVersion } from './host.js';
import { openRunProgram } from './trained.js';

export interface ReportArgs {
  /** As it was given. */
  readonly folder: string;
  readonly split: string;
  readonly checkpoint?: CheckpointName;
  readonly at?: Choice['at'];
  readonly miou?: MiouDefinition;
  /** Of each task from each end; of each pair of rows. 0: none. */
  readonly images: number;
  /** Where the data lie now, if not where they lay. */
  readonly data?: string;
  /** A run to compare with. */
  readonly baseline?: string;
}

/** What predicts, opened at first use, and how far it is. */
export interface ReportMeans { readonly engine: () => Promise<Engine>; readonly onImage: (done: number, total: number) => void }

/** What cannot be had is told in the page: only what the user could mend before is an error. */
export const orReason = <T>(make: () => T): T | string => { try { return make(); } catch (error) { if (error instanceof UserError) return reasonOf(error); throw error; } };
export const orReasonLater = async <T>(make: () => Promise<T>): Promise<T | string> => { try { return await make(); } catch (error) { if (error instanceof UserError) return reasonOf(error); throw error; } };
const reasonOf = (error: UserError): string => `${error.message}.${error.help === undefined ? '' : ` ${error.help}`}`;

/** Throws UserError where `folder` is no run. */
export async function gatherRun(args: ReportArgs, { engine, onImage }: ReportMeans): Promise<RunReport> {
  const { folder } = args, record = readRun(folder), paths = runPaths(folder), summary = existsSync(paths.summary) ? json<RunSummary>(paths.summary) : undefined;
  const opened = orReason(() => openRunProgram(folder)), program = typeof opened === 'string' ? undefined : opened.program;
  const choice = choiceOf(args, folder), evaluation = choice === undefined ? `The run has no scores of the split ${args.split}${args.checkpoint === undefined ? '' : ` of its checkpoint ${args.checkpoint}`}. Run first: tpsc eval ${folder} --data ${args.data ?? record.dataFolder ?? 'DIR'}${args.split === 'val' ? '' : ` --split ${args.split}`}` : evaluationOf(folder, choice, args.miou);
  const trained = program === undefined ? String(opened) : orReason(() => openTrainedRun(folder, program, choice?.checkpoint));
  const subject: Subject | string = program === undefined || typeof trained === 'string' ? String(typeof trained === 'string' ? trained : opened) : { root: folder, program, trained };
  const seconds = readTime(folder)?.seconds ?? (summary !== undefined && (summary.since ?? 0) === 0 ? summary.seconds : undefined);
  const baseline = baselineOf(args, record, program, evaluation, choice);
  return {
    folder, record, name: program === undefined ? `${record.name}${record.variant === undefined ? '' : `#${record.variant}`}` : programName(program), labels: labelsOf(program), log: readLog(paths.log),
    ...(summary === undefined ? {} : { summary }), ...(seconds === undefined ? {} : { seconds }), ...(program === undefined ? {} : { network: networkOf(program) }),
    evaluation, pictures: await picturesOf(args, record, subject, evaluation, engine, onImage),
    gates: typeof subject === 'string' ? subject : readableGates(subject.program).length === 0 ? [] : [drawingOf('gates', await findGates(subject))],
    prototypes: typeof subject === 'string' ? subject : await prototypesFor(subject, evaluation, args.split),
    ...(baseline === undefined ? {} : { baseline }), spec: readFileSync(paths.spec, 'utf8'), version: toolVersion,
  };
}

function json<T>(path: string): T {
  try { return JSON.parse(readFileSync(path, 'utf8')) as T; } catch { throw new UserError(`${path} is damaged`, 'Evaluate or train the run again.'); }
}

const labelsOf = (program: Program | undefined): Readonly<Record<string, string>> => Object.fromEntries((program?.tasks?.rows ?? []).map((r) => [r.code, r.label]));

function networkOf(program: Program): NonNullable<RunReport['network']> {
  const { parameters, macs } = inspectProgram(program);
  return { parameters, macs: macs.total };
}

/** The study that a run is of: its folder is DIR/runs/NAME. */
function studyOf(folder: string): { readonly root: string; readonly file: NonNullable<ReturnType<typeof findStudyFile>> } | undefined {
  const root = dirname(dirname(resolve(folder)));
  const file = basename(dirname(resolve(folder))) === 'runs' ? findStudyFile(root) : undefined;
  return file === undefined ? undefined : { root, file };
}

/** The evaluation that is asked for, else the one that the study is read by, else what there is: of the best checkpoint, at the network's size. */
function choiceOf({ split, checkpoint, at }: ReportArgs, folder: string): Choice | undefined {
  const metric = studyOf(folder)?.file.metric;
  const checkpoints = checkpoint !== undefined ? [checkpoint] : [...(metric === undefined ? [] : [metric.checkpoint]), ...CHECKPOINTS];
  const sizes = at !== undefined ? [at] : [...(metric === undefined ? [] : [metric.at]), 'network' as const, 'original' as const];
  return checkpoints.flatMap((name) => sizes.map((size): Choice => ({ split, checkpoint: name, at: size }))).find((c) => isEvaluated(folder, c));
}

function evaluationOf(folder: string, { split, checkpoint, at }: Choice, miou: MiouDefinition | undefined): Evaluated {
  const original = at === 'original', stem = evaluationStem(folder, { split, of: checkpoint, original }), report = json<EvaluationReport>(`${stem}.json`);
  const scored = (path: string): { readonly counts: readonly ImageCounts[]; readonly scores: ReturnType<typeof scoresOf> } => { const counts = readCounts(path); return { counts, scores: scoresOf(counts, miou ?? report.miouDefinition) }; };
  const trivial = BASELINES.map((name) => ({ name, path: `${evaluationStem(folder, { split, of: name, original })}.csv` })).filter(({ path }) => existsSync(path)).map(({ name, path }) => ({ name, scores: scored(path).scores }));
  return { report, ...scored(`${stem}.csv`), trivial };
}

// ---------------------------------------------------------------- pictures

/** The data of a run, for pictures: or why they are not to be had. `scored`: the fingerprint that they must have. */
export async function dataFor(program: Program, record: RunRecord, folder: string | undefined, scored: string): Promise<Dataset | string> {
  const root = folder ?? record.dataFolder;
  if (root === undefined) return 'The run does not say where its data lay; --data DIR shows their images.';
  if (!existsSync(root)) return `The data are no longer in ${root}, so no image is shown; --data DIR says where they are.`;
  return orReasonLater(async () => {
    const folders = program.tasks === undefined ? await foldersIn(root) : await taskFolders(root, program.tasks.rows), { split } = record.reading ?? {};
    const dataset = await scanDataset(root, folders, split === undefined ? {} : { split });
    return dataset.fingerprint === scored ? dataset : `The files in ${root} are no longer those that the run was scored on, so no image is shown; --data DIR says where those are.`;
  });
}

/** Predictions of some images of a run as pictures, in the order of `items`; `tell` after each. */
export async function pictures(
  subject: { readonly root: string; readonly program: Program; readonly checkpoint: CheckpointName }, dataset: Dataset, items: readonly DataItem[], engine: Engine, cache: ImageCache, tell: () => void,
): Promise<readonly { readonly item: DataItem; readonly layers: Layers; readonly dice: number }[]> {
  const predictor = await runPredictor({ run: subject.root, program: subject.program, engine, checkpoint: subject.checkpoint }), made = [];
  try {
    for (const item of items) {
      const [predicted] = await panelCells(predictor, undefined, dataset, [item], cache), shown = await subjectOf(dataset.root, item);
      if (predicted === undefined) continue;
      made.push({ item, dice: predicted.dice, layers: { base: await baseUri(shown), over: await overlayUri(shown, predicted.prediction), width: shown.width, height: shown.height } });
      tell();
    }
  } finally {
    await predictor.dispose();
  }
  return made;
}

/** The run's own predictions differ by rounding where another engine or number of threads makes them. */
const SAME = 0.005;

async function picturesOf(args: ReportArgs, record: RunRecord, subject: Subject | string, evaluation: Evaluated | string, engine: ReportMeans['engine'], onImage: ReportMeans['onImage']): Promise<Pictures | string> {
  if (args.images === 0) return 'No images were asked for (--images 0).';
  if (typeof evaluation === 'string') return 'Without scores no image is the worst or the best.';
  if (typeof subject === 'string') return subject;
  const { trained, program } = subject, { report, counts } = evaluation;
  if (report.step !== trained.progress.step) return `The scores are of step ${report.step}, and the checkpoint ${trained.checkpoint} is now of step ${trained.progress.step}: evaluate the run again.`;
  const dataset = await dataFor(program, record, args.data, report.data);
  if (typeof dataset === 'string') return dataset;
  const chosen = endsOf(counts, args.images), wanted = chosen.flatMap((c) => dataset.items.find((i) => i.task === c.task && i.image === c.image) ?? []);
  let done = 0;
  const found = await orReasonLater(async () => pictures({ root: subject.root, program, checkpoint: trained.checkpoint }, dataset, wanted, await engine(), makeCache(), () => { onImage(++done, wanted.length); }));
  if (typeof found === 'string') return found;
  const shots = chosen.flatMap((c): ScoredShot[] => { const own = found.find((f) => f.item.task === c.task && f.item.image === c.image); return own === undefined ? [] : [{ ...c, shot: { layers: own.layers } }]; });
  const other = report.at === 'original' ? [] : chosen.filter((c) => { const now = found.find((f) => f.item.image === c.image && f.item.task === c.task)?.dice; return now !== undefined && Math.abs(now - c.dice) > SAME; });
  return { shots, images: args.images, notes: other.length === 0 ? [] : [`${plural(other.length, 'image')} of these ${other.length === 1 ? 'has' : 'have'} another Dice as predicted now than when the run was scored (${other.slice(0, 3).map((c) => c.image).join(', ')}): the engine is another, or the checkpoint was replaced.`] };
}

/** Of each task the images of lowest and of highest Dice, none twice. Equal ones by name. */
function endsOf(counts: readonly ImageCounts[], images: number): readonly { readonly task: string; readonly image: string; readonly dice: number; readonly end: 'worst' | 'best' }[] {
  return [...new Set(counts.map((c) => c.task))].flatMap((task) => {
    const own = counts.filter((c) => c.task === task).map((c) => ({ task, image: c.image, dice: dice(c) })).sort((a, b) => a.dice - b.dice || (a.image < b.image ? -1 : 1));
    const worst = own.slice(0, Math.min(images, Math.ceil(own.length / 2)));
    return [...worst.map((c) => ({ ...c, end: 'worst' as const })), ...own.slice(worst.length).slice(-images).reverse().map((c) => ({ ...c, end: 'best' as const }))];
  });
}

// ---------------------------------------------------------------- what it learnt, how it differs

const drawingOf = (title: string, { figure, says }: Finding): Drawing => ({ title, svg: figure.svg, alt: `${title}: ${says.join('; ')}`, says });

async function prototypesFor(subject: Subject, evaluation: Evaluated | string, split: string): Promise<readonly Drawing[]> {
  if (prototypesOf(subject.program).length === 0) return [];
  const scores = typeof evaluation === 'string' || evaluation.report.step !== subject.trained.progress.step ? undefined : evaluation.scores;
  const findings = await prototypeFindings(subject, analysePrototypes(subject.program, subject.trained.tensors), scores, split === 'train' || split === 'test' ? split : 'val');
  return findings.map((f) => drawingOf(f.figure.name === 'similarity' ? 'cosines between foreground prototypes' : 'separation of foreground and background prototypes', f));
}

/** The run to compare with: the one that is named, else that of the study's baseline with the same seed. Undefined where there is none, or it is this one. */
function baselineOf(args: ReportArgs, record: RunRecord, program: Program | undefined, evaluation: Evaluated | string, choice: Choice | undefined): RunReport['baseline'] {
  const found = args.baseline === undefined ? studyBaseline(args.folder, record) : { folder: args.baseline, name: args.baseline };
  if (found === undefined) return undefined;
  if (typeof found === 'string') return found;
  if (program === undefined) return 'The run’s own spec can no longer be compiled.';
  return orReason(() => {
    const other = openRunProgram(found.folder), names = new Map([[runPaths(args.folder).spec, basename(record.file)], [runPaths(found.folder).spec, basename(other.record.file)]]);
    const theirs = choice === undefined || !isEvaluated(found.folder, choice) ? undefined : evaluationOf(found.folder, choice, args.miou);
    return {
      title: `Difference from ${found.name}`, diff: trusted(diffHtmlBody(comparePrograms(other.program, program), (path) => names.get(path) ?? path, 3)),
      ...(theirs === undefined || typeof evaluation === 'string' ? {} : { scores: comparedText(found.name, evaluation, theirs, record) }),
    };
  });
}

function studyBaseline(folder: string, record: RunRecord): { readonly folder: string; readonly name: string } | string | undefined {
  const study = studyOf(folder), base = study?.file.rows.find((r) => r.baseline);
  if (study === undefined || base === undefined) return undefined;
  const entries = readRunEntries(study.root), own = basename(resolve(folder));
  if (entries.some((e) => e.run === own && e.row === base.name)) return undefined;
  const entry = entries.find((e) => e.row === base.name && e.seed === record.identity.seed && existsSync(runPaths(studyPaths(study.root).folder(e.run)).record));
  return entry === undefined ? `The study’s baseline ${base.name} has no run of seed ${record.identity.seed} yet.` : { folder: studyPaths(study.root).folder(entry.run), name: base.name };
}

/** One run against one other: what another seed would change is not in it. */
function comparedText(name: string, ours: Evaluated, theirs: Evaluated, record: RunRecord): string {
  const tasks = Object.keys(ours.scores.perTask).filter((t) => theirs.scores.perTask[t] !== undefined);
  const { seed } = record.identity, of = ({ counts }: Evaluated): readonly ImageCounts[] => counts.filter((c) => tasks.includes(c.task));
  const alike = tasks.length > 0 && of(ours).length === of(theirs).length && of(ours).every((c) => theirs.counts.some((d) => d.task === c.task && d.image === c.image));
  if (!alike || ours.report.data !== theirs.report.data) return `The scores of ${name} are of other images, so nothing is paired.`;
  const c = comparisonOf(new Map([[seed, of(ours)]]), new Map([[seed, of(theirs)]]), tasks);
  if (c === undefined) return '';
  const { interval, test } = c;
  return `Average Dice less that of ${name}: ${points(c.difference)} points${interval === undefined ? '' : `, 95 % interval ${points(interval.low)} to ${points(interval.high)} by bootstrap over the images`}${test === undefined ? '' : `, p ${pText(test.p)} by Wilcoxon’s signed-rank test`}, on ${plural(c.images, 'image')}. This is one seed of each; tpsc report on the study’s folder pairs all.`;
}

