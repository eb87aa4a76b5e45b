// A train block: its loss joins the graph, its other entries become a TrainConfig. The words are those of `vocabulary.ts`.
import type { Argument, Entry, EntriesDecl, Expr } from '../../grammar/ast.js';
import { printExpr } from '../../grammar/index.js';
import { isAtOrBelow } from '../paths.js';
import type { AugmentStep, OptimizerConfig, Schedule, TrainConfig } from '../program.js';
import { apply } from './calls.js';
import type { Context, Frame } from './context.js';
import { evaluate } from './expressions.js';
import { suggestion } from './suggest.js';
import { describe, isPoison, type Value } from './values.js';
import { AUGMENTATIONS, FILTERS, IMAGENET, LR_SCHEDULES, METRICS, OPTIMIZERS, SAMPLERS, TRAIN_ENTRIES, NUMBERS, VALIDATIONS, type ParamKind, type Word } from './vocabulary.js';

type Args = ReadonlyMap<string, number | boolean | string | readonly number[] | Schedule>;
/** `faulty`: an argument was refused. */
interface Said { readonly word: string; readonly args: Args; readonly faulty: boolean }

class Reader {
  constructor(private readonly ctx: Context, private readonly frame: Frame, private readonly decl: EntriesDecl) {}

  entry(key: string): Entry | undefined { return this.decl.entries.find((e) => e.key.text === key); }
  refuse(key: string, e: Expr, help: string): undefined {
    this.ctx.report('TPS6002', e.range, this.frame.module, { key, found: `\`${printExpr(e)}\``, help });
    return undefined;
  }
  value(e: Expr): Value { return evaluate(this.ctx, this.frame, e); }

  number(key: string, otherwise: number, kind: keyof typeof NUMBERS): number {
    const entry = this.entry(key);
    if (entry === undefined) return otherwise;
    const v = this.value(entry.value);
    if (v.kind === 'number' && NUMBERS[kind].holds(v.value)) return v.value;
    if (!isPoison(v)) this.refuse(key, entry.value, NUMBERS[kind].says);
    return otherwise;
  }
  flag(key: string): boolean {
    const entry = this.entry(key);
    if (entry === undefined) return false;
    const v = this.value(entry.value);
    if (v.kind === 'bool') return v.value;
    if (!isPoison(v)) this.refuse(key, entry.value, 'true or false');
    return false;
  }

  /** A word of a table, with its arguments. undefined: reported. */
  word(key: string, e: Expr, table: Readonly<Record<string, Word>>): Said | undefined {
    const callee = e.kind === 'call' ? e.callee : e;
    const args = e.kind === 'call' ? e.args : [];
    const row = callee.kind === 'name' ? table[callee.name] : undefined;
    if (callee.kind !== 'name' || row === undefined) {
      return e.kind === 'error' ? undefined : this.refuse(key, e, suggestion(callee.kind === 'name' ? callee.name : '', Object.keys(table)));
    }
    const names = Object.keys(row.params);
    const found = new Map<string, number | boolean | string | readonly number[] | Schedule>();
    const given = new Set<string>();
    const open = [...names];
    for (const a of args) {
      const name = a.name?.text ?? open.shift();
      const kind = name === undefined ? undefined : row.params[name];
      if (name === undefined || kind === undefined) {
        this.ctx.report('TPS3010', a.range, this.frame.module, { callee: callee.name, argument: a.name?.text ?? printExpr(a.element.value), help: suggestion(a.name?.text ?? '', names, row.doc) });
        continue;
      }
      if (given.has(name)) {
        this.ctx.report('TPS2004', a.range, this.frame.module, { name });
        continue;
      }
      given.add(name);
      const v = this.argument(name, kind, a);
      if (v !== undefined) found.set(name, v);
    }
    return { word: callee.name, args: found, faulty: found.size < args.length };
  }

