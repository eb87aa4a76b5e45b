// Applies the edits of a variant to the tree of a file: declarations and arguments, by path. No evaluation, no graph.
import type { Declaration, EntriesDecl, Expr, Path, Range, SourceFile, Stmt, VariantDecl } from '../../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../../grammar/diagnostics.js';
import { printExpr } from '../../grammar/index.js';
import { suggestion } from '../check/suggest.js';

export interface AppliedEdit { readonly range: Range; readonly text: string; /** the name that a `remove` took away */ readonly removed?: string }
export interface EditedFile { readonly file: SourceFile; readonly edits: readonly AppliedEdit[]; readonly alias: boolean }

type Outcome = Declaration | { readonly missing: string; readonly names: readonly string[]; readonly at: Range } | 'unchanged';
type Change = { readonly kind: 'remove' } | { readonly kind: 'set'; readonly value: Expr };
/** The names of a block's configuration, to find an argument that was given by place. */
export type ConfigOf = (block: string) => readonly string[] | undefined;

/** A path as a spec writes it, without what it binds. */
export const pathText = (p: Path): string => p.root.text + p.steps.map((s) => (s.kind === 'member' ? `.${s.name.text}` : s.kind === 'every' ? '[*]' : `[${printExpr(s.index)}]`)).join('');

/** The file after the edits of `variant` and of the variants it stands on. Faulty edits are reported at their place and left out. */
export function applyVariant(file: SourceFile, variant: VariantDecl, configOf: ConfigOf, report: (d: Diagnostic) => void, depth = 0): EditedFile {
  const base = file.declarations.find((d): d is VariantDecl => d.kind === 'variant' && d !== variant && d.name.text === variant.of.text);
  const start: EditedFile = base === undefined || depth > 16 ? { file, edits: [], alias: false } : applyVariant(file, base, configOf, () => undefined, depth + 1);
  let { declarations } = start.file;
  const edits: AppliedEdit[] = [];
  const places = new Set<string>();
  let alias = false;
  for (const edit of variant.edits) {
    if (edit.kind === 'error') continue;
    if (edit.kind === 'alias') {
      alias = true;
      continue;
    }
    if (edit.kind === 'insert') {
      const trained = declarations.find((d): d is EntriesDecl => d.kind === 'train' && d.name.text === rootOf(file, variant));
      const model = trained?.of.text ?? variant.of.text;
      declarations = declarations.map((d) => (d.kind === 'model' && d.name.text === model ? { ...d, body: inserted(d.body, edit.statement) } : d));
      edits.push({ range: edit.range, text: 'insert' });
      continue;
    }
    const text = pathText(edit.path);
    if (places.has(text)) {
      report(diagnostic('TPS5003', edit.path.range, { path: text }));
      continue;
    }
    places.add(text);
    const at = declarations.findIndex((d) => 'name' in d && d.name.text === edit.path.root.text && ['setting', 'model', 'block', 'train', 'study', 'dataset'].includes(d.kind));
    const target = declarations[at];
    const change: Change = edit.kind === 'remove' ? { kind: 'remove' } : { kind: 'set', value: edit.value };
    const outcome: Outcome = target === undefined
      ? { missing: edit.path.root.text, names: file.declarations.flatMap((d) => (['setting', 'model', 'block', 'train'].includes(d.kind) && 'name' in d ? [d.name.text] : [])), at: edit.path.root.range }
      : editDeclaration(target, edit.path, change, configOf);
    if (outcome === 'unchanged') report(diagnostic('TPS5002', edit.range, {}));
    else if ('missing' in outcome) report(diagnostic('TPS5001', outcome.at, { path: text, verb: edit.kind, help: suggestion(outcome.missing, outcome.names) }));
    else {
      declarations = declarations.map((d, i) => (i === at ? outcome : d));
      const last = edit.path.steps.at(-1);
      edits.push({ range: edit.range, text: `${edit.kind} ${text}`, ...(edit.kind === 'remove' && last?.kind === 'member' ? { removed: last.name.text } : {}) });
    }
  }
  return { file: { ...start.file, declarations }, edits: [...start.edits, ...edits], alias: alias && edits.length === 0 };
}

