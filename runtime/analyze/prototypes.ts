// What the prototypes of a trained network say of its tasks: how alike the foregrounds of two tasks are, how far each lies from its background.
// Numbers only; `report/figures` draws them.
import { pathForTask, taskCodes, type Program, type TensorInfo } from '../../compiler/program.js';
import type { Tensor } from '../engines/engine.js';
import type { Scores } from '../metrics/index.js';
import { mean } from '../statistics/moments.js';
import { correlation, cosine, type Correlation } from './statistics.js';

/** One `prototypes` declaration. */
export interface PrototypeBank {
  /** Path without the task: `d3.proto`. */
  readonly name: string;
  /** cos(fg_i, fg_j), task by task; NaN where one is zero. */
  readonly cosines: readonly (readonly number[])[];
  /** 1 - cos(fg, bg) of each task, in [0, 2]; absent where there is no row of the background. */
  readonly separation?: readonly number[];
}

export interface PrototypeAnalysis {
  /** Codes in the order of the spec: rows and columns of every matrix. */
  readonly tasks: readonly string[];
  /** In the order of the text. */
  readonly banks: readonly PrototypeBank[];
}

/** What of a program `analysePrototypes` reads: per task, declared as `prototypes`. */
export const prototypesOf = (program: Program): readonly TensorInfo[] =>
  program.tensors.filter((t) => t.role === 'prototypes' && t.perTask && t.shape.length > 0);

/**
 * Prototypes f32[.., rows, c], row 0 the foreground, row 1 (if any) the background; f32[c] is a foreground alone. Where further axes
 * stand before the rows, cosines are means over them.
 */
export function analysePrototypes(program: Program, tensors: ReadonlyMap<string, Tensor>): PrototypeAnalysis {
  const tasks = taskCodes(program);
  const banks = prototypesOf(program).map((info): PrototypeBank => {
    const width = info.shape.at(-1) ?? 1, rows = info.shape.at(-2) ?? 1;
    const sides = tasks.map((code) => sidesOf(need(tensors, pathForTask(info.path, code)), rows, width));
    const between = (a: readonly Float32Array[], b: readonly Float32Array[]): number => mean(a.map((v, k) => cosine(v, b[k] ?? [])));
    return {
      name: info.path.replace('.{task}', ''),
      cosines: sides.map((i) => sides.map((j) => between(i.foreground, j.foreground))),
      ...(rows < 2 ? {} : { separation: sides.map((s) => 1 - between(s.foreground, s.background)) }),
    };
  });
  return { tasks, banks };
}

interface Sides { readonly foreground: readonly Float32Array[]; readonly background: readonly Float32Array[] }

function sidesOf({ data }: Tensor, rows: number, width: number): Sides {
  const values = data as Float32Array, sets = values.length / (rows * width);
  const row = (k: number): Float32Array[] => Array.from({ length: sets }, (_, s) => values.subarray((s * rows + k) * width, (s * rows + k + 1) * width));
  return { foreground: row(0), background: rows < 2 ? [] : row(1) };
}

function need(tensors: ReadonlyMap<string, Tensor>, path: string): Tensor {
  const tensor = tensors.get(path);
  if (tensor === undefined) throw new Error(`no value is held for ${path}`);
  return tensor;
}

/** One task of the scatter: separation against scores in [0, 1]. */
export interface SeparationPoint { readonly task: string; readonly separation: number; readonly dice: number; readonly miou: number }
export interface SeparationFit { readonly dice?: Correlation; readonly miou?: Correlation }

export interface SeparationAnalysis {
  readonly tasks: readonly string[];
  readonly banks: readonly { readonly name: string; readonly separation: readonly number[]; readonly correlation: SeparationFit }[];
  /** The mean over the banks, for the tasks that have scores. */
  readonly points: readonly SeparationPoint[];
  readonly correlation: SeparationFit;
}

/** Separation against Dice and mIoU over the tasks that have both. Undefined where no bank has a background. */
export function analyseSeparation({ tasks, banks }: PrototypeAnalysis, scores: Scores): SeparationAnalysis | undefined {
  const sided = banks.flatMap(({ name, separation }) => (separation === undefined ? [] : [{ name, separation }]));
  if (sided.length === 0) return undefined;
  const pointsOf = (values: readonly number[]): SeparationPoint[] => tasks.flatMap((task, i) => {
    const score = scores.perTask[task], separation = values[i] ?? Number.NaN;
    return score === undefined || !Number.isFinite(separation) ? [] : [{ task, separation, dice: score.dice, miou: score.miou }];
  });
  const points = pointsOf(tasks.map((_, i) => mean(sided.map((b) => b.separation[i] ?? Number.NaN))));
  return { tasks, banks: sided.map((b) => ({ ...b, correlation: fitOf(pointsOf(b.separation)) })), points, correlation: fitOf(points) };
}

function fitOf(points: readonly SeparationPoint[]): SeparationFit {
  const dice = correlation(points.map((p) => ({ x: p.separation, y: p.dice }))), miou = correlation(points.map((p) => ({ x: p.separation, y: p.miou })));
  return { ...(dice === undefined ? {} : { dice }), ...(miou === undefined ? {} : { miou }) };
}

/** The two tasks whose foregrounds are most alike. Undefined for fewer than two tasks. */
export function mostAlike({ tasks }: PrototypeAnalysis, { cosines }: PrototypeBank): { readonly tasks: readonly [string, string]; readonly cosine: number } | undefined {
  const pairs = tasks.flatMap((a, i) => tasks.slice(i + 1).map((b, k) => ({ tasks: [a, b] as const, cosine: cosines[i]?.[i + 1 + k] ?? Number.NaN })));
  return pairs.filter((p) => Number.isFinite(p.cosine)).sort((p, q) => q.cosine - p.cosine)[0];
}
