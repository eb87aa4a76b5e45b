// From the keys of a checkpoint to the paths of a program's tensors: what a `weights` declaration means once it is read.
// No file and no format: a runtime asks which key gives which path, and what is done to the values between.
import { isStatic } from './ir/dim.js';
import type { Attrs } from './ir/graph.js';
import type { NdArray } from './ir/ndarray.js';
import { opOf } from './ops/index.js';
import { OpError } from './ops/op.js';
import { pathForTask, type TaskSet, type TensorInfo } from './program.js';

/** A key with its placeholders: `a.{i}.b` is ['a.', { name: 'i' }, '.b']. */
export type KeyPart = string | { readonly name: string };

export type PathSegment =
  | { readonly kind: 'name'; readonly text: string }
  /** One number of a list, or the number of a task where the tensor has one copy per task. `of` absent: any. `as` binds it for the key. */
  | { readonly kind: 'index'; readonly of?: readonly number[]; readonly as?: string };

/** One op of one input on the values of a file. */
export interface WeightStep { readonly op: string; readonly attrs: Attrs }

export interface WeightRow {
  readonly key: readonly KeyPart[];
  /** As written: for messages. */
  readonly keyText: string;
  readonly pathText: string;
  readonly path: readonly PathSegment[];
  /** From the file's values to the program's, in order. */
  readonly steps: readonly WeightStep[];
}

export interface WeightMap {
  readonly name: string;
  /** The block or model whose paths the rows name. */
  readonly of: string;
  /** Paths of the instances that it fills; '' is the model itself. */
  readonly instances: readonly string[];
  /** Whether an encoder of the program names it. */
  readonly named: boolean;
  readonly rows: readonly WeightRow[];
}

/** The tensor stored under `path` takes its values from the file's `key`. */
export interface WeightPair { readonly path: string; readonly key: string; readonly tensor: TensorInfo; readonly row: WeightRow }

export interface ResolvedWeights {
  readonly pairs: readonly WeightPair[];
  /** Stored paths inside the instances that no row names. */
  readonly uncovered: readonly { readonly path: string; readonly tensor: TensorInfo }[];
  /** Rows that name no tensor. */
  readonly idle: readonly WeightRow[];
  /** Stored paths that a second row names, too. */
  readonly doubled: readonly { readonly path: string; readonly first: WeightRow; readonly second: WeightRow }[];
}

const TASK = '{task}';

/** What a path binds, or undefined where it does not fit. `task`: the number of the task whose copy this is. */
function bind(row: WeightRow, segments: readonly string[], task: { readonly code: string; readonly index: number } | undefined): ReadonlyMap<string, number> | undefined {
  if (segments.length !== row.path.length) return undefined;
  const bound = new Map<string, number>();
  for (const [i, segment] of row.path.entries()) {
    const text = segments[i] ?? '';
    if (segment.kind === 'name') {
      if (segment.text !== (text === TASK ? task?.code : text)) return undefined;
      continue;
    }
    const number = text === TASK ? task?.index : /^\d+$/.test(text) ? Number(text) : undefined;
    if (number === undefined || segment.of?.includes(number) === false) return undefined;
    if (segment.as !== undefined) bound.set(segment.as, number);
  }
  return bound;
}

/** The rows of a map by the path that they write, over all tensors of its instances. */
export function resolveWeights(map: WeightMap, tensors: readonly TensorInfo[], tasks: TaskSet | undefined): ResolvedWeights {
  const numbered = (tasks?.rows ?? []).map(({ code, number }, i) => ({ code, index: number ?? i }));
  const pairs: WeightPair[] = [], uncovered: { path: string; tensor: TensorInfo }[] = [], doubled: { path: string; first: WeightRow; second: WeightRow }[] = [];
  const used = new Set<WeightRow>();
  for (const instance of map.instances) {
    const prefix = instance === '' ? '' : `${instance}.`;
    for (const tensor of tensors) {
      if (!tensor.path.startsWith(prefix)) continue;
      const segments = tensor.path.slice(prefix.length).split('.');
      for (const task of tensor.perTask ? numbered : [undefined]) {
        const path = task === undefined ? tensor.path : pathForTask(tensor.path, task.code);
        let found: WeightPair | undefined;
        for (const row of map.rows) {
          const bound = bind(row, segments, task);
          if (bound === undefined) continue;
          used.add(row);
          if (found !== undefined) doubled.push({ path, first: found.row, second: row });
          else found = { path, tensor, row, key: row.key.map((part) => (typeof part === 'string' ? part : String(bound.get(part.name)))).join('') };
        }
        if (found === undefined) uncovered.push({ path, tensor });
        else pairs.push(found);
      }
    }
  }
  return { pairs, uncovered, idle: map.rows.filter((row) => !used.has(row)), doubled };
}

/** Whether a key of a file is one that the map speaks of: one of its patterns with numbers in place of the placeholders. */
export function keyFilter(map: WeightMap): (key: string) => boolean {
  const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const patterns = map.rows.map((row) => new RegExp(`^${row.key.map((part) => (typeof part === 'string' ? escaped(part) : '\\d+')).join('')}$`));
  return (key) => patterns.some((p) => p.test(key));
}

