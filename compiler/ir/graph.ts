// The graph: typed single-assignment nodes, each an op of the table. Data only; `builder.ts` makes them.
import type { Range } from '../../grammar/ast.js';
import { dimAt, formatShape, type Dim } from './dim.js';
import type { NdArray } from './ndarray.js';

/** f32 is the only dtype with gradients; comparisons give bool; indexes and the task are i64. */
export type DType = 'f32' | 'i64' | 'bool';
export interface TensorType { readonly dtype: DType; readonly shape: readonly Dim[] }
const BYTES: Readonly<Record<DType, number>> = { f32: 4, i64: 8, bool: 1 };
/** Bytes of a value of this type for a batch of `batch`. */
export const typeBytes = ({ dtype, shape }: TensorType, batch: number): number => shape.reduce<number>((n, d) => n * dimAt(d, batch), BYTES[dtype]);
export const formatType = (t: TensorType): string => `${t.dtype}${formatShape(t.shape)}`;

export type NodeId = number;
export type AttrValue = number | string | boolean | readonly number[] | readonly Dim[] | NdArray;
export type Attrs = Readonly<Record<string, AttrValue>>;

export interface Node {
  readonly id: NodeId;
  /** A name of the op table, or a leaf: see `LEAF_OPS`. */
  readonly op: string;
  readonly inputs: readonly NodeId[];
  readonly attrs: Attrs;
  readonly type: TensorType;
  /** Path of the instance that made it: `enc.blocks.3.attn`; '' for the model itself. */
  readonly path: string;
  readonly range?: Range;
}

/**
 * Leaves, whose values come from outside (attrs in brackets):
 * input {name}      what the caller feeds: the image (its name in the spec), `truth`, `t` (i64 scalar), `weights` f32[B], …
 * param {path}      a trained or frozen tensor; a path with `{task}` in it has one copy per task and is bound to the task at hand
 * state {path}      a tensor with an update law (prototypes, running statistics); paths as for params
 * every_task {path} all copies of a per-task tensor at once, stacked on a new first axis in the order of the tasks
 * schedule {name}   an f32 scalar that the loop feeds
 * drop {path, rate} a dropout mask, already divided by 1 - rate; drawn from (seed, step, path)
 * constant {value}  an NdArray (static shape)
 * poison {}         made by the checker where a mistake was reported; keeps dependencies; never leaves the checker
 */
export const LEAF_OPS = ['input', 'param', 'state', 'every_task', 'schedule', 'drop', 'constant'] as const;
export type LeafOp = (typeof LEAF_OPS)[number];
export const isLeaf = (op: string): op is LeafOp => (LEAF_OPS as readonly string[]).includes(op);

export interface Output { readonly name: string; readonly id: NodeId }

/** Iteration order of `nodes` is a topological order. */
export interface Graph {
  readonly nodes: ReadonlyMap<NodeId, Node>;
  readonly outputs: readonly Output[];
}

/** The node of an id that must exist; a miss is a fault of ours. */
export function nodeOf(graph: Graph, id: NodeId): Node {
  const node = graph.nodes.get(id);
  if (node === undefined) throw new Error(`graph has no node ${id}`);
  return node;
}

/** The name under which a leaf is fed to a compiled function: input, schedule and drop by name or path, tensors by path. */
export function leafName(node: Node): string {
  const { name, path } = node.attrs;
  switch (node.op) {
    case 'input': return String(name);
    case 'schedule': return `schedule:${String(name)}`;
    case 'drop': return `drop:${String(path)}`;
    case 'every_task': return `every_task:${String(path)}`;
    default: return String(path);
  }
}
