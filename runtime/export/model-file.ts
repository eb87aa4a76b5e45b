// A network with its values as an ONNX model, and what was saved where one task is baked in. Nothing is written here.
import { inferFunction } from '../../compiler/functions.js';
import { sizeOf } from '../../compiler/ir/ndarray.js';
import type { Graph } from '../../compiler/ir/graph.js';
import { optimise } from '../../compiler/passes/index.js';
import { specialise } from '../../compiler/passes/specialise.js';
import { pathForTask, taskCodes, type Program } from '../../compiler/program.js';
import { HALF_MAX } from '../../compiler/targets/onnx/half.js';
import { MASK_OUTPUTS, type ShapedPictures } from '../../compiler/targets/onnx/pictures.js';
import { int8Products, toOnnx, type OnnxModel } from '../../compiler/targets/onnx/index.js';
import { pipelineOf } from '../data/augment.js';
import { MisuseError, UserError } from '../errors.js';
import { multiplyAdds } from '../report/counts.js';
import { weightsFile } from '../state/weights.js';
import { exportMetadata, preprocessingOf, type Frozen, type Precision } from '../train/export-metadata.js';
import { noFrozenLinear } from '../train/frozen-int8.js';
import { imageInput } from '../train/image-input.js';
import { scheduleValue } from '../train/schedules.js';
import { findTrainedRun } from '../train/trained-run.js';
import { EXTERNAL_DATA } from './limits.js';
import { dataLocation } from './onnx-files.js';
import { fileValues, initialValues, type Values } from './values.js';

/** A network with values: of a checkpoint, or those that a training would begin with. */
export interface Trained {
  readonly program: Program;
  readonly values: Values;
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
  const values = weights === 'random' ? initialValues(program, SEED) : fileValues(program, weightsFile(weights));
  const epochs = program.training?.epochs ?? 1;
  const end = { epoch: Math.max(1, epochs - 1), step: Number.MAX_SAFE_INTEGER, epochs, stepsPerEpoch: 1, history: [] };
  return { program, values, schedules: Object.fromEntries(program.schedules.map((s) => [s.name, scheduleValue(s, end)])) };
}

/** The values of a run's checkpoint. Throws as `openTrainedRun` does. */
export function trainedRun(root: string, program: Program, checkpoint: string | undefined): Trained {
  const { tensors, schedules } = findTrainedRun(root, program, checkpoint);
  return { program, values: fileValues(program, tensors), schedules };
}

/** Weight below which a baked task's route is dropped, where nothing else is said. */
export const DROP_BELOW = 1e-6;

/** What a file keeps its weights in, computes with, takes and gives. */
export interface FileForm {
  /** `fp16`: weights of rank 2 and more are kept in half precision; the file computes in float32 all the same. */
  readonly precision?: Precision;
  /** `int8`: products of the frozen linear layers in int8, their inputs quantised as they come. */
  readonly frozen?: Frozen;
  /** The file takes pictures of any size, see `ShapedPictures`. */
  readonly preprocessing?: boolean;
  /** The file gives `probability` and `mask` besides, see `CutLogits`. */
  readonly postprocessing?: boolean;
}

export interface ExportOptions extends FileForm {
  /** Path of the file to be: the external data are named after it. */
  readonly file: string;
  /** Code of the one task to bake in; where absent, a network that reads the task takes it as the input `t`. */
  readonly task?: string;
  /** With `task`: drops terms of sums below this weight beside what they are added to (see `specialise`); 0 drops none. Default DROP_BELOW. */
  readonly dropBelow?: number;
  readonly opset?: number;
  /** MiB of tensors from which on they lie beside the file. Default EXTERNAL_DATA.usual. */
  readonly externalFrom?: number;
  readonly toolVersion: string;
}

/** A quantity of the open network for one task, and of the file. */
export interface Change { readonly before: number; readonly after: number }

/** What baking a task in has saved. */
export interface Saving {
  readonly task: string;
  readonly dropBelow: number;
  /** Elements: of the task's whole network, and of what the file still holds. */
  readonly parameters: Change;
  /** Elements of the parameters in the file that went into constants. */
  readonly folded: number;
  /** Of the ONNX file that leaves the task open, and of this one. */
  readonly nodes: Change;
  /** Multiply-adds at batch 1. */
  readonly macs: Change;
  /** In the order of the network. `weight`: largest factor, over the weight of what it was added to. `parameters`: elements that only this route read. */
  readonly dropped: readonly { readonly route: string; readonly weight: number; readonly parameters: number }[];
}

export interface ExportedModel extends OnnxModel {
  /** Elements of the parameters in the file, by themselves or in constants: every copy of a task's own ones, or one where a task is baked in. State is not counted. */
  readonly parameters: number;
  /** Elements of the parameters that only a loss reads (heads of deep supervision), with their copies: they are not in the file. */
  readonly trainingOnly: number;
  /** Where a task is baked in. */
  readonly saving?: Saving;
}

