// Brings weights back to PyTorch: a checkpoint of ours as a state dict, under its own paths or under a map's keys.
import { extname } from 'node:path';
import { ndarray } from '../../compiler/ir/ndarray.js';
import { OpError } from '../../compiler/ops/op.js';
import type { Program } from '../../compiler/program.js';
import { backwards, joinedShape, joinedValues, resolveWeights, shapeAfter, valuesAfter, type WeightMap, type WeightStep } from '../../compiler/weights.js';
import { MisuseError, UserError } from '../errors.js';
import { isMoment } from './checkpoint.js';
import { bytesOf, isFloat, tensorOf } from './dtypes.js';
import { streamSafetensors, type TensorToWrite } from './safetensors.js';
import { finiteTensor, shownName, typeText, type StoredTensor, type TensorFile } from './stored.js';
import { withTensorFile } from './tensor-file.js';
import { writeTorch } from './torch.js';

export interface ExportRequest {
  readonly file: string;
  /** Ends in .safetensors, .pt or .pth. */
  readonly out: string;
  /** Gives the tensors the map's keys; those that it does not name are left out. */
  readonly by?: { readonly program: Program; readonly map: WeightMap };
  /** With `by`: the checkpoint that the keys came from. All else in it is kept, in its order; it also says the shapes that the map changed. */
  readonly onto?: string;
  /** Puts the state dict of a .pt under this key; absent: the key that it has in `onto`. */
  readonly entry?: string;
}
export interface ExportReport { readonly file: string; readonly out: string; readonly exported: readonly string[]; readonly values: number; readonly leftOut: readonly string[]; /** Tensors of `onto` that stay as they were. */ readonly kept: number }

interface Item { readonly key: string; readonly axis: number; readonly parts: readonly { readonly path: string; readonly steps: readonly WeightStep[] }[] }

/** Writes the tensors of a checkpoint (not an optimiser's moments), holding one at a time. Throws MisuseError for a name of no known format, UserError for a file that does not fit. */
export function exportWeights({ file: source, out, by, onto, entry }: ExportRequest): ExportReport {
  const torch = /^\.pth?$/.test(extname(out));
  if (!torch && extname(out) !== '.safetensors') throw new MisuseError(`--out ${out} is of no known format`, 'End it in .safetensors, .pt or .pth.');
  if (entry !== undefined && !torch) throw new MisuseError('--entry is for .pt files', 'A safetensors file holds its tensors at once.');
  if (onto !== undefined && by === undefined) throw new MisuseError('--onto needs --map, which says what stands where in it', 'Add --map NAME.');
  return withOptional(onto, entry, (original) => withTensorFile(source, undefined, (file) => {
    const own = [...file.tensors.keys()].filter((path) => !isMoment(path));
    const { items, given } = fitting(file, () => {
      const all = by === undefined ? own.map((path): Item => ({ key: path, axis: 0, parts: [{ path, steps: [] }] })) : itemsBy(by.program, by.map, file, original);
      return { items: all, given: all.map((item) => toWrite(file, item)) };
    });
    const tensors = original === undefined ? given : placedInto(original, given);
    if (torch) writeTorch(out, tensors, entry ?? original?.entry);
    else streamSafetensors(out, tensors, { format: 'pt' });
    const used = new Set(items.flatMap((i) => i.parts.map((p) => p.path)));
    return {
      file: file.path, out, exported: items.map((i) => i.key), values: tensors.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0),
      leftOut: own.filter((path) => !used.has(path)), kept: tensors.length - given.length,
    };
  }));
}

const withOptional = <T>(path: string | undefined, entry: string | undefined, use: (file: TensorFile | undefined) => T): T =>
  (path === undefined ? use(undefined) : withTensorFile(path, entry, use));

