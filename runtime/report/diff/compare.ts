// A diff of two programs with what they cost beside it: the value that every format prints. Counts only; no text.
import { diffPrograms, type Diff } from '../../../compiler/diff/index.js';
import { taskCodes, type Program } from '../../../compiler/program.js';
import { estimateMemory, inspectProgram } from '../counts.js';

export interface Cost {
  /** Multiply-adds of one image for one task; and for every task, which is the same where nothing reads the task. */
  readonly macs: number;
  readonly macsAllTasks: number;
  /** Of convolutions and products with weights. */
  readonly weightMacs: number;
  /** Bytes: all tensors; the most activations alive at once for one image; a training step (null without a train block). */
  readonly weightBytes: number;
  readonly activationBytes: number;
  readonly trainingBytes: number | null;
}

export interface Comparison extends Diff { readonly costs: { readonly a: Cost; readonly b: Cost } }

function countedCost(program: Program): Cost {
  const { macs } = inspectProgram(program);
  const memory = estimateMemory(program);
  return {
    macs: macs.total, macsAllTasks: macs.total * (program.readsTask ? Math.max(1, taskCodes(program).length) : 1), weightMacs: macs.convLinear,
    weightBytes: memory.weights, activationBytes: memory.inference, trainingBytes: memory.training ?? null,
  };
}

/** Kept while the program is: every pair of a study asks for it. */
const known = new WeakMap<Program, Cost>();
function costOf(program: Program): Cost {
  const cost = known.get(program) ?? countedCost(program);
  known.set(program, cost);
  return cost;
}

export const comparePrograms = (a: Program, b: Program): Comparison => ({ ...diffPrograms(a, b), costs: { a: costOf(a), b: costOf(b) } });
