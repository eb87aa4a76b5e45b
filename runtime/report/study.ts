// What a study comes to before anything is trained: every row counted, every group counted, each beside what was published. Numbers and verdicts; the text is `study-text.ts`.
import type { Program } from '../../compiler/program.js';
import { chosenTasks, isCount, measureText, networkKey, runsOf, type CountName, type Measure, type Study, type StudyColumn, type StudyGroup, type StudyRow } from '../../compiler/study.js';
import { UserError } from '../errors.js';
import { GroupCounter, type Counts } from './group-counts.js';
import { cellsOf, printedCell, printsAs, type Published } from './published.js';

/** A number by one rule; percents where the rule is a share. */
export interface Counted { readonly by: string; readonly value: number }
/** One published value and what the rules of its column give. */
export interface StudyCell {
  readonly column: string;
  /** As printed there; null where nothing is. */
  readonly published: string | null;
  /** Ours first. Empty where the column is an accuracy: that needs a run. */
  readonly counted: readonly Counted[];
  /** `not compared`: nothing was published, or no rule counts it. */
  readonly verdict: 'reproduced' | 'not reproduced' | 'not compared';
  /** The first rule whose number prints as the published one. */
  readonly reproducedBy: string | null;
}

export interface RowInspection {
  readonly row: string;
  readonly label: string;
  readonly variant: string | null;
  /** Of one network of the row. */
  readonly tasks: readonly string[];
  /** How many the row trains for each seed: one, or one a task. */
  readonly networks: number;
  readonly counts: Counts;
  /** Parameters less those of the baseline; null for the baseline itself, or where there is none. */
  readonly delta: number | null;
  readonly hash: string;
  readonly cells: readonly StudyCell[];
}
export interface GroupInspection { readonly row: string; readonly group: string; readonly tasks: number; readonly counts: Counts; readonly cells: readonly StudyCell[] }
export interface StudyInspection {
  readonly study: string;
  readonly of: string;
  readonly tasks: readonly string[];
  readonly baseline: string | null;
  readonly published: string | null;
  /** Trainings that it asks for, over rows, tasks and seeds. */
  readonly runs: number;
  readonly rows: readonly RowInspection[];
  readonly groups: readonly GroupInspection[];
}

/** The program of a row with some of the spec's tasks; throws where it has mistakes. Asked once for equal rows. */
export type ProgramOf = (row: StudyRow, tasks: readonly string[]) => Program;

/** A path of a group that names nothing in a row's network. The caller shows the place. */
export class GroupPathFault extends UserError {
  constructor(readonly group: StudyGroup, readonly path: StudyGroup['paths'][number], readonly step: string, readonly names: readonly string[]) {
    super(`group ${group.label}: \`${path.text}\` names nothing that counts`);
  }
}

