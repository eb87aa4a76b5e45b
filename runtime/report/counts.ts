// What a network costs: parameters and multiply-adds of a program's declared graph, module by module, and memory by its types.
// Counts only: no weight is allocated, nothing is printed.
import { elements, elementsOf } from '../../compiler/elements.js';
import { dimAt, type Dim } from '../../compiler/ir/dim.js';
import { formatType, isLeaf, nodeOf, typeBytes, type Graph, type Node, type NodeId } from '../../compiler/ir/graph.js';
import { opOf } from '../../compiler/ops/index.js';
import { taskCodes, type Program } from '../../compiler/program.js';

/** Elements. Every copy of a per-task tensor counts. `buffers` are state (prototypes, running statistics) and not in `total`. */
export interface ParameterCount { readonly total: number; readonly trainable: number; readonly frozen: number; readonly buffers: number }
/** Multiply-adds at batch 1 for one task. `attention`: products of two activations; `convLinear`: convolutions and products with weights. */
export interface MacCount { readonly total: number; readonly convLinear: number; readonly attention: number }

/** One instance's own parameters and multiply-adds, without those of the modules inside it: the sum over modules is the total. */
export interface ModuleCount {
  /** `enc.blocks.3.attn`; '' is the model itself. A per-task module is one row, `{task}` in its path, all its copies counted. */
  readonly path: string;
  readonly parameters: number;
  readonly macs: number;
  /** Type of the last value that the module (or one inside it) made; null where it is never called. */
  readonly output: string | null;
}

export interface Inspection {
  readonly name: string;
  readonly variant: string | null;
  readonly hash: string;
  readonly tasks: readonly string[];
  readonly parameters: ParameterCount;
  readonly macs: MacCount;
  readonly modules: readonly ModuleCount[];
}

/** The value of a dimension where every symbol (the batch) is 1. */
const atBatchOne = (d: Dim): number => dimAt(d, 1);

/** Ops that only move or rename values: a weight that went through them is a weight still. */
const MOVEMENT = new Set(['identity', 'detach', 'cast', 'reshape', 'expand', 'transpose', 'concat', 'slice', 'pad', 'flip', 'gather']);
const WEIGHT_LEAVES = new Set(['param', 'every_task', 'constant']);

/** The nodes that are weights: parameters and constants, and what movement alone makes of them. */
function weightNodes(graph: Graph): ReadonlySet<NodeId> {
  const weights = new Set<NodeId>();
  for (const node of graph.nodes.values()) {
    const moved = node.op === 'gather' ? node.inputs.slice(0, 1) : node.inputs;
    if (WEIGHT_LEAVES.has(node.op) || (MOVEMENT.has(node.op) && moved.length > 0 && moved.every((i) => weights.has(i)))) weights.add(node.id);
  }
  return weights;
}

function macsOf(graph: Graph, node: Node): number {
  if (isLeaf(node.op)) return 0;
  const cost = opOf(node.op).cost?.(node.inputs.map((i) => nodeOf(graph, i).type), node.attrs, node.type);
  return cost === undefined ? 0 : atBatchOne(cost.macs);
}

/** Multiply-adds of a graph at batch 1. */
export const multiplyAdds = (graph: Graph): number => [...graph.nodes.values()].reduce((sum, node) => sum + macsOf(graph, node), 0);

export interface NodeCost { readonly node: Node; readonly macs: number; /** a product of two activations, as in attention */ readonly betweenActivations: boolean }
/** Every node of a graph with its multiply-adds at batch 1, in the order in which the spec makes them. */
export function nodeCosts(graph: Graph): readonly NodeCost[] {
  const weights = weightNodes(graph);
  return [...graph.nodes.values()].sort((a, b) => a.id - b.id)
    .map((node) => ({ node, macs: macsOf(graph, node), betweenActivations: node.op === 'matmul' && !node.inputs.some((i) => weights.has(i)) }));
}

/** The path of the instance that holds a tensor: its path without the last name. */
const ownerOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));

/** `a.b.c` -> `a.b.c`, `a.b`, `a`, ``. */
function* ancestors(path: string): Generator<string> {
  for (let p = path; p !== ''; p = ownerOf(p)) yield p;
  yield '';
}

