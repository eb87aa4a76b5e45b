// Reads `weights` declarations: rows to data, with what is wrong in them told at its place. What the data mean is in `../weights.ts`.
import type { Expr, Path, WeightsDecl } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import type { Attrs } from '../ir/graph.js';
import { isOp, opOf } from '../ops/index.js';
import type { AttrValue } from '../ir/graph.js';
import type { TensorInfo } from '../program.js';
import type { Binding, Module } from '../resolve/modules.js';
import { resolveWeights, type KeyPart, type PathSegment, type WeightMap, type WeightRow, type WeightStep } from '../weights.js';
import { attrOf, kindText } from './op-calls.js';
import { Context, newFrame, type Frame, type World } from './context.js';
import { evaluate } from './expressions.js';
import { suggestion } from './suggest.js';
import { describe, isPoison, type Value } from './values.js';

type Row = WeightsDecl['rows'][number];

const wholeNumbers = (v: Value): readonly number[] | undefined => {
  const items = v.kind === 'list' ? v.items : [v];
  return items.every((i): i is Extract<Value, { kind: 'number' }> => i.kind === 'number' && i.integer) ? items.map((i) => i.value) : undefined;
};

/** `blocks[* as i].attn` as segments; undefined: reported. */
function segmentsOf(ctx: Context, frame: Frame, path: Path): readonly PathSegment[] | undefined {
  const out: PathSegment[] = [{ kind: 'name', text: path.root.text }];
  const bound = new Set<string>();
  for (const step of path.steps) {
    if (step.kind === 'member') {
      out.push({ kind: 'name', text: step.name.text });
      continue;
    }
    if (step.as !== undefined) {
      if (bound.has(step.as.text)) {
        ctx.report('TPS2004', step.as.range, frame.module, { name: step.as.text });
        return undefined;
      }
      bound.add(step.as.text);
    }
    const as = step.as === undefined ? {} : { as: step.as.text };
    if (step.kind === 'every') {
      out.push({ kind: 'index', ...as });
      continue;
    }
    const value = evaluate(ctx, frame, step.index);
    const of = wholeNumbers(value);
    if (of === undefined) {
      if (!isPoison(value)) ctx.report('TPS3013', step.index.range, frame.module, { where: 'an index of a path', expected: '`*`, a whole number or a range', actual: describe(value) });
      return undefined;
    }
    out.push({ kind: 'index', of, ...as });
  }
  return out;
}

/** The parts of a key; undefined: reported. */
function keyOf(ctx: Context, frame: Frame, row: Row, path: readonly PathSegment[]): readonly KeyPart[] | undefined {
  const parts: KeyPart[] = row.pattern.split(/(\{\w+\})/).map((text) => (/^\{\w+\}$/.test(text) ? { name: text.slice(1, -1) } : text)).filter((part) => part !== '');
  const bound = path.flatMap((s) => (s.kind === 'index' && s.as !== undefined ? [s.as] : []));
  const fault = (detail: string, help: string): undefined => { ctx.report('TPS8002', row.range, frame.module, { key: row.pattern, detail, help }); };
  if (parts.length === 0) return fault('it is empty', 'write the name that the checkpoint has');
  if (parts.some((part) => typeof part === 'string' && /[{}]/.test(part))) return fault('a brace stands alone', 'a placeholder is a name in braces: `{i}`');
  for (const part of parts) {
    if (typeof part !== 'string' && !bound.includes(part.name)) return fault(`no index of the path is called \`${part.name}\``, `write \`[* as ${part.name}]\` in the path`);
  }
  return parts;
}

/** `transpose([1, 0]) |> reshape([4, 4])` as steps; undefined: reported. */
function stepsOf(ctx: Context, frame: Frame, e: Expr): readonly WeightStep[] | undefined {
  if (e.kind === 'pipe') {
    const before = stepsOf(ctx, frame, e.left);
    const after = before === undefined ? undefined : stepsOf(ctx, frame, e.right);
    return before === undefined || after === undefined ? undefined : [...before, ...after];
  }
  const name = e.kind === 'name' ? e.name : e.kind === 'call' && e.callee.kind === 'name' ? e.callee.name : undefined;
  if (name === undefined || !isOp(name) || !opOf(name).surface || opOf(name).inputs.length !== 1 || opOf(name).inputs[0]?.endsWith('*') === true) {
    ctx.report('TPS8004', e.range, frame.module, { found: printExpr(e) });
    return undefined;
  }
  const op = opOf(name);
  const open = Object.keys(op.attrs);
  const attrs: Record<string, AttrValue> = {};
  for (const a of e.kind === 'call' ? e.args : []) {
    const target = a.name?.text ?? open[0];
    const spec = target === undefined ? undefined : op.attrs[target];
    if (target === undefined || spec === undefined) {
      const help = `${name}(${Object.keys(op.attrs).join(', ')})`;
      if (a.name === undefined) ctx.report('TPS3011', a.range, frame.module, { callee: name, expected: `${Object.keys(op.attrs).length} attributes`, actual: e.kind === 'call' ? e.args.length : 0, help });
      else ctx.report('TPS3010', a.name.range, frame.module, { callee: name, argument: a.name.text, help });
      return undefined;
    }
    if (open.includes(target)) open.splice(open.indexOf(target), 1);
    const value: Value = spec.kind === 'enum' && a.element.value.kind === 'name' ? { kind: 'string', value: a.element.value.name } : evaluate(ctx, frame, a.element.value);
    const attr = isPoison(value) ? undefined : attrOf(value, spec);
    if (attr === undefined) {
      if (!isPoison(value)) ctx.report('TPS3013', a.range, frame.module, { where: `\`${target}\` of \`${name}\``, expected: kindText(spec), actual: describe(value) });
      return undefined;
    }
    attrs[target] = attr;
  }
  for (const [attr, spec] of Object.entries(op.attrs)) {
    if (attrs[attr] !== undefined) continue;
    if (spec.default === undefined) {
      ctx.report('TPS3009', e.range, frame.module, { callee: name, argument: attr, list: 'attributes', signature: Object.keys(op.attrs).join(', ') });
      return undefined;
    }
    attrs[attr] = spec.default;
  }
  return [{ op: name, attrs: attrs as Attrs }];
}