/** What an op of the map says of shapes that do not fit it, as a mistake in the files. */
function fitting<T>(file: TensorFile, act: () => T): T {
  try { return act(); } catch (error) {
    if (error instanceof OpError) throw new UserError(`${file.path} does not fit the map: ${error.message}`, 'It belongs to another spec, or --onto names another file than the one that was imported.');
    throw error;
  }
}

/** The map read backwards. */
function itemsBy(program: Program, map: WeightMap, file: TensorFile, original: TensorFile | undefined): readonly Item[] {
  const { pairs } = resolveWeights(map, program.tensors, program.tasks);
  const missing = pairs.filter((p) => !file.tensors.has(p.path));
  if (missing.length > 0) throw new UserError(`${file.path} lacks ${missing.length} tensors of the map \`${map.name}\`:\n${missing.map((p) => `  ${p.path}`).join('\n')}`, 'It belongs to another spec.');
  const { keys, stuck } = backwards(pairs, (key) => original?.tensors.get(key)?.shape);
  if (stuck.length > 0) throw new UserError(`the map \`${map.name}\` cannot be read backwards: what it does to these keys cannot be undone\n${stuck.map((key) => `  ${shownName(key)}`).join('\n')}`, original === undefined ? 'Give --onto with the checkpoint that was imported, which says the shapes; or leave --map away to keep the spec\'s own paths.' : 'Leave --map away to keep the spec\'s own paths.');
  return keys;
}

/** The original's tensors in its order, those of the map's keys replaced. Integers and floats of other widths become i64 and f32. */
function placedInto(original: TensorFile, given: readonly TensorToWrite[]): readonly TensorToWrite[] {
  const byKey = new Map(given.map((t) => [t.name, t]));
  const wrong = given.flatMap(({ name, shape }) => {
    const there = original.tensors.get(name);
    if (there === undefined) return [`  ${shownName(name)} is not in it`];
    return there.shape.join() === shape.join() ? [] : [`  ${shownName(name)} is ${typeText(there)} in it, and here [${shape.join(', ')}]`];
  });
  if (wrong.length > 0) throw new UserError(`${original.path} is not the checkpoint that this one came from:\n${wrong.join('\n')}`, 'Give the file that was imported, or leave --onto away.');
  return [...original.tensors].map(([name, stored]) => byKey.get(name) ?? { name, dtype: dtypeOf(stored), shape: stored.shape, bytes: () => bytesOf(tensorOf(stored.dtype, stored.shape, stored.read()).data) });
}

function toWrite(file: TensorFile, { key, axis, parts }: Item): TensorToWrite {
  const sources = parts.map(({ path, steps }) => {
    const stored = file.tensors.get(path);
    if (stored === undefined) throw new Error(`${path} was there a moment ago`);
    return { path, steps, stored };
  });
  const [first] = sources;
  if (first === undefined) throw new Error(`${key} has no source`);
  if (sources.length === 1 && first.steps.length === 0) {
    return { name: key, dtype: dtypeOf(first.stored), shape: first.stored.shape, bytes: () => bytesOf(finiteTensor(file.path, first.path, first.stored).data) };
  }
  const shapes = sources.map(({ path, steps, stored }) => {
    if (!isFloat(stored.dtype)) throw new UserError(`${file.path}: ${path} is ${typeText(stored)}, but weights are floats`, 'It belongs to another spec.');
    return shapeAfter(steps, stored.shape);
  });
  return { name: key, dtype: 'f32', shape: sources.length === 1 ? shapes[0] ?? [] : joinedShape(shapes, axis), bytes: () => {
    const values = sources.map(({ path, steps, stored }) => valuesAfter(steps, ndarray(stored.shape, Float64Array.from(finiteTensor(file.path, path, stored).data, Number))));
    return bytesOf(Float32Array.from(joinedValues(values, axis).data));
  } };
}

const dtypeOf = (stored: StoredTensor): 'f32' | 'i64' | 'bool' => (isFloat(stored.dtype) ? 'f32' : stored.dtype === 'BOOL' ? 'bool' : 'i64');
