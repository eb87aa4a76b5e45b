// The values of a network where they are: in a file or still to be drawn. Each is read when it is asked for, so that no more than one need be held.
import type { TensorValue } from '../../compiler/bindings.js';
import { storedPaths, taskCodes, type Program } from '../../compiler/program.js';
import type { Tensor } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { isFloat, tensorOf } from '../state/dtypes.js';
import { initialise } from '../state/initialise.js';
import { withFile } from '../state/random-access.js';
import { readSafetensorsHeader, type TensorEntry } from '../state/safetensors.js';
import { requireFinite } from '../state/stored.js';

/** By stored path. */
export type Values = ReadonlyMap<string, TensorValue>;

const floats = (path: string, { data }: Tensor): Float32Array => {
  if (!(data instanceof Float32Array)) throw new Error(`${path} holds no floats`);
  return data;
};

/** Initial values, drawn anew each time. */
export function initialValues(program: Program, seed: number): Values {
  const tasks = taskCodes(program);
  let last: { readonly path: string; readonly drawn: ReadonlyMap<string, Tensor> } | undefined;
  return new Map(program.tensors.flatMap((info) => storedPaths(info, tasks).map((path): [string, TensorValue] => [path, { shape: info.shape, read: () => {
    // All copies of a task's own tensor are drawn together, and asked for one after another.
    if (last?.path !== info.path) last = { path: info.path, drawn: initialise(info, seed, tasks) };
    const tensor = last.drawn.get(path);
    if (tensor === undefined) throw new Error(`nothing was drawn for ${path}`);
    return floats(path, tensor);
  } }])));
}

/**
 * The program's tensors in a .safetensors file. Throws UserError where one is missing or of another shape; what else the file holds is left aside.
 * Reading a value throws UserError where it is not finite.
 */
export function fileValues(program: Program, file: string): Values {
  const { entries } = readSafetensorsHeader(file);
  const missing: string[] = [], misshapen: string[] = [];
  const values = new Map<string, TensorValue>();
  for (const info of program.tensors) for (const path of storedPaths(info, taskCodes(program))) {
    const there = entries.get(path);
    if (there === undefined) missing.push(path);
    else if (!isFloat(there.dtype) || there.shape.join() !== info.shape.join()) misshapen.push(`${path} is [${there.shape.join(', ')}] in the file and [${info.shape.join(', ')}] in the spec`);
    else values.set(path, { shape: info.shape, read: () => readEntry(file, path, there) });
  }
  const help = 'Give the weights of the same network, or train it first.';
  const [first, ...more] = missing;
  if (first !== undefined) throw new UserError(`${file} lacks ${missing.length} tensors of ${program.name}: ${first}${more.length > 0 ? ', …' : ''}`, help);
  if (misshapen[0] !== undefined) throw new UserError(`${file} holds ${misshapen.length} tensors of ${program.name} in another shape: ${misshapen[0]}`, help);
  return values;
}

function readEntry(file: string, path: string, { dtype, shape, begin, end }: TensorEntry): Float32Array {
  const tensor = tensorOf(dtype, shape, withFile(file, (open) => open.bytes(begin, end - begin)));
  requireFinite(file, path, tensor);
  return floats(path, tensor);
}
