// What adding one task to a trained network means for each of its tensors: carried over, a copy more, a row more; and what that counts.
// Refuses what cannot grow without touching the tasks that are there. Reads no file and trains nothing.
import { GraphBuilder } from '../../compiler/ir/builder.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { hashGraph } from '../../compiler/ir/print.js';
import { taskCodes, withFrozen, type Program, type TensorInfo } from '../../compiler/program.js';
import { UserError } from '../errors.js';
import { preprocessingOf } from './export-metadata.js';
import { imageInput } from './image-input.js';
import { ownEntries } from './rows.js';

/** Elements before and after; `trainable` are those of the new task that a training may change. */
export interface GrowthCount { readonly before: number; readonly after: number; readonly trainable: number }
export interface ModuleGrowth extends GrowthCount { readonly module: string }

export interface Growth {
  /** Code of the task that is added, and its place in the program's list. */
  readonly task: string;
  readonly index: number;
  /** The run directory that grows. */
  readonly from: string;
  /** With the task: its gradient goes to what the task has of its own, its step writes no other state. */
  readonly program: Program;
  /** Without the task: the network of the run that grows. */
  readonly base: Program;
  /** Shared tensors with an entry for each task: 1 where an element is the new task's. */
  readonly tables: ReadonlyMap<string, Uint8Array>;
  /** Schedules that predictions read: shared like the rest, they keep the values that they had. */
  readonly held: readonly string[];
  readonly parameters: GrowthCount;
  /** Prototypes and other states. */
  readonly states: GrowthCount;
  /** Parameters by the first step of their path, in the program's order. */
  readonly modules: readonly ModuleGrowth[];
}

export interface GrowthRequest {
  /** With the task, compiled as `growing`. */
  readonly program: Program;
  /** The same spec without the task. */
  readonly base: Program;
  readonly task: string;
  readonly from: string;
  /** What the run was trained as. */
  readonly trained: Program;
}

/** Throws UserError where the run is of another network than `base`, or a tensor cannot grow. */
export function planGrowth({ program, base, task, from, trained }: GrowthRequest): Growth {
  requireSameNetwork(base, trained, from, task);
  if (!program.readsTask) throw new UserError(`${program.name} reads no task: ${task} would have nothing of its own to train`, 'Give each task something of its own: `per t conv(1)`.');
  const codes = taskCodes(program), index = codes.indexOf(task);
  const tables = tablesOf(program, base, task, index);
  const isNew = (t: TensorInfo): boolean => t.perTask || tables.has(t.path);
  const frozen = program.tensors.filter((t) => t.perTask && t.frozen);
  if (frozen[0] !== undefined) throw new UserError(`${frozen[0].path} is frozen, and ${task}'s copy of it would stay as it is drawn`, 'Add a task where nothing of its own is frozen.');
  const count = (kind: TensorInfo['kind']): ReadonlyMap<string, GrowthCount> => countsOf(program, base, kind, tables);
  const modules = count('param');
  const parameters = total(modules.values());
  if (parameters.trainable === 0) throw new UserError(`no parameter of ${program.name} is a task's own: ${task} would have nothing to train`, 'Give each task something of its own: `per t conv(1)`.');
  const own = new Set(program.tensors.filter(isNew).map((t) => t.path));
  return {
    task, index, from, base, tables, parameters, states: total(count('state').values()),
    modules: [...modules].map(([module, counts]) => ({ module, ...counts })),
    program: { ...withFrozen(program, (t) => !isNew(t)), ...(program.grow === undefined ? {} : { train: writingOnly(program.grow, own) }) },
    held: schedulesOf(program.infer),
  };
}

/** The graph without the states that others have: they stay as they are. */
const writingOnly = (graph: Graph, own: ReadonlySet<string>): Graph =>
  new GraphBuilder(graph).finish(graph.outputs.filter((o) => !o.name.startsWith('state:') || own.has(o.name.slice('state:'.length))));

const schedulesOf = (graph: Graph): readonly string[] => [...graph.nodes.values()].flatMap((n) => (n.op === 'schedule' ? [String(n.attrs['name'])] : []));

