// What `tpsc report` puts into a page of a study, or of several runs: the table, the logs, every pair of rows, and predictions of the images that changed most.
import { basename } from 'node:path';
import type { Program } from '../compiler/program.js';
import { findStudyFile, readRunEntries } from '../runtime/ablate/layout.js';
import { scanRuns } from '../runtime/ablate/scan.js';
import { makeCache, type DataItem } from '../runtime/data/index.js';
import { comparePrograms } from '../runtime/report/diff/compare.js';
import { diffHtmlBody } from '../runtime/report/diff/html.js';
import { plural } from '../runtime/report/numbers.js';
import { trusted, type Layers } from '../runtime/report/page/parts.js';
import type { PairPicture, PairReport, StudyReport } from '../runtime/report/page/study.js';
import { pairsOf, type RowPair, type RowRuns, type ScoredRun } from '../runtime/report/results-table/index.js';
import { readLog } from '../runtime/train/log.js';
import { runPaths } from '../runtime/train/run-directory.js';
import { toolVersion } from './host.js';
import type { Io } from './io.js';
import { barOf } from './progress.js';
import { dataFor, orReason, orReasonLater, pictures, type ReportArgs, type ReportMeans } from './report.js';
import { openRows } from './results.js';
import { openRunProgram } from './trained.js';

/** Throws UserError where `folder` holds no scored runs, or runs that cannot be compared. */
export async function gatherStudy(args: ReportArgs & { readonly everyPair: boolean }, io: Io, means: ReportMeans): Promise<StudyReport> {
  const { folder, checkpoint, at, miou } = args;
  const { table, rows, choice } = openRows({
    folders: [folder], split: args.split, time: true, ...(checkpoint === undefined ? {} : { checkpoint }), ...(at === undefined ? {} : { at }), ...(miou === undefined ? {} : { miou }),
    ...(args.baseline === undefined ? {} : { baseline: args.baseline }),
  }, io);
  const study = findStudyFile(folder), runs = rows.flatMap((r) => r.runs), programs = new Map(rows.map((row) => [row.name, programOf(row)]));
  const only = args.everyPair ? undefined : table.baseline, notes: string[] = [];
  const pairs = pairsOf(rows.map((r) => ({ ...r, baseline: r.name === table.baseline })), table.tasks, only);
  if (!args.everyPair) notes.push(only === undefined ? 'No row is the baseline, so every pair is shown.' : `Only pairs with ${only} are shown (--pairs baseline).`);
  const shown = await picturesOf(args, rows, pairs, programs, choice.checkpoint, means);
  const told = typeof shown === 'string' ? shown : undefined;
  const bar = barOf(io, 'comparing {bar} {value}/{total} pairs of rows');
  const reports = pairs.map((pair, i): PairReport => {
    bar.update(i, pairs.length);
    const [a, b] = [rows[pair.a], rows[pair.b]], [from, to] = [programs.get(a?.name ?? ''), programs.get(b?.name ?? '')];
    const diff = typeof from === 'object' && typeof to === 'object' ? { body: trusted(diffHtmlBody(comparePrograms(from, to), specNames(runs), 5)), ...noteOf(a, b) } : typeof from === 'string' ? from : typeof to === 'string' ? to : 'A row has no runs.';
    const seed = pair.comparison?.seeds[0];
    return { ...pair, diff, pictures: typeof shown === 'string' ? shown : shown(pair), ...(seed === undefined ? {} : { seed }) };
  });
  bar.stop();
  return {
    folder, results: table, rows: rows.map((r) => ({ name: r.name, label: r.label, logs: r.networks > 1 ? [] : r.runs.map((run) => readLog(runPaths(run.folder).log)) })), ...(study === undefined ? {} : { study }),
    entries: study === undefined ? [] : scanRuns(folder, readRunEntries(folder), study), pairs: told === undefined ? reports : reports.map((p) => ({ ...p, pictures: [] })), notes: [...notes, ...(told === undefined ? [] : [told])],
    versions: distinct(runs.map((r) => Object.entries(r.record.versions).map(([name, version]) => `${name} ${version}`).join(', '))), machines: distinct(runs.flatMap((r) => r.record.machine ?? [])), version: toolVersion,
  };
}

