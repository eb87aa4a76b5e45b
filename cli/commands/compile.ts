// tpsc compile: a network as a file for other runtimes.
import { printGraph } from '../../compiler/ir/print.js';
import { OPSETS } from '../../compiler/targets/onnx/opset.js';
import type { Program } from '../../compiler/program.js';
import { MisuseError } from '../../runtime/errors.js';
import type { FileForm, Trained } from '../../runtime/export/model-file.js';
import { EXTERNAL_DATA } from '../../runtime/export/limits.js';
import { grouped } from '../../runtime/report/numbers.js';
import { writeTextAtomically } from '../../runtime/state/atomic.js';
import { command } from '../command.js';
import { countOf, formatFlag, programFlags } from '../flags.js';
import { toolVersion } from '../host.js';
import { imagePaths } from '../images.js';
import type { Io } from '../io.js';
import { needProgram } from '../program.js';
import { barOf } from '../progress.js';
import { refuseOnnxFlags, toTfjsFile, toTfjsFolder } from '../tfjs-files.js';

const irText = (program: Program): string => [
  ['infer', program.infer] as const, ...(program.train === undefined ? [] : [['train', program.train] as const]),
].map(([name, graph]) => `# ${name}\n${printGraph(graph)}\n`).join('\n');

interface Args {
  readonly source: string; readonly target: string; readonly out?: string; readonly task?: string; readonly weights?: string; readonly checkpoint?: string;
  readonly verify?: readonly (string | number)[]; readonly opset?: number; readonly block?: string; readonly tasks?: string; readonly set?: string; readonly format: string;
  readonly 'drop-below'?: number; readonly 'external-data'?: number;
  readonly precision?: string; readonly frozen?: string; readonly 'with-preprocessing'?: boolean; readonly 'with-postprocessing'?: boolean;
}

function needOut(args: Args, what: string): string {
  if (args.out === undefined) throw new MisuseError(`--target ${args.target} needs --out ${what}`);
  return args.out;
}

const opsetOf = (args: Args): number | undefined => countOf('opset', args.opset, OPSETS.least, OPSETS.most);

/** What the file keeps its weights in, computes with, takes and gives. */
const formOf = (args: Args): FileForm => ({
  precision: args.precision === 'fp16' ? 'fp16' : 'fp32', frozen: args.frozen === 'int8' ? 'int8' : 'fp32',
  preprocessing: args['with-preprocessing'] === true, postprocessing: args['with-postprocessing'] === true,
});

/** `--drop-below`. Throws MisuseError for what is no weight, or without a task. */
function dropBelowOf({ task, 'drop-below': least }: Args): number | undefined {
  if (least === undefined) return undefined;
  if (task === undefined) throw new MisuseError('--drop-below belongs to --task', 'the weights of routes are only known where a task is baked in');
  if (!(least >= 0 && least < 1)) throw new MisuseError(`--drop-below needs a number from 0 to below 1, not ${least}`, '0 drops nothing');
  return least;
}

/** The network of a run with its checkpoint, or of a spec with --weights. */
async function trainedOf(args: Args, io: Io): Promise<Trained> {
  const [{ isRun, openRunProgram }, { trainedFrom, trainedRun }] = await Promise.all([import('../trained.js'), import('../../runtime/export/model-file.js')]);
  if (!isRun(args.source)) {
    if (args.checkpoint !== undefined) throw new MisuseError('--checkpoint belongs to a run', 'a spec takes --weights');
    return trainedFrom(needProgram({ ...args, spec: args.source }, io, args.format === 'json'), args.weights);
  }
  const foreign = (['weights', 'block', 'tasks', 'set'] as const).find((flag) => args[flag] !== undefined);
  if (foreign !== undefined) throw new MisuseError(`--${foreign} belongs to a spec; a run has its own`, 'leave it out, or compile the spec');
  return trainedRun(args.source, openRunProgram(args.source).program, args.checkpoint);
}
async function programOf(args: Args, io: Io): Promise<Program> {
  const { isRun, openRunProgram } = await import('../trained.js');
  return isRun(args.source) ? openRunProgram(args.source).program : needProgram({ ...args, spec: args.source }, io, args.format === 'json');
}

