// tpsc predict: a mask and an overlay for each image, from a run or an exported file.
import { statSync } from 'node:fs';
import { UserError } from '../../runtime/errors.js';
import { command } from '../command.js';
import { engineFlags, formatFlag } from '../flags.js';
import { imagePaths } from '../images.js';
import { barOf } from '../progress.js';

export const predict = command({
  name: 'predict',
  arguments: '<source>',
  summary: 'segment images: a mask and an overlay PNG for each',
  about: 'The source is a run or an ONNX file that `tpsc compile` wrote; preprocessing and threshold come from it.',
  flags: {
    source: { type: 'string', demandOption: true, describe: 'the directory of a run, or MODEL.onnx' },
    task: { type: 'string', describe: 'code of the task; needed where the network reads it' },
    input: { type: 'string', array: true, demandOption: true, describe: 'images, or folders of images' },
    out: { type: 'string', demandOption: true, describe: 'the folder for STEM_mask.png and STEM_overlay.png' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'of a run; default: best where there is one' },
    ...engineFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc predict runs/a --task SL --out out --input photo.jpg more/', 'an image and a folder'],
    ['tpsc predict skin.onnx --out out --input photo.jpg', 'an exported file with its task baked in'],
  ],
  run: async (args, io) => {
    const inputs = imagePaths(args.input.map(String));
    const [{ openEngine }, { isRun, openRunProgram }, { onnxPredictor, runPredictor }, { openOnnxFile }, { predict: predictImages }] = await Promise.all([
      import('../session.js'), import('../trained.js'), import('../../runtime/train/predictor.js'), import('../../runtime/train/onnx-file.js'), import('../../runtime/train/predict.js'),
    ]);
    const isFile = statSync(args.source, { throwIfNoEntry: false })?.isFile() === true;
    if (!isFile && !isRun(args.source)) throw new UserError(`${args.source} is neither a run nor an ONNX file`, 'Give the --out of `tpsc train`, or a file of `tpsc compile --target onnx`.');
    const predictor = isFile
      ? await onnxPredictor(args.source, (file) => openOnnxFile(file, args.threads))
      : await runPredictor({ run: args.source, program: openRunProgram(args.source).program, engine: await openEngine(args, io), ...(args.checkpoint === undefined ? {} : { checkpoint: args.checkpoint }) });
    const bar = barOf(io, 'predicting {bar} {value}/{total} images');
    try {
      const images = await predictImages(predictor, { inputs, out: args.out, onImage: bar.update, ...(args.task === undefined ? {} : { task: args.task }) });
      bar.stop();
      if (args.format === 'json') io.out(`${JSON.stringify({ images }, null, 2)}\n`);
      else for (const i of images) io.out(`${i.input}: ${(100 * i.fraction).toFixed(1)} % lesion, ${i.mask}, ${i.overlay}\n`);
      return 0;
    } finally {
      bar.stop();
      await predictor.dispose();
    }
  },
});
