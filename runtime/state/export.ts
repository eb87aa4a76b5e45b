// Brings weights back to PyTorch: a checkpoint of ours as a state dict, under its own paths or under a map's keys.
import { extname } from 'node:path';
import { ndarray } from '../../compiler/ir/ndarray.js';
import type { Program } from '../../compiler/program.js';
import { backwards, joinedShape, joinedValues, resolveWeights, shapeAfter, valuesAfter, type WeightMap, type WeightStep } from '../../compiler/weights.js';
import { MisuseError, UserError } from '../errors.js';
import { isMoment } from './checkpoint.js';
import { bytesOf, isFloat } from './dtypes.js';
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
  /** Puts the state dict of a .pt under this key. */
  readonly entry?: string;
}
export interface ExportReport { readonly file: string; readonly out: string; readonly exported: readonly string[]; readonly values: number; readonly leftOut: readonly string[] }

interface Item { readonly key: string; readonly axis: number; readonly parts: readonly { readonly path: string; readonly steps: readonly WeightStep[] }[] }

/** Writes the tensors of a checkpoint (not an optimiser's moments), holding one at a time. Throws MisuseError for a name of no known format, UserError for a file that does not fit. */
export function exportWeights({ file: source, out, by, entry }: ExportRequest): ExportReport {
  const torch = /^\.pth?$/.test(extname(out));
  if (!torch && extname(out) !== '.safetensors') throw new MisuseError(`--out ${out} is of no known format`, 'End it in .safetensors, .pt or .pth.');
  if (entry !== undefined && !torch) throw new MisuseError('--entry is for .pt files', 'A safetensors file holds its tensors at once.');
  return withTensorFile(source, undefined, (file) => {
    const own = [...file.tensors.keys()].filter((path) => !isMoment(path));
    const items = by === undefined ? own.map((path): Item => ({ key: path, axis: 0, parts: [{ path, steps: [] }] })) : itemsBy(by.program, by.map, file);
    const tensors = items.map((item) => toWrite(file, item));
    if (torch) writeTorch(out, tensors, entry);
    else streamSafetensors(out, tensors, { format: 'pt' });
    const used = new Set(items.flatMap((i) => i.parts.map((p) => p.path)));
    return {
      file: file.path, out, exported: items.map((i) => i.key), values: tensors.reduce((sum, t) => sum + t.shape.reduce((a, b) => a * b, 1), 0),
      leftOut: own.filter((path) => !used.has(path)),
    };
  });
}

/** The map read backwards. */
function itemsBy(program: Program, map: WeightMap, file: TensorFile): readonly Item[] {
  const { pairs } = resolveWeights(map, program.tensors, program.tasks);
  const missing = pairs.filter((p) => !file.tensors.has(p.path));
  if (missing.length > 0) throw new UserError(`${file.path} lacks ${missing.length} tensors of the map \`${map.name}\`:\n${missing.map((p) => `  ${p.path}`).join('\n')}`, 'It belongs to another spec.');
  const { keys, stuck } = backwards(pairs);
  if (stuck.length > 0) throw new UserError(`the map \`${map.name}\` cannot be read backwards: what it does to these keys cannot be undone\n${stuck.map((key) => `  ${shownName(key)}`).join('\n')}`, 'Leave --map away to keep the spec\'s own paths.');
  return keys;
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
