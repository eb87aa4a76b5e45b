// A network for TensorFlow.js on the disk: a JavaScript module and the bytes of its constants, and the functions of training in the same form.
import { join } from 'node:path';
import { inferFunction, trainingFunctions } from '../../compiler/functions.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { optimise } from '../../compiler/passes/index.js';
import { specialise } from '../../compiler/passes/specialise.js';
import type { Program } from '../../compiler/program.js';
import { kernelsOf, toTfjs } from '../../compiler/targets/tfjs/index.js';
import { tfjsModule } from '../../compiler/targets/tfjs/module.js';
import { MisuseError } from '../errors.js';
import { makeFolder, writeAll, writeAtomically, writeJsonAtomically, writeTextAtomically } from '../state/atomic.js';
import { exportMetadata } from '../train/export-metadata.js';
import { DROP_BELOW, tasksFor, type Trained } from './model-file.js';
import { manifestOf, requireTraining } from './training-files.js';

export interface TfjsExport {
  /** A `.js` file; the bytes go beside it, as `.bin`. */
  readonly file: string;
  readonly task?: string;
  readonly dropBelow?: number;
  readonly toolVersion: string;
}

export interface TfjsWritten { readonly file: string; readonly data: string; readonly bytes: number; readonly calls: number; readonly kernels: readonly string[]; readonly inputs: readonly string[]; readonly outputs: readonly string[] }

/** `net.js` -> `net.bin`. Throws MisuseError for another ending. */
export function bytesBeside(file: string): string {
  if (!/\.m?js$/.test(file)) throw new MisuseError(`${file} is not a .js file`, 'write --out net.js: the bytes go into net.bin beside it');
  return file.replace(/\.m?js$/, '.bin');
}

/** The network's `infer` with all values in it. Throws MisuseError for a task that the spec has not. */
export function writeTfjs({ program, values, schedules }: Trained, { file, task, dropBelow = DROP_BELOW, toolVersion }: TfjsExport): TfjsWritten {
  const data = bytesBeside(file), codes = tasksFor(program, task);
  const bound = { tensors: values, schedules, ...(codes.length > 0 ? { tasks: codes } : {}), ...(task === undefined ? {} : { task }) };
  const graph = task === undefined ? inferFunction(program) : optimise(specialise(program.infer, bound, dropBelow).graph);
  return write(file, data, graph, bound, exportMetadata(program, { toolVersion, schedules, ...(task === undefined ? {} : { task, dropBelow }) }));
}

/**
 * Writes infer.js, eval.js, grad.js, the updates apply.js and apply_task.js, each with its .bin, and manifest.json into `folder`. Tensors are inputs of every function, by their
 * paths. Throws UserError where the spec has no train block.
 */
export function writeTfjsTraining(program: Program, folder: string, toolVersion: string): readonly TfjsWritten[] {
  const training = requireTraining(program), functions = trainingFunctions(program, training.optimizer);
  makeFolder(folder);
  const written = Object.entries(functions).map(([name, graph]) =>
    write(join(folder, `${name}.js`), join(folder, `${name}.bin`), graph, {}, { 'tpsc.spec': program.hash, 'tpsc.function': name, 'tpsc.version': toolVersion }));
  writeJsonAtomically(join(folder, 'manifest.json'), { format: 2, ...manifestOf(program, training, toolVersion), functions: Object.keys(functions) });
  writeTextAtomically(join(folder, 'spec.tps'), program.resolved);
  return written;
}

/** The bytes first: a module is never there without them. */
function write(file: string, data: string, graph: Graph, bindings: Parameters<typeof toTfjs>[1], metadata: Readonly<Record<string, unknown>>): TfjsWritten {
  const program = toTfjs(graph, bindings), { text, bytes } = tfjsModule(program, metadata);
  writeAtomically(data, (fd) => { writeAll(fd, bytes); });
  writeTextAtomically(file, text);
  return {
    file, data, bytes: text.length + bytes.length, calls: program.calls.length, kernels: kernelsOf(program),
    inputs: program.inputs.map((i) => i.name), outputs: program.outputs.map((o) => o.name),
  };
}
