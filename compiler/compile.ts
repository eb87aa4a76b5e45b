// From a request to a program: loads, applies the variant, checks, and puts the graphs together.
import type { BlockDecl, Declaration, EntriesDecl, ModelDecl, SourceFile, VariantDecl } from '../grammar/ast.js';
import { diagnostic, type Diagnostic } from '../grammar/diagnostics.js';
import { format, printExpr } from '../grammar/index.js';
import { Sink, type World } from './check/context.js';
import { checkDefinition } from './check/definition.js';
import { elaborate, type Elaboration } from './check/model.js';
import { checkNames } from './check/names.js';
import { checkBatch, readsTask } from './check/rules/batch.js';
import { checkContract } from './check/rules/contract.js';
import { checkModes } from './check/rules/modes.js';
import { checkReach } from './check/rules/reach.js';
import { readStudies } from './check/studies.js';
import { suggestion } from './check/suggest.js';
import { checkWeightMaps, weightMapsOf } from './check/weight-maps.js';
import type { Graph, Output } from './ir/graph.js';
import { identityText } from './identity.js';
import { hashText } from './ir/print.js';
import type { Instance, Program, TaskSet, TensorInfo } from './program.js';
import type { CompileRequest, CompileResult, Host } from './index.js';
import { declarations, ModuleLoader, type Binding, type Module, type NamedDecl, type ParsedTexts } from './resolve/modules.js';
import { Settings, startOf } from './resolve/settings.js';
import { taskListOf } from './resolve/task-list.js';
import { applyVariant, rootOf, type AppliedEdit } from './resolve/variants.js';
import type { WeightMap } from './weights.js';

/** `parsed`: kept by whoever compiles one file many times. */
export function compile(request: CompileRequest, host: Host, parsed?: ParsedTexts): CompileResult {
  const sink = new Sink();
  const loader = new ModuleLoader(host, (d) => { sink.push(d); }, parsed);
  const prelude = loader.prelude();
  const entry = loader.load(request.file, host.module('std.nn') === request.file || loader.modules.get(request.file)?.standard === true, []);
  const finish = (program?: Program): CompileResult => ({ diagnostics: ordered(sink.all, request.file), texts: loader.texts, ...(program === undefined || sink.failed ? {} : { program }) });
  if (entry === undefined) {
    const nowhere = { file: request.file, start: { line: 1, column: 1, offset: 0 }, end: { line: 1, column: 1, offset: 0 } };
    sink.push(diagnostic('TPS2002', nowhere, { what: 'file', source: request.file, help: 'check the path' }));
    return finish();
  }
  const variants = declarations(entry, 'variant');
  const variant = variants.find((v) => v.name.text === request.variant);
  const unit = new Unit(request, entry, prelude, sink);
  checkNames(entry, prelude, unit.unlessMended(variant));
  readStudies(entry, (d) => { sink.push(d); });
  unit.weightMaps();
  if (request.everything === true) {
    const program = unit.everything(variants);
    unit.definitions();
    return finish(program);
  }
  if (request.variant === undefined) return finish(unit.program(entry.file, undefined, sink));
  if (variant === undefined) {
    sink.push(diagnostic('TPS5008', startOf(entry.file), { name: request.variant, help: suggestion(request.variant, variants.map((v) => v.name.text), 'the spec has no variants') }));
    return finish();
  }
  return finish(unit.variant(variant, sink));
}

const ordered = (all: readonly Diagnostic[], file: string): readonly Diagnostic[] =>
  [...all].sort((a, b) => Number(b.range.file === file) - Number(a.range.file === file) || (a.range.file < b.range.file ? -1 : a.range.file > b.range.file ? 1 : a.range.start.offset - b.range.start.offset));

/** One file with its settings and tasks: elaborated as it is, or edited by a variant. */
class Unit {
  private readonly executed = new Set<BlockDecl>();
  private readonly hashes = new Map<string, string | undefined>();
  constructor(private readonly request: CompileRequest, private readonly entry: Module, private readonly prelude: ReadonlyMap<string, Binding>, private readonly sink: Sink) {}