async function toOnnxFile(args: Args, io: Io): Promise<number> {
  const file = needOut(args, 'FILE.onnx');
  const images = args.verify === undefined ? undefined : imagePaths(args.verify.map(String));
  const opset = opsetOf(args), dropBelow = dropBelowOf(args), externalFrom = countOf('external-data', args['external-data'], 0, EXTERNAL_DATA.most);
  const [{ exportOnnx }, { writeOnnx, dataFile }, { verifyFile }, { exportedJson, exportedText }] = await Promise.all([
    import('../../runtime/export/model-file.js'), import('../../runtime/export/onnx-files.js'), import('../../runtime/export/verify.js'), import('../../runtime/report/exported.js'),
  ]);
  const trained = await trainedOf(args, io), baked = args.task === undefined ? {} : { task: args.task };
  const model = exportOnnx(trained, {
    file, toolVersion, ...baked, ...formOf(args), ...(opset === undefined ? {} : { opset }), ...(dropBelow === undefined ? {} : { dropBelow }), ...(externalFrom === undefined ? {} : { externalFrom }),
  });
  writeOnnx(file, model);
  const bar = barOf(io, 'verifying {bar} {value}/{total} images');
  const verified = images === undefined ? undefined : await verifyFile(trained, { file, images, progress: bar.update, ...baked });
  bar.stop();
  const written = { file, data: model.external === undefined ? undefined : dataFile(file), model, verified };
  io.out(args.format === 'json' ? `${JSON.stringify(exportedJson(written), null, 2)}\n` : exportedText(written));
  if (verified === undefined || Number.isFinite(verified.maxAbsDiff)) return 0;
  io.err(`${file} does not give finite logits of the right shape on ${verified.images.filter((i) => !Number.isFinite(i.maxAbsDiff)).map((i) => i.image).join(', ')}\n`);
  return 1;
}

