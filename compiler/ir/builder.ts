// Makes graphs: appends nodes, asks the op table for their types. Passes, autodiff and the checker all build through it.
import type { Range } from '../../grammar/ast.js';
import { opOf } from '../ops/index.js';
import type { Dim } from './dim.js';
import { equalDim, formatShape } from './dim.js';
import type { Attrs, AttrValue, Graph, Node, NodeId, Output, TensorType } from './graph.js';
import { filled, scalar, type NdArray } from './ndarray.js';

export interface Place { readonly path?: string; readonly range?: Range }

export class GraphBuilder {
  readonly nodes = new Map<NodeId, Node>();
  /** Where the nodes made from now on belong. */
  place: Place = {};
  private nextId = 0;

  /** Starts from the nodes of a graph (their ids stay) or from nothing. */
  constructor(from?: Graph) {
    if (from !== undefined) for (const [id, node] of from.nodes) {
      this.nodes.set(id, node);
      this.nextId = Math.max(this.nextId, id + 1);
    }
  }

  /** Appends an op; its type comes from the table. Throws OpError where the inputs do not fit. */
  add(op: string, inputs: readonly NodeId[], attrs: Attrs = {}): NodeId {
    const def = opOf(op);
    const complete: Record<string, AttrValue> = {};
    for (const [name, spec] of Object.entries(def.attrs)) {
      const value = attrs[name] ?? spec.default;
      if (value !== undefined) complete[name] = value;
    }
    return this.append(op, inputs, complete, def.infer(inputs.map((i) => this.type(i)), complete));
  }

  /** Appends a leaf (or a poison node), whose type is said by the caller. */
  leaf(op: string, attrs: Attrs, type: TensorType, inputs: readonly NodeId[] = []): NodeId {
    return this.append(op, inputs, attrs, type);
  }

  private append(op: string, inputs: readonly NodeId[], attrs: Attrs, type: TensorType): NodeId {
    const id = this.nextId++;
    this.nodes.set(id, { id, op, inputs, attrs, type, path: this.place.path ?? '', ...(this.place.range ? { range: this.place.range } : {}) });
    return id;
  }

  /** Puts another node in the place of an id: same id, so its readers now read the new one. */
  redefine(id: NodeId, node: Omit<Node, 'id'>): void { this.nodes.set(id, { ...node, id }); }

  node(id: NodeId): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`builder has no node ${id}`);
    return node;
  }
  type(id: NodeId): TensorType { return this.node(id).type; }
  shape(id: NodeId): readonly Dim[] { return this.node(id).type.shape; }

  constant(value: NdArray, dtype: TensorType['dtype'] = 'f32'): NodeId { return this.leaf('constant', { value }, { dtype, shape: value.shape }); }
  /** An f32 scalar. */
  scalar(value: number): NodeId { return this.constant(scalar(value)); }

  // Shorthands for the gradient column and the passes.
  neg(x: NodeId): NodeId { return this.add('neg', [x]); }
  addition(x: NodeId, y: NodeId): NodeId { return this.add('add', [x, y]); }
  sub(x: NodeId, y: NodeId): NodeId { return this.add('sub', [x, y]); }
  mul(x: NodeId, y: NodeId): NodeId { return this.add('mul', [x, y]); }
  div(x: NodeId, y: NodeId): NodeId { return this.add('div', [x, y]); }
  /** x * c, x + c with a number. */
  scale(x: NodeId, c: number): NodeId { return c === 1 ? x : this.mul(x, this.scalar(c)); }
  shift(x: NodeId, c: number): NodeId { return c === 0 ? x : this.addition(x, this.scalar(c)); }
  /** Sum and mean keep their dims. */
  sum(x: NodeId, axes: readonly number[]): NodeId { return axes.length === 0 ? x : this.add('sum', [x], { axes }); }
  mean(x: NodeId, axes: readonly number[]): NodeId { return axes.length === 0 ? x : this.add('mean', [x], { axes }); }
  reshape(x: NodeId, shape: readonly Dim[]): NodeId { return sameShape(this.shape(x), shape) ? x : this.add('reshape', [x], { shape }); }
  expand(x: NodeId, shape: readonly Dim[]): NodeId { return sameShape(this.shape(x), shape) ? x : this.add('expand', [x], { shape }); }
  transpose(x: NodeId, perm: readonly number[]): NodeId { return perm.every((p, i) => p === i) ? x : this.add('transpose', [x], { perm }); }
  /** Zeros of a type whose dims may be symbolic. */
  zerosLike(x: NodeId): NodeId { return this.expand(this.constant(filled(this.shape(x).map(() => 1), 0)), this.shape(x)); }

  /** Undoes a broadcast: sums `dy` over the axes along which an operand of shape `to` was repeated. A scalar operand takes the whole sum. */
  sumTo(dy: NodeId, to: readonly Dim[]): NodeId {
    const from = this.shape(dy);
    if (sameShape(from, to)) return dy;
    if (to.length === 0) return this.reshape(this.sum(dy, from.map((_, i) => i)), []);
    if (to.length !== from.length) throw new Error(`sumTo ${formatShape(from)} -> ${formatShape(to)}`);
    return this.sum(dy, from.flatMap((d, i) => (equalDim(d, to[i] ?? 1) ? [] : [i])));
  }

  /** The graph of these outputs: only what they reach, in topological order. */
  finish(outputs: readonly Output[]): Graph {
    const nodes = new Map<NodeId, Node>();
    const open: { id: NodeId; next: number }[] = [];
    for (const { id: root } of outputs) {
      if (nodes.has(root)) continue;
      open.push({ id: root, next: 0 });
      for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
        const node = this.node(top.id);
        const input = node.inputs[top.next++];
        if (input === undefined) {
          nodes.set(node.id, node);
          open.pop();
        } else if (!nodes.has(input)) {
          if (open.length > this.nodes.size + 1) throw new Error(`the graph has a cycle through node ${input}`);
          open.push({ id: input, next: 0 });
        }
      }
    }
    return { nodes, outputs };
  }
}

export const sameShape = (a: readonly Dim[], b: readonly Dim[]): boolean => a.length === b.length && a.every((d, i) => equalDim(d, b[i] ?? -1));