/** The program's tasks, of which `task` must be one. Throws MisuseError. */
export function tasksFor(program: Program, task: string | undefined): readonly string[] {
  const codes = taskCodes(program);
  if (task !== undefined && !codes.includes(task)) {
    throw new MisuseError(`${program.name} has no task ${task}`, codes.length > 0 ? `one of: ${codes.join(', ')}` : 'it has no tasks: leave --task out');
  }
  return codes;
}

/** The network's `infer` with all values in it. Throws MisuseError for a task that the spec has not. */
export function exportOnnx({ program, values, schedules }: Trained, options: ExportOptions): ExportedModel {
  const { file, task, dropBelow = DROP_BELOW, opset, externalFrom = EXTERNAL_DATA.usual, toolVersion, precision = 'fp32', frozen = 'fp32', preprocessing = false, postprocessing = false } = options;
  const codes = tasksFor(program, task);
  const bound = { tensors: precision === 'fp16' ? representable(values) : values, schedules, ...(codes.length > 0 ? { tasks: codes } : {}) };
  const taken = MASK_OUTPUTS.find((name) => postprocessing && program.infer.outputs.some((o) => o.name === name));
  if (taken !== undefined) throw new MisuseError(`${program.name} has an output ${taken} of its own`, 'leave --with-postprocessing out, or rename the output');
  const int8 = new Set(frozen === 'int8' ? program.tensors.filter((t) => t.frozen).map((t) => t.path) : []);
  const model = (graph: Graph, baked: string | undefined, from: number): OnnxModel => toOnnx(graph, {
    ...bound, ...(baked === undefined ? {} : { task: baked }), ...(opset === undefined ? {} : { opset }), name: program.name, producerVersion: toolVersion,
    halfWeights: precision === 'fp16', int8: int8Products(graph, baked === undefined ? bound : { ...bound, task: baked }, int8), ...(preprocessing ? { pictures: picturesOf(program) } : {}),
    ...(postprocessing ? { masks: { logits: 'logits', threshold: program.training?.threshold ?? 0.5 } } : {}),
    metadata: exportMetadata(program, { toolVersion, schedules, precision, frozen, withPreprocessing: preprocessing, withPostprocessing: postprocessing, ...(baked === undefined ? {} : { task: baked, dropBelow }) }),
    external: { location: dataLocation(file), from },
  });
  const open = inferFunction(program), count = counterOf(program), limit = externalFrom * 2 ** 20;
  const whole = tensorsOf(open), trainingOnly = count(codes.length) - count(codes.length, whole);
  if (frozen === 'int8' && model(open, task, 0).int8.length === 0) throw noFrozenLinear(program);
  if (task === undefined) return { ...model(open, undefined, limit), parameters: count(codes.length, whole), trainingOnly };
  const { graph: rest, dropped, folded } = specialise(program.infer, { ...bound, task }, dropBelow), graph = optimise(rest);
  const own = tensorsOf(graph), made = model(graph, task, limit), parameters = count(1, new Set([...own, ...folded]));
  return { ...made, parameters, trainingOnly, saving: {
    task, dropBelow, parameters: { before: count(1, whole), after: parameters }, folded: parameters - count(1, own),
    // With all that is large outside, which is not read here.
    nodes: { before: model(open, undefined, 0).nodes, after: made.nodes }, macs: { before: multiplyAdds(open), after: multiplyAdds(graph) },
    dropped: dropped.map(({ route, weight, tensors }) => ({ route: pathForTask(route, task), weight, parameters: count(1, new Set(tensors)) })),
  } };
}

/** How a picture becomes the network's image: the resize and the affine map of `tpsc predict`. */
function picturesOf(program: Program): ShapedPictures {
  const { name, height, width } = imageInput(program), { scale, shift } = pipelineOf(preprocessingOf(program, height, width));
  return { input: name, size: [height, width], scale: scale.map((s) => s / 255), shift };
}

/** The values, each refused when it is read where a half cannot hold it. */
const representable = (values: Values): Values => new Map([...values].map(([path, { shape, read }]) => [path, { shape, read: () => {
  const data = read(), at = data.findIndex((v) => Math.abs(v) > HALF_MAX);
  if (at >= 0) throw new UserError(`${path} holds ${data[at] ?? 0}, and a half at most ${HALF_MAX}`, 'Leave --precision fp16 out.');
  return data;
} }]));

/** Paths of the parameters that a graph reads. */
const tensorsOf = (graph: Graph): ReadonlySet<string> =>
  new Set([...graph.nodes.values()].filter((n) => n.op === 'param' || n.op === 'every_task').map((n) => String(n.attrs['path'])));

/** Elements of a program's parameters, those of a task as often as said: of all, or of some paths. */
const counterOf = ({ tensors }: Program) => (copies: number, paths?: ReadonlySet<string>): number =>
  tensors.filter((t) => t.kind === 'param' && paths?.has(t.path) !== false).reduce((sum, t) => sum + sizeOf(t.shape) * (t.perTask ? copies : 1), 0);