/** Counts every row and group. `codes`: the tasks of the spec. Throws GroupPathFault. */
export function inspectStudy(study: Study, codes: readonly string[], published: Published | undefined, programOf: ProgramOf, progress: (done: number, total: number) => void = () => undefined): StudyInspection {
  const all = chosenTasks(study.tasks, codes);
  // a graph is dropped as soon as it is counted: fifteen of them at once are a gigabyte
  const counted = new Map<string, { readonly hash: string; readonly counter: GroupCounter }>();
  const countedOf = (row: StudyRow, tasks: readonly string[]): { readonly hash: string; readonly counter: GroupCounter } => {
    const key = networkKey(row, tasks);
    const known = counted.get(key);
    if (known !== undefined) return known;
    const program = programOf(row, tasks);
    const made = { hash: program.hash, counter: new GroupCounter(program) };
    counted.set(key, made);
    return made;
  };
  const counterOf = (row: StudyRow, tasks: readonly string[]): GroupCounter => countedOf(row, tasks).counter;
  const whole = (row: StudyRow): Counts => counterOf(row, tasksOf(row, all)).count(['*']);
  const base = study.rows.find((r) => r.name === study.baseline);
  const rows = study.rows.map((row, i): RowInspection => {
    progress(i, study.rows.length);
    const tasks = tasksOf(row, all);
    const counts = whole(row);
    const cells = published === undefined ? undefined : cellsOf(published, [row.name, row.label]);
    const value = (m: Measure): number | undefined => measured(m, { counts, whole: counts, growth: () => growthOf(all, (kept) => counterOf(row, kept).count(['*'])) });
    return {
      row: row.name, label: row.label, variant: row.variant ?? null, tasks, networks: row.repeat ? Math.max(1, all.length) : 1,
      counts, delta: base === undefined || base === row ? null : counts.parameters - whole(base).parameters, hash: countedOf(row, tasks).hash,
      // a study of groups has its published values by group
      cells: study.groups.length > 0 ? [] : study.columns.flatMap((column) => expanded(column, all)).map((column) => cellOf(column, cells, published, value)),
    };
  });
  const groups = study.rows.flatMap((row) => study.groups.map((group): GroupInspection => {
    const kept = chosenTasks(group.tasks, all);
    const count = (tasks: readonly string[]): Counts => counterOf(row, tasks).count(group.paths.map((p) => p.text), group.without.map((p) => p.text));
    checkPaths(group, counterOf(row, kept));
    const counts = count(kept);
    const wholeThen = counterOf(row, kept).count(['*']);
    const cells = published === undefined ? undefined : cellsOf(published, [group.label]);
    const value = (m: Measure): number | undefined => measured(m, { counts, whole: wholeThen, growth: () => growthOf(all, count) });
    return { row: row.name, group: group.label, tasks: kept.length, counts, cells: study.columns.map((column) => cellOf(column, cells, published, value)) };
  }));
  return {
    study: study.name, of: study.of, tasks: all, baseline: study.baseline ?? null, published: published?.path ?? null, runs: runsOf(study, codes).length, rows, groups,
  };
}

/** Of one network of the row: one task where it is trained for each by itself. */
const tasksOf = (row: StudyRow, all: readonly string[]): readonly string[] => (row.repeat ? all.slice(0, 1) : all);

/** `{task}_Dice` once for each task. */
const expanded = (column: StudyColumn, codes: readonly string[]): readonly StudyColumn[] =>
  (column.label.includes('{task}') ? codes.map((code) => ({ ...column, label: column.label.replaceAll('{task}', code) })) : [column]);

/** What one more task adds: over all tasks of the study, a task. undefined where there is only one. */
function growthOf(all: readonly string[], count: (tasks: readonly string[]) => Counts): ((name: CountName) => number) | undefined {
  if (all.length < 2) return undefined;
  const [one, every] = [count(all.slice(0, 1)), count(all)];
  return (name) => (every[name] - one[name]) / (all.length - 1);
}

interface Sums { readonly counts: Counts; readonly whole: Counts; readonly growth: () => ((name: CountName) => number) | undefined }
/** undefined: a run would be needed, or a second task. */
function measured(m: Measure, sums: Sums): number | undefined {
  const { name } = m;
  if (!isCount(name)) return undefined;
  const value = m.perTask ? sums.growth()?.(name) : sums.counts[name];
  return value === undefined || !m.share ? value : sums.whole[name] === 0 ? 0 : 100 * value / sums.whole[name];
}

function cellOf(column: StudyColumn, cells: ReadonlyMap<string, string> | undefined, table: Published | undefined, value: (m: Measure) => number | undefined): StudyCell {
  const text = cells?.get(column.label) ?? '';
  const counted = column.by.flatMap((m): Counted[] => { const v = value(m); return v === undefined ? [] : [{ by: measureText(m), value: v }]; });
  const at = table?.header.indexOf(column.label) ?? -1;
  const printed = printedCell(text, at < 0 ? [text] : (table?.lines ?? []).map((line) => line[at] ?? ''), column.unit);
  const hit = printed === undefined ? undefined : counted.find((c) => printsAs(printed, c.value));
  return {
    column: column.label, published: text === '' ? null : text, counted,
    verdict: printed === undefined || counted.length === 0 ? 'not compared' : hit === undefined ? 'not reproduced' : 'reproduced', reproducedBy: hit?.by ?? null,
  };
}

function checkPaths(group: StudyGroup, counter: GroupCounter): void {
  for (const path of [...group.paths, ...group.without]) {
    const missing = counter.missing(path.text);
    if (missing !== undefined) throw new GroupPathFault(group, path, missing.step, missing.names);
  }
}
