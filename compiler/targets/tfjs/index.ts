// Graph to tfjs program: walks the graph once and lets each op's row write its calls, then finds the last reader of every tensor.
import { boundValue, storedPath, TASK, type Bindings } from '../../bindings.js';
import { isLeaf, leafName, nodeOf, type Graph, type Node } from '../../ir/graph.js';
import { isNdArray, type NdArray } from '../../ir/ndarray.js';
import { opOf } from '../../ops/index.js';
import type { TfjsValue } from '../../ops/op.js';
import { gatherTfjs, plain } from '../../ops/shared/tfjs.js';
import { Emitter } from './emitter.js';
import { slotsOf, type Slot, type TfjsCall, type TfjsProgram } from './program.js';

export { kernelsOf, type TfjsCall, type TfjsProgram } from './program.js';

/**
 * Leaves to which the bindings give a value become constants; the others are inputs, by `leafName`. Where tensors of a task have values and no task
 * is baked in, the input `t` picks from a stack of their copies.
 */
export function toTfjs(graph: Graph, bindings: Bindings = {}): TfjsProgram {
  const emitter = new Emitter();
  const inputs = new Map<string, { readonly leaf: Node; readonly value: TfjsValue }>();
  const leafValue = (leaf: Node): TfjsValue => {
    const known = leaf.op === 'constant' ? leaf.attrs.value : boundValue(leaf, bindings, Infinity);
    if (isNdArray(known)) return emitter.constant(known, leaf.type.dtype);
    const copies = stackOf(leaf, bindings);
    if (copies !== undefined) return gatherTfjs(emitter, emitter.constant(copies, leaf.type.dtype), input(TASK_LEAF), 0);
    return input(leaf);
  };
  const input = (leaf: Node): TfjsValue => {
    const name = leafName(leaf), old = inputs.get(name);
    if (old !== undefined) return old.value;
    const value = emitter.input(leaf.type);
    inputs.set(name, { leaf, value });
    return value;
  };
  const values = new Map<number, TfjsValue>();
  const read = (id: number): TfjsValue => values.get(id) ?? missing(id);
  for (const node of graph.nodes.values()) {
    values.set(node.id, isLeaf(node.op) ? leafValue(node) : opOf(node.op).tfjs(emitter, node, node.inputs.map(read)));
  }
  const given = new Set<Slot>();
  const outputs = graph.outputs.map(({ name, id }) => {
    const value = plain(emitter, read(id));
    const own = !emitter.given(value) && !given.has(value.slot) ? value : emitter.copy(value);
    given.add(own.slot);
    return { name, slot: own.slot, type: nodeOf(graph, id).type };
  });
  const calls = withFrees(alive(emitter.calls, given), given);
  const readSlots = new Set(calls.flatMap((call) => slotsOf(call.inputs)));
  return {
    inputs: [...inputs].map(([name, { leaf, value }]) => ({ name, slot: value.slot, type: leaf.type })),
    constants: [...emitter.constants].filter(([slot]) => readSlots.has(slot)).map(([slot, { dtype, value }]) => ({ slot, dtype, value })),
    calls,
    outputs,
  };
}

const TASK_LEAF: Node = { id: -1, op: 'input', inputs: [], attrs: { name: TASK }, type: { dtype: 'i64', shape: [] }, path: '' };

/** All tasks' copies of a task's own tensor, where the bindings hold them. */
function stackOf(leaf: Node, bindings: Bindings): NdArray | undefined {
  const { tasks } = bindings;
  if ((leaf.op !== 'param' && leaf.op !== 'state') || tasks === undefined || storedPath(leaf, bindings) !== undefined) return undefined;
  return boundValue({ ...leaf, op: 'every_task', type: { ...leaf.type, shape: [tasks.length, ...leaf.type.shape] } }, bindings, Infinity);
}

type Call = Omit<TfjsCall, 'frees'>;

/** Without calls whose results nobody reads. */
function alive(calls: readonly Call[], outputs: ReadonlySet<Slot>): readonly Call[] {
  const wanted = new Set(outputs);
  return calls.toReversed().filter((call) => {
    if (!wanted.has(call.output)) return false;
    for (const slot of slotsOf(call.inputs)) wanted.add(slot);
    return true;
  }).reverse();
}

function withFrees(calls: readonly Call[], outputs: ReadonlySet<Slot>): readonly TfjsCall[] {
  const made = new Set(calls.map((call) => call.output));
  const seen = new Set(outputs);
  return calls.toReversed().map((call): TfjsCall => {
    const frees = [...new Set(slotsOf(call.inputs))].filter((slot) => made.has(slot) && !seen.has(slot));
    for (const slot of frees) seen.add(slot);
    return { ...call, frees };
  }).reverse();
}

function missing(id: number): never { throw new Error(`node ${id} is used before it is made`); }
