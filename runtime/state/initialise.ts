// Initial values from (seed, path): variants of a spec that share a path share the value. Nothing is read from disk here.
import { evaluate } from '../../compiler/evaluate.js';
import { isLeaf, leafName } from '../../compiler/ir/graph.js';
import { ndarray, scalar, sizeOf, type NdArray } from '../../compiler/ir/ndarray.js';
import { pathForTask, type Init, type TensorInfo } from '../../compiler/program.js';
import { f32, type Tensor } from '../engines/engine.js';
import { streamOf, type Stream } from '../random.js';

/** The task whose copy is made: its code and its index in the program's list. */
export interface TaskBinding { readonly code: string; readonly index: number }

/**
 * Initial values of a tensor by the path under which it is stored: one, or one per task, each drawn from its own stream (seed, path).
 * A `graph` init is evaluated once per copy with `t` bound to the copy's task; parameters made in it are drawn by their paths, then dropped.
 * `only`: of the copies, those of these tasks.
 */
export function initialise(tensor: TensorInfo, seed: number, tasks: readonly string[], only: readonly string[] = tasks): ReadonlyMap<string, Tensor> {
  if (!tensor.perTask) return new Map([[tensor.path, valueOf(tensor, seed, undefined)]]);
  return new Map(only.map((code) => [pathForTask(tensor.path, code), valueOf(tensor, seed, { code, index: tasks.indexOf(code) })]));
}

function valueOf(tensor: TensorInfo, seed: number, task: TaskBinding | undefined): Tensor {
  const path = task === undefined ? tensor.path : pathForTask(tensor.path, task.code);
  return f32(tensor.shape, Float32Array.from(draw(path, tensor.init, tensor.shape, seed, task)));
}

function draw(path: string, init: Init, shape: readonly number[], seed: number, task: TaskBinding | undefined): ArrayLike<number> {
  const fill = (next: (stream: Stream) => number): Float32Array => {
    const stream = streamOf(seed, `init/${path}`), data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = next(stream);
    return data;
  };
  switch (init.kind) {
    case 'constant': return new Float32Array(sizeOf(shape)).fill(init.value);
    case 'values': return init.value.data;
    case 'normal': return fill((s) => init.mean + init.std * s.normal());
    case 'truncated_normal': return fill((s) => init.mean + init.std * truncated(s));
    case 'uniform': return fill((s) => init.low + (init.high - init.low) * s.next());
    case 'graph': return fromGraph(path, init, seed, task);
    default: return init satisfies never;
  }
}

/** A standard normal number between -2 and 2, by rejection (95 % are taken at the first try). */
function truncated(stream: Stream): number {
  for (;;) {
    const z = stream.normal();
    if (Math.abs(z) <= 2) return z;
  }
}

function fromGraph(path: string, init: Extract<Init, { kind: 'graph' }>, seed: number, task: TaskBinding | undefined): Float64Array {
  const params = new Map(init.params.map((p) => [p.path, p]));
  const feeds = new Map<string, NdArray>();
  for (const node of init.graph.nodes.values()) {
    if (!isLeaf(node.op) || node.op === 'constant') continue;
    const name = leafName(node), param = params.get(name);
    if (param !== undefined) feeds.set(name, ndarray(param.shape, Float64Array.from(valueOf(param, seed, param.perTask ? task : undefined).data as Float32Array)));
    else if (node.op === 'input' && name === 't' && task !== undefined) feeds.set(name, scalar(task.index));
    else throw new Error(`the initial value of ${path} reads ${node.op} ${name}, which nothing can give before training`);
  }
  const [value] = evaluate(init.graph, feeds).values();
  if (value === undefined) throw new Error(`the initial value of ${path} is a graph without an output`);
  return value.data;
}
