// The tree of a `.tps` text: what the visitor builds, the printer prints and the checker reads.
// Data only. Every node knows its source range; `error` nodes keep the names that a damaged item mentioned,
// so that the checker invents no second mistake about them.

/** 1-based line and column, 0-based offset (UTF-16 units). */
export interface Position { readonly line: number; readonly column: number; readonly offset: number }

/** Half-open: `end` is the first position after the node. */
export interface Range { readonly file: string; readonly start: Position; readonly end: Position }

export interface Identifier { readonly text: string; readonly range: Range }

interface Node { readonly range: Range }
interface Documented { /** the `///` lines above the item, without their marks */ readonly doc?: string }

export interface Comment { readonly text: string; readonly range: Range; readonly doc: boolean; /** nothing but white space stands before it on its line */ readonly ownLine: boolean }

export interface SourceFile extends Node {
  readonly kind: 'file';
  readonly path: string;
  readonly text: string;
  readonly declarations: readonly Declaration[];
  readonly comments: readonly Comment[];
}

// ---------------------------------------------------------------- declarations

export type Declaration =
  | EditionDecl | ImportDecl | DimDecl | SettingDecl | TasksDecl | BlockDecl | ModelDecl
  | EntriesDecl | VariantDecl | WeightsDecl | ErrorItem;

export interface EditionDecl extends Node { readonly kind: 'edition'; readonly edition: number }
export interface ImportDecl extends Node, Documented {
  readonly kind: 'import';
  /** `from "./my.tps"` is a file beside this one; `from std.loss` is a module of the standard library. */
  readonly source: { readonly kind: 'file' | 'module'; readonly text: string; readonly range: Range };
  readonly names: readonly { readonly name: Identifier; readonly as?: Identifier }[];
}
export interface DimDecl extends Node, Documented { readonly kind: 'dim'; readonly name: Identifier }
export interface SettingDecl extends Node, Documented {
  readonly kind: 'setting'; readonly name: Identifier; readonly type: TypeExpr; readonly value: Expr; readonly where: readonly Expr[];
}
export interface TasksDecl extends Node, Documented {
  readonly kind: 'tasks'; readonly name: Identifier;
  /** names that unreadable rows mention; absent where all were read */
  readonly damaged?: readonly string[];
  readonly rows: readonly { readonly code: Identifier; readonly label: string; readonly record?: RecordExpr; readonly range: Range }[];
}
export interface Parameter extends Node { readonly name: Identifier; readonly type: TypeExpr; readonly value?: Expr }
export interface BlockDecl extends Node, Documented {
  readonly kind: 'block'; readonly name: Identifier;
  /** Present when the block was written with two lists; `f()(x: …)` has an empty one. */
  readonly config?: readonly Parameter[];
  readonly inputs: readonly Parameter[];
  readonly result: TypeExpr;
  readonly withs: readonly { readonly name: Identifier; readonly value: Expr }[];
  readonly where: readonly Expr[];
  readonly body: readonly Stmt[];
}
export interface ModelDecl extends Node, Documented {
  readonly kind: 'model'; readonly name: Identifier; readonly inputs: readonly Parameter[]; readonly result: TypeExpr;
  readonly withs: readonly { readonly name: Identifier; readonly value: Expr }[];
  readonly where: readonly Expr[];
  readonly body: readonly Stmt[];
}
/** `train NAME "label" of MODEL { key = value }`, and likewise `study` and `dataset`. */
export interface EntriesDecl extends Node, Documented {
  readonly kind: 'train' | 'study' | 'dataset'; readonly name: Identifier; readonly label?: string; readonly of: Identifier;
  /** names that unreadable entries mention; absent where all were read */
  readonly damaged?: readonly string[];
  readonly entries: readonly Entry[];
}
export interface Entry extends Node { readonly key: Identifier; readonly value: Expr }
export interface VariantDecl extends Node, Documented {
  readonly kind: 'variant'; readonly name: Identifier; readonly label?: string; readonly of: Identifier; readonly edits: readonly Edit[];
}
export type Edit =
  | (Node & { readonly kind: 'remove'; readonly path: Path })
  | (Node & { readonly kind: 'set'; readonly path: Path; readonly value: Expr })
  | (Node & { readonly kind: 'replace'; readonly path: Path; readonly value: Expr })
  | (Node & { readonly kind: 'insert'; readonly statement: Stmt })
  | (Node & { readonly kind: 'alias' })
  | ErrorItem;
export interface WeightsDecl extends Node, Documented {
  readonly kind: 'weights'; readonly name: Identifier; readonly of: Identifier;
  /** names that unreadable rows mention; absent where all were read */
  readonly damaged?: readonly string[];
  readonly rows: readonly { readonly pattern: string; readonly path: Path; readonly transform?: Expr; readonly range: Range }[];
}
/** An item that did not parse. A syntax diagnostic has been reported; `names` are the identifiers that its tokens mention. */
export interface ErrorItem extends Node { readonly kind: 'error'; readonly names: readonly string[] }

// ---------------------------------------------------------------- paths

/** `enc.blocks[* as b].attn.qkv` */
export interface Path extends Node { readonly root: Identifier; readonly steps: readonly PathStep[] }
export type PathStep =
  | (Node & { readonly kind: 'member'; readonly name: Identifier })
  /** `[*]`, `[* as b]`: every element. */
  | (Node & { readonly kind: 'every'; readonly as?: Identifier })
  /** `[3]`, `[b]`, `[2..6 as b]` */
  | (Node & { readonly kind: 'index'; readonly index: Expr; readonly as?: Identifier });

// ---------------------------------------------------------------- statements

