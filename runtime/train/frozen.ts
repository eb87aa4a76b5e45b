// The frozen part of a function at work: the features of a batch's images, kept or computed. Always image by image, so that the numbers are the same
// whatever is kept, in whatever order it came. Which part that is, the compiler says; where features are kept is in `../features`.
import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { hashGraph } from '../../compiler/ir/print.js';
import { leafName, type Graph } from '../../compiler/ir/graph.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { splitFrozen } from '../../compiler/passes/frozen-prefix.js';
import { frozenForAll, type Program } from '../../compiler/program.js';
import { hasMemory } from '../engines/device.js';
import { f32, type Engine, type Feeds, type Tensor } from '../engines/engine.js';
import { fedLeaves } from '../engines/feeds.js';
import type { FeatureCache } from '../features/cache.js';
import type { Shelf } from '../features/shelf.js';
import { multiplyAdds } from '../report/counts.js';
import { bytesOf } from '../state/dtypes.js';
import { binderOf } from './bind.js';
import { int8Of, type FrozenValues } from './frozen-int8.js';
import { imageInput } from './image-input.js';
import { engineIdentity } from './run-directory.js';

/** Of a function's multiply-adds: below, cutting it costs more than it can save. */
const LEAST_SHARE = 0.1;

export interface FrozenPart {
  /** The function without it: reads the features in place of what they were made of. */
  readonly rest: Graph;
  /** Of the function's multiply-adds. */
  readonly share: number;
  /** Of one image's features. */
  readonly bytes: number;
  /** image f32[B, …] -> the features by their names. Valid until it is asked again. */
  features(tensors: ReadonlyMap<string, Tensor>, image: Tensor): Promise<Feeds>;
  dispose(): Promise<void>;
}

/** Undefined where there is no frozen part that is worth it, and on engines that keep a step on their device. */
export async function frozenPart(program: Program, graph: Graph, engine: Engine, cache?: FeatureCache, int8?: FrozenValues): Promise<FrozenPart | undefined> {
  if (hasMemory(engine)) return undefined;
  const { name: input } = imageInput(program);
  const split = splitFrozen(graph, input, frozenForAll(program));
  if (split === undefined) return undefined;
  const { prefix, rest, features: parts } = split, own = multiplyAdds(prefix), share = own / (own + multiplyAdds(rest));
  if (!(share >= LEAST_SHARE)) return undefined;

  const fn = await engine.compile(prefix, int8Of(program, prefix, int8)), binder = binderOf(program), leaves = fedLeaves(prefix).map(leafName);
  const sizes = parts.map((p) => sizeOf(p.shape)), floats = sizes.reduce((a, b) => a + b, 0);
  const hash = hashGraph(prefix);
  let shelf: Shelf | undefined, from: Feeds = {}, trusted = false, last: readonly Tensor[] = [];

  /** The tensors of the batch, written over each time that one of the same size comes. */
  const roomFor = (count: number): readonly Tensor[] => {
    const [first] = last;
    if (first === undefined || first.data.length !== count * (sizes[0] ?? 0)) last = parts.map(({ shape: [axis = 1, ...others] }) => f32([axis * count, ...others], new Float32Array(count * axis * sizeOf(others))));
    return last;
  };
  const partsOf = (tensors: readonly Tensor[], i: number): readonly Float32Array[] => tensors.map((t, k) => (t.data as Float32Array).subarray(i * (sizes[k] ?? 0), (i + 1) * (sizes[k] ?? 0)));

  const compute = async (weights: Feeds, pixels: Float32Array, shape: readonly number[], into: readonly Float32Array[]): Promise<void> => {
    await fn.run({ ...weights, [input]: f32([1, ...shape], pixels) }, { into: Object.fromEntries(parts.map((p, k) => [p.name, f32(p.shape, into[k] ?? new Float32Array(0))])) });
  };

  const shelfFor = (weights: Feeds): Shelf | undefined => {
    if (cache === undefined) return undefined;
    if (shelf === undefined || Object.keys(weights).some((path) => weights[path] !== from[path])) {
      const text = JSON.stringify(['features 1', cache.version, engineIdentity(engine), engine.threads, cpus()[0]?.model, hash, ...(int8 === undefined ? [] : ['int8']), Object.keys(weights).sort().map((path) => [path, digestOf((weights[path] as Tensor).data)])]);
      shelf = cache.shelves.open(createHash('sha256').update(text).digest('hex').slice(0, 32), floats);
      [from, trusted] = [weights, !shelf.inherited];
    }
    return shelf;
  };

  /** Whether kept features are what is computed here; asked of the first that another process left. */
  const trust = async (held: Float32Array, place: readonly Float32Array[], make: () => Promise<void>): Promise<boolean> => {
    if (trusted) return true;
    await make();
    trusted = Buffer.compare(bytesOf(joined(place, floats)), bytesOf(held)) === 0;
    if (!trusted) {
      shelf?.forget();
      if (cache !== undefined) cache.distrusted = true;
    }
    return trusted;
  };

  return {
    rest, share, bytes: 4 * floats,
    features: async (tensors, image) => {
      const began = performance.now();
      const [count = 0, ...shape] = image.shape, each = sizeOf(shape), pixels = image.data as Float32Array;
      const weights = binder.feeds(fn.inputs, tensors, undefined), shelves = shelfFor(binder.feeds(leaves, tensors, undefined)), room = roomFor(count);
      const sample = (i: number): Float32Array => pixels.subarray(i * each, (i + 1) * each);
      const keys = Array.from({ length: count }, (_, i) => (shelves === undefined ? String(i) : digestOf(sample(i))));
      const make = (i: number): Promise<void> => compute(weights, sample(i), shape, partsOf(room, i));
      const found = new Map<string, Float32Array>(), missing = new Map<string, number>();
      for (const [i, key] of keys.entries()) {
        if (found.has(key) || missing.has(key)) continue;
        const held = await shelves?.get(key);
        if (held !== undefined && await trust(held, partsOf(room, i), () => make(i))) found.set(key, held);
        else missing.set(key, i);
      }
      const computing = performance.now();
      for (const i of missing.values()) await make(i);
      const computed = performance.now();
      for (const [i, key] of keys.entries()) {
        const held = found.get(key), first = missing.get(key) ?? i, place = partsOf(room, i);
        if (held !== undefined) apart(held, place);
        else if (first !== i) copy(partsOf(room, first), place);
        else await shelves?.put(key, joined(place, floats));
      }
      cache?.count(count, count - missing.size, (computed - computing) / 1000, (performance.now() - computed + computing - began) / 1000);
      return Object.fromEntries(parts.map((p, k) => [p.name, room[k] as Tensor]));
    },
    dispose: () => fn.dispose(),
  };
}

const digestOf = (data: Tensor['data']): string => createHash('sha256').update(bytesOf(data)).digest('hex');

function joined(parts: readonly Float32Array[], floats: number): Float32Array {
  const all = new Float32Array(floats);
  parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
  return all;
}
function apart(values: Float32Array, into: readonly Float32Array[]): void {
  into.reduce((at, part) => { part.set(values.subarray(at, at + part.length)); return at + part.length; }, 0);
}
const copy = (from: readonly Float32Array[], to: readonly Float32Array[]): void => { for (const [k, part] of to.entries()) part.set(from[k] ?? []); };