/** The shape that values of a shape have after the steps. Throws OpError where a step does not fit. */
export function shapeAfter(steps: readonly WeightStep[], shape: readonly number[]): readonly number[] {
  return steps.reduce<readonly number[]>((s, { op, attrs }) => {
    const out = opOf(op).infer([{ dtype: 'f32', shape: s }], attrs).shape;
    if (!out.every(isStatic)) throw new OpError('open', `${op}: a size is left open`);
    return out;
  }, shape);
}

/** The values after the steps, by the reference meaning of each op. Throws OpError as `shapeAfter`. */
export const valuesAfter = (steps: readonly WeightStep[], value: NdArray): NdArray =>
  steps.reduce((v, step) => opOf(step.op).evaluate([v], step.attrs, shapeAfter([step], v.shape)), value);

/** The steps that undo these, or undefined where one cannot be undone. A `reshape` can be where the file's own `shape` is known. */
export function inverse(steps: readonly WeightStep[], shape?: readonly number[]): readonly WeightStep[] | undefined {
  const back: WeightStep[] = [];
  for (const [i, { op, attrs }] of steps.entries()) {
    const perm = attrs['perm'];
    if (op === 'transpose' && Array.isArray(perm)) {
      const axes = (perm as readonly number[]).map((p) => (p < 0 ? p + perm.length : p));
      back.unshift({ op, attrs: { perm: axes.map((_, k) => axes.indexOf(k)) } });
    } else if (op === 'reshape' && shape !== undefined) back.unshift({ op, attrs: { shape: shapeAfter(steps.slice(0, i), shape) } });
    else return undefined;
  }
  return back;
}

/** How a key gets its values back: from one tensor, or from several that were cut out of it, joined on `axis`. */
export interface WeightBack { readonly key: string; readonly axis: number; readonly parts: readonly { readonly path: string; readonly steps: readonly WeightStep[] }[] }

/** The pairs read backwards, by key; `stuck` are keys whose values cannot be put together again. `shapeOf`: the shapes that the keys had, where they are known. */
export function backwards(pairs: readonly WeightPair[], shapeOf: (key: string) => readonly number[] | undefined = () => undefined): { readonly keys: readonly WeightBack[]; readonly stuck: readonly string[] } {
  const byKey = new Map<string, WeightPair[]>();
  for (const pair of pairs) byKey.set(pair.key, [...(byKey.get(pair.key) ?? []), pair]);
  const keys: WeightBack[] = [], stuck: string[] = [];
  for (const [key, group] of byKey) {
    const back = group.length === 1 ? whole(key, group, shapeOf(key)) : joined(key, group, shapeOf(key));
    if (back === undefined) stuck.push(key);
    else keys.push(back);
  }
  return { keys, stuck };
}

function whole(key: string, [pair]: readonly WeightPair[], shape: readonly number[] | undefined): WeightBack | undefined {
  const steps = pair === undefined ? undefined : inverse(pair.row.steps, shape);
  return pair === undefined || steps === undefined ? undefined : { key, axis: 0, parts: [{ path: pair.path, steps }] };
}

/** Pieces that were cut from one axis, without holes and from its beginning on. */
function joined(key: string, group: readonly WeightPair[], shape: readonly number[] | undefined): WeightBack | undefined {
  const pieces: { readonly path: string; readonly from: number; readonly to: number; readonly steps: readonly WeightStep[] }[] = [];
  const axes = new Set<unknown>();
  for (const { path, row: { steps: [cut, ...rest] } } of group) {
    const steps = inverse(rest, cut === undefined || shape === undefined ? undefined : shapeAfter([cut], shape));
    const { axis, from, to, step } = cut?.attrs ?? {};
    if (cut?.op !== 'slice' || steps === undefined || step !== 1 || typeof from !== 'number' || typeof to !== 'number') return undefined;
    axes.add(axis);
    pieces.push({ path, from, to, steps });
  }
  pieces.sort((a, b) => a.from - b.from);
  const [axis] = axes;
  const unbroken = pieces.every((p, i) => p.from === (i === 0 ? 0 : pieces[i - 1]?.to));
  return axes.size === 1 && typeof axis === 'number' && unbroken ? { key, axis, parts: pieces.map(({ path, steps }) => ({ path, steps })) } : undefined;
}

/** Several values as one, joined on an axis. */
export function joinedValues(values: readonly NdArray[], axis: number): NdArray {
  const [first, ...others] = values;
  if (first !== undefined && others.length === 0) return first;
  return opOf('concat').evaluate(values, { axis }, joinedShape(values.map((v) => v.shape), axis));
}
export function joinedShape(shapes: readonly (readonly number[])[], axis: number): readonly number[] {
  const out = opOf('concat').infer(shapes.map((shape) => ({ dtype: 'f32', shape })), { axis }).shape;
  if (!out.every(isStatic)) throw new OpError('open', 'concat: a size is left open');
  return out;
}