/** A row of one network a task is compared by that of its first task. */
function noteOf(...pair: readonly (RowRuns | undefined)[]): { readonly note?: string } {
  const several = pair.flatMap((row) => (row !== undefined && row.networks > 1 ? [`${row.name} is ${row.networks} networks of one task each; this is the one of ${row.runs[0]?.record.tasks.join(', ') ?? ''}`] : []));
  return several.length === 0 ? {} : { note: `${several.join('. ')}.` };
}

/** The spec that a run's copy was made of, by its name alone: `net.tps`. */
export const specNames = (runs: readonly Pick<ScoredRun, 'folder' | 'record'>[]): ((path: string) => string) => {
  const names = new Map(runs.map((r) => [runPaths(r.folder).spec, basename(r.record.file)]));
  return (path) => names.get(path) ?? path;
};

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** Of its first run; of a row with several networks that of its first task. */
function programOf(row: RowRuns): Program | string | undefined {
  const [run] = row.runs;
  return run === undefined ? undefined : orReason(() => openRunProgram(run.folder).program);
}

/** For each pair the images that changed most, as both rows' runs of one seed segment them. Each run is opened once. Or why there are none. */
async function picturesOf(
  args: ReportArgs, rows: readonly RowRuns[], pairs: readonly RowPair[], programs: ReadonlyMap<string, Program | string | undefined>, checkpoint: 'last' | 'best', { engine, onImage }: ReportMeans,
): Promise<((pair: RowPair) => readonly PairPicture[]) | string> {
  if (args.images === 0 || pairs.length === 0) return pairs.length === 0 ? () => [] : 'No images were asked for (--images 0).';
  const [first] = rows.flatMap((r) => (r.networks > 1 ? [] : r.runs)), program = programs.get(rows.find((r) => first !== undefined && r.runs.includes(first))?.name ?? '');
  if (first === undefined || typeof program !== 'object') return typeof program === 'string' ? program : 'No row has one network for all tasks, so no image is shown.';
  const dataset = await dataFor(program, first.record, args.data, first.data);
  if (typeof dataset === 'string') return dataset;
  const runOf = (row: number, seed: number | undefined, task: string): ScoredRun | undefined => rows[row]?.runs.find((r) => r.seed === seed && r.counts.some((c) => c.task === task));
  const asked = pairs.flatMap((pair) => pair.changes.slice(0, args.images).filter((c) => c.change !== 0).flatMap((c) => [pair.a, pair.b].map((row) => ({ run: runOf(row, pair.comparison?.seeds[0], c.task), item: dataset.items.find((i) => i.task === c.task && i.image === c.image) }))));
  const wanted = new Map<string, Set<DataItem>>();
  for (const { run, item } of asked) if (run !== undefined && item !== undefined) wanted.set(run.folder, (wanted.get(run.folder) ?? new Set()).add(item));
  const total = [...wanted.values()].reduce((n, items) => n + items.size, 0), cache = makeCache(), made = new Map<string, { readonly layers: Layers; readonly dice: number }>();
  const key = (folder: string, task: string, image: string): string => JSON.stringify([folder, task, image]);
  let done = 0;
  for (const [folder, items] of wanted) {
    const found = await orReasonLater(async () => pictures({ root: folder, program: openRunProgram(folder).program, checkpoint }, dataset, [...items], await engine(), cache, () => { onImage(++done, total); }));
    if (typeof found === 'string') return `${plural(total - done, 'image')} cannot be shown: ${found}`;
    for (const { item, layers, dice } of found) made.set(key(folder, item.task, item.image), { layers, dice });
  }
  return (pair) => pair.changes.slice(0, args.images).flatMap((c): PairPicture[] => {
    const [a, b] = [pair.a, pair.b].map((row) => { const run = runOf(row, pair.comparison?.seeds[0], c.task); return run === undefined ? undefined : made.get(key(run.folder, c.task, c.image)); });
    return a === undefined || b === undefined ? [] : [{ task: c.task, image: c.image, a: a.layers, b: b.layers, dice: [a.dice, b.dice] }];
  });
}
