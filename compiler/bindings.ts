// The values that a graph's leaves are given for good when a file is made of it. Which of them, and how, is the passes' and the targets' business.
import { leafName, type Node } from './ir/graph.js';
import { isStatic } from './ir/dim.js';
import { ndarray, scalar, sizeOf, type NdArray } from './ir/ndarray.js';
import { pathForTask } from './program.js';

/** A stored tensor. Its values are asked for when their turn comes, perhaps several times, and may be dropped after. */
export interface TensorValue { readonly shape: readonly number[]; readonly read: () => Float32Array }

export interface Bindings {
  /** By stored path. A param or state that is not here stays an input. */
  readonly tensors?: ReadonlyMap<string, TensorValue>;
  /** Codes of the tasks, in order: tensors of a task become one stack, from which the input `t` picks. */
  readonly tasks?: readonly string[];
  /** Code of the one task to bake in: its tensors are written, `t` is a constant. Must be one of `tasks`. */
  readonly task?: string;
  /** Values of schedules to bake in. */
  readonly schedules?: Readonly<Record<string, number>>;
}

/** The input that says the task, an i64 scalar. */
export const TASK = 't';

/** Place of the baked task among the tasks. Throws where it is none of them. */
export function taskIndex({ task, tasks }: Bindings): number | undefined {
  if (task === undefined) return undefined;
  const index = tasks?.indexOf(task) ?? -1;
  if (index < 0) throw new Error(`task ${task} is not one of ${tasks?.join(', ') ?? 'none'}`);
  return index;
}

/** The path under which the tensor of a param or state is stored; undefined for a task's own one where no task is baked in. */
export function storedPath(leaf: Node, { task }: Bindings): string | undefined {
  const path = String(leaf.attrs.path);
  if (!path.includes('{task}')) return path;
  return task === undefined ? undefined : pathForTask(path, task);
}

/** The value that the bindings give to a leaf of at most `limit` elements; undefined where they give none. */
export function boundValue(leaf: Node, bindings: Bindings, limit: number): NdArray | undefined {
  const { shape } = leaf.type, { tensors, tasks, schedules } = bindings;
  if (!shape.every(isStatic) || sizeOf(shape) > limit) return undefined;
  const read = (path: string | undefined): Float32Array | undefined => (path === undefined ? undefined : tensors?.get(path)?.read());
  switch (leaf.op) {
    case 'input': {
      const index = leafName(leaf) === TASK ? taskIndex(bindings) : undefined;
      return index === undefined ? undefined : scalar(index);
    }
    case 'schedule': {
      const value = schedules?.[String(leaf.attrs.name)];
      return value === undefined ? undefined : scalar(value);
    }
    case 'param':
    case 'state': {
      const data = read(storedPath(leaf, bindings));
      return data === undefined ? undefined : ndarray(shape, Float64Array.from(data));
    }
    case 'every_task': {
      const copies = (tasks ?? []).map((code) => read(pathForTask(String(leaf.attrs.path), code)));
      if (copies.length === 0 || copies.includes(undefined)) return undefined;
      return ndarray(shape, Float64Array.from(copies.flatMap((copy) => [...copy ?? []])));
    }
    default: return undefined;
  }
}
