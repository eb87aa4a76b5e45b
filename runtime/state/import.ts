// Brings a foreign checkpoint into a program's own paths: by a map of the spec, or by equal names. All is compared before anything is written.
import { basename } from 'node:path';
import { nearest } from '../../compiler/check/suggest.js';
import { OpError } from '../../compiler/ops/op.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import { storedPaths, taskCodes, type Program, type TensorInfo } from '../../compiler/program.js';
import { keyFilter, resolveWeights, shapeAfter, valuesAfter, type WeightMap, type WeightStep } from '../../compiler/weights.js';
import { UserError } from '../errors.js';
import { bytesOf, isFloat } from './dtypes.js';
import { streamSafetensors } from './safetensors.js';
import { finiteTensor, shownName, typeText, type StoredTensor, type TensorFile } from './stored.js';
import { withTensorFile } from './tensor-file.js';

export interface ImportRequest {
  readonly program: Program;
  readonly file: string;
  readonly out: string;
  /** Name of the map; absent: the one that the program's encoders name. */
  readonly map?: string;
  /** Key of the state dict in a .pt that holds several. */
  readonly entry?: string;
  /** Leaves out keys that the map speaks of but the program has no tensor for, instead of refusing the file. */
  readonly dropExtra?: boolean;
}

export interface ImportReport {
  readonly file: string;
  readonly format: TensorFile['format'];
  readonly entry?: string;
  /** Absent: by equal names. */
  readonly map?: string;
  readonly out: string;
  readonly imported: readonly { readonly path: string; readonly key: string }[];
  /** Numbers written. */
  readonly values: number;
  /** Keys of the file that the map does not speak of. */
  readonly outside: readonly string[];
  /** Keys that it speaks of, dropped because the program has no tensor for them. */
  readonly dropped: readonly string[];
  /** Stored paths of the program that the file says nothing of. */
  readonly untouched: readonly string[];
  /** Those among them that a training would refuse to draw at random. */
  readonly stillNeeded: readonly string[];
}

interface Wanted { readonly path: string; readonly key: string; readonly tensor: TensorInfo; readonly steps: readonly WeightStep[] }

/** The map of a name, or the one that there is. undefined: the program has none, and names are compared. Throws UserError. */
export function chooseMap(program: Program, name: string | undefined): WeightMap | undefined {
  const maps = program.weightMaps ?? [];
  const names = maps.map((m) => m.name);
  if (name !== undefined) {
    const map = maps.find((m) => m.name === name);
    if (map === undefined) {
      const near = nearest(name, names);
      throw new UserError(`${program.file} knows no map of weights \`${name}\``, near !== undefined ? `did you mean ${near}?` : names.length > 0 ? `It has: ${names.join(', ')}.` : 'Declare one: weights NAME of BLOCK { "key.{i}" -> path[* as i] }.');
    }
    if (map.instances.length === 0) throw new UserError(`the map \`${name}\` is of \`${map.of}\`, which ${program.name} does not use`, 'Choose another with --map.');
    return map;
  }
  const usable = maps.filter((m) => m.instances.length > 0);
  const named = usable.filter((m) => m.named);
  const among = named.length > 0 ? named : usable;
  if (among.length > 1) throw new UserError(`${program.file} has several maps of weights: ${among.map((m) => m.name).join(', ')}`, 'Say which with --map NAME.');
  return among[0];
}

/** Imports a file. Throws UserError, and leaves `out` as it was, where the file is damaged or does not fit. */
export function importWeights(request: ImportRequest): ImportReport {
  const { program, out } = request;
  const map = chooseMap(program, request.map);
  return withTensorFile(request.file, request.entry, (file) => {
    const tasks = taskCodes(program);
    const wanted: readonly Wanted[] = map === undefined
      ? program.tensors.flatMap((tensor) => storedPaths(tensor, tasks).map((path) => ({ path, key: path, tensor, steps: [] }))).filter((w) => file.tensors.has(w.key))
      : resolveWeights(map, program.tensors, program.tasks).pairs.map(({ path, key, tensor, row }) => ({ path, key, tensor, steps: row.steps }));
    const keys = new Set(wanted.map((w) => w.key));
    const speaksOf = map === undefined ? () => false : keyFilter(map);
    const rest = [...file.tensors.keys()].filter((key) => !keys.has(key));
    const [extra, outside] = [rest.filter(speaksOf), rest.filter((key) => !speaksOf(key))];
    refuseMisfits(program, file, map, wanted, request.dropExtra === true ? [] : extra);
    streamSafetensors(out, wanted.map((w) => ({ name: w.path, dtype: 'f32', shape: w.tensor.shape, bytes: () => bytesFor(file, w) })),
      { source: basename(file.path), program: program.name, ...(map === undefined ? {} : { map: map.name }) });
    const given = new Set(wanted.map((w) => w.path));
    const left = program.tensors.flatMap((tensor) => storedPaths(tensor, tasks).filter((path) => !given.has(path)).map((path) => ({ path, tensor })));
    return {
      file: file.path, format: file.format, ...(file.entry === undefined ? {} : { entry: file.entry }), ...(map === undefined ? {} : { map: map.name }), out,
      imported: wanted.map(({ path, key }) => ({ path, key })),
      values: wanted.reduce((sum, w) => sum + w.tensor.shape.reduce((a, b) => a * b, 1), 0),
      outside, dropped: extra, untouched: left.map((l) => l.path),
      stillNeeded: left.filter(({ tensor }) => tensor.kind === 'param' && (tensor.frozen || tensor.weights !== undefined)).map((l) => l.path),
    };
  });
}

