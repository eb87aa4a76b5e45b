// How the leaves of a graph become ONNX values: inputs of the file, initialisers with their values, or a task's slice of a stack.
import { storedPath, TASK, taskIndex, type Bindings, type TensorValue } from '../../bindings.js';
import { isStatic } from '../../ir/dim.js';
import { isLeaf, leafName, type Graph, type Node, type NodeId, type TensorType } from '../../ir/graph.js';
import { isNdArray, scalar } from '../../ir/ndarray.js';
import { pathForTask } from '../../program.js';
import type { Emitter } from './emitter.js';
import { pictureType, shapePictures, type ShapedPictures } from './pictures.js';
import { elementType, type ElementType, type FileType } from './proto.js';

export interface GraphInput { readonly name: string; readonly type: FileType }

export interface LeafOptions extends Bindings { readonly halfWeights?: boolean; readonly pictures?: ShapedPictures }

const TASK_INPUT: GraphInput = { name: TASK, type: { dtype: 'i64', shape: [] } };

/** Writes the leaves of `graph`; gives the name of each leaf's value and the inputs that the file will have. */
export class Leaves {
  readonly inputs: GraphInput[] = [];
  private readonly values = new Map<string, string>();
  /** Stacks of all tasks' copies that are written, and what their elements are. */
  private readonly stacks = new Map<string, ElementType>();

  constructor(private readonly emitter: Emitter, private readonly bindings: LeafOptions) {}

  /** Inputs first, so that shapes can be read from them. `skipped` are leaves that nobody will ask for. */
  bind(graph: Graph, skipped: ReadonlySet<NodeId>): void {
    const leaves = [...graph.nodes.values()].filter((n) => n.op !== 'constant' && isLeaf(n.op) && !skipped.has(n.id));
    for (const leaf of leaves.filter((n) => n.op === 'input')) this.bindOnce(leaf);
    for (const leaf of leaves.filter((n) => n.op !== 'input')) this.bindOnce(leaf);
  }

  valueOf(leaf: Node): string {
    if (leaf.op === 'constant') {
      const { value } = leaf.attrs;
      if (!isNdArray(value)) throw new Error('a constant without a value');
      return this.emitter.constant(value, leaf.type.dtype);
    }
    const name = this.values.get(leafName(leaf));
    if (name === undefined) throw new Error(`leaf ${leafName(leaf)} was not bound`);
    return name;
  }

  /** Two nodes of one leaf are one value. */
  private bindOnce(leaf: Node): void {
    const key = leafName(leaf);
    if (!this.values.has(key)) this.values.set(key, this.bindLeaf(leaf));
  }

  private bindLeaf(leaf: Node): string {
    const { tensors, tasks, schedules } = this.bindings;
    const name = leafName(leaf);
    switch (leaf.op) {
      case 'input': {
        const { pictures } = this.bindings;
        if (name === pictures?.input) return shapePictures(this.emitter, this.input(name, pictureType(leaf.type)), pictures);
        const index = name === TASK ? taskIndex(this.bindings) : undefined;
        return index === undefined ? this.input(name, leaf.type) : this.emitter.constant(scalar(index), 'i64');
      }
      case 'schedule': {
        const value = schedules?.[String(leaf.attrs.name)];
        return value === undefined ? this.input(name, leaf.type) : this.emitter.float(value);
      }
      case 'every_task':
        return tensors !== undefined && tasks !== undefined ? this.widened(...this.stack(String(leaf.attrs.path), leaf.type, 'f32')) : this.input(name, leaf.type);
      case 'param':
      case 'state': {
        const path = String(leaf.attrs.path), own = storedPath(leaf, this.bindings);
        const kept = this.bindings.halfWeights === true && leaf.op === 'param' && leaf.type.shape.length > 1 ? 'f16' : leaf.type.dtype;
        if (own !== undefined) return this.stored(own, leaf.type, kept) ?? this.input(own, leaf.type);
        if (tensors === undefined || tasks === undefined) return this.input(path, leaf.type);
        const [stack, stackKept] = this.stack(path, { dtype: leaf.type.dtype, shape: [tasks.length, ...leaf.type.shape] }, kept);
        return this.widened(this.emitter.emit('Gather', [stack, this.taskInput()], { axis: 0 }), stackKept);
      }
      default: return this.input(name, leaf.type);
    }
  }

  private input(name: string, type: FileType): string {
    this.emitter.reserve(name);
    this.inputs.push({ name, type });
    for (const [axis, d] of type.shape.entries()) {
      if (isStatic(d)) continue;
      const [term, ...more] = d.terms;
      const [symbol, ...others] = term?.symbols ?? [];
      if (symbol === undefined || more.length > 0 || others.length > 0 || term?.coefficient !== 1) continue;
      if (!this.emitter.symbols.has(symbol)) this.emitter.symbols.set(symbol, { value: name, axis });
    }
    return name;
  }

  private taskInput(): string {
    const old = this.values.get(TASK_INPUT.name);
    if (old !== undefined) return old;
    const made = this.input(TASK_INPUT.name, TASK_INPUT.type);
    this.values.set(TASK_INPUT.name, made);
    return made;
  }

  private stored(path: string, type: TensorType, kept: ElementType): string | undefined {
    const value = this.bindings.tensors?.get(path);
    if (value === undefined) return undefined;
    expectShape(path, value.shape, type.shape);
    return this.widened(this.emitter.initializer(this.emitter.reserve(path), value.shape, kept, [value.read]), kept);
  }

  /** A value as the graph computes with it: halves become floats where they are read. */
  private widened(name: string, kept: ElementType): string {
    return kept === 'f16' ? this.emitter.emit('Cast', [name], { to: { int: elementType('f32') } }) : name;
  }

  /** All copies of a tensor as one initialiser [tasks, …], written once: its slices and its whole share it. */
  private stack(path: string, type: TensorType, kept: ElementType): readonly [name: string, kept: ElementType] {
    const name = path.replace('{task}', '*'), old = this.stacks.get(name);
    if (old !== undefined) return [name, old];
    this.stacks.set(name, kept);
    const shape = type.shape.filter(isStatic);
    expectShape(path, shape, type.shape);
    const copies = (this.bindings.tasks ?? []).map((code): TensorValue => {
      const own = pathForTask(path, code), copy = this.bindings.tensors?.get(own);
      if (copy === undefined) throw new Error(`tensor ${own} has no value`);
      expectShape(own, copy.shape, shape.slice(1));
      return copy;
    });
    return [this.emitter.initializer(this.emitter.reserve(name), shape, kept, copies.map((copy) => copy.read)), kept];
  }
}

function expectShape(path: string, have: readonly number[], want: TensorType['shape']): void {
  if (have.length !== want.length || have.some((d, i) => d !== want[i])) {
    throw new Error(`tensor ${path} has shape [${have.join(', ')}], the graph wants another`);
  }
}
