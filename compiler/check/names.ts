// Names, without running anything: unknown ones in bodies that no model runs, and what is declared but never used.
import type { BlockDecl, Declaration, Element, Expr, Identifier, ModelDecl, Path, RecordExpr, Stmt, TypeExpr } from '../../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../../grammar/diagnostics.js';
import { isOp, opOf, ops } from '../ops/index.js';
import type { Binding, Module } from '../resolve/modules.js';
import { BUILTINS } from './builtins.js';
import { TYPE_NAMES } from './shapes.js';
import { suggestion } from './suggest.js';
import { WORDS } from './vocabulary.js';

type Use = (name: string, at: Expr | Identifier) => void;

const enumValues: ReadonlySet<string> = new Set(ops.flatMap((o) => Object.values(o.attrs).flatMap((a) => a.values ?? [])));
const SPECIAL: ReadonlySet<string> = new Set(['truth', 'training', 'tasks', 'old']);

function usesOfExpr(e: Expr, use: Use): void {
  const element = (x: Element): void => {
    if (x.for !== undefined) {
      usesOfExpr(x.for.iterable, use);
      if (x.for.if !== undefined) usesOfExpr(x.for.if, use);
    }
    usesOfExpr(x.value, use);
  };
  switch (e.kind) {
    case 'name': use(e.name, e); return;
    case 'number': case 'string': case 'bool': return;
    case 'error': e.names.forEach((n) => { use(n, e); }); return;
    case 'list': e.elements.forEach(element); return;
    case 'record': e.fields.forEach((f) => { usesOfExpr(f.value, use); }); return;
    case 'unary': usesOfExpr(e.operand, use); return;
    case 'binary': case 'pipe': usesOfExpr(e.left, use); usesOfExpr(e.right, use); return;
    case 'range': usesOfExpr(e.from, use); usesOfExpr(e.to, use); return;
    case 'conditional': [e.condition, e.then, e.else].forEach((x) => { usesOfExpr(x, use); }); return;
    case 'member': usesOfExpr(e.object, use); return;
    case 'call': usesOfExpr(e.callee, use); e.args.forEach((a) => { element(a.element); }); return;
    case 'index':
      usesOfExpr(e.object, use);
      for (const s of e.subscripts) {
        if (s.kind === 'at') usesOfExpr(s.index, use);
        if (s.kind === 'slice') [s.from, s.to].forEach((x) => { if (x !== undefined) usesOfExpr(x, use); });
      }
      return;
    case 'per': use(e.over.text, e.over); usesOfExpr(e.value, use); return;
    case 'param': usesOfType(e.type, use); usesOfExpr(e.init, use); return;
    default: e satisfies never;
  }
}

function usesOfType(t: TypeExpr, use: Use): void {
  switch (t.kind) {
    case 'tensor': t.dims.forEach((d) => { if (d.kind === 'dim') usesOfExpr(d.value, use); }); return;
    case 'named': if (t.of !== undefined) use(t.of.text, t.of); return;
    case 'list': usesOfType(t.element, use); return;
    case 'record': t.fields.forEach((f) => { usesOfType(f.type, use); }); return;
    case 'error': return;
    default: t satisfies never;
  }
}

function usesOfPath(p: Path, use: Use): void {
  use(p.root.text, p.root);
  for (const s of p.steps) if (s.kind === 'index') usesOfExpr(s.index, use);
}
const usesOfRecord = (r: RecordExpr | undefined, use: Use): void => { if (r !== undefined) usesOfExpr(r, use); };

