// Which names a piece of a tree mentions: a walk over the tree, without scopes and without values.
import type { BlockDecl, Declaration, Element, Expr, Identifier, ModelDecl, Path, RecordExpr, Stmt, TypeExpr } from '../../grammar/ast.js';

/** Called for every mention, with the node that mentions. */
export type Use = (name: string, at: Expr | Identifier) => void;

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
      else if (s.type !== undefined) usesOfType(s.type, use);
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

const namesOf = (visit: (use: Use) => void): readonly string[] => {
  const names = new Set<string>();
  visit((name) => names.add(name));
  return [...names];
};
/** The names that an expression, or a body, mentions. */
export const namesInExpr = (e: Expr): readonly string[] => namesOf((use) => { usesOfExpr(e, use); });
export const namesInBody = (body: readonly Stmt[]): readonly string[] => namesOf((use) => { body.forEach((s) => { usesOfStmt(s, use); }); });

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