/** The rows that can be read, with the source of each. */
function rowsOf(ctx: Context, module: Module, decl: WeightsDecl): ReadonlyMap<WeightRow, Row> {
  const frame = newFrame(module, '', decl.name.text);
  const rows = new Map<WeightRow, Row>();
  for (const row of decl.rows) {
    const path = segmentsOf(ctx, frame, row.path);
    const key = path === undefined ? undefined : keyOf(ctx, frame, row, path);
    const steps = row.transform === undefined ? [] : stepsOf(ctx, frame, row.transform);
    if (path !== undefined && key !== undefined && steps !== undefined) rows.set({ key, keyText: row.pattern, path, pathText: textOf(path), steps }, row);
  }
  return rows;
}

const textOf = (path: readonly PathSegment[]): string => path.map((s, i) => {
  if (s.kind === 'name') return i === 0 ? s.text : `.${s.text}`;
  const index = s.of === undefined ? '*' : s.of.length === 1 ? String(s.of[0]) : `${s.of[0] ?? ''}..${(s.of.at(-1) ?? 0) + 1}`;
  return `[${index}${s.as === undefined ? '' : ` as ${s.as}`}]`;
}).join('');

const ownerOf = (world: World, module: Module, decl: WeightsDecl): Binding | undefined => {
  const found = module.names.get(decl.of.text) ?? world.prelude.get(decl.of.text);
  return found?.decl.kind === 'block' || found?.decl.kind === 'model' ? found : undefined;
};

/** What can be said of a file's maps without any network. */
export function checkWeightMaps(world: World, module: Module): void {
  const ctx = new Context(world, false);
  for (const decl of module.file.declarations) {
    if (decl.kind !== 'weights') continue;
    rowsOf(ctx, module, decl);
    if (ownerOf(world, module, decl) !== undefined || module.doubtful.has(decl.of.text)) continue;
    const names = [...module.names].filter(([, b]) => b.decl.kind === 'block' || b.decl.kind === 'model').map(([n]) => n);
    ctx.report('TPS2007', decl.of.range, module, { what: 'block or model', name: decl.of.text, help: suggestion(decl.of.text, names) });
  }
}

/** The maps that a program can be filled by: the file's own, those that it imports, and those that stand beside the blocks that it uses. */
export function weightMapsOf(ctx: Context, module: Module, modelName: string, tensors: readonly TensorInfo[], check: boolean): readonly WeightMap[] {
  const found = new Map<string, Binding>([...module.names].filter(([, b]) => b.decl.kind === 'weights'));
  for (const { module: home } of ctx.instances.values()) {
    for (const decl of home.file.declarations) {
      if (decl.kind === 'weights' && !found.has(decl.name.text) && ![...found.values()].some((b) => b.decl === decl)) found.set(decl.name.text, { decl, module: home });
    }
  }
  return [...found].flatMap(([name, { decl, module: home }]): WeightMap[] => {
    if (decl.kind !== 'weights') return [];
    const owner = ownerOf(ctx.world, home, decl);
    const named = ctx.encoders.filter((e) => e.weights === decl).map((e) => e.path);
    const called = [...ctx.instances].filter(([, i]) => i.block === owner?.decl).map(([path]) => path);
    const instances = owner?.decl.kind === 'model' ? (owner.decl.name.text === modelName ? [''] : []) : named.length > 0 ? named : called;
    const rows = rowsOf(ctx, home, decl);
    const map: WeightMap = { name, of: decl.of.text, instances, named: named.length > 0, rows: [...rows.keys()] };
    if (check && home === module && instances.length > 0) checkFit(ctx, home, map, rows, tensors);
    return [map];
  });
}

/** Rows that name no tensor of the network, and tensors that two rows name. */
function checkFit(ctx: Context, module: Module, map: WeightMap, rows: ReadonlyMap<WeightRow, Row>, tensors: readonly TensorInfo[]): void {
  const { idle, doubled } = resolveWeights(map, tensors, ctx.world.tasks);
  const general = (path: string): string => path.replace(/\.(\d+|\{task\})(?=\.|$)/g, '[*]');
  const known = new Set(map.instances.flatMap((i) => tensors.flatMap((t) => (t.path.startsWith(i === '' ? '' : `${i}.`) ? [general(t.path.slice(i === '' ? 0 : i.length + 1))] : []))));
  for (const row of idle) {
    const written = rows.get(row);
    if (written !== undefined) ctx.report('TPS8001', written.path.range, module, { path: row.pathText, of: map.of, help: suggestion(row.pathText.replace(/ as \w+\]/g, ']'), known, 'tensors are named by the layers on the way to them; `tpsc inspect` shows those') });
  }
  for (const { path, first, second } of doubled) {
    const [a, b] = [rows.get(first), rows.get(second)];
    if (b !== undefined) ctx.report('TPS8003', b.range, module, { path }, a === undefined ? {} : { related: [{ message: 'the first row', range: a.range }] });
  }
}
