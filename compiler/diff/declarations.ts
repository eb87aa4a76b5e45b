// What two resolved specs say differently, statement by statement. Names of locals and layout count for nothing; whether a difference matters is
// decided by the graphs, not here.
import type { BlockDecl, EntriesDecl, ModelDecl, SourceFile, Stmt } from '../../grammar/ast.js';
import { parse, printDeclaration, printExpr, printStatement } from '../../grammar/index.js';
import type { Program } from '../program.js';
import type { DeclarationChange } from './diff.js';

interface Item { readonly kind: string; readonly name: string; readonly text: string; /** what stands to the right of `=`, for locals */ readonly right: string }

/** Statements of a body, those inside `for` and `if` too, in order. */
function* itemsOf(body: readonly Stmt[]): Generator<Item> {
  for (const s of body) {
    switch (s.kind) {
      case 'error': break;
      case 'for': yield* itemsOf(s.body); break;
      case 'if': yield* itemsOf([...s.then, ...s.else ?? []]); break;
      case 'return': yield { kind: s.kind, name: '', text: printStatement(s), right: '' }; break;
      case 'let': yield { kind: s.kind, name: s.target.names.map((n) => n.text).join(', '), text: printStatement(s), right: printExpr(s.value) }; break;
      default: {
        const name = 'target' in s ? s.target.name.text : s.name.text;
        yield { kind: s.kind, name, text: printStatement(s), right: 'value' in s ? printExpr(s.value) : '' };
      }
    }
  }
}

/** Renames words that are names of values: not members, not argument names. */
function renamed(text: string, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return text;
  return text.replace(/(?<![\w.])[A-Za-z_]\w*(?!\w)(?!\s*:(?!:))/g, (word) => names.get(word) ?? word);
}

/** Names that a text binds for itself (`for x in`, `[* as b]`) by their number. */
function settled(text: string): string {
  const bound = [...text.matchAll(/\b(?:for|as) (\w+)/g)].flatMap((m) => m[1] ?? []);
  return renamed(text, new Map(bound.map((name, i) => [name, `$${i}`])));
}

const model = (file: SourceFile, p: Program): ModelDecl | undefined => file.declarations.find((d): d is ModelDecl => d.kind === 'model' && d.name.text === p.name);
const train = (file: SourceFile, p: Program): EntriesDecl | undefined => file.declarations.find((d): d is EntriesDecl => d.kind === 'train' && d.name.text === p.training?.name);

/** A statement of one kind and name, the second of that name as `name 2`. */
function keyed(items: Iterable<Item>): ReadonlyMap<string, Item> {
  const found = new Map<string, Item>();
  for (const item of items) {
    let key = `${item.kind} ${item.name}`;
    for (let i = 2; found.has(key); i++) key = `${item.kind} ${item.name} ${i}`;
    found.set(key, item);
  }
  return found;
}

/** Locals of A that B has under another name: the same right side once those before them are renamed. */
function renamesOf(a: ReadonlyMap<string, Item>, b: ReadonlyMap<string, Item>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const isLocal = (i: Item): boolean => i.kind === 'let' || i.kind === 'carry';
  for (const [key, item] of a) {
    if (!isLocal(item) || b.has(key)) continue;
    const right = settled(renamed(item.right, names));
    const twin = [...b].find(([k, other]) => !a.has(k) && other.kind === item.kind && settled(other.right) === right && ![...names.values()].includes(other.name));
    const [from, to] = [item.name.split(', '), twin?.[1].name.split(', ') ?? []];
    if (from.length === to.length) from.forEach((name, i) => names.set(name, to[i] ?? name));
  }
  return names;
}

function compared(a: Iterable<Item>, b: Iterable<Item>): readonly DeclarationChange[] {
  const [before, after] = [keyed(a), keyed(b)];
  const names = renamesOf(before, after);
  const moved = (item: Item): string => keyed([{ ...item, name: item.name.split(', ').map((n) => names.get(n) ?? n).join(', ') }]).keys().next().value ?? '';
  const reached = new Set<string>();
  const changes: DeclarationChange[] = [];
  for (const [key, item] of before) {
    const at = after.has(key) ? key : moved(item);
    const other = after.get(at);
    const said = { kind: item.kind, name: item.name, a: item.text };
    if (other === undefined) changes.push({ ...said, change: 'removed', b: null });
    else {
      reached.add(at);
      if (settled(renamed(item.text, names)) !== settled(other.text)) changes.push({ ...said, change: 'changed', b: other.text });
    }
  }
  for (const [key, item] of after) if (!reached.has(key)) changes.push({ kind: item.kind, name: item.name, change: 'added', a: null, b: item.text });
  return changes;
}

/** Blocks of a file that the network has instances of. */
function blocksOf(file: SourceFile, p: Program): readonly Item[] {
  const used = new Set((p.instances ?? []).map((i) => i.block));
  return file.declarations.filter((d): d is BlockDecl => d.kind === 'block' && used.has(d.name.text))
    .map((d): Item => ({ kind: 'block', name: d.name.text, text: blockText(d), right: '' }));
}

/** A block with its locals and inputs numbered. */
function blockText(d: BlockDecl): string {
  const { doc: _, ...bare } = d;
  const locals = [...itemsOf(d.body)].flatMap((i) => (i.kind === 'let' || i.kind === 'carry' ? i.name.split(', ') : []));
  const names = new Map([...d.inputs.map((p) => p.name.text), ...locals].map((name, i) => [name, `$local${i}`]));
  return printDeclaration(bare).split('\n').map((line) => renamed(line.trim().replace(/^(let|carry|next) /, '$1 = '), names)).join(' ');
}

export function declarationsOf(a: Program, b: Program): readonly DeclarationChange[] {
  const [fileA, fileB] = [parse(a.resolved, a.file).file, parse(b.resolved, b.file).file];
  const [modelA, modelB] = [model(fileA, a), model(fileB, b)];
  const loss = (file: SourceFile, p: Program): readonly Item[] =>
    train(file, p)?.entries.filter((e) => e.key.text === 'loss').map((e) => ({ kind: 'loss', name: '', text: `loss = ${printExpr(e.value)}`, right: '' })) ?? [];
  const body = (file: SourceFile, p: Program, m: ModelDecl | undefined): readonly Item[] => [...itemsOf(m?.body ?? []), ...loss(file, p)];
  const blocks = compared(blocksOf(fileA, a), blocksOf(fileB, b)).map((c): DeclarationChange => ({ ...c, a: null, b: null }));
  return [...compared(body(fileA, a, modelA), body(fileB, b, modelB)), ...blocks];
}
