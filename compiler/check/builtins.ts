// The static functions and special forms of the language: a table by name. None of them is made for a network.
import type { Range } from '../../grammar/ast.js';
import { filled, ndarray, sizeOf, zeros } from '../ir/ndarray.js';
import { isStatic, type Dim } from '../ir/dim.js';
import { ops } from '../ops/index.js';
import type { Schedule } from '../program.js';
import { childIndexes, addOp, asTensor } from './expressions.js';
import { join, type Context, type Frame } from './context.js';
import { nestedShape, numbersIn } from './parameters.js';
import { asDim, describe, dimValue, isPoison, list, number, poison, type Tensor, type Value } from './values.js';

export interface BuiltinCall {
  readonly ctx: Context;
  readonly frame: Frame;
  readonly at: Range;
  readonly name: string;
  /** What the result is called where it needs a name: the argument that it is given as. */
  readonly label?: string;
  /** Values by parameter name; those that were left out are absent. */
  readonly args: ReadonlyMap<string, Value>;
}

export interface Builtin {
  /** Parameter names in order; `?` may be left out, `*` takes all that is left. */
  readonly params: readonly string[];
  readonly doc: string;
  /** Words that an argument may be, by parameter: `over: epochs`. */
  readonly words?: Readonly<Record<string, readonly string[]>>;
  run(c: BuiltinCall): Value;
}

function wrong(c: BuiltinCall, param: string, expected: string, v: Value | undefined): Value {
  if (v !== undefined && !isPoison(v)) c.ctx.report('TPS3013', c.at, c.frame.module, { where: `\`${param}\` of \`${c.name}\``, expected, actual: describe(v) });
  return poison(v === undefined ? [] : [v]);
}
const num = (c: BuiltinCall, param: string, otherwise?: number): number | undefined => {
  const v = c.args.get(param);
  if (v === undefined) return otherwise;
  if (v.kind === 'number') return v.value;
  wrong(c, param, 'a number', v);
  return undefined;
};

/** A function of numbers; of a tensor too where an op of the same name exists. */
const numeric = (doc: string, f: (x: number) => number, integer: boolean, op?: string): Builtin => ({
  params: ['x'], doc,
  run(c) {
    const x = c.args.get('x');
    if (x?.kind === 'number') return Number.isFinite(f(x.value)) ? number(f(x.value), integer || (op === 'abs' && x.integer)) : wrong(c, 'x', `a number that has a ${doc}`, x);
    if (x?.kind === 'tensor' && op !== undefined) return addOp(c.ctx, c.frame, op, [x], {}, c.at);
    return wrong(c, 'x', op === undefined ? 'a number known now' : 'a number or a tensor', x);
  },
});

/** min and max: of numbers, of a list of numbers, or the reduction of a tensor. */
const extremum = (name: 'min' | 'max', pick: (...xs: number[]) => number): Builtin => ({
  params: ['x', 'y?', 'axes?'], doc: `${name} of numbers or of a list; of a tensor over axes`,
  run(c) {
    const [x, y, axes] = [c.args.get('x'), c.args.get('y'), c.args.get('axes')];
    if (x?.kind === 'tensor') return reduce(c, name, x, axes ?? y);
    const values = numbersIn(list([...(x === undefined ? [] : [x]), ...(y === undefined ? [] : [y])]));
    if (values === undefined || values.length === 0) return wrong(c, 'x', 'numbers or a tensor', x);
    return number(pick(...values));
  },
});

function reduce(c: BuiltinCall, op: string, x: Tensor, axes: Value | undefined): Value {
  const which = axes === undefined ? x.builder.type(x.id).shape.map((_, i) => i) : numbersIn(axes);
  return which === undefined ? wrong(c, 'axes', 'axes', axes) : addOp(c.ctx, c.frame, op, [x], { axes: which }, c.at);
}

const sizes = (c: BuiltinCall): readonly Dim[] | undefined => {
  const v = c.args.get('shape');
  const dims = v?.kind === 'list' ? v.items.map(asDim) : undefined;
  if (dims !== undefined && dims.every((d): d is Dim => d !== undefined && (typeof d !== 'number' || d >= 1))) return dims;
  wrong(c, 'shape', 'a list of sizes, each at least 1', v);
  return undefined;
};
/** Elements of a constant that is written out. */
const LARGE = 1 << 20;

/** A tensor of one value. */
const fill = (doc: string, value: number | undefined): Builtin => ({
  params: value === undefined ? ['shape', 'value'] : ['shape'], doc,
  run(c) {
    const shape = sizes(c);
    const v = value ?? num(c, 'value');
    if (shape === undefined || v === undefined) return poison();
    c.ctx.builder.place = { path: c.frame.path, range: c.at };
    // what is large, or not known yet, is one value expanded
    const small = shape.map((d) => (typeof d === 'number' && sizeOf(shape.filter(isStatic)) <= LARGE ? d : 1));
    return c.ctx.tensor(c.ctx.builder.expand(c.ctx.builder.constant(v === 0 ? zeros(small) : filled(small, v)), shape));
  },
});

