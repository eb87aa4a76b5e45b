// Names, without running anything: unknown ones in bodies that no model runs, and what is declared but never used.
import type { BlockDecl, Declaration, Identifier, ModelDecl, Stmt, TypeExpr } from '../../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../../grammar/diagnostics.js';
import { isOp, opOf } from '../ops/index.js';
import type { Binding, Module } from '../resolve/modules.js';
import { BUILTINS, callable } from './builtins.js';
import { TYPE_NAMES } from './shapes.js';
import { nearest, suggestion, UNKNOWN_NAME } from './suggest.js';
import { namesInBody, usesOf } from './uses.js';
import { isWord } from './vocabulary.js';

const SPECIAL: ReadonlySet<string> = new Set(['truth', 'training', 'tasks', 'old']);

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

/** Names of one list that stand in it twice: inputs and configuration of a signature, codes of tasks, keys of entries. */
function repeated(d: Declaration): readonly { readonly name: Identifier; readonly first: Identifier }[] {
  const names = d.kind === 'block' ? [...d.config ?? [], ...d.inputs, ...d.withs].map((p) => p.name)
    : d.kind === 'model' ? [...d.inputs, ...d.withs].map((p) => p.name)
      : d.kind === 'tasks' ? d.rows.map((r) => r.code)
        : d.kind === 'study' || d.kind === 'dataset' ? d.entries.map((e) => e.key) : [];
  return names.flatMap((name, i) => {
    const first = names.slice(0, i).find((other) => other.text === name.text);
    return first === undefined ? [] : [{ name, first }];
  });
}

/** Unknown names and unused things of one module. Unused is said of the file being compiled alone, where it has a model. */
export function checkNames(module: Module, prelude: ReadonlyMap<string, Binding>, report: (d: Diagnostic) => void): void {
  const known = (n: string): boolean => module.names.has(n) || prelude.has(n) || module.doubtful.has(n) || BUILTINS.has(n) || (isOp(n) && opOf(n).surface) || isWord(n) || SPECIAL.has(n) || TYPE_NAMES.includes(n);
  const used = new Set<string>(module.doubtful);
  for (const d of module.file.declarations) for (const { name, first } of repeated(d)) {
    report(diagnostic('TPS2004', name.range, { name: name.text }, { related: [{ message: 'first here', range: first.range }] }));
  }
  const isSpec = module.file.declarations.some((d) => d.kind === 'model');
  for (const d of module.file.declarations) {
    const own = d.kind === 'block' || d.kind === 'model' ? bound(d) : undefined;
    const inBody = new Set<string>();
    usesOf(d, (name, at) => {
      if (!('name' in d) || d.name.text !== name) used.add(name);
      inBody.add(name);
      if (own === undefined || own.has(name) || known(name) || ('kind' in at && at.kind === 'error')) return;
      // what it may stand for counts as read
      const meant = nearest(name, [...own, ...module.names.keys()]);
      if (meant !== undefined) {
        used.add(meant);
        inBody.add(meant);
      }
      report(diagnostic('TPS2001', at.range, { name, help: suggestion(name, [...own, ...module.names.keys(), ...prelude.keys(), ...callable], UNKNOWN_NAME) }));
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
      const isRead = used.has(name.text) || namesInBody(d.body).includes(name.text);
      if ((kind === 'let' || kind === 'layer' || kind === 'decoder') && !isRead && name.text !== '_') report(diagnostic('TPS7009', name.range, { name: name.text }));
    }
  }
}