function usesOfStmt(s: Stmt, use: Use): void {
  switch (s.kind) {
    case 'error': s.names.forEach((n) => { use(n, { text: n, range: s.range }); }); return;
    case 'let': case 'carry': case 'next': case 'emit': case 'return': usesOfExpr(s.value, use); if (s.kind === 'next') use(s.name.text, s.name); return;
    case 'layer': case 'encoder': case 'decoder':
      if (s.target.index !== undefined) usesOfExpr(s.target.index, use);
      usesOfExpr(s.value, use);
      if (s.kind !== 'layer') usesOfRecord(s.with, use);
      return;
    case 'param': usesOfType(s.type, use); usesOfExpr(s.init, use); return;
    case 'for': usesOfExpr(s.iterable, use); s.body.forEach((x) => { usesOfStmt(x, use); }); return;
    case 'if': usesOfExpr(s.condition, use); [...s.then, ...(s.else ?? [])].forEach((x) => { usesOfStmt(x, use); }); return;
    case 'adapter': if (s.per !== undefined) use(s.per.text, s.per); usesOfPath(s.path, use); usesOfExpr(s.value, use); return;
    case 'gate': if (s.per !== undefined) use(s.per.text, s.per); usesOfPath(s.over, use); usesOfExpr(s.value, use); return;
    case 'prototypes': case 'state': if (s.per !== undefined) use(s.per.text, s.per); usesOfType(s.type, use); s.entries.forEach((e) => { usesOfExpr(e.value, use); }); return;
    default: s satisfies never;
  }
}

function usesOfSignature(d: BlockDecl | ModelDecl, use: Use): void {
  for (const p of [...(d.kind === 'block' ? d.config ?? [] : []), ...d.inputs]) {
    usesOfType(p.type, use);
    if (p.value !== undefined) usesOfExpr(p.value, use);
  }
  usesOfType(d.result, use);
  d.withs.forEach((w) => { usesOfExpr(w.value, use); });
  d.where.forEach((w) => { usesOfExpr(w, use); });
}

/** All that a declaration reads. */
export function usesOf(d: Declaration, use: Use): void {
  switch (d.kind) {
    case 'edition': case 'import': case 'dim': return;
    case 'setting': usesOfType(d.type, use); usesOfExpr(d.value, use); d.where.forEach((w) => { usesOfExpr(w, use); }); return;
    case 'tasks': return;
    case 'block': case 'model': usesOfSignature(d, use); d.body.forEach((s) => { usesOfStmt(s, use); }); return;
    case 'train': case 'study': case 'dataset': use(d.of.text, d.of); d.entries.forEach((e) => { usesOfExpr(e.value, use); }); return;
    case 'variant':
      use(d.of.text, d.of);
      for (const e of d.edits) {
        if (e.kind === 'error') e.names.forEach((n) => { use(n, { text: n, range: e.range }); });
        else if (e.kind === 'insert') usesOfStmt(e.statement, use);
        else if (e.kind !== 'alias') {
          usesOfPath(e.path, use);
          if (e.kind !== 'remove') usesOfExpr(e.value, use);
        }
      }
      return;
    case 'weights': use(d.of.text, d.of); return;
    case 'error': d.names.forEach((n) => { use(n, { text: n, range: d.range }); }); return;
    default: d satisfies never;
  }
}

interface Defined { readonly name: Identifier; readonly kind: string }
function definitions(body: readonly Stmt[]): Defined[] {
  return body.flatMap((s): Defined[] => {
    switch (s.kind) {
      case 'let': return s.target.names.map((name) => ({ name, kind: s.kind }));
      case 'layer': case 'encoder': case 'decoder': return [{ name: s.target.name, kind: s.kind }];
      case 'param': case 'carry': case 'gate': case 'adapter': case 'prototypes': case 'state': return [{ name: s.name, kind: s.kind }];
      case 'for': return [{ name: s.name, kind: 'for' }, ...definitions(s.body)];
      case 'if': return [...definitions(s.then), ...definitions(s.else ?? [])];
      default: return [];
    }
  });
}

