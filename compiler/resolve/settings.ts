// Values of settings: the spec's own, or what `--set` says, each checked against its type and its `where`.
import type { SettingDecl, SourceFile } from '../../grammar/ast.js';
import { diagnostic } from '../../grammar/diagnostics.js';
import { printExpr } from '../../grammar/index.js';
import { mendOf } from '../check/conditions.js';
import { Context, newFrame, type World } from '../check/context.js';
import { evaluate } from '../check/expressions.js';
import { formatTypeExpr } from '../check/shapes.js';
import { suggestion } from '../check/suggest.js';
import { bool, describe, isPoison, nothingKnown, number, string, type Value } from '../check/values.js';
import type { Binding, Module } from './modules.js';

/** A setting's value as text, as `--set` takes it. undefined: not of the type. */
export function parseSetting(text: string, type: string): Value | undefined {
  if (type === 'bool') return text === 'true' ? bool(true) : text === 'false' ? bool(false) : undefined;
  if (type === 'string') return string(text);
  if (!/^[-+]?(\d[\d_]*)(\.\d+)?([eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text.replaceAll('_', ''));
  return type === 'int' ? (Number.isInteger(value) ? number(value, true) : undefined) : number(value, false);
}

export const isOfType = (v: Value, type: string): boolean =>
  (type === 'int' ? v.kind === 'number' && v.integer : type === 'float' ? v.kind === 'number' : type === 'bool' ? v.kind === 'bool' : type === 'string' ? v.kind === 'string' : true);

export class Settings {
  private readonly known = new Map<SettingDecl, Value>();
  private readonly open = new Set<SettingDecl>();
  constructor(private readonly entry: Module, private readonly overrides: Readonly<Record<string, string>>, private readonly world: () => World) {}

  /** Reports overrides of settings that the spec has not. */
  checkOverrides(): void {
    const names = this.entry.file.declarations.flatMap((d) => (d.kind === 'setting' ? [d.name.text] : []));
    for (const name of Object.keys(this.overrides)) {
      if (!names.includes(name)) this.world().sink.push(diagnostic('TPS5005', startOf(this.entry.file), { name, help: suggestion(name, names, 'the spec has no settings') }));
    }
  }

  value(binding: Binding): Value {
    const { decl, module } = binding;
    if (decl.kind !== 'setting') return nothingKnown;
    const old = this.known.get(decl);
    if (old !== undefined) return old;
    if (this.open.has(decl)) {
      this.world().sink.push(diagnostic('TPS5012', decl.name.range, { name: decl.name.text }));
      return nothingKnown;
    }
    this.open.add(decl);
    const value = this.compute(decl, module);
    this.known.set(decl, value);
    this.open.delete(decl);
    return value;
  }

  private compute(decl: SettingDecl, module: Module): Value {
    const { sink } = this.world();
    const ctx = new Context(this.world(), false);
    const frame = newFrame(module, '', decl.name.text);
    const text = module === this.entry ? this.overrides[decl.name.text] : undefined;
    const type = formatTypeExpr(decl.type);
    const value = text === undefined ? evaluate(ctx, frame, decl.value) : parseSetting(text, type) ?? nothingKnown;
    const said = text ?? printExpr(decl.value);
    if (isPoison(value) ? text !== undefined : !isOfType(value, type)) {
      sink.push(diagnostic('TPS5006', decl.name.range, { name: decl.name.text, type: article(type), value: text ?? describe(value) }));
      return nothingKnown;
    }
    const shown: Value = type === 'float' && value.kind === 'number' ? number(value.value, false) : value;
    frame.scope.define(decl.name, shown);
    for (const condition of decl.where) {
      const holds = evaluate(ctx, frame, condition);
      if (holds.kind !== 'bool' || holds.value) continue;
      sink.push(diagnostic('TPS5007', text === undefined ? decl.value.range : decl.name.range, { name: decl.name.text, value: said, condition: printExpr(condition), help: mendOf(ctx, frame, condition) },
        { related: [{ message: 'required here', range: condition.range }] }));
      return nothingKnown;
    }
    return shown;
  }
}

const article = (type: string): string => (type === 'int' ? 'an int' : `a ${type}`);
export const startOf = (file: SourceFile): SourceFile['range'] => ({ file: file.path, start: file.range.start, end: file.range.start });
