// `--frozen int8`: the forward's products with frozen matrices in int8, gradients in floats. Which products, the compiler says; here are their values.
import { frozenProducts } from '../../compiler/functions.js';
import type { TensorValue } from '../../compiler/bindings.js';
import type { Graph } from '../../compiler/ir/graph.js';
import type { Program } from '../../compiler/program.js';
import type { CompileOptions, Engine, Tensor } from '../engines/engine.js';
import { MisuseError } from '../errors.js';

/** Frozen tensors by stored path, that do not change as long as what is compiled with them. */
export type FrozenValues = ReadonlyMap<string, TensorValue>;

/** Of a run's tensors those that are frozen. Throws MisuseError where nothing of the program can be in int8, or the engine cannot do it. */
export function frozenValues(program: Program, engine: Engine, tensors: ReadonlyMap<string, Tensor>): FrozenValues {
  if (engine.int8 !== true) throw new MisuseError(`--frozen int8 is for ONNX Runtime on the processor, not for ${engine.name} on ${engine.device}`, 'use --engine ort --device cpu, or leave the flag out');
  const values = new Map(program.tensors.filter((t) => t.frozen).flatMap(({ path }): [string, TensorValue][] => {
    const tensor = tensors.get(path);
    return tensor === undefined ? [] : [[path, { shape: tensor.shape, read: () => tensor.data as Float32Array }]];
  }));
  if (program.train === undefined || frozenProducts(program, program.train, values).size === 0) {
    throw noFrozenLinear(program);
  }
  return values;
}

export const noFrozenLinear = (program: Program): MisuseError =>
  new MisuseError(`${program.name} has no frozen linear layer for --frozen int8`, 'freeze its encoder (`with { frozen: true }`), or leave the flag out');

/** How a function of `program` is compiled. */
export const int8Of = (program: Program, graph: Graph, values: FrozenValues | undefined): CompileOptions =>
  (values === undefined ? {} : { int8: frozenProducts(program, graph, values) });