/** The train block (or model) that a chain of variants ends at. */
export function rootOf(file: SourceFile, variant: VariantDecl): string {
  let name = variant.of.text;
  for (let i = 0; i < 16; i++) {
    const next = file.declarations.find((d): d is VariantDecl => d.kind === 'variant' && d.name.text === name);
    if (next === undefined) return name;
    name = next.of.text;
  }
  return name;
}

function inserted(body: readonly Stmt[], statement: Stmt): readonly Stmt[] {
  const end = body.findIndex((s) => s.kind === 'return');
  return end < 0 ? [...body, statement] : [...body.slice(0, end), statement, ...body.slice(end)];
}

function editDeclaration(d: Declaration, path: Path, change: Change, configOf: ConfigOf): Outcome {
  const [first, ...rest] = path.steps;
  const whole = { missing: path.root.text, names: [], at: path.range };
  if (d.kind === 'setting') {
    if (first !== undefined || change.kind === 'remove') return whole;
    return printExpr(d.value) === printExpr(change.value) ? 'unchanged' : { ...d, value: change.value };
  }
  if (first?.kind !== 'member') return whole;
  if (d.kind === 'train' || d.kind === 'study' || d.kind === 'dataset') {
    const entry = d.entries.find((e) => e.key.text === first.name.text);
    if (entry === undefined && change.kind === 'set' && rest.length === 0) return { ...d, entries: [...d.entries, { key: first.name, value: change.value, range: first.range }] };
    if (entry === undefined) return { missing: first.name.text, names: d.entries.map((e) => e.key.text), at: first.range };
    const value = editValue(entry.value, rest, change, configOf, first);
    if (value === 'unchanged' || (value !== 'removed' && 'missing' in value)) return value;
    return { ...d, entries: d.entries.flatMap((e) => (e !== entry ? [e] : value === 'removed' ? [] : [{ ...e, value }])) };
  }
  if (d.kind !== 'model' && d.kind !== 'block') return whole;
  const names: string[] = [];
  // Several statements may have the name (both sides of an `if`, places of an indexed layer): the edit is of all of them.
  const outcomes: (Stmt | 'removed' | 'unchanged' | Missing)[] = [];
  const index = rest[0]?.kind === 'index' ? printExpr(rest[0].index) : undefined;
  const visit = (body: readonly Stmt[]): readonly Stmt[] => body.flatMap((s): readonly Stmt[] => {
    if (s.kind === 'for') return [{ ...s, body: visit(s.body) }];
    if (s.kind === 'if') return [{ ...s, then: visit(s.then), ...(s.else === undefined ? {} : { else: visit(s.else) }) }];
    const named = nameOf(s);
    if (named === undefined) return [s];
    names.push(named.index === undefined ? named.name : `${named.name}[${named.index}]`);
    if (named.name !== first.name.text || (named.index !== undefined && index !== undefined && named.index !== index)) return [s];
    const outcome = editStatement(s, named.index === undefined || index === undefined ? rest : rest.slice(1), change, configOf, first);
    outcomes.push(outcome);
    return outcome === 'removed' ? [] : typeof outcome === 'object' && 'kind' in outcome ? [outcome] : [s];
  });
  const body = visit(d.body);
  if (outcomes.length === 0) return { missing: first.name.text, names, at: first.range };
  const missing = outcomes.find((o): o is Missing => typeof o === 'object' && 'missing' in o);
  return missing ?? (outcomes.every((o) => o === 'unchanged') ? 'unchanged' : { ...d, body });
}

function nameOf(s: Stmt): { name: string; index?: string } | undefined {
  switch (s.kind) {
    case 'layer': case 'encoder': case 'decoder': return { name: s.target.name.text, ...(s.target.index === undefined ? {} : { index: printExpr(s.target.index) }) };
    case 'param': case 'carry': case 'gate': case 'adapter': case 'prototypes': case 'state': return { name: s.name.text };
    case 'let': return s.target.kind === 'name' && s.target.names[0] !== undefined ? { name: s.target.names[0].text } : undefined;
    default: return undefined;
  }
}