  /** Every train block, then every variant; the program of the last train block. */
  everything(variants: readonly VariantDecl[]): Program | undefined {
    const trains = declarations(this.entry, 'train');
    let program: Program | undefined;
    if (trains.length === 0) program = this.program(this.entry.file, undefined, this.sink);
    for (const t of trains) program = this.program(this.entry.file, t.name.text, this.sink);
    const clean = !this.sink.failed;
    for (const v of variants) {
      if (!this.knownBase(v)) continue;
      if (clean) this.variant(v, this.sink);
      else applyVariant(this.entry.file, v, (b) => this.configOf(b), (d) => { this.sink.push(d); });
    }
    return program;
  }

  private knownBase(v: VariantDecl): boolean {
    const names = this.entry.file.declarations.flatMap((d) => ((d.kind === 'train' || d.kind === 'variant' || d.kind === 'model') && d !== v ? [d.name.text] : []));
    if (names.includes(v.of.text) || this.entry.doubtful.has(v.of.text)) return true;
    this.sink.push(diagnostic('TPS2007', v.of.range, { what: 'train block, model or variant', name: v.of.text, help: suggestion(v.of.text, names) }));
    return false;
  }

  /** Blocks of the file that nothing has run, as far as their own text goes. */
  definitions(): void {
    const world = this.plainWorld();
    for (const block of declarations(this.entry, 'block')) if (!this.executed.has(block)) checkDefinition(world, this.entry, block);
  }

  /** Tells what is wrong with the names of the file, but for warnings about what the variant at hand takes away or makes use of. */
  unlessMended(v: VariantDecl | undefined): (d: Diagnostic) => void {
    if (v === undefined) return (d) => { this.sink.push(d); };
    const { file } = applyVariant(this.entry.file, v, (b) => this.configOf(b), () => undefined);
    const left = new Sink();
    checkNames({ ...this.entry, file }, this.prelude, (d) => { left.push(d); });
    return (d) => { if (d.severity === 'error' || left.all.some((other) => sameAs(other, d))) this.sink.push(d); };
  }

  /** Maps of weights, as far as their own text goes. */
  weightMaps(): void { checkWeightMaps(this.plainWorld(), this.entry); }

  /** The file without overrides. */
  private plainWorld(): World {
    const settings = new Settings(this.entry, {}, () => world);
    const world: World = { sink: this.sink, prelude: this.prelude, tasks: this.tasks(this.entry.file), setting: (b) => settings.value(b) };
    return world;
  }

  private configOf(block: string): readonly string[] | undefined {
    const decl = (this.entry.names.get(block) ?? this.prelude.get(block))?.decl;
    return decl?.kind === 'block' ? (decl.config ?? []).map((p) => p.name.text) : undefined;
  }

  /** A variant's program. Mistakes that its edits cause are told at the edits. */
  variant(v: VariantDecl, sink: Sink): Program | undefined {
    if (!this.knownBase(v)) return undefined;
    const { file, edits, alias } = applyVariant(this.entry.file, v, (b) => this.configOf(b), (d) => { sink.push(d); });
    const root = rootOf(this.entry.file, v);
    const train = declarations(this.entry, 'train').find((t) => t.name.text === root);
    const apart = new Sink();
    const program = this.program(file, train?.name.text, apart, v);
    if (sink.all.some((d) => d.severity === 'error' && d.range.file === v.range.file && within(d, v))) return undefined;
    for (const d of apart.all) {
      if (edits.some((e) => within(d, e)) || sink.all.some((old) => sameAs(old, d))) sink.push(d);
      else if (d.severity === 'error' || edits.length > 0) sink.push(atEdit(d, v, edits));
    }
    if (apart.failed || program === undefined) return undefined;
    if (!alias && this.request.knownVariant !== true && this.hashOfBase(train?.name.text) === program.hash) sink.push(diagnostic('TPS7007', v.name.range, { name: v.name.text }));
    return program;
  }

