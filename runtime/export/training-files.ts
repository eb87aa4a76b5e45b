// The functions of training as a folder of ONNX files with a manifest: what another runtime needs to train the network.
import { join } from 'node:path';
import { trainingFunctions } from '../../compiler/functions.js';
import { formatDim } from '../../compiler/ir/dim.js';
import type { Program, TrainConfig } from '../../compiler/program.js';
import { toOnnx, type FileType } from '../../compiler/targets/onnx/index.js';
import { UserError } from '../errors.js';
import { bytesOf } from '../state/dtypes.js';
import { streamSafetensors } from '../state/safetensors.js';
import type { Values } from './values.js';
import { makeFolder, writeAll, writeAtomically, writeJsonAtomically, writeTextAtomically } from '../state/atomic.js';

const TENSORS = 'tensors.safetensors';

interface ValueRow { readonly name: string; readonly dtype: string; readonly shape: readonly (number | string)[] }
const row = (name: string, { dtype, shape }: FileType): ValueRow => ({ name, dtype, shape: shape.map((d) => (typeof d === 'number' ? d : formatDim(d))) });

export interface TrainingFiles { readonly files: readonly { readonly file: string; readonly nodes: number }[]; readonly opset: number }

export interface TrainingOptions {
  readonly toolVersion: string;
  readonly opset?: number;
  /** Values to begin with: they are written as tensors.safetensors. */
  readonly values?: Values;
}

/** Throws UserError where the spec has no train block. */
export function requireTraining({ file, training }: Program): TrainConfig {
  if (training === undefined) throw new UserError(`${file} has no train block`, 'Add `train NAME of MODEL { … }`, or name one with --block.');
  return training;
}

/** What a manifest says besides its functions, whatever they are written for. */
export const manifestOf = (program: Program, training: TrainConfig, toolVersion: string): object => ({
  toolVersion, name: program.name, variant: program.variant ?? null, spec: program.hash, tasks: program.tasks?.rows.map(({ code, label }) => ({ code, label })) ?? [],
  tensors: program.tensors.map(({ path, kind, shape, perTask, frozen }) => ({ path, kind, shape, perTask, frozen })), afterImprovement: training.afterImprovement ?? [],
  schedules: program.schedules, optimizer: training.optimizer, clip: training.clip ?? null, batch: training.batch, epochs: training.epochs, threshold: training.threshold,
});

/**
 * Writes infer.onnx, eval.onnx, grad.onnx, the updates and manifest.json into `folder`. Tensors are inputs of every file, by their paths;
 * a task's own ones (`{task}` in the path) are bound by the caller. apply.onnx updates the trained tensors that tasks share, apply_task.onnx those of one
 * task: their counts of steps differ. Throws UserError where the spec has no train block.
 */
export function writeTrainingFiles(program: Program, folder: string, { toolVersion, opset, values }: TrainingOptions): TrainingFiles {
  const training = requireTraining(program), functions = trainingFunctions(program, training.optimizer);
  makeFolder(folder);
  const made = Object.entries(functions).map(([name, graph]) => {
    const model = toOnnx(graph, { name, producerVersion: toolVersion, metadata: { 'tpsc.spec': program.hash, 'tpsc.function': name }, ...(opset === undefined ? {} : { opset }) });
    const file = `${name}.onnx`;
    writeAtomically(join(folder, file), (fd) => { writeAll(fd, model.bytes); });
    return { name, file, model };
  });
  if (values !== undefined) {
    streamSafetensors(join(folder, TENSORS), [...values].map(([name, { shape, read }]) => ({ name, dtype: 'f32', shape, bytes: () => bytesOf(read()) })), { spec: program.hash });
  }
  writeJsonAtomically(join(folder, 'manifest.json'), {
    format: 2, ...manifestOf(program, training, toolVersion),
    functions: Object.fromEntries(made.map(({ name, file, model }) => [name, {
      file, inputs: model.inputs.map((i) => row(i.name, i.type)), outputs: model.outputs.map((o) => ({ ...row(o.name, o.type), value: o.value })),
    }])),
    initial: values === undefined ? null : TENSORS,
  });
  writeTextAtomically(join(folder, 'spec.tps'), program.resolved);
  return { files: made.map(({ file, model }) => ({ file, nodes: model.nodes })), opset: made[0]?.model.opset ?? 0 };
}
