// What a diff of two programs is: values for reports and tools. How it is found is in the files beside; how it reads is the runtime's.
import type { ElementCount } from '../elements.js';

/** `both`: in use and in training; else in that function alone. */
export type Mode = 'both' | 'use' | 'training';

export interface Side {
  /** Name of the model. */
  readonly model: string;
  readonly file: string;
  readonly variant: string | null;
  readonly label: string | null;
  readonly hash: string;
  readonly tasks: readonly string[];
}

/** A value by name: a setting, an entry of the training block. null: it has none there. */
export interface FieldChange { readonly key: string; readonly a: string | null; readonly b: string | null }

export interface DeclarationChange {
  /** `adapter`, `gate`, `let`, …; `block`; `loss`. */
  readonly kind: string;
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** As the resolved spec says it, on one line. */
  readonly a: string | null;
  readonly b: string | null;
}

export type OpCounts = Readonly<Record<string, number>>;
export interface OpDelta { readonly added: OpCounts; readonly removed: OpCounts }

/** An op whose attribute, or constant whose value, is another. */
export interface AttrChange { readonly op: string; readonly attr: string; readonly a: string; readonly b: string; readonly count: number }

/** Ops, of all these modules, that are there in both and read something else: modules of A and of B that they read. What reads a module that was replaced or moved reads it still. */
export interface Rewiring { readonly ops: OpCounts; readonly a: readonly string[]; readonly b: readonly string[] }

/** Modules that changed in one way. */
export interface ModuleChange {
  /** `enc.blocks[0..47].attn`; '' is the model itself. */
  readonly path: string;
  /** Every path that it stands for, as tensors have them. */
  readonly paths: readonly string[];
  /** added, removed: the module with all inside it. replaced: another block under its name. moved: as it was, elsewhere. changed: ops of its own. */
  readonly change: 'added' | 'removed' | 'replaced' | 'moved' | 'changed';
  /** Where `change` is `changed`: the function that it is in. The others hold for the module, whichever functions have it. */
  readonly mode: Mode;
  /** Block of which it is an instance, where it has one. */
  readonly block: { readonly a: string | null; readonly b: string | null };
  /** Of an adapter: `before`, and the nodes it stands at, `enc.blocks[0..47]`. */
  readonly at: { readonly place: string; readonly node: string } | null;
  /** Of what moved: where to. */
  readonly to: string | null;
  /** Ops of all these modules, leaves (parameters, constants) too: of both functions, and beyond that of one. */
  readonly ops: Readonly<Record<Mode, OpDelta>>;
  readonly changed: readonly AttrChange[];
  readonly rewired: Rewiring | null;
}

/** Modules whose result, made as before, has another shape. */
export interface ShapeChange { readonly path: string; readonly paths: readonly string[]; readonly a: string; readonly b: string }

export interface OutputChange { readonly name: string; readonly change: 'added' | 'removed' | 'rewired' | 'moved'; readonly mode: Mode }

/** Tensors by what became of them, as declared: a tensor with a copy a task is one. */
export interface TensorChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'moved' | 'changed';
  readonly kind: 'param' | 'state';
  /** Of what moved: where to. */
  readonly to: string | null;
  /** `shape`, `init`, `frozen`, …, with both values. */
  readonly fields: readonly FieldChange[];
}

export type LoadKind = 'same' | 'reshaped' | 'new' | 'dropped';
/** Tensors of a checkpoint under a path, each task's copy counted. */
export interface LoadGroup { readonly path: string; readonly kind: LoadKind; readonly tensors: number; readonly elements: number }
export interface Load {
  readonly same: number; readonly reshaped: number; readonly new: number; readonly dropped: number;
  /** Of the new ones: those that are in A under another path, with their shape. They are not loaded. */
  readonly moved: number;
  /** What is not the same, grouped. */
  readonly groups: readonly LoadGroup[];
}

export interface Diff {
  readonly a: Side;
  readonly b: Side;
  /** Nothing differs that could change a number: everything below is empty. */
  readonly equal: boolean;
  readonly declarations: readonly DeclarationChange[];
  readonly settings: readonly FieldChange[];
  readonly tasks: readonly FieldChange[];
  readonly modules: readonly ModuleChange[];
  readonly shapes: readonly ShapeChange[];
  readonly outputs: readonly OutputChange[];
  readonly tensors: readonly TensorChange[];
  /** Tensors of both that stand in another order: sums over tensors are made in it. */
  readonly tensorOrder: boolean;
  readonly training: readonly FieldChange[];
  readonly schedules: readonly FieldChange[];
  readonly elements: { readonly a: ElementCount; readonly b: ElementCount };
  readonly load: Load;
}
