// What the gates of a trained network weigh, task by task, with the schedule values of its checkpoint. Numbers only.
import { isLeaf } from '../../compiler/ir/graph.js';
import { taskCodes, type GateInfo, type Program } from '../../compiler/program.js';
import { createReferenceEngine } from '../engines/reference.js';
import { binderOf, pick, scheduleFeeds } from '../train/bind.js';
import type { TrainedRun } from '../train/trained-run.js';

export interface TaskGate {
  /** Code; absent where the network reads no task. */
  readonly task?: string;
  /** One weight a node, in [0, 1] where the checker could show it. */
  readonly values: readonly number[];
  /** b* = min { b : g_b >= 0.5 }, a number of `blocks`; null where the gate never opens. */
  readonly split: number | null;
}

export interface GateAnalysis {
  readonly name: string;
  /** `enc.blocks` */
  readonly over: string;
  readonly nodes: readonly string[];
  /** Numbers of the nodes, as their paths say them; else 0, 1, … */
  readonly blocks: readonly number[];
  readonly tasks: readonly TaskGate[];
}

/** Gates that depend on the network's tensors, task and schedules alone; one that reads an image has no value of its own. */
export const readableGates = (program: Program): readonly GateInfo[] => (program.gates ?? []).filter(({ graph }) =>
  [...graph.nodes.values()].every((n) => !isLeaf(n.op) || n.op === 'constant' || n.op === 'param' || n.op === 'state' || n.op === 'every_task' || n.op === 'schedule' || (n.op === 'input' && n.attrs['name'] === 't')));

/** The first b with g_b >= 0.5, as a number of `blocks`. */
export function splitOf(values: readonly number[], blocks: readonly number[]): number | null {
  const at = values.findIndex((g) => g >= 0.5);
  return at < 0 ? null : blocks[at] ?? at;
}

/** The last number in each path, where these rise; else places. */
export function blockNumbers(nodes: readonly string[]): readonly number[] {
  const numbers = nodes.map((path) => Number(/\.(\d+)(?:\.[A-Za-z_]\w*)*$/.exec(path)?.[1] ?? Number.NaN));
  return numbers.every((n, i) => Number.isInteger(n) && (i === 0 || n > (numbers[i - 1] ?? n))) ? numbers : nodes.map((_, i) => i);
}

/** Every readable gate of every task, by the float64 evaluator. */
export async function analyseGates(program: Program, trained: Pick<TrainedRun, 'tensors' | 'schedules'>): Promise<readonly GateAnalysis[]> {
  const engine = createReferenceEngine(), binder = binderOf(program), schedules = scheduleFeeds(trained.schedules);
  const codes = taskCodes(program), tasks = codes.length === 0 ? [undefined] : codes.map((_, i) => i);
  const analyses: GateAnalysis[] = [];
  for (const { path, over, nodes, graph } of readableGates(program)) {
    const fn = await engine.compile(graph), blocks = blockNumbers(nodes), rows: TaskGate[] = [];
    for (const task of tasks) {
      const { gate } = await fn.run(pick({ ...binder.feeds(fn.inputs, trained.tensors, task), ...schedules }, fn.inputs));
      if (gate === undefined) throw new Error(`the gate ${path} has no value`);
      const values = [...gate.data as Float32Array], code = task === undefined ? undefined : codes[task];
      rows.push({ ...(code === undefined ? {} : { task: code }), values, split: splitOf(values, blocks) });
    }
    await fn.dispose();
    analyses.push({ name: path, over, nodes, blocks, tasks: rows });
  }
  return analyses;
}
