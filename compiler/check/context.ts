// What one elaboration carries along: the graph under construction, the tensors found, the calls made, the place in the source.
import type { BlockDecl, Identifier, Range, WeightsDecl } from '../../grammar/ast.js';
import { diagnostic, type Code, type Diagnostic, type ParamsOf, type Related } from '../../grammar/diagnostics.js';
import { GraphBuilder } from '../ir/builder.js';
import type { Dim } from '../ir/dim.js';
import { formatShape } from '../ir/dim.js';
import type { NodeId } from '../ir/graph.js';
import type { Init, Schedule, TaskSet, TensorInfo } from '../program.js';
import type { Binding, Module } from '../resolve/modules.js';
import type { CallSite, Value } from './values.js';

/** Names bound inside a body. `carry` slots may be rebound by `next`. */
export class Scope {
  private readonly slots = new Map<string, { value: Value; readonly carry: boolean; readonly range: Range }>();
  constructor(readonly parent?: Scope) {}

  find(name: string): Value | undefined { return this.slots.get(name)?.value ?? this.parent?.find(name); }
  own(name: string): Range | undefined { return this.slots.get(name)?.range; }
  define(name: Identifier, value: Value, carry = false): void { this.slots.set(name.text, { value, carry, range: name.range }); }
  /** Rebinds a `carry`; false where there is none. */
  rebind(name: string, value: Value): boolean {
    const slot = this.slots.get(name);
    if (slot?.carry === true) {
      slot.value = value;
      return true;
    }
    return slot === undefined && (this.parent?.rebind(name, value) ?? false);
  }
  names(): string[] { return [...this.slots.keys(), ...(this.parent?.names() ?? [])]; }
}

/** The body being run: one call of one block, or the model. */
export interface Frame {
  readonly module: Module;
  readonly scope: Scope;
  /** Path of the instance; '' for the model. Holds `{task}` inside what is per task. */
  readonly path: string;
  readonly block: string;
  /** How often each callee was called without a name. */
  readonly ordinals: Map<string, number>;
  readonly emitted: Map<string, Value[]>;
  /** Paths that this run of the body has declared: a second declaration is a mistake, a second call is sharing. */
  readonly declared: Set<string>;
  returned?: Value;
  /** Update laws, run when the body is done. */
  readonly deferred: (() => void)[];
}

export const newFrame = (module: Module, path: string, block: string, scope = new Scope()): Frame =>
  ({ module, scope, path, block, ordinals: new Map(), emitted: new Map(), declared: new Set(), deferred: [] });

/** The same body with an inner scope: the names of a loop's turn. */
export const inner = (frame: Frame): Frame => ({
  ...frame, scope: new Scope(frame.scope),
  get returned() { return frame.returned; },
  set returned(value: Value | undefined) { if (value === undefined) delete frame.returned; else frame.returned = value; },
});

/** One call of an instance: what adapters attach to. Nodes with ids in [start, end) were made by it. */
export interface Call {
  readonly path: string;
  /** The call in whose body it stands; absent in the model's own. */
  readonly within: Call | undefined;
  readonly start: NodeId;
  end: NodeId;
  /** The tensors that it reads now: adapters before it, or before what it stands in, put others in their place. */
  inputs: readonly NodeId[];
  output: Value;
}

export interface TensorEntry { info: TensorInfo; readonly id: NodeId; readonly range: Range; readonly role: string; readonly name: string }

/** An EMA or other law: the node of the state's next value. */
export interface Update { readonly path: string; readonly id: NodeId }

/** `nodes`: paths of what it weighs, in order; none where its path is faulty. */
export interface GateEntry { readonly name: string; readonly path: string; readonly over: string; readonly nodes: readonly string[]; readonly id: NodeId; readonly range: Range }