/** What keeps a tensor from its values: undefined where nothing does. */
function misfit(stored: StoredTensor, { tensor, steps }: Wanted): string | undefined {
  if (!isFloat(stored.dtype)) return `is ${typeText(stored)}, but weights are floats`;
  let shape: readonly number[];
  try { shape = shapeAfter(steps, stored.shape); } catch (error) {
    if (!(error instanceof OpError)) throw error;
    return `is ${typeText(stored)}, and ${error.message}`;
  }
  if (shape.length === tensor.shape.length && shape.every((n, i) => n === tensor.shape[i])) return undefined;
  return `is ${typeText(stored)}${steps.length === 0 ? '' : `, after ${steps.map((s) => s.op).join(' and ')} [${shape.join(', ')}]`}; the spec wants [${tensor.shape.join(', ')}]`;
}

function refuseMisfits(program: Program, file: TensorFile, map: WeightMap | undefined, wanted: readonly Wanted[], extra: readonly string[]): void {
  const missing = wanted.filter((w) => !file.tensors.has(w.key)).map((w) => `missing  ${shownName(w.key)}, for ${w.path} f32[${w.tensor.shape.join(', ')}]`);
  const unfit = wanted.flatMap((w) => {
    const stored = file.tensors.get(w.key);
    const why = stored === undefined ? undefined : misfit(stored, w);
    return why === undefined ? [] : [`unfit    ${shownName(w.key)} ${why} for ${w.path}`];
  });
  const surplus = extra.map((key) => `extra    ${shownName(key)}, for which the spec has no tensor`);
  const by = map === undefined ? `the paths of ${program.name}` : `the map \`${map.name}\` of \`${map.of}\``;
  if (wanted.length === 0 || missing.length === wanted.length) {
    const some = [...file.tensors.keys()].slice(0, 3).map(shownName).join(', ');
    throw new UserError(`nothing in ${file.path} fits ${by}`, `The file holds ${file.tensors.size} tensors: ${some}${file.tensors.size > 3 ? ', …' : ''}; ${wanted[0] === undefined ? `the spec has ${program.tensors[0]?.path ?? 'none'}, …` : `the map asks for ${wanted[0].key}, …`}`);
  }
  if (missing.length + unfit.length + surplus.length === 0) return;
  const counts = [[missing.length, 'missing'], [unfit.length, 'of another shape or dtype'], [surplus.length, 'extra']].flatMap(([n, what]) => (n === 0 ? [] : [`${n} ${what}`]));
  throw new UserError(`${file.path} does not fit ${by}: ${counts.join(', ')}\n${[...missing, ...unfit, ...surplus].map((line) => `  ${line}`).join('\n')}`,
    surplus.length > 0 && missing.length + unfit.length === 0 ? 'It may belong to a larger network; --drop-extra leaves them out.' : 'It belongs to a network of other sizes, or the map is not for it. Nothing was written.');
}

/** The values of one tensor, after the map's steps. */
function bytesFor(file: TensorFile, { key, tensor, steps }: Wanted): Uint8Array {
  const stored = file.tensors.get(key);
  if (stored === undefined) throw new Error(`${key} was there a moment ago`);
  const { data } = finiteTensor(file.path, key, stored);
  if (!(data instanceof Float32Array)) throw new Error(`${key} is no float tensor`);
  if (steps.length === 0) return bytesOf(data);
  const out = Float32Array.from(valuesAfter(steps, ndarray(stored.shape, Float64Array.from(data))).data);
  if (out.length !== tensor.shape.reduce((a, b) => a * b, 1)) throw new Error(`${key} changed its size on the way`);
  return bytesOf(out);
}