/** The shared tensors that have an entry for each task, and which elements are the new task's. */
function tablesOf(program: Program, base: Program, task: string, index: number): ReadonlyMap<string, Uint8Array> {
  const before = new Map(base.tensors.map((t) => [t.path, t])), count = taskCodes(base).length;
  const tables = new Map<string, Uint8Array>();
  const refuse = (path: string, why: string): UserError => new UserError(`${program.name} cannot grow by ${task}: ${path} ${why}`,
    'What depends on the number of tasks must be one copy a task (`per t`), or have one entry a task along an axis (`param rows: f32[len(tasks), 64]`).');
  for (const t of program.tensors) {
    const old = before.get(t.path);
    before.delete(t.path);
    if (old === undefined) throw refuse(t.path, `is there only with ${task}`);
    if (old.shape.join() === t.shape.join()) continue;
    const sizes = `is [${old.shape.join(', ')}] without it, and [${t.shape.join(', ')}] with it`;
    if (t.perTask) throw refuse(t.path, `${sizes}: every task's copy would change`);
    const axes = t.shape.flatMap((n, i) => (n === old.shape[i] ? [] : [i]));
    if (t.shape.length !== old.shape.length || axes.some((i) => old.shape[i] !== count || t.shape[i] !== count + 1)) throw refuse(t.path, `${sizes}, which is not one entry a task`);
    tables.set(t.path, ownEntries(t.shape, axes, index));
  }
  for (const path of before.keys()) throw refuse(path, `is there only without ${task}`);
  return tables;
}

function countsOf(program: Program, base: Program, kind: TensorInfo['kind'], tables: Growth['tables']): ReadonlyMap<string, GrowthCount> {
  const shapes = new Map(base.tensors.map((t) => [t.path, t.shape])), tasks = taskCodes(program).length;
  const modules = new Map<string, GrowthCount>();
  for (const t of program.tensors) {
    if (t.kind !== kind) continue;
    const size = sizeOf(t.shape), own = tables.get(t.path);
    const here: GrowthCount = {
      before: sizeOf(shapes.get(t.path) ?? []) * (t.perTask ? tasks - 1 : 1), after: size * (t.perTask ? tasks : 1),
      trainable: t.perTask ? size : own?.reduce((a, b) => a + b, 0) ?? 0,
    };
    const module = t.path.includes('.') ? t.path.slice(0, t.path.indexOf('.')) : '';
    modules.set(module, total([modules.get(module) ?? total([]), here]));
  }
  return modules;
}

const total = (counts: Iterable<GrowthCount>): GrowthCount => [...counts].reduce<GrowthCount>(
  (a, b) => ({ before: a.before + b.before, after: a.after + b.after, trainable: a.trainable + b.trainable }), { before: 0, after: 0, trainable: 0 });

/** What a run was trained as must be what the spec says without the new task: tasks, settings, tensors, calculation, and how images are read. */
function requireSameNetwork(base: Program, trained: Program, from: string, task: string): void {
  const [mine, theirs] = [taskCodes(base), taskCodes(trained)];
  if (theirs.includes(task)) throw new UserError(`${from} knows the task ${task} already`, `To train it further: tpsc train … --weights ${from}`);
  if (mine.join() !== theirs.join()) {
    throw new UserError(`${from} was trained on ${theirs.join(', ') || 'no tasks'}; without ${task}, ${base.file} has ${mine.join(', ') || 'none'}`,
      `Keep the run's tasks in their order, by the spec's list or by --tasks ${[...theirs, task].join(',')}.`);
  }
  if (base.hash === trained.hash) return;
  const difference = differenceOf(base, trained);
  if (difference === undefined) return;
  throw new UserError(`${from} is of another network than ${base.file} without ${task}: ${difference}`, 'Add the task to the spec that the run was trained from, and give the same variant, --block and --set.');
}

function differenceOf(base: Program, trained: Program): string | undefined {
  if (base.name !== trained.name) return `its model is ${trained.name}, not ${base.name}`;
  for (const [name, value] of Object.entries(base.settings)) {
    const other = trained.settings[name];
    if (other !== undefined && other !== value && hashGraph(base.infer) !== hashGraph(trained.infer)) return `its ${name} is ${String(other)}, not ${String(value)}`;
  }
  const shapes = new Map(trained.tensors.map((t) => [t.path, t.shape.join(', ')]));
  for (const t of base.tensors) {
    const shape = shapes.get(t.path);
    if (shape === undefined) return `it has no ${t.path}`;
    if (shape !== t.shape.join(', ')) return `its ${t.path} is [${shape}], not [${t.shape.join(', ')}]`;
  }
  if (hashGraph(base.infer) !== hashGraph(trained.infer)) return 'it calculates otherwise';
  const reading = (p: Program): string => {
    const { height, width } = imageInput(p);
    return JSON.stringify([preprocessingOf(p, height, width), p.training?.threshold]);
  };
  return reading(base) === reading(trained) ? undefined : 'its images are prepared otherwise, or its threshold is another';
}