type Missing = { readonly missing: string; readonly names: readonly string[]; readonly at: Range };

function editStatement(s: Stmt, steps: Path['steps'], change: Change, configOf: ConfigOf, at: { readonly range: Range }): Stmt | 'removed' | 'unchanged' | Missing {
  if (s.kind === 'prototypes' || s.kind === 'state') {
    const [step] = steps;
    if (step === undefined) return change.kind === 'remove' ? 'removed' : { missing: '', names: s.entries.map((e) => e.key.text), at: at.range };
    const entry = step.kind === 'member' ? s.entries.find((e) => e.key.text === step.name.text) : undefined;
    if (entry === undefined || change.kind === 'remove') return { missing: step.kind === 'member' ? step.name.text : '', names: s.entries.map((e) => e.key.text), at: step.range };
    return printExpr(entry.value) === printExpr(change.value) ? 'unchanged' : { ...s, entries: s.entries.map((e) => (e === entry ? { ...e, value: change.value } : e)) };
  }
  if (s.kind === 'param') {
    if (steps.length > 0) return { missing: '', names: [], at: at.range };
    return change.kind === 'remove' ? 'removed' : printExpr(s.init) === printExpr(change.value) ? 'unchanged' : { ...s, init: change.value };
  }
  if (!('value' in s)) return { missing: '', names: [], at: at.range };
  const value = editValue(s.value, steps, change, configOf, at);
  if (value === 'removed' || value === 'unchanged' || 'missing' in value) return value;
  return { ...s, value };
}

/** Replaces a right side, or one argument of its outermost configured call. */
function editValue(e: Expr, steps: Path['steps'], change: Change, configOf: ConfigOf, at: { readonly range: Range }): Expr | 'removed' | 'unchanged' | Missing {
  const [step] = steps;
  if (step === undefined) {
    if (change.kind === 'remove') return 'removed';
    return printExpr(e) === printExpr(change.value) ? 'unchanged' : change.value;
  }
  if (step.kind !== 'member') return { missing: '', names: [], at: step.range };
  const name = step.name.text;
  if (e.kind === 'per') {
    const inner = editValue(e.value, steps, change, configOf, at);
    return typeof inner === 'object' && 'kind' in inner ? { ...e, value: inner } : inner;
  }
  if (e.kind === 'pipe') {
    const inner = editValue(e.right, steps, change, configOf, at);
    return typeof inner === 'object' && 'kind' in inner ? { ...e, right: inner } : inner;
  }
  if (e.kind !== 'call') return { missing: name, names: [], at: step.range };
  // f(config)(inputs): the configuration is the inner call
  if (e.callee.kind === 'call') {
    const inner = editValue(e.callee, steps, change, configOf, at);
    return typeof inner === 'object' && 'kind' in inner ? { ...e, callee: inner } : inner;
  }
  const config = e.callee.kind === 'name' ? configOf(e.callee.name) : undefined;
  const place = e.args.findIndex((a, i) => a.name?.text === name || (a.name === undefined && config?.[i] === name));
  const argument = e.args[place];
  const names = config ?? e.args.flatMap((a) => (a.name === undefined ? [] : [a.name.text]));
  if (argument === undefined) {
    if (config?.includes(name) !== true || change.kind === 'remove') return { missing: name, names, at: step.range };
    const { value } = change;
    return { ...e, args: [...e.args, { name: step.name, element: { value, range: value.range }, range: value.range }] };
  }
  if (change.kind === 'remove') return { ...e, args: e.args.filter((a) => a !== argument) };
  if (printExpr(argument.element.value) === printExpr(change.value)) return 'unchanged';
  const { value } = change;
  return { ...e, args: e.args.map((a) => (a === argument ? { ...a, element: { value, range: value.range } } : a)) };
}

