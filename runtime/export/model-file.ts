// A network with its values as one ONNX file. Bytes only: the command writes them.
import { inferFunction } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import { taskCodes, type Program } from '../../compiler/program.js';
import { toOnnx, type OnnxModel } from '../../compiler/targets/onnx/index.js';
import type { Tensor } from '../engines/engine.js';
import { MisuseError, UserError } from '../errors.js';
import { startingTensors } from '../state/weights.js';
import { exportMetadata } from '../train/export-metadata.js';
import { scheduleValue } from '../train/schedules.js';

/** A network with values: of a checkpoint, or those that a training would begin with. */
export interface Trained {
  readonly program: Program;
  /** By stored path. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Values of the schedules that the graph reads. */
  readonly schedules: Readonly<Record<string, number>>;
}

/** Seed of `--weights random`. */
const SEED = 0;

/**
 * The values of a spec that is no run: `weights` is a run, a .safetensors file or `random`. Schedules stand where a whole training leaves them.
 * Throws UserError where weights are not given or lack a tensor: a file of half-random values must not come about in silence.
 */
export function trainedFrom(program: Program, weights: string | undefined): Trained {
  if (weights === undefined) throw new UserError(`${program.file} is a spec: it has no trained values`, 'Give a run instead, or --weights with a run or a .safetensors file, or --weights random.');
  const { tensors, report } = startingTensors(program, SEED, weights);
  const [missing, ...more] = report?.missing ?? [];
  if (missing !== undefined) throw new UserError(`${report?.file ?? weights} lacks ${more.length + 1} tensors of ${program.name}: ${missing}${more.length > 0 ? ', …' : ''}`, 'Give the weights of the same network, or train it first.');
  const epochs = program.training?.epochs ?? 1;
  const end = { epoch: Math.max(1, epochs - 1), step: Number.MAX_SAFE_INTEGER, epochs, stepsPerEpoch: 1, history: [] };
  return { program, tensors, schedules: Object.fromEntries(program.schedules.map((s) => [s.name, scheduleValue(s, end)])) };
}

export interface ExportOptions {
  /** Code of the one task to bake in; where absent, a network that reads the task takes it as the input `t`. */
  readonly task?: string;
  readonly opset?: number;
  readonly toolVersion: string;
}

export interface ExportedModel extends OnnxModel {
  /** Elements of the parameters in the file: every copy of a task's own ones, or one where a task is baked in. State is not counted. */
  readonly parameters: number;
  /** Elements of the parameters that only a loss reads (heads of deep supervision), with their copies: they are not in the file. */
  readonly trainingOnly: number;
}

/** The network's `infer` with all values in it. Throws MisuseError for a task that the spec has not. */
export function exportOnnx({ program, tensors, schedules }: Trained, { task, opset, toolVersion }: ExportOptions): ExportedModel {
  const codes = taskCodes(program);
  if (task !== undefined && !codes.includes(task)) {
    throw new MisuseError(`${program.name} has no task ${task}`, codes.length > 0 ? `one of: ${codes.join(', ')}` : 'it has no tasks: leave --task out');
  }
  const graph = inferFunction(program);
  const model = toOnnx(graph, {
    name: program.name, producerVersion: toolVersion, schedules,
    metadata: exportMetadata(program, { toolVersion, schedules, ...(task === undefined ? {} : { task }) }),
    tensors: new Map([...tensors].map(([path, { shape, data }]) => [path, { shape, data: data as Float32Array }])),
    ...(codes.length > 0 ? { tasks: codes } : {}), ...(task === undefined ? {} : { task }), ...(opset === undefined ? {} : { opset }),
  });
  const read = new Set([...graph.nodes.values()].filter((n) => n.op === 'param' || n.op === 'every_task').map((n) => String(n.attrs['path'])));
  const elements = (kept: boolean, copies: number): number => program.tensors.filter((t) => t.kind === 'param' && read.has(t.path) === kept)
    .reduce((sum, t) => sum + sizeOf(t.shape) * (t.perTask ? copies : 1), 0);
  return { ...model, parameters: elements(true, task === undefined ? codes.length : 1), trainingOnly: elements(false, codes.length) };
}