/** Diagnostics of the whole compilation; a place says the same thing once. */
export class Sink {
  readonly all: Diagnostic[] = [];
  private readonly seen = new Set<string>();
  push(d: Diagnostic): void {
    const key = `${d.code} ${d.range.file} ${d.range.start.offset}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.all.push(d);
  }
  get failed(): boolean { return this.all.some((d) => d.severity === 'error'); }
}

/** What is the same in both elaborations of a spec. */
export interface World {
  readonly sink: Sink;
  readonly prelude: ReadonlyMap<string, Binding>;
  readonly tasks: TaskSet | undefined;
  /** Values of settings, by declaration. */
  readonly setting: (binding: Binding) => Value;
}

/** What cannot be said of a definition: a value that is wanted now may be known at the call. */
const UNKNOWABLE: ReadonlySet<Code> = new Set<Code>(['TPS3006', 'TPS3013', 'TPS3016', 'TPS3023']);

/** Inputs and outputs of the functions that are made of a network (`functions.ts`). */
const TAKEN: ReadonlyMap<string, string> = new Map([
  ['t', 'the number of the task'], ['truth', 'the mask of an image'], ['weights', 'the weights of the samples'], ['logits', 'their result'], ['loss', 'their loss'],
]);

export class Context {
  builder = new GraphBuilder();
  tensors = new Map<string, TensorEntry>();
  readonly calls = new Map<string, Call[]>();
  /** Where the user's text called an instance, by its path. */
  readonly places = new Map<string, Range>();
  readonly schedules = new Map<string, { readonly schedule: Schedule; readonly id: NodeId }>();
  readonly updates: Update[] = [];
  readonly gates: GateEntry[] = [];
  readonly sites: CallSite[] = [];
  /** The ground truth, which laws and losses see. */
  truth: Value | undefined;
  /** Tensors that damaged or faulty text reads: they count as read. */
  readonly doubtful: NodeId[] = [];
  /** Names that a faulty adapter would have read. */
  readonly doubtfulNames: string[] = [];
  /** The block that each instance is of, by its path. */
  readonly instances = new Map<string, { readonly block: BlockDecl; readonly module: Module }>();
  /** The node that each adapter stands at, by the adapter's path. */
  readonly adapted = new Map<string, { readonly place: 'before' | 'after' | 'beside'; readonly node: string }>();
  /** Encoders that name a `weights` declaration. */
  readonly encoders: { readonly path: string; readonly weights: WeightsDecl }[] = [];
  /** Blocks whose bodies were run. */
  readonly executed = new Set<BlockDecl>();
  /** Nodes that only a loss or a law made: no part of the network. */
  readonly lossOnly = new Set<NodeId>();
  /** The calls under way, the innermost last. */
  readonly running: Call[] = [];
  /** Nodes that an adapter moved to a new id, and the id that they had. */
  readonly movedFrom = new Map<NodeId, NodeId>();
  /** Nodes that an adapter made, and the call that they belong to: undefined for the model itself. */
  readonly homes = new Map<NodeId, Call | undefined>();
  /** Definitions are checked with sizes unknown: what is not known yet is no mistake. */
  readonly definition: boolean;
  /** A task is added to a trained network: all but its own parts is built as for use. */
  private readonly growing: boolean;
  private readonly leaves = new WeakMap<GraphBuilder, Map<string, NodeId>>();

  /** Inside a frozen encoder: built as for use whatever the mode, and no law writes its states. */
  frozen = false;

  constructor(readonly world: World, private readonly mode: boolean, options: { readonly definition?: boolean; readonly growing?: boolean } = {}) {
    this.definition = options.definition ?? false;
    this.growing = options.growing ?? false;
  }

  /** What `training` says in an instance of this path. */
  trainingIn(path: string): boolean { return this.mode && !this.frozen && (!this.growing || path.includes('{task}')); }
  /** Runs what an encoder says, frozen or not; inside a frozen one everything is. */
  within<T>(frozen: boolean, run: () => T): T {
    const before = this.frozen;
    this.frozen ||= frozen;
    try {
      return run();
    } finally {
      this.frozen = before;
    }
  }

  /** Reports at the user's own text: a place inside the standard library is told by its nearest caller, and related. */
  report<C extends Code>(code: C, range: Range, module: Module, params: ParamsOf<C>, extra: { readonly related?: readonly Related[]; readonly help?: string } = {}): void {
    if (this.definition && UNKNOWABLE.has(code)) return;
    const place = this.userPlace(range, module);
    const related = [...(extra.related ?? []), ...(place === range ? [] : [{ message: 'inside here', range }])];
    this.world.sink.push(diagnostic(code, place, params, { ...extra, related }));
  }
  userPlace(range: Range, module: Module): Range {
    if (!module.standard) return range;
    for (let i = this.sites.length - 1; i >= 0; i--) {
      const site = this.sites[i];
      if (site !== undefined && !site.standard) return site.range;
    }
    return range;
  }

  /** A leaf that is made once per graph. */
  once(key: string, make: (b: GraphBuilder) => NodeId): NodeId {
    let known = this.leaves.get(this.builder);
    if (known === undefined) this.leaves.set(this.builder, (known = new Map()));
    let id = known.get(key);
    if (id === undefined) known.set(key, (id = make(this.builder)));
    return id;
  }
  tensor(id: NodeId): Value { return { kind: 'tensor', id, builder: this.builder }; }
  /** The task at hand, an i64 scalar. */
  taskLeaf(): NodeId { return this.once('t', (b) => b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] })); }

  /** Declares a tensor, or finds it where its instance is called a second time. undefined: the shapes differ (reported). */
  declare(kind: 'param' | 'state', path: string, name: string, shape: readonly number[], init: Init, frame: Frame, range: Range, role: string): NodeId | undefined {
    if (frame.declared.has(path)) {
      this.report('TPS2004', range, frame.module, { name });
      return undefined;
    }
    frame.declared.add(path);
    this.refuseTaken(path, range, frame);
    const old = this.tensors.get(path);
    if (old !== undefined) {
      if (sameNumbers(old.info.shape, shape)) return old.id;
      this.report('TPS3022', range, frame.module, { path, first: formatShape(old.info.shape), second: formatShape(shape) });
      return undefined;
    }
    const id = this.builder.leaf(kind, { path }, { dtype: 'f32', shape });
    const info: TensorInfo = { path, kind, shape, perTask: path.includes('{task}'), frozen: false, init };
    this.tensors.set(path, { info, id, range: this.userPlace(range, frame.module), role, name });
    return id;
  }

  /** A tensor of the model itself, or its input, by a name that a function of the network gives to something else. */
  refuseTaken(name: string, range: Range, frame: Frame): void {
    const meaning = TAKEN.get(name);
    if (meaning !== undefined) this.report('TPS2006', range, frame.module, { name, meaning });
  }

  /** Runs something in a graph of its own, with its own tensors: an `init` expression. */
  aside<T>(run: () => T): { readonly result: T; readonly builder: GraphBuilder; readonly tensors: ReadonlyMap<string, TensorEntry> } {
    const [builder, tensors] = [this.builder, this.tensors];
    this.builder = new GraphBuilder();
    this.tensors = new Map();
    try {
      return { result: run(), builder: this.builder, tensors: this.tensors };
    } finally {
      this.builder = builder;
      this.tensors = tensors;
    }
  }

  /** Runs something for the tensors that it declares: they stay, its calculation, calls, laws and schedules do not. */
  declareOnly(run: () => void): void {
    const [calls, laws, schedules] = [new Set(this.calls.keys()), this.updates.length, new Set(this.schedules.keys())];
    const { tensors } = this.aside(run);
    for (const [path, entry] of tensors) {
      if (this.tensors.has(path)) continue;
      this.builder.place = { path: path.slice(0, Math.max(0, path.lastIndexOf('.'))), range: entry.range };
      this.tensors.set(path, { ...entry, id: this.builder.leaf(entry.info.kind, { path }, { dtype: 'f32', shape: entry.info.shape }) });
    }
    for (const path of this.calls.keys()) if (!calls.has(path)) this.calls.delete(path);
    this.updates.length = laws;
    for (const name of this.schedules.keys()) if (!schedules.has(name)) this.schedules.delete(name);
  }
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

export const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** Dims that must be numbers now; undefined where one depends on the batch. */
export const staticShape = (shape: readonly Dim[]): readonly number[] | undefined =>
  (shape.every((d): d is number => typeof d === 'number') ? shape : undefined);
