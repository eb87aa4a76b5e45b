// Loads a spec and what it imports: each file once, names bound to declarations. No evaluation.
import type { Declaration, Identifier, Range, SourceFile } from '../../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../../grammar/diagnostics.js';
import { parse } from '../../grammar/index.js';
import { suggestion } from '../check/suggest.js';
import type { Host } from '../index.js';

export type NamedDecl = Exclude<Declaration, { kind: 'edition' | 'import' | 'error' }>;
/** A declaration and the module that it stands in. */
export interface Binding { readonly decl: NamedDecl; readonly module: Module; readonly importedAt?: Range }

export interface Module {
  readonly path: string;
  readonly file: SourceFile;
  readonly standard: boolean;
  /** Own and imported names. */
  readonly names: Map<string, Binding>;
  /** Names that a damaged item mentioned, or an import that failed would have bound: nothing is said of them. */
  readonly doubtful: Set<string>;
}

type Parsed = ReturnType<typeof parse>;
/** Trees by path, for whoever compiles one file many times: a text that has not changed is parsed once. */
export type ParsedTexts = Map<string, Parsed>;

const PRELUDE = 'std.nn';

const isNamed = (d: Declaration): d is NamedDecl => d.kind !== 'edition' && d.kind !== 'import' && d.kind !== 'error';

/** All modules that a file needs, the file itself first. Diagnostics of parsing and of imports go to `report`. */
export class ModuleLoader {
  readonly modules = new Map<string, Module>();
  readonly texts = new Map<string, string>();
  constructor(private readonly host: Host, private readonly report: (d: Diagnostic) => void, private readonly parsed: ParsedTexts = new Map()) {}

  /** The names that every file sees. */
  prelude(): ReadonlyMap<string, Binding> {
    const path = this.host.module(PRELUDE);
    return (path === undefined ? undefined : this.load(path, true, []))?.names ?? new Map<string, Binding>();
  }

  load(path: string, standard: boolean, chain: readonly string[]): Module | undefined {
    const known = this.modules.get(path);
    if (known !== undefined) return known;
    const text = this.host.read(path);
    if (text === undefined) return undefined;
    this.texts.set(path, text);
    const { file, diagnostics } = this.parse(path, text);
    for (const d of diagnostics) this.report(d);
    const module: Module = { path, file, standard, names: new Map(), doubtful: new Set() };
    this.modules.set(path, module);
    for (const decl of file.declarations) {
      if (decl.kind === 'error') for (const name of decl.names) module.doubtful.add(name);
      if (isNamed(decl)) this.bind(module, decl.name, { decl, module });
    }
    for (const decl of file.declarations) if (decl.kind === 'import') this.import(module, decl, [...chain, path]);
    return module;
  }

  private parse(path: string, text: string): Parsed {
    const known = this.parsed.get(path);
    if (known?.file.text === text) return known;
    const parsed = parse(text, path);
    this.parsed.set(path, parsed);
    return parsed;
  }

  private bind(module: Module, name: Identifier, binding: Binding): void {
    const old = module.names.get(name.text);
    if (old !== undefined) {
      this.report(diagnostic('TPS2004', name.range, { name: name.text }, { related: [{ message: 'first here', range: old.importedAt ?? old.decl.name.range }] }));
    } else module.names.set(name.text, binding);
  }

  private import(module: Module, decl: Extract<Declaration, { kind: 'import' }>, chain: readonly string[]): void {
    const { source } = decl;
    const doubt = (): void => { for (const n of decl.names) module.doubtful.add((n.as ?? n.name).text); };
    const path = source.kind === 'file' ? this.host.resolve(module.path, source.text) : this.host.module(source.text);
    if (path !== undefined && chain.includes(path)) {
      this.report(diagnostic('TPS2005', source.range, { source: source.text, chain: chain.slice(chain.indexOf(path)).join(' -> ') }));
      doubt();
      return;
    }
    const target = path === undefined ? undefined : this.load(path, source.kind === 'module' || module.standard, chain);
    if (target === undefined) {
      const what = source.kind === 'file' ? 'file' : 'module';
      const help = source.kind === 'file' ? `looked for ${path ?? source.text}` : 'modules of the standard library are named `std.…`; a file of yours is imported by its path: `from "./my.tps" import x`';
      this.report(diagnostic('TPS2002', source.range, { what, source: source.text, help }));
      doubt();
      return;
    }
    for (const { name, as } of decl.names) {
      const found: Binding | undefined = target.names.get(name.text);
      if (found === undefined || found.module !== target) {
        if (!target.doubtful.has(name.text)) {
          const own = [...target.names].filter(([, b]) => b.module === target).map(([n]) => n);
          this.report(diagnostic('TPS2003', name.range, { source: source.text, name: name.text, help: suggestion(name.text, own) }));
        }
        module.doubtful.add((as ?? name).text);
      } else this.bind(module, as ?? name, { ...found, importedAt: (as ?? name).range });
    }
  }
}

type DeclOf<K extends NamedDecl['kind']> = NamedDecl extends infer D ? (D extends NamedDecl ? (K extends D['kind'] ? D : never) : never) : never;

/** The declarations of one kind in a module itself, in order. */
export function declarations<K extends NamedDecl['kind']>(module: Module, kind: K): readonly DeclOf<K>[] {
  const all: readonly Declaration[] = module.file.declarations;
  return all.filter((d): d is DeclOf<K> => d.kind === kind);
}
