// Values of the forward that its backward reads are either kept in memory or computed once more when they are read. Which are computed again is a cut of
// the forward: what is kept is the cut, by bytes, and what lies behind it is paid in work (as PyTorch's min-cut partitioner does it).
// The graph says the same ops on the same inputs; an engine may fuse a copy with other neighbours than the first, so results can differ by rounding.
import { GraphBuilder } from '../ir/builder.js';
import { dimAt, type Dim } from '../ir/dim.js';
import { isLeaf, nodeOf, typeBytes, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { opOf } from '../ops/index.js';
import { depths, type Backward } from './backward.js';
import { sinkSide, type Edge } from './min-cut.js';

export interface Recomputation {
  /** What a byte that is not kept may cost, in multiplications and additions; 0 keeps all, Infinity only what cannot be computed again. */
  readonly price: number;
  /** Images of a batch, by which sizes are weighed. */
  readonly batch: number;
}

export interface Rematerialised {
  readonly graph: Graph;
  /** Bytes of the forward's values that the backward finds in memory, leaves not counted. */
  readonly kept: number;
  /** Multiplications and additions that are done twice. */
  readonly work: number;
}

/** An elementwise pass is bound by memory: so many operations could be done while an element is read and written. */
const PASS = 90;
/** A value below this many bytes is kept: a node more costs more than it. */
const SMALL = 1 << 16;
/** Reshapes give the same memory another name. */
const FREE: ReadonlySet<string> = new Set(['reshape', 'identity', 'detach']);
/** Gradients whose rows of the op table turn round or cut what they read. */
const WAITING: ReadonlySet<string> = new Set(['conv2d_weight_grad', 'matmul']);

export const rematerialise = (graph: Graph, backward: Backward, { price, batch }: Recomputation): Rematerialised => new Plan(graph, backward, batch).at([price]);

/** The same at the first of these prices at which no more than `room` bytes are kept, or at the last. */
export const rematerialiseWithin = (graph: Graph, backward: Backward, prices: readonly number[], room: number, batch: number): Rematerialised => new Plan(graph, backward, batch).at(prices, room);

/** `kept` of `rematerialise` at each price, without the graphs. */
export function keptAtPrices(graph: Graph, backward: Backward, prices: readonly number[], batch: number): readonly number[] {
  const plan = new Plan(graph, backward, batch);
  return prices.map((price) => plan.keptBytes(plan.late(price)));
}

class Plan {
  private readonly forward: ReadonlySet<NodeId>;
  /** Of the gradients. What has none and is no part of the forward can be computed at any time. */
  private readonly depth: ReadonlyMap<NodeId, number>;
  private readonly readers = new Map<NodeId, Node[]>();

  constructor(private readonly graph: Graph, { seed, isGradient }: Backward, private readonly batch: number) {
    this.forward = new Set(new GraphBuilder(graph).finish(graph.outputs.filter((o) => !isGradient(o.name))).nodes.keys());
    this.depth = depths(graph, seed);
    for (const node of graph.nodes.values()) for (const input of new Set(node.inputs)) this.readers.set(input, [...(this.readers.get(input) ?? []), node]);
  }

  at(prices: readonly number[], room = Infinity): Rematerialised {
    let late: ReadonlySet<NodeId> = new Set(), kept = Infinity;
    for (const price of prices) {
      late = this.late(price);
      kept = this.keptBytes(late);
      if (kept <= room) break;
    }
    return { graph: late.size === 0 ? this.graph : this.withCopies(late), kept, work: [...late].reduce((sum, id) => sum + this.again(nodeOf(this.graph, id)), 0) };
  }

  /** What is computed when a gradient needs it: all between the cheapest cut and the gradients. */
  late(price: number): ReadonlySet<NodeId> {
    if (price === 0) return new Set();
    const nodes = [...this.graph.nodes.values()].filter((n) => !this.depth.has(n.id) && !isLeaf(n.op) && this.bytes(n) >= SMALL);
    // of each value two vertices, before and behind the edge that is its memory
    const place = new Map(nodes.map((node, i) => [node.id, 2 + 2 * i])), [source, sink] = [0, 1];
    const edges = nodes.flatMap((node): readonly Edge[] => {
      const before = place.get(node.id) ?? 0, behind = before + 1;
      return [
        { from: before, to: behind, capacity: this.bytes(node) },
        { from: source, to: before, capacity: this.isStream(node) ? Infinity : this.again(node) / price },
        ...node.inputs.flatMap((id) => place.get(id) ?? []).map((input) => ({ from: input + 1, to: before, capacity: Infinity })),
        ...(this.gradientReads(node.id) ? [{ from: behind, to: sink, capacity: Infinity }] : []),
      ];
    });
    const late = sinkSide(2 + 2 * nodes.length, edges, source, sink);
    return new Set(nodes.map((n) => n.id).filter((id) => late?.has(place.get(id) ?? 0) === true));
  }

  keptBytes(late: ReadonlySet<NodeId>): number {
    const memory = new Map<NodeId, Node>();
    for (const node of this.graph.nodes.values()) {
      if (this.depth.has(node.id) || late.has(node.id)) continue;
      if (!(this.readers.get(node.id) ?? []).some((r) => this.depth.has(r.id) || late.has(r.id))) continue;
      const of = this.memoryOf(node);
      if (!isLeaf(of.op)) memory.set(of.id, of);
    }
    return [...memory.values()].reduce((sum, node) => sum + this.bytes(node), 0);
  }

  /** What it costs to compute a value late: nothing where the forward does without it. */
  again(node: Node): number {
    if (FREE.has(node.op) || !this.forward.has(node.id)) return 0;
    const macs = opOf(node.op).cost?.(node.inputs.map((i) => nodeOf(this.graph, i).type), node.attrs, node.type).macs;
    return macs === undefined ? PASS * this.elements(node.type.shape) : 2 * this.count(macs);
  }

  /**
   * The late values, made of what is kept once the gradient is there with which they are read first. What the forward reads too is computed twice.
   * What is kept is read by an `after`: the rows of the op table put Transpose, Slice and the like before their inputs, which would be shared with the forward's and kept.
   */
  withCopies(late: ReadonlySet<NodeId>): Graph {
    const b = new GraphBuilder(this.graph), copies = new Map<NodeId, NodeId>(), waits = this.waits(late), waiting = new Map<string, NodeId>();
    const wait = (id: NodeId, gradient: NodeId | undefined): NodeId => {
      if (gradient === undefined || this.depth.has(id) || isLeaf(b.node(id).op) || this.bytes(b.node(id)) < SMALL) return id;
      const key = `${id} ${gradient}`, old = waiting.get(key) ?? b.add('after', [id, gradient]);
      waiting.set(key, old);
      return old;
    };
    for (const node of this.graph.nodes.values()) {
      b.place = { path: node.path, ...(node.range ? { range: node.range } : {}) };
      const isLate = late.has(node.id), gradient = isLate ? waits.get(node.id) : WAITING.has(node.op) ? this.beside(node) : undefined;
      const inputs = node.inputs.map((id) => copies.get(id) ?? wait(id, gradient)), [first = 0, ...others] = inputs;
      const moved = inputs.some((id, i) => id !== node.inputs[i]);
      if (isLate) {
        const from = moved ? first : gradient === undefined ? b.add('identity', [first]) : b.add('after', [first, gradient]);
        copies.set(node.id, b.leaf(node.op, node.attrs, node.type, [from, ...others]));
      } else if (moved && !this.forward.has(node.id)) b.redefine(node.id, { ...node, inputs });
    }
    return b.finish(this.graph.outputs);
  }

  /** Of each late value the first gradient with which it, or what is made of it, is read. By depth, so that it cannot depend on the value itself. */
  private waits(late: ReadonlySet<NodeId>): ReadonlyMap<NodeId, NodeId> {
    const waits = new Map<NodeId, NodeId>();
    for (const id of [...late].reverse()) {
      const gradients = (this.readers.get(id) ?? []).flatMap((reader) => {
        const gradient = this.depth.has(reader.id) ? this.beside(reader) : waits.get(reader.id);
        return gradient === undefined ? [] : [gradient];
      });
      const first = gradients.sort((x, y) => this.depthOf(x) - this.depthOf(y))[0];
      if (first !== undefined) waits.set(id, first);
    }
    return waits;
  }

  /** Of the gradients that a gradient is made of, the one that comes last. */
  private beside({ inputs }: Node): NodeId | undefined {
    return inputs.filter((i) => this.depthOf(i) > 0 && nodeOf(this.graph, i).type.shape.length > 0).sort((x, y) => this.depthOf(y) - this.depthOf(x))[0];
  }
  private depthOf(id: NodeId): number { return this.depth.get(id) ?? 0; }

  private gradientReads(id: NodeId): boolean { return (this.readers.get(id) ?? []).some((r) => this.depth.has(r.id)); }

  /** A running sum, such as a residual stream: each of its values is the one before and something more, so one that is computed again asks for all before it. */
  private isStream(node: Node): boolean {
    const whole = this.bytes(node), large = node.inputs.map((i) => nodeOf(this.graph, i)).filter((n) => !isLeaf(n.op) && this.bytes(n) >= whole);
    return node.op === 'add' && large.length > 1 && (this.readers.get(node.id) ?? []).filter((r) => this.forward.has(r.id)).length > 1;
  }

  private memoryOf(node: Node): Node {
    const [of] = node.inputs;
    return FREE.has(node.op) && of !== undefined ? this.memoryOf(nodeOf(this.graph, of)) : node;
  }

  private bytes({ type }: Node): number { return typeBytes(type, this.batch); }
  private elements(shape: readonly Dim[]): number { return shape.reduce<number>((n, d) => n * this.count(d), 1); }
  private count(d: Dim): number { return dimAt(d, this.batch); }
}
