// From the folders of a command line to a table of results: which evaluation is read, what the rows' networks are, and what they change of the baseline.
import { studiesOf } from '../compiler/index.js';
import { suggestion } from '../compiler/check/suggest.js';
import { diffPrograms } from '../compiler/diff/index.js';
import type { Program, TrainConfig } from '../compiler/program.js';
import type { Study } from '../compiler/study.js';
import type { StudyMetric } from '../runtime/ablate/layout.js';
import { UserError } from '../runtime/errors.js';
import { DEFAULT_MIOU, type MiouDefinition } from '../runtime/metrics/scores.js';
import { deltaInWords } from '../runtime/report/diff/words.js';
import { GroupCounter } from '../runtime/report/group-counts.js';
import { readPublished, type Published } from '../runtime/report/published.js';
import { buildTable, findPlaces, isEvaluated, requireComparable, rowsOf, type Choice, type Places, type ResultsTable, type RowNetwork, type RowRuns, type ScoredRun } from '../runtime/report/results-table/index.js';
import { diskHost } from './host.js';
import type { Io } from './io.js';
import { barOf } from './progress.js';
import { openRunProgram } from './trained.js';

export interface ResultsArgs {
  readonly folders: readonly string[];
  readonly split: string;
  /** Where absent, the studies' own; of runs: last, or best where no run has scores of its last. */
  readonly checkpoint?: 'last' | 'best';
  readonly at?: 'network' | 'original';
  readonly miou?: MiouDefinition;
  /** Name of a row; where absent, the study's. */
  readonly baseline?: string;
  /** Time of training, which no two machines have alike. */
  readonly time: boolean;
}

export interface OpenedResults { readonly table: ResultsTable; readonly places: Places; readonly choice: Choice; readonly rows: readonly RowRuns[] }

/** Reads what is in the folders; runs no model. Throws UserError where runs are missing, damaged, or cannot be compared. */
export const openResults = (args: ResultsArgs, io: Io): ResultsTable => openRows(args, io).table;

/** The table with the runs that it is made of. Throws as `openResults`. */
export function openRows(args: ResultsArgs, io: Io): OpenedResults {
  const places = findPlaces(args.folders), choice = choose(places, args);
  const { rows, missing } = rowsOf(places, choice), runs = rows.flatMap((r) => r.runs);
  if (runs.length === 0) throw new UserError(`no run has scores of the split ${choice.split}, checkpoint ${choice.checkpoint}${missing.length === 0 ? '' : `: ${missing.slice(0, 3).join('; ')}`}`, 'Scores come from `tpsc eval` and `tpsc ablate`; another --split or --checkpoint may have some.');
  const baseline = baselineOf(rows, args.baseline);
  if (baseline === undefined && rows.length > 1) io.err('no row is the baseline, so none is compared: --baseline ROW names one\n');
  const { networks, faults } = networksOf(rows, baseline, io);
  const rules = new Map(rows.flatMap((row) => row.runs.map((run) => [run, networks.get(row.name)] as const)));
  requireComparable(runs, choice, (run) => rules.get(run));
  const study = places.studies.length === 1 && places.studies[0] !== undefined ? studyOf(places.studies[0].file) : {};
  const threshold = one(places, (m) => m.threshold);
  const table = buildTable({
    title: titleOf(places), choice, miou: args.miou ?? one(places, (m) => m.miou) ?? DEFAULT_MIOU, rows, networks, ...(baseline === undefined ? {} : { baseline }), ...(threshold === undefined ? {} : { threshold }),
    tasks: [...new Set([...places.studies.flatMap((s) => s.file.tasks), ...runs.flatMap((r) => r.record.tasks)])],
    columns: study.study?.columns ?? [], ...(study.published === undefined ? {} : { published: study.published }), time: args.time, notes: [...missing, ...faults],
  });
  return { table, places, choice, rows };
}

