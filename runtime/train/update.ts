// The update of tensors that move together. They stand one after another in one memory, and so do their gradients and moments, and an update goes over it in pieces
// of one size: an optimiser works element by element, and nodes for every single tensor cost more than its arithmetic.
import { applyFunction } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import type { OptimizerConfig, TensorInfo } from '../../compiler/program.js';
import { f32, type CompiledFunction, type Engine, type Feeds, type Tensor } from '../engines/engine.js';
import { land } from '../engines/feeds.js';
import type { TrainState } from '../state/checkpoint.js';
import { keepOthers } from './rows.js';

/** Tensors that are updated together: the shared ones, or one task's own; of either those that wait for an improvement are a set by themselves. */
export interface UpdateSet { readonly tensors: readonly TensorInfo[]; readonly perTask: boolean; readonly waits: boolean }

export const SHARED = undefined;

export const updateSets = (trained: readonly TensorInfo[], waiting: ReadonlySet<string>): readonly UpdateSet[] =>
  [false, true].flatMap((perTask) => [false, true].map((waits) => ({ perTask, waits, tensors: trained.filter((t) => t.perTask === perTask && waiting.has(t.path) === waits) })))
    .filter((set) => set.tensors.length > 0);

/** Whether a set takes part in the update of a task, or (`SHARED`) of what all share. */
export const moves = ({ perTask, waits }: UpdateSet, task: number | undefined, paused: ReadonlySet<number | undefined> | undefined): boolean =>
  perTask === (task !== SHARED) && !(waits && paused?.has(task) === true);

/** Before the names of the moments that an update reads. */
const momentsIn = (fn: Pick<CompiledFunction, 'inputs'>): readonly string[] => ['m:', 'v:'].filter((prefix) => fn.inputs.some((name) => name.startsWith(prefix)));

/** The path under which a state holds a leaf for a task. */
export type Stored = (leaf: string, task: number | undefined) => string | undefined;

/** Names and shapes of the moments of every tensor, of these tasks. */
export function momentsOf(updates: readonly { readonly tensors: readonly TensorInfo[]; readonly fn: Pick<CompiledFunction, 'inputs'> }[], tasks: readonly number[], stored: Stored): ReadonlyMap<string, readonly number[]> {
  return new Map(updates.flatMap(({ tensors, fn }) => {
    const prefixes = momentsIn(fn);
    return tensors.flatMap(({ path, shape, perTask }) => prefixes.flatMap((prefix) => (perTask ? tasks : [SHARED]).map((task) => [prefix + (stored(path, task) ?? path), shape] as const)));
  }));
}

/** Elements of a piece at most, so that what an update makes of it stays in a cache, and pieces of a run at most, so that its graph stays small. */
const PIECE = 1 << 18, PIECES = 64;
/** Tensors begin at multiples of this many elements: a line of the cache. */
const LINE = 16;
const toLine = (n: number): number => Math.ceil(n / LINE) * LINE;

/** One memory, and the tensors in it. What lies between and behind them is zero. */
export interface Flat { readonly all: Float32Array; readonly tensors: readonly Tensor[] }

export interface Update extends UpdateSet {
  readonly fn: CompiledFunction;
  /** Memory for one set of gradients. */
  room(): Flat;
  /** Gives it back, when nobody reads it any more. */
  free(gradients: Flat): void;
  /**
   * Changes tensors, moments and counts of a state: of this task where the set is of one. What the state was given it replaces; what it has put there it
   * writes over the next time. Of tensors in `tables`, the elements that are not marked stay.
   */
  run(state: TrainState, task: number | undefined, gradients: Flat, scalars: { readonly lr: number; readonly clip: number }): Promise<void>;
}

/** Of `tables`: 1 where an element is trained, by path. `most`: elements of a piece, and pieces of a run. */
export async function makeUpdate(set: UpdateSet, optimizer: OptimizerConfig, engine: Engine, stored: Stored, tables: ReadonlyMap<string, Uint8Array>, most = { piece: PIECE, pieces: PIECES }): Promise<Update> {
  const { tensors } = set, starts: number[] = [];
  let end = 0;
  for (const { shape } of tensors) {
    starts.push(end);
    end += toLine(sizeOf(shape));
  }
  const least = Math.max(1, Math.ceil(end / most.piece)), runs = Math.ceil(least / most.pieces), pieces = Math.ceil(least / runs), piece = toLine(end / (runs * pieces));
  const names = Array.from({ length: pieces }, (_, i) => `piece${i}`);
  const fn = await engine.compile(applyFunction(names.map((path) => ({ path, shape: [piece] })), optimizer)), prefixes = ['', ...momentsIn(fn)];

  const flat = (): Flat => {
    const all = new Float32Array(runs * pieces * piece);
    return { all, tensors: tensors.map(({ shape }, i) => f32(shape, all.subarray(starts[i], (starts[i] ?? 0) + sizeOf(shape)))) };
  };
  /** The tensors of a run, by their names in the graph. */
  const piecesOf = (prefix: string, { all }: Flat, run: number): Feeds =>
    Object.fromEntries(names.map((name, i) => [prefix + name, f32([piece], all.subarray((run * pieces + i) * piece, (run * pieces + i + 1) * piece))]));

  const spare: Flat[] = [];
  /** Of each state, by task: the tensors and their moments, by the prefixes of their names. */
  const memories = new WeakMap<TrainState, Map<number | undefined, ReadonlyMap<string, Flat>>>();
  const memoryOf = (state: TrainState, task: number | undefined): ReadonlyMap<string, Flat> => {
    const ofState = memories.get(state) ?? new Map<number | undefined, ReadonlyMap<string, Flat>>(), memory = ofState.get(task) ?? new Map(prefixes.map((prefix) => [prefix, flat()]));
    memories.set(state, ofState.set(task, memory));
    return memory;
  };

  return {
    ...set, fn,
    room: () => spare.pop() ?? flat(),
    free: (gradients) => { spare.push(gradients); },
    run: async (state, task, gradients, { lr, clip }) => {
      const places = tensors.map((t) => stored(t.path, task) ?? t.path);
      const held = [...memoryOf(state, task)].map(([prefix, flat]) => ({ prefix, flat, target: prefix === '' ? state.tensors : state.moments }));
      for (const { prefix, flat, target } of held) for (const [i, place] of places.entries()) {
        const value = target.get(prefix + place), own = flat.tensors[i];
        if (value === undefined) throw new Error(`${prefix}${place} has no value`);
        if (value !== own) (own?.data as Float32Array).set(value.data as Float32Array);
      }
      const standing = tensors.flatMap(({ path }, i) => {
        const own = tables.get(path), after = held[0]?.flat.tensors[i]?.data as Float32Array;
        return own === undefined ? [] : [{ own, after, before: after.slice() }];
      });
      const [first] = places, step = (first === undefined ? 0 : state.updates.get(first) ?? 0) + 1;
      for (let run = 0; run < runs; run++) {
        const into: Feeds = Object.assign({}, ...held.map(({ prefix, flat }) => piecesOf(prefix, flat, run)));
        land(await fn.run({ lr: f32([], [lr]), step: f32([], [step]), clip: f32([], [clip]), ...into, ...piecesOf('grad:', gradients, run) }, { into }), into);
      }
      for (const { before, after, own } of standing) keepOthers(before, after, own);
      for (const { prefix, flat, target } of held) for (const [i, place] of places.entries()) target.set(prefix + place, flat.tensors[i] as Tensor);
      for (const place of places) state.updates.set(place, step);
    },
  };
}