  private argument(name: string, kind: ParamKind, a: Argument): number | boolean | string | readonly number[] | Schedule | undefined {
    const e = a.element.value;
    if (kind === 'task') return e.kind === 'name' ? e.name : this.refuse(name, e, 'a name');
    if (kind === 'choice') {
      const inner = e.kind === 'call' && e.callee.kind === 'name' && e.callee.name === 'best' ? e.args[0]?.element.value : undefined;
      const metric = METRICS.find((m) => inner?.kind === 'name' && inner.name === m);
      return metric ?? this.refuse(name, e, `best(${METRICS.join('|')})`);
    }
    if (kind === 'filter') return FILTERS.find((f) => e.kind === 'name' && e.name === f) ?? this.refuse(name, e, FILTERS.join(', '));
    if (kind === 'schedule' && e.kind === 'call' && e.callee.kind === 'name') {
      const builtin = LR_SCHEDULES[e.callee.name];
      if (builtin !== undefined) {
        const v = apply(this.ctx, this.frame, { kind: 'builtin', name: builtin }, e.args, undefined, e.range, { param: 'lr' });
        return v.kind === 'schedule' ? { ...v.schedule, name: 'lr' } : undefined;
      }
    }
    const v = this.value(e);
    if (isPoison(v)) return undefined;
    const numbers = (v.kind === 'list' ? v.items : [v]).flatMap((i) => (i.kind === 'number' ? [i.value] : []));
    switch (kind) {
      case 'bool': return v.kind === 'bool' ? v.value : this.refuse(name, e, 'true or false');
      case 'schedule': {
        const [from] = numbers;
        return v.kind === 'number' && from !== undefined && from > 0 ? { name: 'lr', kind: 'constant', from, to: from, over: 'epochs' } : this.refuse(name, e, 'a number above 0, or anneal, cosine or plateau');
      }
      case 'size': {
        const two = v.kind === 'number' ? [...numbers, ...numbers] : numbers;
        return two.length === 2 && two.every(NUMBERS.count.holds) ? two : this.refuse(name, e, 'a size, or [height, width]');
      }
      case 'numbers': return v.kind === 'list' && numbers.length === 3 && v.items.length === 3 ? numbers : this.refuse(name, e, 'three numbers, for red, green and blue');
      default: return v.kind === 'number' && NUMBERS[kind].holds(v.value) ? v.value : this.refuse(name, e, NUMBERS[kind].says);
    }
  }
}

const num = (args: Args, name: string, otherwise: number): number => {
  const v = args.get(name);
  return typeof v === 'number' ? v : otherwise;
};

function optimizerOf(said: Said): OptimizerConfig | undefined {
  const lr = said.args.get('lr');
  if (typeof lr !== 'object' || !('kind' in lr)) return undefined;
  return {
    kind: said.word === 'adamw' ? 'adamw' : said.word === 'sgd' ? 'sgd' : 'adam', lr,
    beta1: num(said.args, 'beta1', 0.9), beta2: num(said.args, 'beta2', 0.999), eps: num(said.args, 'eps', 1e-8),
    weightDecay: num(said.args, 'weight_decay', said.word === 'adamw' ? 0.01 : 0), momentum: num(said.args, 'momentum', 0),
  };
}

function augmentOf(said: Said): AugmentStep | undefined {
  switch (said.word) {
    case 'resize': {
      const size = said.args.get('size');
      const [height, width] = Array.isArray(size) ? size as readonly number[] : [];
      const masks = said.args.get('masks');
      return height === undefined || width === undefined ? undefined : {
        kind: 'resize', height, width, ...(masks === 'bicubic' || masks === 'nearest' ? { masks } : {}), ...(said.args.get('soft') === true ? { soft: true } : {}),
      };
    }
    case 'flip': return { kind: 'flip', horizontal: num(said.args, 'horizontal', 0), vertical: num(said.args, 'vertical', 0) };
    case 'imagenet_normalize': return { kind: 'normalize', ...IMAGENET };
    default: {
      const [mean, std] = [said.args.get('mean'), said.args.get('std')];
      return Array.isArray(mean) && Array.isArray(std) && (std as readonly number[]).every(NUMBERS.positive.holds) ? { kind: 'normalize', mean: mean as readonly number[], std: std as readonly number[] } : undefined;
    }
  }
}

/** Reads all entries but the loss. undefined where a needed one is missing or faulty (reported). */
export function trainConfig(ctx: Context, frame: Frame, decl: EntriesDecl, epochs: number | undefined): TrainConfig | undefined {
  const read = new Reader(ctx, frame, decl);
  const seen = new Set<string>();
  for (const e of decl.entries) {
    if (!(TRAIN_ENTRIES as readonly string[]).includes(e.key.text)) ctx.report('TPS6001', e.key.range, frame.module, { block: 'a train block', key: e.key.text, help: suggestion(e.key.text, TRAIN_ENTRIES, `there are: ${TRAIN_ENTRIES.join(', ')}`) });
    else if (seen.has(e.key.text)) ctx.report('TPS2004', e.key.range, frame.module, { name: e.key.text });
    seen.add(e.key.text);
  }
  const need = (key: string, help: string): Entry | undefined => {
    const entry = read.entry(key);
    // a damaged entry may have been this one
    if (entry === undefined && (decl.damaged ?? []).length === 0) ctx.report('TPS6003', decl.name.range, frame.module, { name: decl.name.text, key, help });
    return entry;
  };
  need('loss', 'for example `loss = structure(d1.logits, truth)`');
  const optimizerEntry = need('optimizer', 'for example `optimizer = adam(lr: 3e-5)`');
  const said = optimizerEntry === undefined ? undefined : read.word('optimizer', optimizerEntry.value, OPTIMIZERS);
  const optimizer = said === undefined ? undefined : optimizerOf(said);
  if (said !== undefined && optimizer === undefined && optimizerEntry !== undefined && !said.faulty) read.refuse('optimizer', optimizerEntry.value, 'it needs a learning rate: `lr: 3e-5`');
  const samplerEntry = read.entry('sampler');
  const sampler = samplerEntry === undefined ? undefined : read.word('sampler', samplerEntry.value, SAMPLERS);
  const validateEntry = read.entry('validate');
  const validate = validateEntry === undefined ? undefined : read.word('validate', validateEntry.value, VALIDATIONS);
  const keep = validate?.args.get('keep');
  const config = {
    name: decl.name.text, ...(decl.label === undefined ? {} : { label: decl.label }),
    epochs: epochs ?? read.number('epochs', 1, 'count'), batch: read.number('batch', 1, 'count'),
    ...(read.entry('clip') === undefined ? {} : { clip: read.number('clip', 1, 'positive') }),
    sampler: { kind: sampler?.word === 'inverse_frequency' ? 'inverse_frequency' as const : 'shuffle' as const },
    oneTaskPerBatch: sampler?.args.get('one_task') === true,
    dropLast: read.flag('drop_last'),
    augment: augmentSteps(ctx, frame, read),
    validate: { every: validate === undefined ? 1 : num(validate.args, 'epochs', 1), keep: keep === 'miou' ? 'miou' as const : keep === 'loss' ? 'loss' as const : 'dice' as const },
    threshold: read.number('threshold', 0.5, 'inner'),
    ...afterImprovement(ctx, read),
  };
  for (const key of ['epochs', 'batch']) if (read.entry(key) === undefined && !(key === 'epochs' && epochs !== undefined)) need(key, `for example \`${key} = 8\``);
  return optimizer === undefined ? undefined : { ...config, optimizer };
}

