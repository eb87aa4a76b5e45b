// What a data set leaves out of a training: told before the first step, for it would show as bad numbers in the last.
import { taskCodes, type Program } from '../../compiler/program.js';
import type { Dataset } from '../data/index.js';

export interface Gaps {
  /** Tasks without a training image, and how many tensors and states each has of its own: they stay as they begin. */
  readonly untrained: readonly { readonly task: string; readonly tensors: number; readonly states: number }[];
  /** Whether a network that is trained on some tasks reads the states of all: those of untrained tasks, too. */
  readonly statesReadByAll: boolean;
  /** Tasks without a validation image; `best` says nothing of them. */
  readonly unvalidated: readonly string[];
  /** No validation image at all: no `best` is kept. */
  readonly noValidation: boolean;
}

/** `trained`: the tasks that the training is of, where it is not of all. */
export function gapsOf(program: Program, dataset: Dataset, trained?: readonly string[]): Gaps {
  const codes = trained ?? (program.tasks === undefined ? dataset.tasks : taskCodes(program));
  const has = (task: string, split: string): boolean => dataset.items.some((i) => i.task === task && i.split === split);
  const own = program.tensors.filter((t) => t.perTask);
  const states = own.filter((t) => t.kind === 'state').length;
  return {
    untrained: codes.filter((task) => !has(task, 'train')).map((task) => ({ task, tensors: own.length - states, states })),
    statesReadByAll: [...(program.train?.nodes.values() ?? [])].some((n) => n.op === 'every_task'),
    unvalidated: codes.filter((task) => !has(task, 'val')),
    noValidation: !dataset.items.some((i) => i.split === 'val'),
  };
}