  /** Identity of the unedited file under a train block: every variant asks for it. */
  private hashOfBase(block: string | undefined): string | undefined {
    const key = block ?? '';
    if (!this.hashes.has(key)) this.hashes.set(key, this.program(this.entry.file, block, new Sink())?.hash);
    return this.hashes.get(key);
  }

  /** The list of tasks that the model's own task is of; where it says none, the first of the file. */
  private tasks(file: SourceFile, model?: ModelDecl): TaskSet | undefined {
    const decl = taskListOf(file, model);
    if (decl === undefined) return undefined;
    const keep = this.request.tasks;
    const codes = decl.rows.map((r) => r.code.text);
    for (const code of keep ?? []) if (!codes.includes(code)) this.sink.push(diagnostic('TPS5010', decl.name.range, { name: code, help: suggestion(code, codes) }));
    const rows = decl.rows.flatMap((r, number) => (keep !== undefined && !keep.includes(r.code.text) ? [] : [{
      code: r.code.text, label: r.label, ...(keep === undefined ? {} : { number }),
      record: Object.fromEntries((r.record?.fields ?? []).map((f) => [f.name.text, f.value.kind === 'string' ? f.value.value : f.value.kind === 'number' || f.value.kind === 'bool' ? f.value.value : printExpr(f.value)])),
    }]));
    return { name: decl.name.text, rows };
  }

  program(file: SourceFile, block: string | undefined, sink: Sink, variant?: VariantDecl): Program | undefined {
    const names = new Map(this.entry.names);
    for (const d of file.declarations) if ('name' in d && names.has(d.name.text)) names.set(d.name.text, { ...(names.get(d.name.text) as Binding), decl: d as NamedDecl });
    const module: Module = { ...this.entry, file, names };
    for (const [name, b] of names) if (b.module === this.entry) names.set(name, { ...b, module });
    const trains = declarations(module, 'train');
    const wanted = block ?? this.request.block;
    const train: EntriesDecl | undefined = wanted === undefined ? trains.at(-1) : trains.find((t) => t.name.text === wanted);
    if (wanted !== undefined && train === undefined) {
      sink.push(diagnostic('TPS5009', startOf(file), { name: wanted, help: suggestion(wanted, trains.map((t) => t.name.text), 'the spec has no train block') }));
      return undefined;
    }
    const models = declarations(module, 'model');
    const model: ModelDecl | undefined = train === undefined ? models.at(-1) : models.find((m) => m.name.text === train.of.text);
    if (model === undefined) {
      if (train !== undefined) {
        if (!module.doubtful.has(train.of.text)) sink.push(diagnostic('TPS2007', train.of.range, { what: 'model', name: train.of.text, help: suggestion(train.of.text, models.map((m) => m.name.text)) }));
      } else if (this.request.everything !== true) sink.push(diagnostic('TPS5011', startOf(file), {}));
      return undefined;
    }
    const settings = new Settings(module, this.request.set ?? {}, () => world);
    const tasks = this.tasks(file, model);
    const world: World = { sink, prelude: this.prelude, tasks, setting: (b) => settings.value(b) };
    settings.checkOverrides();
    const infer = elaborate(world, module, model, train, false, this.request.epochs);
    const training = elaborate(world, module, model, train, true, this.request.epochs);
    for (const e of [infer, training]) for (const b of e.ctx.executed) this.executed.add(b);
    checkReach(module, infer, training);
    checkModes(module, infer, training);
    if (train !== undefined) {
      checkBatch(module, training, train.name.range);
      checkContract(module, model, train, infer);
    }
    const values = settingsOf(module, settings);
    const tensors = tensorsOf(infer, training);
    // a variant, or a choice of tasks, may lack what the whole spec has
    const weightMaps = weightMapsOf(infer.ctx, module, model.name.text, tensors, !sink.failed && variant === undefined && this.request.tasks === undefined);
    if (sink.failed || this.sink.failed) return undefined;
    // Every unknown value comes from a mistake that was told; one that was not would make a program of nothing.
    for (const e of [infer, training]) if (e.result === undefined || (train !== undefined && e.loss === undefined)) throw new Error(`a mistake in ${model.name.text} of ${file.path} was not told`);
    const program = assemble(this.request, file, model, variant, tasks, values, infer, training, tensors, weightMaps, this.request.set ?? {});
    if (this.request.growing !== true || train === undefined) return program;
    // its warnings are those of the training
    const apart = new Sink();
    const grow = elaborate({ ...world, sink: apart }, module, model, train, true, this.request.epochs, true);
    for (const d of apart.all) if (d.severity === 'error') sink.push(d);
    return sink.failed ? undefined : { ...program, grow: trainGraph(grow) };
  }
}