/** What the metrics of all studies have in common; undefined where there is none or they differ. */
function one<T>(places: Places, of: (metric: StudyMetric) => T): T | undefined {
  const values = new Set(places.studies.map((s) => of(s.file.metric)));
  return values.size === 1 ? [...values][0] : undefined;
}

function choose(places: Places, { split, checkpoint, at = one(places, (m) => m.at) ?? 'network' }: ResultsArgs): Choice {
  const has = (name: 'last' | 'best'): boolean => [...places.runs, ...places.studies.flatMap((s) => s.runs.map((r) => r.place))].some(({ folder }) => isEvaluated(folder, { split, checkpoint: name, at }));
  return { split, at, checkpoint: checkpoint ?? one(places, (m) => m.checkpoint) ?? (!has('last') && has('best') ? 'best' : 'last') };
}

function baselineOf(rows: readonly RowRuns[], asked: string | undefined): string | undefined {
  if (asked === undefined) {
    const own = rows.filter((r) => r.baseline);
    return own.length === 1 ? own[0]?.name : undefined;
  }
  const names = rows.map((r) => r.name);
  if (!names.includes(asked)) throw new UserError(`--baseline: there is no row ${asked}`, suggestion(asked, names, 'the table has no rows'));
  return asked;
}

const titleOf = ({ studies, runs }: Places): string => {
  const titles = studies.map(({ file }) => (file.label === undefined ? file.study : `${file.study}: ${file.label}`));
  return [...titles, ...(runs.length === 0 ? [] : [`runs of ${[...new Set(runs.map((r) => r.record.name))].join(', ')}`])].join(', ');
};

/** Compiles one run of each row from the copy of the spec that it keeps. Only the baseline's program is kept: fifteen of them at once are a gigabyte. */
function networksOf(rows: readonly RowRuns[], baseline: string | undefined, io: Io): { readonly networks: ReadonlyMap<string, RowNetwork>; readonly faults: readonly string[] } {
  const networks = new Map<string, RowNetwork>(), unknown: string[] = [], reasons: string[] = [];
  const base = rows.find((r) => r.name === baseline), [first] = base?.runs ?? [];
  const programOf = (name: string, run: ScoredRun): Program | undefined => {
    try { return openRunProgram(run.folder).program; } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unknown.push(name);
      reasons.push(error.message);
      return undefined;
    }
  };
  const bar = barOf(io, 'compiling {bar} {value}/{total} rows');
  try {
    const compared = base === undefined || first === undefined ? undefined : programOf(base.name, first);
    rows.forEach((row, i) => {
      bar.update(i, rows.length);
      const [run] = row.runs, program = row === base ? compared : run === undefined ? undefined : programOf(row.name, run);
      if (program?.training === undefined) return;
      // networks of one task each differ from the baseline by their tasks, and the row says so
      const delta = row === base || compared === undefined || row.networks > 1 ? undefined : deltaInWords(diffPrograms(compared, program));
      networks.set(row.name, { counts: new GroupCounter(program).count(['*']), threshold: program.training.threshold, validation: validationText(program.training), ...(delta === undefined ? {} : { delta }) });
    });
  } finally {
    bar.stop();
  }
  return { networks, faults: unknown.length === 0 ? [] : [`parameters, multiply-adds and differences of ${unknown.join(', ')}: ${reasons[0] ?? ''}`] };
}

const validationText = ({ validate: { every, keep } }: TrainConfig): string => `after every ${every === 1 ? 'epoch' : `${every} epochs`} and the last, the best by ${keep === 'miou' ? 'mIoU' : keep === 'dice' ? 'Dice' : keep} is kept`;

/** The study's columns and its published file, from the text that it was run from. */
function studyOf({ spec, specText, study: name, published }: Places['studies'][number]['file']): { readonly study?: Study; readonly published?: Published } {
  const disk = diskHost();
  const study = studiesOf(spec, { ...disk, read: (path) => (path === spec ? specText : disk.read(path)) }).studies.find((s) => s.name === name);
  return { ...(study === undefined ? {} : { study }), ...(published === undefined ? {} : { published: readPublished(published) }) };
}
