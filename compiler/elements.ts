// How many numbers a program's tensors hold. Counts only; multiply-adds are the reports'.
import { sizeOf } from './ir/ndarray.js';
import { taskCodes, type Program, type TensorInfo } from './program.js';

/** Elements of a tensor, all its copies. */
export const elements = (tensor: TensorInfo, tasks: readonly string[]): number => sizeOf(tensor.shape) * (tensor.perTask ? tasks.length : 1);

/** Elements. `buffers` are state and not among the parameters. `task`: of one task's own copies; `tasks`: of those of all tasks; the rest is shared. */
export interface ElementCount { readonly parameters: number; readonly trainable: number; readonly frozen: number; readonly buffers: number; readonly task: number; readonly tasks: number }

export function elementsOf(program: Program): ElementCount {
  const tasks = taskCodes(program);
  let [trainable, frozen, buffers, task] = [0, 0, 0, 0];
  for (const t of program.tensors) {
    const n = elements(t, tasks);
    if (t.kind === 'state') buffers += n;
    else if (t.frozen) frozen += n;
    else trainable += n;
    if (t.perTask && t.kind === 'param') task += sizeOf(t.shape);
  }
  return { parameters: trainable + frozen, trainable, frozen, buffers, task, tasks: task * tasks.length };
}