function augmentSteps(ctx: Context, frame: Frame, read: Reader): readonly AugmentStep[] {
  const entry = read.entry('augment');
  if (entry === undefined) return [];
  const { value } = entry;
  if (value.kind !== 'list') {
    if (value.kind !== 'error') read.refuse('augment', value, 'a list of steps: `[resize(size), flip(horizontal: 0.5), imagenet_normalize]`');
    return [];
  }
  const steps = value.elements.flatMap((e) => {
    const said = read.word('augment', e.value, AUGMENTATIONS);
    const step = said === undefined ? undefined : augmentOf(said);
    // an argument that was refused has been told
    const names = Object.keys(said === undefined ? {} : AUGMENTATIONS[said.word]?.params ?? {});
    if (said !== undefined && step === undefined && !said.faulty) read.refuse('augment', e.value, `${said.word}(${names.join(', ')}): ${AUGMENTATIONS[said.word]?.doc ?? ''}`);
    return step === undefined ? [] : [{ step, at: e.value }];
  });
  const [, again] = steps.filter(({ step }) => step.kind === 'resize');
  if (again !== undefined) read.refuse('augment', again.at, 'keep one resize: each would blur the mask once more');
  return steps.map(({ step }) => step);
}

/** Tensors that wait for an improvement: those at or below paths, in quotes. */
function afterImprovement(ctx: Context, read: Reader): Pick<TrainConfig, 'afterImprovement'> {
  const key = 'after_improvement', entry = read.entry(key);
  if (entry === undefined || entry.value.kind === 'error') return {};
  const elements = entry.value.kind === 'list' ? entry.value.elements.map((e) => e.value) : [];
  const trained = [...ctx.tensors.values()].flatMap(({ info }) => (info.kind === 'param' && !info.frozen ? [info.path] : []));
  if (elements.length === 0) read.refuse(key, entry.value, 'paths of parameters in quotes: `["split", "tca.*.scale"]`');
  const found = elements.flatMap((e) => {
    const matched = e.kind === 'string' ? trained.filter((path) => isAtOrBelow(e.value, path)) : [];
    if (e.kind !== 'string') read.refuse(key, e, 'a path in quotes: `"split"`');
    // a mistake elsewhere may hide it
    else if (matched.length === 0 && !ctx.world.sink.failed) read.refuse(key, e, suggestion(e.value, trained.map((path) => path.split('.')[0] ?? ''), 'no trained parameter has this path or one below it'));
    return matched;
  });
  return { afterImprovement: trained.filter((path) => found.includes(path)) };
}

/** The loss expression over the model's names and `truth`. */
export function lossOf(ctx: Context, frame: Frame, decl: EntriesDecl): Value | undefined {
  const entry = decl.entries.find((e) => e.key.text === 'loss');
  if (entry === undefined) return undefined;
  const loss = evaluate(ctx, frame, entry.value);
  if (isPoison(loss)) return loss;
  const type = loss.kind === 'tensor' ? loss.builder.type(loss.id) : undefined;
  if (type?.dtype !== 'f32' || type.shape.length !== 1) {
    ctx.report('TPS6004', entry.value.range, frame.module, { actual: describe(loss) });
    return { kind: 'poison', ids: loss.kind === 'tensor' ? [loss.id] : [] };
  }
  return loss;
}
