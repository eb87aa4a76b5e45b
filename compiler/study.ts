// What a checked study is: the rows of a table, what is measured of them, what was reported; and the runs that it asks for. Data and lists, no text.
import type { Range } from '../grammar/ast.js';

/** What a study can measure. `accuracy` needs trained runs, `count` is known from the spec alone. A table; `measureOf` reads it. */
export const MEASURES = {
  dice: { kind: 'accuracy', doc: 'Dice per image, mean over the images' },
  miou: { kind: 'accuracy', doc: 'IoU of background and lesion over the data set' },
  parameters: { kind: 'count', doc: 'elements of parameters, frozen ones too; every copy of a per-task tensor counts' },
  trainable: { kind: 'count', doc: 'elements of parameters that are not frozen' },
  buffers: { kind: 'count', doc: 'elements of state: prototypes, running statistics' },
  macs: { kind: 'count', doc: 'multiply-adds for one image and one task' },
  weight_macs: { kind: 'count', doc: 'those of convolutions and products with weights, not of products between activations' },
  flops: { kind: 'count', doc: 'multiplications and additions apart: 2 x macs' },
  weight_flops: { kind: 'count', doc: '2 x weight_macs' },
} as const satisfies Readonly<Record<string, { readonly kind: 'accuracy' | 'count'; readonly doc: string }>>;
export type MeasureName = keyof typeof MEASURES;
export type CountName = { [K in MeasureName]: (typeof MEASURES)[K]['kind'] extends 'count' ? K : never }[MeasureName];

const isMeasureName = (name: string): name is MeasureName => Object.hasOwn(MEASURES, name);
export const isCount = (name: MeasureName): name is CountName => MEASURES[name].kind === 'count';

/** `parameters`, `parameters_per_task` (what one more task adds), `parameters_share`, `parameters_per_task_share` (percent of the whole network's count). */
export interface Measure { readonly name: MeasureName; readonly perTask: boolean; readonly share: boolean }
/** undefined: no measure is called so. Suffixes go with counts only. */
export function measureOf(text: string): Measure | undefined {
  const share = text.endsWith('_share');
  const rest = share ? text.slice(0, -'_share'.length) : text;
  const perTask = rest.endsWith('_per_task');
  const name = perTask ? rest.slice(0, -'_per_task'.length) : rest;
  return isMeasureName(name) && (isCount(name) || (!share && !perTask)) ? { name, perTask, share } : undefined;
}
export const measureText = (m: Measure): string => `${m.name}${m.perTask ? '_per_task' : ''}${m.share ? '_share' : ''}`;

/** The tasks of a row or a group: codes, or the first so many of the list. Counts depend on how many, not on which. */
export type TaskChoice = { readonly codes: readonly string[] } | { readonly first: number };
/** In the order of `codes`; a choice of the first 8 of 3 is all 3. */
export const chosenTasks = (choice: TaskChoice | undefined, codes: readonly string[]): readonly string[] =>
  (choice === undefined ? codes : 'first' in choice ? codes.slice(0, choice.first) : codes.filter((c) => choice.codes.includes(c)));

export interface StudyRow {
  /** The variant's or train block's name, with the values that a sweep sets: `A2`, `main[alpha=0.4]`. */
  readonly name: string;
  readonly label: string;
  readonly variant?: string;
  /** The train block: the row's own, or the one that its variant stands on. */
  readonly block: string;
  /** The variant or train block that the row is, once aliases are followed: rows of one `same` and one `set` are one network. */
  readonly same: string;
  readonly set: Readonly<Record<string, string>>;
  /** Trained once for each task by itself. */
  readonly repeat: boolean;
}

/** A column of the study's table; where the study has a published file, the column of that name there. */
export interface StudyColumn {
  /** `{task}` stands for the code of each task. */
  readonly label: string;
  /** What the column may hold: the first is ours, the others are other rules by which a published value may have been counted. */
  readonly by: readonly [Measure, ...Measure[]];
  /** What a printed number without a unit is in: '', 'k', 'M', 'G', 'T' or '%'. */
  readonly unit: string;
}

/** A part of the network that is counted by itself. A path names what is at it or below it; `*` is one step. */
export interface StudyGroup {
  readonly label: string;
  readonly paths: readonly GroupPath[];
  readonly without: readonly GroupPath[];
  readonly tasks?: TaskChoice;
}
export interface GroupPath { readonly text: string; readonly range: Range }

export interface Study {
  readonly name: string;
  readonly label?: string;
  readonly doc?: string;
  /** The train block that it is a study of. */
  readonly of: string;
  readonly rows: readonly StudyRow[];
  /** A row's name: the one that others are compared with. */
  readonly baseline?: string;
  readonly seeds: readonly number[];
  readonly tasks?: TaskChoice;
  readonly columns: readonly StudyColumn[];
  readonly groups: readonly StudyGroup[];
  /** Of every run, in place of the train block's own epochs; `steps` only stops. */
  readonly budget: { readonly epochs?: number; readonly steps?: number };
  /** A CSV of reported values, as the spec names it: relative to the spec. */
  readonly published?: { readonly path: string; readonly range: Range };
  readonly range: Range;
}

/** Equal for rows and tasks that are one network. */
export const networkKey = ({ block, same, set }: StudyRow, tasks: readonly string[]): string => JSON.stringify([block, same, set, tasks]);

/** One training of one row. */
export interface StudyRun {
  readonly row: StudyRow;
  /** Codes of the tasks that it keeps; none where the model reads no task. */
  readonly tasks: readonly string[];
  readonly seed: number;
}

/** Every training that a study asks for, rows before tasks before seeds. `codes`: the tasks of the spec, in its order. */
export const runsOf = (study: Study, codes: readonly string[]): readonly StudyRun[] => study.rows.flatMap((row) => {
  const tasks = chosenTasks(study.tasks, codes);
  const each = row.repeat && tasks.length > 0 ? tasks.map((t) => [t]) : [tasks];
  return each.flatMap((kept) => study.seeds.map((seed) => ({ row, tasks: kept, seed })));
});