/** The value that each module gives: the last one made in it that something outside reads; where nothing does, the last one. */
function outputsByModule(graph: Graph): ReadonlyMap<string, NodeId> {
  const read = new Map<string, NodeId>(), made = new Map<string, NodeId>();
  const later = (map: Map<string, NodeId>, path: string, id: NodeId): void => { if ((map.get(path) ?? -1) < id) map.set(path, id); };
  const insideOf = (path: string, module: string): boolean => path === module || path.startsWith(`${module}.`) || module === '';
  for (const node of graph.nodes.values()) {
    if (!isLeaf(node.op)) for (const path of ancestors(node.path)) later(made, path, node.id);
    for (const input of node.inputs) {
      const source = nodeOf(graph, input);
      if (isLeaf(source.op)) continue;
      for (const path of ancestors(source.path)) {
        if (insideOf(node.path, path)) break;
        later(read, path, source.id);
      }
    }
  }
  return new Map([...made, ...read]);
}

export function inspectProgram(program: Program): Inspection {
  const tasks = taskCodes(program), count = elementsOf(program);
  const graph = program.declared;
  const own = new Map<string, { parameters: number; macs: number }>();
  const at = (path: string): { parameters: number; macs: number } => {
    let entry = own.get(path);
    if (entry === undefined) own.set(path, entry = { parameters: 0, macs: 0 });
    return entry;
  };
  let [convLinear, attention] = [0, 0];
  for (const { node, macs, betweenActivations } of nodeCosts(graph)) {
    if (!isLeaf(node.op) || node.op === 'param') at(node.op === 'param' ? ownerOf(String(node.attrs['path'])) : node.path).macs += macs;
    if (betweenActivations) attention += macs;
    else convLinear += macs;
  }
  for (const tensor of program.tensors) if (tensor.kind === 'param') at(ownerOf(tensor.path)).parameters += elements(tensor, tasks);
  const outputs = outputsByModule(graph);
  const logits = graph.outputs[0]?.id;
  const outputOf = (path: string): string | null => {
    const id = path === '' ? logits : outputs.get(path);
    return id === undefined ? null : formatType(nodeOf(graph, id).type);
  };
  return {
    name: program.name, variant: program.variant ?? null, hash: program.hash, tasks,
    parameters: { total: count.parameters, trainable: count.trainable, frozen: count.frozen, buffers: count.buffers },
    macs: { total: convLinear + attention, convLinear, attention },
    modules: [...own].map(([path, counts]) => ({ path, ...counts, output: outputOf(path) })),
  };
}

/** Bytes, by the types of the graphs: an estimate, since an engine keeps and reuses buffers as it likes. */
export interface MemoryEstimate {
  /** All stored tensors in float32. */
  readonly weights: number;
  /** The most that is alive at once in `infer` at batch 1, each value dropped after its last reader. */
  readonly inference: number;
  /** A training step at the spec's batch: every value that the backward pass may read, gradients and moments. Absent without a train block. */
  readonly training?: number;
}

/** Views: the engine need not copy them. */
const VIEWS = new Set(['identity', 'detach', 'reshape', 'constant']);

function peakBytes(graph: Graph): number {
  const lastReader = new Map<NodeId, NodeId>();
  for (const node of graph.nodes.values()) for (const input of node.inputs) lastReader.set(input, node.id);
  for (const output of graph.outputs) lastReader.delete(output.id);
  let [alive, peak] = [0, 0];
  for (const node of graph.nodes.values()) {
    if (node.op === 'param' || node.op === 'state' || node.op === 'every_task' || VIEWS.has(node.op)) continue;
    alive += typeBytes(node.type, 1);
    peak = Math.max(peak, alive);
    for (const input of new Set(node.inputs)) {
      const source = nodeOf(graph, input);
      if (lastReader.get(input) === node.id && !isLeaf(source.op) && !VIEWS.has(source.op)) alive -= typeBytes(source.type, 1);
    }
  }
  return peak;
}

export function estimateMemory(program: Program): MemoryEstimate {
  const tasks = taskCodes(program);
  const weights = 4 * program.tensors.reduce((sum, t) => sum + elements(t, tasks), 0);
  const inference = peakBytes(program.infer);
  const { train, training } = program;
  if (train === undefined || training === undefined) return { weights, inference };
  let activations = 0;
  const reached = new Set<NodeId>();
  for (const node of train.nodes.values()) {
    const isTrainable = node.op === 'param' && program.tensors.some((t) => t.path === node.attrs['path'] && !t.frozen);
    if (isTrainable || node.inputs.some((i) => reached.has(i))) reached.add(node.id);
    if (reached.has(node.id) && !isLeaf(node.op) && !VIEWS.has(node.op)) activations += typeBytes(node.type, training.batch);
  }
  const moments = training.optimizer.kind === 'sgd' ? 1 : 2;
  const updated = program.tensors.filter((t) => t.kind === 'param' && !t.frozen).reduce((sum, t) => sum + elements(t, tasks), 0);
  return { weights, inference, training: weights + activations + 4 * updated * (1 + moments) };
}