export const compile = command({
  name: 'compile',
  arguments: '<source>',
  summary: 'write a network or its training functions as ONNX or for TensorFlow.js, or its graph as text',
  about: 'The source is a spec (FILE or FILE#VARIANT, with --weights) or a run, whose checkpoint and schedule values are baked in.\nWithout --task the ONNX file of a network that reads the task takes an int64 scalar `t`, an index into the list in its metadata. A large network is written as two files, which belong together: OUT and OUT.data.',
  flags: {
    source: { type: 'string', demandOption: true, describe: 'a spec or the directory of a run' },
    target: { type: 'string', choices: ['onnx', 'onnx-train', 'tfjs', 'tfjs-train', 'ir'], demandOption: true, describe: 'onnx: one file; onnx-train: a folder of the training functions; tfjs, tfjs-train: the same as JavaScript modules for TensorFlow.js; ir: the graph as text' },
    out: { type: 'string', describe: 'the file (onnx, tfjs, ir) or folder (onnx-train, tfjs-train) to write' },
    task: { type: 'string', describe: 'bake in one task: its tensors alone, gates and prototypes computed into constants, routes without weight dropped' },
    'drop-below': { type: 'number', describe: 'with --task: drop a route that weighs less than this beside what it is added to; 0 drops none (default: 0.000001)' },
    'external-data': { type: 'number', describe: `MiB of tensors from which on they lie in OUT.data, 0 to ${EXTERNAL_DATA.most} (default: ${EXTERNAL_DATA.usual})` },
    weights: { type: 'string', describe: 'values of a spec: a run, a .safetensors file, or `random`; with onnx-train those to begin with, written as tensors.safetensors' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'of a run; default: best where there is one' },
    verify: { type: 'string', array: true, describe: 'images (or folders): run the file on them, and the float64 evaluator, and compare' },
    precision: { type: 'string', choices: ['fp32', 'fp16'], describe: 'fp16: weights in half precision, half the size; computed in fp32 all the same (default: fp32)' },
    frozen: { type: 'string', choices: ['fp32', 'int8'], describe: 'int8: the linear layers of a frozen encoder as int8 products, their inputs quantised as they come (default: fp32)' },
    'with-preprocessing': { type: 'boolean', describe: 'the file takes RGB pictures uint8[B, height, width, 3] of any size and resizes and normalises them' },
    'with-postprocessing': { type: 'boolean', describe: 'the file also gives `probability` and `mask`, at the size of the picture that it takes' },
    opset: { type: 'number', describe: `of ai.onnx, ${OPSETS.least} to ${OPSETS.most} (default: ${OPSETS.usual})` },
    block: { type: 'string', describe: 'name of the train block of a spec (default: the last one)' },
    ...programFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc compile runs/a --target onnx --out net.onnx --verify photo.jpg', 'a run, checked on an image'],
    ['tpsc compile runs/a --target onnx --task SL --out skin.onnx', 'one task baked in'],
    ['tpsc compile runs/a --target onnx --task SL --drop-below 0 --out skin.onnx', 'the same with every route'],
    ['tpsc compile runs/a --target onnx --with-preprocessing --with-postprocessing --out app.onnx', 'pictures in, masks out'],
    ['tpsc compile runs/a --target onnx --precision fp16 --frozen int8 --out small.onnx', 'a smaller file'],
    ['tpsc compile net.tps --target onnx-train --weights random --out steps/', 'infer, eval, grad and apply as ONNX, with a manifest and values to begin with'],
    ['tpsc compile runs/a --target tfjs --out net.js', 'a module for TensorFlow.js, and its constants in net.bin'],
    ['tpsc compile net.tps#A2 --target ir', 'the graph, to read'],
  ],
  run: async (args, io) => {
    if (args.target === 'tfjs') {
      refuseOnnxFlags(args);
      const file = needOut(args, 'FILE.js'), dropBelow = dropBelowOf(args);
      const options = { file, toolVersion, ...(args.task === undefined ? {} : { task: args.task }), ...(dropBelow === undefined ? {} : { dropBelow }) };
      return toTfjsFile(await trainedOf(args, io), options, args.format === 'json', io);
    }
    if (args.target !== 'onnx') {
      const useless = ([...(args.target === 'onnx-train' ? [] : ['weights'] as const), 'task', 'verify', 'checkpoint', 'drop-below', 'external-data', 'precision', 'frozen', 'with-preprocessing', 'with-postprocessing'] as const).find((flag) => args[flag] !== undefined);
      if (useless !== undefined) throw new MisuseError(`--${useless} means nothing with --target ${args.target}`);
    }
    const json = args.format === 'json';
    if (args.target === 'ir') {
      if (args.opset !== undefined) throw new MisuseError('--opset means nothing with --target ir');
      if (json) needOut(args, 'FILE, for standard output holds the JSON alone');
    }
    if (args.target === 'onnx') return toOnnxFile(args, io);
    const program = await programOf(args, io);
    if (args.target === 'ir') {
      if (args.out === undefined) io.out(irText(program));
      else writeTextAtomically(args.out, irText(program));
      if (json) io.out(`${JSON.stringify({ file: args.out, nodes: program.infer.nodes.size }, null, 2)}\n`);
      return 0;
    }
    const folder = needOut(args, 'FOLDER');
    if (args.target === 'tfjs-train') {
      refuseOnnxFlags(args);
      return toTfjsFolder(program, folder, toolVersion, json, io);
    }
    const { writeTrainingFiles } = await import('../../runtime/export/training-files.js'), chosen = opsetOf(args);
    const values = args.weights === undefined ? undefined : (await trainedOf(args, io)).values;
    const { files, opset } = writeTrainingFiles(program, folder, { toolVersion, ...(chosen === undefined ? {} : { opset: chosen }), ...(values === undefined ? {} : { values }) });
    if (json) io.out(`${JSON.stringify({ folder, opset, files }, null, 2)}\n`);
    else io.out(`${folder}: ${files.map((f) => `${f.file} (${grouped(f.nodes)} nodes)`).join(', ')}, manifest.json${values === undefined ? '' : ', tensors.safetensors'}; opset ${opset}\n`);
    return 0;
  },
});
