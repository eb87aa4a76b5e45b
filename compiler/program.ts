// What a checked spec is: the product of `check/`, and all that targets, the runtime and the reports know of a spec.
import type { Graph, TensorType } from './ir/graph.js';
import type { NdArray } from './ir/ndarray.js';
import type { WeightMap } from './weights.js';

/** How a tensor begins. Fans and gains are resolved by the checker, so a draw needs only (seed, path, init). */
export type Init =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'values'; readonly value: NdArray }
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  /** Cut at two standard deviations. */
  | { readonly kind: 'truncated_normal'; readonly mean: number; readonly std: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  /** The graph's one output, evaluated once; its params are drawn by their own inits and then dropped (they are no parameters of the network). */
  | { readonly kind: 'graph'; readonly graph: Graph; readonly params: readonly TensorInfo[] };

export interface TensorInfo {
  /** `enc.blocks.23.attn.qkv.weight`; one copy per task where it holds `{task}`: `tca.3.specific.{task}.down.weight`. */
  readonly path: string;
  readonly kind: 'param' | 'state';
  readonly shape: readonly number[];
  readonly perTask: boolean;
  /** Frozen: never in an optimiser, no gradient. State is neither frozen nor trainable. */
  readonly frozen: boolean;
  readonly init: Init;
  /** The `weights` declaration that an encoder names, if any: its values must come from a checkpoint or be asked to be random. */
  readonly weights?: string;
  /** Declared as `prototypes`: rows (the axis before the last) 0 foreground, 1 background. For reports: no function depends on it. */
  readonly role?: 'prototypes';
}

/** What a `gate` declares, for reports: its weights of the task at hand in use, not in training. */
export interface GateInfo {
  readonly path: string;
  /** The path that it is declared over: `enc.blocks`. */
  readonly over: string;
  /** Paths of what it weighs, in order. */
  readonly nodes: readonly string[];
  /** Output `gate`, f32[number of nodes]. */
  readonly graph: Graph;
}

/** A call of a block: where it stands in the network, and of what. For reports. */
export interface Instance {
  readonly path: string;
  /** The block's name, as its own file has it. */
  readonly block: string;
  /** Of an adapter: the node that it is put at. */
  readonly at?: { readonly place: 'before' | 'after' | 'beside'; readonly node: string };
}

/** The path of task `code`'s copy. */
export const pathForTask = (path: string, code: string): string => path.replace('{task}', code);
/** The paths under which a tensor is stored: one, or one per task. */
export const storedPaths = (tensor: TensorInfo, tasks: readonly string[]): readonly string[] =>
  tensor.perTask ? tasks.map((code) => pathForTask(tensor.path, code)) : [tensor.path];

/** A named scalar that the loop feeds. `x` runs from 0 to 1 over the horizon: epoch / (epochs - 1), or step / (steps - 1). */
export interface Schedule {
  readonly name: string;
  /** constant: from. linear: from + (to - from) x. cosine: to + (from - to)(1 + cos πx)/2. plateau: from, times `factor` whenever the kept metric did not better for more than `patience` validations, at least `to`. */
  readonly kind: 'constant' | 'linear' | 'cosine' | 'plateau';
  readonly from: number;
  readonly to: number;
  readonly over: 'epochs' | 'steps';
  /** Length of the horizon in its unit, where it is not the whole training. */
  readonly horizon?: number;
  /** Units (as `over`) of linear rise from 0 at the beginning. */
  readonly warmup?: number;
  readonly factor?: number;
  readonly patience?: number;
}

export interface TaskRow {
  readonly code: string;
  readonly label: string;
  /** Place in the spec's own list, where a program keeps only some of its tasks. */
  readonly number?: number;
  readonly record: Readonly<Record<string, string | number | boolean>>;
}
export interface TaskSet { readonly name: string; readonly rows: readonly TaskRow[] }

export interface OptimizerConfig {
  readonly kind: 'adam' | 'adamw' | 'sgd';
  readonly lr: Schedule;
  readonly beta1: number; readonly beta2: number; readonly eps: number;
  /** adam: added to the gradient (L2); adamw: decoupled. */
  readonly weightDecay: number;
  /** sgd only. */
  readonly momentum: number;
}

/** Images are resized bilinearly, masks by `masks` (absent: bilinearly too), then cut at one half; `soft`: not cut, in training. */
export interface ResizeStep {
  readonly kind: 'resize'; readonly height: number; readonly width: number;
  readonly masks?: 'bicubic' | 'nearest';
  readonly soft?: true;
}

export type AugmentStep =
  | ResizeStep
  | { readonly kind: 'flip'; readonly horizontal: number; readonly vertical: number }
  | { readonly kind: 'normalize'; readonly mean: readonly number[]; readonly std: readonly number[] };

export interface TrainConfig {
  readonly name: string;
  readonly label?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: OptimizerConfig;
  /** Global norm. */
  readonly clip?: number;
  /** inverse_frequency: with replacement, weight 1 / N_task, as many draws as images. shuffle: every image once an epoch. */
  readonly sampler: { readonly kind: 'shuffle' | 'inverse_frequency' };
  /** True: every batch holds one task only. */
  readonly oneTaskPerBatch: boolean;
  /** Drop a last batch that is smaller than `batch`. */
  readonly dropLast: boolean;
  readonly augment: readonly AugmentStep[];
  readonly validate: { readonly every: number; readonly keep: 'dice' | 'miou' | 'loss' };
  /** A pixel is lesion where sigmoid(logit) >= threshold. */
  readonly threshold: number;
  /** Paths of tensors that stand still in an epoch unless the last validation bettered the kept metric: of their task, or the mean for shared ones. */
  readonly afterImprovement?: readonly string[];
}

export interface ModelInput { readonly name: string; readonly type: TensorType }

export interface Program {
  /** Name of the model. */
  readonly name: string;
  readonly file: string;
  readonly variant?: string;
  readonly variantLabel?: string;
  /** Absent: the model reads no task. */
  readonly tasks?: TaskSet;
  readonly settings: Readonly<Record<string, number | string | boolean>>;
  /** Tensor inputs in order; the first is the image, f32[B, 3, H, W]. The task is `t`, an i64 scalar, and is not here. */
  readonly inputs: readonly ModelInput[];
  readonly tensors: readonly TensorInfo[];
  /** Schedules that the graph reads. The learning rate is in `training`. */
  readonly schedules: readonly Schedule[];
  readonly training?: TrainConfig;
  /** Outputs: `logits` f32[B, 1, H, W] first, then the model's other results. Depends on no truth. */
  readonly infer: Graph;
  /** As `infer`, and `loss` f32[B], which reads the input `truth` f32[B, 1, H, W]. Absent without a train block. */
  readonly evaluate?: Graph;
  /** Built with `training` true. Outputs `logits`, `loss` and `state:PATH`, the value that each state has after the step. */
  readonly train?: Graph;
  /** As `train`, for a task that is added to a trained network (asked for by `growing`): `training` is true in what each task has of its own, and false elsewhere. */
  readonly grow?: Graph;
  /** The network as the spec says it, before any pass and whether or not it is read: for counts. */
  readonly declared: Graph;
  /** Whether any function reads `t` or a tensor of the task at hand. */
  readonly readsTask: boolean;
  /** Calls of blocks, in use or in training. */
  readonly instances?: readonly Instance[];
  /** In the order of the text. */
  readonly gates?: readonly GateInfo[];
  /** `weights` declarations in reach: the spec's own, those that it imports, those beside the blocks that it uses. */
  readonly weightMaps?: readonly WeightMap[];
  /** Identity of graph and training block, hexadecimal SHA-256. */
  readonly hash: string;
  /** The resolved spec as text: what a run directory keeps. */
  readonly resolved: string;
}

export const trainable = (program: Program): readonly TensorInfo[] => program.tensors.filter((t) => t.kind === 'param' && !t.frozen);
/** Paths of the frozen parameters that all tasks share. */
export const frozenForAll = (program: Program): ReadonlySet<string> => new Set(program.tensors.filter((t) => t.kind === 'param' && t.frozen && !t.perTask).map((t) => t.path));
/** The program with the parameters that `frozen` names frozen, besides those that are: its gradient goes to the others alone. */
export const withFrozen = (program: Program, frozen: (tensor: TensorInfo) => boolean): Program =>
  ({ ...program, tensors: program.tensors.map((t) => (t.kind === 'param' && frozen(t) ? { ...t, frozen: true } : t)) });
/** `Nano#A2` */
export const programName = ({ name, variant }: Pick<Program, 'name' | 'variant'>): string => `${name}${variant === undefined ? '' : `#${variant}`}`;
export const taskCodes = (program: Program): readonly string[] => program.tasks?.rows.map((r) => r.code) ?? [];
