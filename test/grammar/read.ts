// Small helpers for the grammar's tests: read a text, a statement or an expression, and forget where things stood.
import { readFileSync } from 'node:fs';
import { parse, type Diagnostic, type Expr, type Stmt } from '../../grammar/index.js';

export const fixture = (name: string): string => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');

/** What the mistakes of a text are, as `line:column CODE message`. */
export const told = (text: string): readonly string[] => parse(text, 'test.tps').diagnostics.map(line);
const line = ({ range, code, message }: Diagnostic): string => `${range.start.line}:${range.start.column} ${code} ${message}`;

export const block = (body: string): string => `block b(x: f32) -> f32 {\n${body}\n}\n`;

export function statements(body: string): readonly Stmt[] {
  const [decl] = parse(block(body), 'test.tps').file.declarations;
  if (decl?.kind !== 'block') throw new Error('the block did not parse');
  return decl.body;
}

export function expr(text: string): Expr {
  const { file, diagnostics } = parse(`setting s: int = ${text}\n`, 'test.tps');
  const [decl] = file.declarations;
  if (decl?.kind !== 'setting' || diagnostics.length > 0) throw new Error(diagnostics.map(line).join('\n'));
  return decl.value;
}

/** A tree without its places. */
export const bare = (tree: unknown): unknown => JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'range' ? undefined : value)));

/** An expression as brackets, to see what holds what. */
export function shape(e: Expr): string {
  switch (e.kind) {
    case 'name': return e.name;
    case 'number': return e.text;
    case 'unary': return `(${e.operator} ${shape(e.operand)})`;
    case 'binary': return `(${shape(e.left)} ${e.operator} ${shape(e.right)})`;
    case 'range': return `(${shape(e.from)} .. ${shape(e.to)})`;
    case 'pipe': return `(${shape(e.left)} |> ${shape(e.right)})`;
    case 'call': return `${shape(e.callee)}(${e.args.map((a) => shape(a.element.value)).join(' ')})`;
    case 'per': return `(per ${e.over.text} ${shape(e.value)})`;
    case 'conditional': return `(if ${shape(e.condition)} ${shape(e.then)} ${shape(e.else)})`;
    default: return e.kind;
  }
}