const sameAs = (a: Diagnostic, b: Diagnostic): boolean => a.code === b.code && a.range.start.offset === b.range.start.offset && a.range.file === b.range.file;
const within = (d: Diagnostic, place: { readonly range: Diagnostic['range'] }): boolean =>
  d.range.file === place.range.file && d.range.start.offset >= place.range.start.offset && d.range.end.offset <= place.range.end.offset;

/** A mistake that shows elsewhere but comes from an edit: told at the edit, the other place beside it. */
function atEdit(d: Diagnostic, v: VariantDecl, edits: readonly AppliedEdit[]): Diagnostic {
  const cause = edits.find((e) => e.removed !== undefined && d.message.includes(`\`${e.removed}\``)) ?? edits.at(-1);
  const range = cause?.range ?? v.name.range;
  if (d.severity === 'warning') return { ...d, range, message: `in variant \`${v.name.text}\`: ${d.message}`, related: [{ message: 'here', range: d.range }, ...d.related] };
  return diagnostic('TPS5004', range, { variant: v.name.text, message: d.message }, { related: [{ message: 'here', range: d.range }, ...d.related], ...(d.help === undefined ? {} : { help: d.help }) });
}

const settingsOf = (module: Module, settings: Settings): Program['settings'] => Object.fromEntries(declarations(module, 'setting').flatMap((decl) => {
  const v = settings.value({ decl, module });
  return v.kind === 'number' || v.kind === 'bool' || v.kind === 'string' ? [[decl.name.text, v.value]] : [];
}));

// ---------------------------------------------------------------- the program

function assemble(
  request: CompileRequest, file: SourceFile, model: ModelDecl, variant: VariantDecl | undefined, tasks: TaskSet | undefined, settings: Program['settings'],
  infer: Elaboration, training: Elaboration, tensors: readonly TensorInfo[], weightMaps: readonly WeightMap[], overrides: Readonly<Record<string, string>>,
): Program {
  const inferGraph = infer.ctx.builder.finish(infer.outputs);
  const evaluate = infer.loss === undefined ? undefined : infer.ctx.builder.finish([...infer.outputs, ...loss(infer)]);
  const train = training.loss === undefined ? undefined : trainGraph(training);
  const declared = wholeGraph(infer);
  const { config } = training;
  const schedules = [...new Map([...infer.ctx.schedules, ...training.ctx.schedules])].map(([, s]) => s.schedule);
  const reads = [inferGraph, evaluate, train].some((g) => g !== undefined && [...g.nodes.values()].some(readsTask));
  const identity = identityText({ infer: inferGraph, ...(train === undefined ? {} : { train }), tensors, schedules, ...(config === undefined ? {} : { training: config }), ...(tasks === undefined ? {} : { tasks }) });
  return {
    name: model.name.text, file: request.file,
    ...(variant === undefined ? {} : { variant: variant.name.text, ...(variant.label === undefined ? {} : { variantLabel: variant.label }) }),
    ...(tasks === undefined ? {} : { tasks }), settings, inputs: infer.inputs, tensors, schedules,
    ...(config === undefined ? {} : { training: config }),
    infer: inferGraph, ...(evaluate === undefined ? {} : { evaluate }), ...(train === undefined ? {} : { train }), declared,
    gates: infer.ctx.gates.map(({ path, over, nodes, id }) => ({ path, over, nodes, graph: infer.ctx.builder.finish([{ name: 'gate', id }]) })),
    instances: instancesOf(infer, training), readsTask: reads, weightMaps, hash: hashText(identity), resolved: resolvedText(file, overrides, request, tasks),
  };
}

