// What turns one image into logits: a trained run on an engine, or an exported ONNX file by itself.
import { inferFunction } from '../../compiler/functions.js';
import { taskCodes, type AugmentStep, type Program } from '../../compiler/program.js';
import type { Size } from '../data/types.js';
import { i64, type Engine, type Tensor } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { binderOf, pick, scheduleFeeds } from './bind.js';
import { preprocessingOf, readExportMetadata } from './export-metadata.js';
import { imageInput } from './image-input.js';
import type { FileTensor, OnnxFile } from './onnx-file.js';
import { openTrainedRun } from './trained-run.js';

/** RGB, interleaved, row by row. */
export interface Picture extends Size { readonly data: Uint8Array }

export interface Predictor {
  readonly name: string;
  /** Codes that may be asked for; empty where the model reads no task. */
  readonly tasks: readonly string[];
  /** The only task of the model, where one is baked in. */
  readonly task?: string;
  /** Of the image input. */
  readonly height: number;
  readonly width: number;
  readonly preprocessing: readonly AugmentStep[];
  readonly threshold: number;
  /** image f32[B, 3, H, W], preprocessed; index of the task -> logits f32[B, 1, H, W]. */
  logits(image: Tensor, task: number | undefined): Promise<Tensor>;
  /** The same of a picture at its own size, in place of `logits`, where the preprocessing is inside the model. */
  readonly ofPicture?: (picture: Picture, task: number | undefined) => Promise<Tensor>;
  dispose(): Promise<void>;
}

/** The best (else last) or named checkpoint of a run. Throws UserError as `openTrainedRun` does. */
export async function runPredictor(options: { readonly run: string; readonly program: Program; readonly engine: Engine; readonly checkpoint?: string }): Promise<Predictor> {
  const { program, engine } = options;
  const trained = openTrainedRun(options.run, program, options.checkpoint);
  const { name: input, height, width } = imageInput(program);
  const fn = await engine.compile(inferFunction(program)), binder = binderOf(program);
  return {
    name: program.name, tasks: program.readsTask ? taskCodes(program) : [], height, width,
    preprocessing: preprocessingOf(program, height, width), threshold: program.training?.threshold ?? 0.5,
    logits: async (image, task) => logitsOf(await fn.run(pick({ ...binder.feeds(fn.inputs, trained.tensors, task), ...scheduleFeeds(trained.schedules), [input]: image }, fn.inputs))),
    dispose: () => fn.dispose(),
  };
}

/** An ONNX file of `tpsc compile`, run by ONNX Runtime: everything that it needs is in the file. `open` makes a function of the file. */
export async function onnxPredictor(file: string, open: (file: string) => Promise<OnnxFile>): Promise<Predictor> {
  const { model, tasks, task, size: [height, width], preprocessing, threshold, withPreprocessing } = readExportMetadata(file);
  const fn = await open(file);
  const input = fn.inputs.find((name) => name !== 't');
  if (input === undefined || !fn.outputs.includes('logits')) throw new UserError(`${file} does not take an image and give logits`, 'Use a file that `tpsc compile --target onnx` wrote.');
  const run = async (image: FileTensor, index: number | undefined): Promise<Tensor> =>
    logitsOf(await fn.run({ [input]: image, ...(fn.inputs.includes('t') && index !== undefined ? { t: i64(index) } : {}) }));
  const ofPicture: Predictor['ofPicture'] = (picture, index) => run({ dtype: 'u8', shape: [1, picture.height, picture.width, 3], data: picture.data }, index);
  return {
    name: model, tasks, ...(task === undefined ? {} : { task }), height, width, preprocessing, threshold,
    logits: run, ...(withPreprocessing ? { ofPicture } : {}),
    dispose: () => fn.dispose(),
  };
}

function logitsOf({ logits }: Readonly<Record<string, FileTensor>>): Tensor {
  if (logits === undefined || logits.dtype === 'u8') throw new Error('a model gives logits');
  return logits;
}