/** Names that a body binds: configuration, inputs, `with`, dims of its signature, statements, loop and comprehension variables. */
function bound(d: BlockDecl | ModelDecl): Set<string> {
  const names = new Set<string>([...(d.kind === 'block' ? d.config ?? [] : []), ...d.inputs, ...d.withs].map((p) => p.name.text));
  const dims = (t: TypeExpr): void => {
    if (t.kind === 'tensor') for (const x of t.dims) {
      if (x.kind === 'dim' && x.value.kind === 'name') names.add(x.value.name);
      if (x.kind === 'rest' && x.name !== undefined) names.add(x.name.text);
    }
    if (t.kind === 'list') dims(t.element);
    if (t.kind === 'record') t.fields.forEach((f) => { dims(f.type); });
  };
  d.inputs.forEach((p) => { dims(p.type); });
  for (const { name } of definitions(d.body)) names.add(name.text);
  for (const s of d.body) collectBinders(s, names);
  return names;
}
function collectBinders(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) node.forEach((x) => { collectBinders(x, names); });
  else if (typeof node === 'object' && node !== null) {
    const record = node as Record<string, unknown>;
    const loop = record['for'] as { readonly name?: Identifier } | undefined;
    if (typeof loop === 'object' && loop.name !== undefined) names.add(loop.name.text);
    const as = record['as'] as Identifier | undefined;
    if (typeof as === 'object' && typeof as.text === 'string') names.add(as.text);
    if (record['kind'] === 'error' && Array.isArray(record['names'])) for (const n of record['names'] as readonly string[]) names.add(n);
    for (const [key, value] of Object.entries(record)) if (key !== 'range') collectBinders(value, names);
  }
}

/** Unknown names and unused things of one module. Unused is said of the file being compiled alone, where it has a model. */
export function checkNames(module: Module, prelude: ReadonlyMap<string, Binding>, report: (d: Diagnostic) => void): void {
  const known = (n: string): boolean => module.names.has(n) || prelude.has(n) || module.doubtful.has(n) || BUILTINS.has(n) || (isOp(n) && opOf(n).surface) || WORDS.has(n) || enumValues.has(n) || SPECIAL.has(n) || TYPE_NAMES.includes(n);
  const used = new Set<string>(module.doubtful);
  const isSpec = module.file.declarations.some((d) => d.kind === 'model');
  for (const d of module.file.declarations) {
    const own = d.kind === 'block' || d.kind === 'model' ? bound(d) : undefined;
    const inBody = new Set<string>();
    usesOf(d, (name, at) => {
      if (!('name' in d) || d.name.text !== name) used.add(name);
      inBody.add(name);
      if (own === undefined || own.has(name) || known(name) || ('kind' in at && at.kind === 'error')) return;
      report(diagnostic('TPS2001', at.range, { name, help: suggestion(name, [...own, ...module.names.keys(), ...prelude.keys(), ...BUILTINS.keys()]) }));
    });
    if (d.kind === 'block') for (const { name, kind } of definitions(d.body)) {
      if ((kind === 'let' || kind === 'layer') && !inBody.has(name.text) && name.text !== '_' && !module.standard) report(diagnostic('TPS7009', name.range, { name: name.text }));
    }
  }
  if (!isSpec || module.standard) return;
  for (const d of module.file.declarations) {
    if (d.kind === 'import') for (const n of d.names) {
      const name = n.as ?? n.name;
      if (!used.has(name.text) && module.names.has(name.text)) report(diagnostic('TPS7005', name.range, { name: name.text }));
    }
    if (d.kind === 'block' && !used.has(d.name.text)) report(diagnostic('TPS7006', d.name.range, { name: d.name.text }));
    if (d.kind === 'model') for (const { name, kind } of definitions(d.body)) {
      if ((kind === 'let' || kind === 'layer' || kind === 'decoder') && !used.has(name.text) && name.text !== '_') {
        const within = new Set<string>();
        d.body.forEach((s) => { usesOfStmt(s, (n) => within.add(n)); });
        if (!within.has(name.text)) report(diagnostic('TPS7009', name.range, { name: name.text }));
      }
    }
  }
}
