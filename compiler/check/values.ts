// What an expression of a spec can be while it is checked. Data only.
import type { BlockDecl, Range } from '../../grammar/ast.js';
import { formatDim, type Dim } from '../ir/dim.js';
import { formatType, type NodeId } from '../ir/graph.js';
import type { GraphBuilder } from '../ir/builder.js';
import type { Init, Schedule, TaskSet } from '../program.js';
import type { Module } from '../resolve/modules.js';

export type Value =
  | { readonly kind: 'number'; readonly value: number; readonly integer: boolean }
  /** An integer that depends on the batch. */
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Value>; /** the instance whose result it is */ readonly path?: string }
  | { readonly kind: 'tensor'; readonly id: NodeId; readonly builder: GraphBuilder }
  | Closure
  | { readonly kind: 'op'; readonly name: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'task'; readonly set: TaskSet | undefined }
  | { readonly kind: 'tasks'; readonly set: TaskSet }
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'schedule'; readonly schedule: Schedule }
  /** Children of an instance, for `enc.blocks`: only their number and places matter. */
  | { readonly kind: 'nodes'; readonly path: string }
  /** Follows a mistake that has been reported (or, in a definition, what is not known yet); silences what depends on it, but keeps its tensors. */
  | Poison;

/** `hole`: a place of an indexed `layer` that nothing was declared at; reading it is the mistake. */
export interface Poison { readonly kind: 'poison'; readonly ids: readonly NodeId[]; readonly hole?: true }

export type Tensor = Extract<Value, { kind: 'tensor' }>;

/** A block, perhaps with its configuration, perhaps bound to an instance. */
export interface Closure {
  readonly kind: 'closure';
  readonly block: BlockDecl;
  readonly module: Module;
  /** Absent: a two-list block not yet configured. */
  readonly config?: ReadonlyMap<string, Value>;
  readonly perTask: boolean;
  /** What an unnamed call is called. */
  readonly name: string;
  /** The full path, where a `layer` fixed it. */
  readonly path?: string;
}

export const number = (value: number, integer = Number.isInteger(value)): Value => ({ kind: 'number', value, integer });
export const bool = (value: boolean): Value => ({ kind: 'bool', value });
export const string = (value: string): Value => ({ kind: 'string', value });
export const list = (items: readonly Value[]): Value => ({ kind: 'list', items });
export const dimValue = (dim: Dim): Value => (typeof dim === 'number' ? number(dim, true) : { kind: 'dim', dim });
export const nothingKnown: Poison = { kind: 'poison', ids: [] };
export const hole: Poison = { kind: 'poison', ids: [], hole: true };

/** The dimension that a value is, if it is one. */
export function asDim(v: Value): Dim | undefined {
  if (v.kind === 'dim') return v.dim;
  return v.kind === 'number' && v.integer ? v.value : undefined;
}

/** All tensors that a value holds: what a mistake about it depends on. */
export function tensorsIn(values: readonly Value[]): NodeId[] {
  return values.flatMap((v) => {
    switch (v.kind) {
      case 'tensor': return [v.id];
      case 'poison': return [...v.ids];
      case 'list': return tensorsIn(v.items);
      case 'record': return tensorsIn([...v.fields.values()]);
      case 'closure': return tensorsIn([...(v.config?.values() ?? [])]);
      default: return [];
    }
  });
}
export const poison = (from: readonly Value[] = []): Poison => ({ kind: 'poison', ids: tensorsIn(from) });
export const isPoison = (v: Value): boolean => v.kind === 'poison' || (v.kind === 'list' && v.items.some(isPoison));

/** A value in words, for messages. */
export function describe(v: Value): string {
  switch (v.kind) {
    case 'number': return `the number ${v.value}`;
    case 'dim': return `the size ${formatDim(v.dim)}`;
    case 'bool': return String(v.value);
    case 'string': return `"${v.value}"`;
    case 'list': return `a list of ${v.items.length}`;
    case 'record': return 'a record';
    case 'tensor': return formatType(v.builder.type(v.id));
    case 'closure': return v.config === undefined || v.block.config === undefined ? `block \`${v.block.name.text}\`` : `layer \`${v.block.name.text}\``;
    case 'op': return `op \`${v.name}\``;
    case 'builtin': return `function \`${v.name}\``;
    case 'task': return 'a task';
    case 'tasks': return 'the list of tasks';
    case 'init': return 'an initial value';
    case 'schedule': return 'a schedule';
    case 'nodes': return `the nodes of ${v.path}`;
    case 'poison': return 'a faulty value';
  }
}

/** Where something was written, and whether that is a file of the standard library. */
export interface CallSite { readonly range: Range; readonly standard: boolean }