const schedule = (kind: Schedule['kind'], doc: string, params: readonly string[], defaults: Partial<Schedule>): Builtin => ({
  params, doc, words: { over: ['epochs', 'steps'] },
  run(c) {
    const from = num(c, 'from');
    const to = num(c, 'to', defaults.to ?? from);
    if (from === undefined || to === undefined) return poison([...c.args.values()]);
    const over = c.args.get('over');
    const optional = (name: 'warmup' | 'horizon' | 'factor' | 'patience'): Partial<Schedule> => {
      const v = num(c, name, defaults[name]);
      return v === undefined ? {} : { [name]: v };
    };
    return { kind: 'schedule', schedule: {
      name: join(c.frame.path.replace(/\.?\{task\}/, ''), ordinal(c.frame, c.label ?? 'schedule')), kind, from, to, over: over?.kind === 'string' && over.value === 'steps' ? 'steps' : defaults.over ?? 'epochs',
      ...optional('warmup'), ...optional('horizon'), ...optional('factor'), ...optional('patience'),
    } };
  },
});

const initial = (doc: string, params: readonly string[], make: (c: BuiltinCall) => Value): Builtin => ({ params, doc, run: make });

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>(Object.entries({
  len: { params: ['x'], doc: 'number of items of a list, of tasks, of the nodes of a path', run(c) {
    const x = c.args.get('x');
    switch (x?.kind) {
      case 'list': return number(x.items.length, true);
      case 'tasks': return number(x.set.rows.length, true);
      case 'task': return x.set === undefined ? wrong(c, 'x', 'a task of a declared list', x) : number(x.set.rows.length, true);
      case 'nodes': return number(childIndexes(c.ctx, x.path).length, true);
      default: return wrong(c, 'x', 'a list', x);
    }
  } },
  rank: { params: ['x'], doc: 'number of axes of a tensor', run(c) {
    const x = c.args.get('x');
    return x?.kind === 'tensor' ? number(x.builder.type(x.id).shape.length, true) : wrong(c, 'x', 'a tensor', x);
  } },
  shape: { params: ['x'], doc: 'sizes of a tensor, a list', run(c) {
    const x = c.args.get('x');
    return x?.kind === 'tensor' ? list(x.builder.type(x.id).shape.map(dimValue)) : wrong(c, 'x', 'a tensor', x);
  } },
  floor: numeric('largest whole number not above', Math.floor, true),
  ceil: numeric('smallest whole number not below', Math.ceil, true),
  round: numeric('nearest whole number', Math.round, true),
  abs: numeric('absolute value', Math.abs, false, 'abs'),
  sqrt: numeric('square root', Math.sqrt, false, 'sqrt'),
  exp: numeric('e to the power', Math.exp, false, 'exp'),
  log: numeric('natural logarithm', Math.log, false, 'log'),
  min: extremum('min', Math.min),
  max: extremum('max', Math.max),
  sum: { params: ['x', 'axes?'], doc: 'sum of the items of a list; of a tensor over axes (dims are kept)', run(c) {
    const x = c.args.get('x');
    if (x?.kind === 'tensor') return reduce(c, 'sum', x, c.args.get('axes'));
    if (x?.kind !== 'list' || isPoison(x)) return wrong(c, 'x', 'a list or a tensor', x);
    const numbers = numbersIn(x);
    if (numbers !== undefined) return number(numbers.reduce((a, b) => a + b, 0));
    let total: Value | undefined;
    for (const item of x.items) {
      const [a, b]: [Tensor | undefined, Tensor | undefined] = [total === undefined ? undefined : asTensor(c.ctx, total), asTensor(c.ctx, item)];
      if (b === undefined) return wrong(c, 'x', 'a list of tensors', item);
      total = a === undefined ? b : addOp(c.ctx, c.frame, 'add', [a, b], {}, c.at);
      if (isPoison(total)) return total;
    }
    return total ?? number(0);
  } },
  mean: { params: ['x', 'axes?'], doc: 'mean of a tensor over axes (dims are kept)', run(c) {
    const x = c.args.get('x');
    return x?.kind === 'tensor' ? reduce(c, 'mean', x, c.args.get('axes')) : wrong(c, 'x', 'a tensor', x);
  } },
  reverse: { params: ['x'], doc: 'a list from its end', run(c) {
    const x = c.args.get('x');
    return x?.kind === 'list' ? list([...x.items].reverse()) : wrong(c, 'x', 'a list', x);
  } },
  zeros: fill('a tensor of zeros', 0),
  ones: fill('a tensor of ones', 1),
  full: fill('a tensor of one value', undefined),
  arange: { params: ['n'], doc: '0, 1, … n - 1 as f32[n]', run(c) {
    const n = num(c, 'n');
    if (n !== undefined && !(Number.isInteger(n) && n >= 1 && n <= LARGE)) return wrong(c, 'n', `a whole number from 1 to ${LARGE}`, c.args.get('n'));
    return n === undefined ? poison() : c.ctx.tensor(c.ctx.builder.constant(ndarray([n], Array.from({ length: n }, (_, i) => i))));
  } },
  tensor: { params: ['values'], doc: 'a constant tensor from a nested list of numbers', run(c) {
    const v = c.args.get('values');
    const values = v === undefined ? undefined : numbersIn(v);
    if (v === undefined || values === undefined) return wrong(c, 'values', 'a nested list of numbers', v);
    const shape = nestedShape(v);
    if (values.length === 0) return wrong(c, 'values', 'at least one number', v);
    if (shape === undefined) return wrong(c, 'values', 'rows of equal length', v);
    return c.ctx.tensor(c.ctx.builder.constant(ndarray(shape, values)));
  } },
  constant: initial('every element the same', ['value'], (c) => { const value = num(c, 'value'); return value === undefined ? poison() : { kind: 'init', init: { kind: 'constant', value } }; }),
  normal: initial('normal', ['std', 'mean?'], (c) => { const [std, mean] = [num(c, 'std'), num(c, 'mean', 0)]; return std === undefined || mean === undefined ? poison() : { kind: 'init', init: { kind: 'normal', mean, std } }; }),
  truncated_normal: initial('normal, cut at two standard deviations', ['std', 'mean?'], (c) => { const [std, mean] = [num(c, 'std'), num(c, 'mean', 0)]; return std === undefined || mean === undefined ? poison() : { kind: 'init', init: { kind: 'truncated_normal', mean, std } }; }),
  uniform: initial('uniform between two bounds', ['low', 'high'], (c) => { const [low, high] = [num(c, 'low'), num(c, 'high')]; return low === undefined || high === undefined ? poison() : { kind: 'init', init: { kind: 'uniform', low, high } }; }),
  anneal: schedule('linear', 'linear from one value to another', ['from', 'to', 'over?', 'horizon?', 'warmup?'], {}),
  cosine_decay: schedule('cosine', 'half a cosine from one value to another', ['from', 'to?', 'over?', 'horizon?', 'warmup?'], { to: 0, over: 'steps' }),
  plateau: schedule('plateau', 'falls by a factor whenever the kept metric stops getting better', ['from', 'factor?', 'patience?', 'to?', 'over?', 'warmup?'], { to: 0, factor: 0.1, patience: 6 }),
  drop_mask: { params: ['x', 'rate'], doc: 'a dropout mask like x, already divided by 1 - rate; only while training', run(c) {
    const [x, rate] = [c.args.get('x'), num(c, 'rate')];
    if (x?.kind !== 'tensor') return wrong(c, 'x', 'a tensor', x);
    if (rate === undefined) return poison([x]);
    if (!(rate >= 0 && rate < 1)) return wrong(c, 'rate', 'a number from 0 to below 1', c.args.get('rate'));
    if (!c.ctx.trainingIn(c.frame.path)) {
      c.ctx.report('TPS3025', c.at, c.frame.module, {});
      return poison([x]);
    }
    const name = ordinal(c.frame, 'drop');
    c.ctx.builder.place = { path: c.frame.path, range: c.at };
    return c.ctx.tensor(c.ctx.builder.leaf('drop', { path: join(c.frame.path, name), rate }, x.builder.type(x.id)));
  } },
  free: { params: ['gate'], doc: 'a gate whose rise nothing has to show', run: (c) => c.args.get('gate') ?? poison() },
  ema: { params: ['new', 'momentum', 'when?'], doc: 'momentum · old + (1 - momentum) · new; old where `when` is false; in an update law', run(c) {
    const fresh = c.args.get('new');
    const momentum = num(c, 'momentum');
    const old = c.frame.scope.find('old');
    if (fresh?.kind !== 'tensor') return wrong(c, 'new', 'a tensor', fresh);
    if (old === undefined) c.ctx.report('TPS4016', c.at, c.frame.module, {});
    if (old?.kind !== 'tensor' || momentum === undefined) return poison([fresh]);
    const part = (x: Tensor, by: number): Value => addOp(c.ctx, c.frame, 'mul', [x, asTensor(c.ctx, number(by, false)) ?? x], {}, c.at);
    const [kept, taken] = [part(old, momentum), part(fresh, 1 - momentum)];
    if (kept.kind !== 'tensor' || taken.kind !== 'tensor') return poison([kept, taken]);
    const blended = addOp(c.ctx, c.frame, 'add', [kept, taken], {}, c.at);
    const when = c.args.get('when');
    if (when === undefined || blended.kind !== 'tensor') return blended;
    return when.kind === 'tensor' ? addOp(c.ctx, c.frame, 'where', [when, blended, old], {}, c.at) : wrong(c, 'when', 'a bool tensor', when);
  } },
} satisfies Record<string, Builtin>));

/** What a spec may call without declaring it: static functions and ops. */
export const callable: readonly string[] = [...BUILTINS.keys(), ...ops.filter((op) => op.surface).map((op) => op.name)];

/** `drop`, then `drop_2`, …: names of what has none, within one run of a body. */
export function ordinal(frame: Frame, name: string): string {
  const n = (frame.ordinals.get(name) ?? 0) + 1;
  frame.ordinals.set(name, n);
  return n === 1 ? name : `${name}_${n}`;
}
