// Which stored tensor feeds which leaf of a compiled function: tasks are bound here, not branched in the graph.
import { pathForTask, taskCodes, type Program } from '../../compiler/program.js';
import { f32, i64, type Feeds, type Tensor } from '../engines/engine.js';

/** How a program's leaves of tensors are fed, for any of its functions. */
export interface Binder {
  /** The feeds for those of `inputs` that are tensors of the program or the task `t`, bound to the task of index `task`. */
  feeds(inputs: readonly string[], tensors: ReadonlyMap<string, Tensor>, task: number | undefined): Feeds;
  /** The path under which a leaf's tensor is stored for this task; undefined where the leaf is no tensor of one task. */
  stored(leaf: string, task: number | undefined): string | undefined;
}

/** What stands before the path in the name of a leaf that holds all tasks' copies. */
export const EVERY = 'every_task:';

export function binderOf(program: Program): Binder {
  const codes = taskCodes(program);
  const infos = new Map(program.tensors.map((t) => [t.path, t]));
  const copy = (leaf: string, task: number): string => {
    const code = codes[task];
    if (code === undefined) throw new Error(`${program.name} has no task of index ${task}`);
    return pathForTask(leaf, code);
  };
  const need = (tensors: ReadonlyMap<string, Tensor>, path: string): Tensor => {
    const tensor = tensors.get(path);
    if (tensor === undefined) throw new Error(`no value is held for ${path}`);
    return tensor;
  };
  const stored = (leaf: string, task: number | undefined): string | undefined => {
    const info = infos.get(leaf);
    if (info === undefined) return undefined;
    if (!info.perTask) return leaf;
    if (task === undefined) throw new Error(`${leaf} is a task's own, and no task is given`);
    return copy(leaf, task);
  };
  const feeds: Binder['feeds'] = (inputs, tensors, task) => {
    const bound: Record<string, Tensor> = {};
    for (const name of inputs) {
      const path = stored(name, task);
      if (path !== undefined) bound[name] = need(tensors, path);
      else if (name.startsWith(EVERY)) bound[name] = stack(codes.map((_, i) => need(tensors, copy(name.slice(EVERY.length), i))));
      else if (name === 't' && task !== undefined) bound[name] = i64(task);
    }
    return bound;
  };
  return { feeds, stored };
}

/** Equal f32 tensors on a new first axis. */
function stack(parts: readonly Tensor[]): Tensor {
  const shape = parts[0]?.shape ?? [], size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(size * parts.length);
  for (const [i, part] of parts.entries()) data.set(part.data as Float32Array, i * size);
  return f32([parts.length, ...shape], data);
}

/** `schedule:NAME` feeds. */
export const scheduleFeeds = (values: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`schedule:${name}`, f32([], [value])]));

/** Only what the function asks for. */
export const pick = (feeds: Feeds, inputs: readonly string[]): Feeds => Object.fromEntries(inputs.flatMap((name) => {
  const tensor = feeds[name];
  return tensor === undefined ? [] : [[name, tensor]];
}));