export interface LetTarget { readonly kind: 'name' | 'list'; /** `_` is kept as the text "_" */ readonly names: readonly Identifier[] }
export interface IndexedName { readonly name: Identifier; readonly index?: Expr }

export type Stmt =
  | (Node & Documented & { readonly kind: 'let'; readonly target: LetTarget; readonly value: Expr })
  /** `layer f: T = g(…)` says the type of its first input too: its tensors are there even where nothing calls it. */
  | (Node & Documented & { readonly kind: 'layer'; readonly target: IndexedName; readonly type?: TypeExpr; readonly value: Expr })
  | (Node & Documented & { readonly kind: 'param'; readonly name: Identifier; readonly type: TypeExpr; readonly init: Expr })
  | (Node & Documented & { readonly kind: 'carry' | 'next' | 'emit'; readonly name: Identifier; readonly value: Expr })
  | (Node & Documented & { readonly kind: 'return'; readonly value: Expr })
  | (Node & Documented & { readonly kind: 'for'; readonly name: Identifier; readonly iterable: Expr; readonly body: readonly Stmt[] })
  | IfStmt
  | (Node & Documented & { readonly kind: 'encoder' | 'decoder'; readonly target: IndexedName; readonly value: Expr; readonly with?: RecordExpr })
  | (Node & Documented & { readonly kind: 'adapter'; readonly name: Identifier; readonly per?: Identifier; readonly place: 'before' | 'after' | 'beside'; readonly path: Path; readonly value: Expr })
  | (Node & Documented & { readonly kind: 'gate'; readonly name: Identifier; readonly per?: Identifier; readonly over: Path; readonly value: Expr })
  | (Node & Documented & { readonly kind: 'prototypes' | 'state'; readonly name: Identifier; readonly per?: Identifier; readonly type: TypeExpr; readonly entries: readonly Entry[]; readonly damaged?: readonly string[] })
  | ErrorItem;

export type StmtOf<K extends Stmt['kind']> = Extract<Stmt, { readonly kind: K }>;

export interface IfStmt extends Node, Documented {
  readonly kind: 'if'; readonly condition: Expr; readonly then: readonly Stmt[];
  /** `else if` is an `else` whose only statement is an `if`. */
  readonly else?: readonly Stmt[];
}

// ---------------------------------------------------------------- expressions

export type BinaryOperator =
  | '^' | '*' | '/' | '%' | '+' | '-' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'in' | 'and' | 'or';

export type Expr =
  | (Node & { readonly kind: 'name'; readonly name: string })
  | (Node & { readonly kind: 'number'; readonly value: number; readonly integer: boolean; readonly text: string })
  | (Node & { readonly kind: 'string'; readonly value: string })
  | (Node & { readonly kind: 'bool'; readonly value: boolean })
  | (Node & { readonly kind: 'list'; readonly elements: readonly Element[] })
  | RecordExpr
  | (Node & { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly operand: Expr })
  | (Node & { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expr; readonly right: Expr })
  | (Node & { readonly kind: 'range'; readonly from: Expr; readonly to: Expr })
  | (Node & { readonly kind: 'pipe'; readonly left: Expr; readonly right: Expr })
  | (Node & { readonly kind: 'conditional'; readonly condition: Expr; readonly then: Expr; readonly else: Expr })
  | (Node & { readonly kind: 'member'; readonly object: Expr; readonly name: Identifier })
  | (Node & { readonly kind: 'call'; readonly callee: Expr; readonly args: readonly Argument[] })
  | (Node & { readonly kind: 'index'; readonly object: Expr; readonly subscripts: readonly Subscript[] })
  | (Node & { readonly kind: 'per'; readonly over: Identifier; readonly value: Expr })
  | (Node & { readonly kind: 'param'; readonly type: TypeExpr; readonly init: Expr })
  /** What stands where an expression did not parse; already reported. */
  | (Node & { readonly kind: 'error'; readonly names: readonly string[] });

export type ExprOf<K extends Expr['kind']> = Extract<Expr, { readonly kind: K }>;

export interface RecordExpr extends Node { readonly kind: 'record'; readonly fields: readonly { readonly name: Identifier; readonly value: Expr; readonly range: Range }[] }
/** An element of a list or an argument: `e`, or `e for x in xs if c`. */
export interface Element extends Node { readonly value: Expr; readonly for?: { readonly name: Identifier; readonly iterable: Expr; readonly if?: Expr } }
export interface Argument extends Node { readonly name?: Identifier; readonly element: Element }
export type Subscript =
  | (Node & { readonly kind: 'rest' })                                            // ..
  | (Node & { readonly kind: 'every' })                                           // *
  | (Node & { readonly kind: 'slice'; readonly from?: Expr; readonly to?: Expr }) // a:b
  | (Node & { readonly kind: 'at'; readonly index: Expr });

// ---------------------------------------------------------------- types

export type TypeExpr =
  /** `f32[B, C]`; without `dims` the rank is open (`f32`); `f32[]` is a scalar. Also `int`, `float`, `bool`, `string`, `task`, …: a `named`. */
  | (Node & { readonly kind: 'tensor'; readonly dtype: string; readonly dims: readonly DimExpr[] })
  | (Node & { readonly kind: 'named'; readonly name: string; readonly of?: Identifier })
  | (Node & { readonly kind: 'list'; readonly element: TypeExpr })
  | (Node & { readonly kind: 'record'; readonly fields: readonly { readonly name: Identifier; readonly type: TypeExpr }[] })
  | (Node & { readonly kind: 'error' });

export type DimExpr =
  | (Node & { readonly kind: 'rest'; readonly name?: Identifier }) // `..` or `..lead`
  | (Node & { readonly kind: 'any' })                              // `_`
  | (Node & { readonly kind: 'dim'; readonly value: Expr });