const loss = (e: Elaboration): readonly Output[] => (e.loss === undefined ? [] : [{ name: 'loss', id: e.loss }]);

/** Results, loss, and what each state is after the step. */
const trainGraph = (e: Elaboration): Graph => e.ctx.builder.finish([...e.outputs, ...loss(e), ...e.ctx.updates.map((u) => ({ name: `state:${u.path}`, id: u.id }))]);

/** Of both elaborations: what only training makes (a loss, an update law) is an instance too. */
function instancesOf(infer: Elaboration, training: Elaboration): readonly Instance[] {
  const blocks = new Map([...training.ctx.instances, ...infer.ctx.instances].map(([path, { block }]) => [path, block.name.text]));
  const adapted = new Map([...training.ctx.adapted, ...infer.ctx.adapted]);
  return [...blocks].map(([path, block]) => {
    const at = adapted.get(path);
    return { path, block, ...(at === undefined ? {} : { at }) };
  });
}

/** Both elaborations declare the same tensors, save those that one mode alone has. */
function tensorsOf(infer: Elaboration, training: Elaboration): readonly TensorInfo[] {
  const tensors = new Map<string, TensorInfo>();
  for (const e of [infer, training]) for (const [path, entry] of e.ctx.tensors) if (!tensors.has(path)) tensors.set(path, entry.info);
  return [...tensors.values()];
}

/** Every node that the spec makes, read or not. */
function wholeGraph(e: Elaboration): Graph {
  const { builder } = e.ctx;
  const read = new Set([...builder.nodes.values()].flatMap((n) => (e.ctx.lossOnly.has(n.id) ? [] : n.inputs)));
  const loose = [...builder.nodes.keys()].filter((id) => !read.has(id) && !e.outputs.some((o) => o.id === id) && !e.ctx.lossOnly.has(id));
  return builder.finish([...e.outputs, ...loose.map((id) => ({ name: `unread:${id}`, id }))]);
}

/** The file with its edits and overrides applied, without its variants: compiling it again gives the same program. */
function resolvedText(file: SourceFile, overrides: Readonly<Record<string, string>>, request: CompileRequest, tasks: TaskSet | undefined): string {
  const kept: Declaration[] = file.declarations.flatMap((d): Declaration[] => {
    if (d.kind === 'variant' || d.kind === 'study' || d.kind === 'error') return [];
    if (d.kind === 'setting' && overrides[d.name.text] !== undefined) return [{ ...d, value: literal(overrides[d.name.text] ?? '', d) }];
    if (d.kind === 'tasks' && tasks !== undefined && d.name.text === tasks.name) return [{ ...d, rows: d.rows.filter((r) => tasks.rows.some((t) => t.code === r.code.text)) }];
    if (d.kind === 'train' && request.epochs !== undefined) {
      const { epochs } = request;
      return [{ ...d, entries: d.entries.map((e) => (e.key.text === 'epochs' ? { ...e, value: { kind: 'number', value: epochs, integer: true, text: String(epochs), range: e.value.range } } : e)) }];
    }
    return [d];
  });
  return format({ ...file, declarations: kept, comments: [] });
}
function literal(text: string, d: Extract<Declaration, { kind: 'setting' }>): Extract<Declaration, { kind: 'setting' }>['value'] {
  const { range } = d.value;
  if (text === 'true' || text === 'false') return { kind: 'bool', value: text === 'true', range };
  const value = Number(text.replaceAll('_', ''));
  if (Number.isNaN(value)) return { kind: 'string', value: text, range };
  const positive = { kind: 'number' as const, value: Math.abs(value), integer: Number.isInteger(value), text: text.replace(/^[-+]/, ''), range };
  return value < 0 ? { kind: 'unary', operator: '-', operand: positive, range } : positive;
}
