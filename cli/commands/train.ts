// tpsc train: trains a spec into a run directory.
import { programName } from '../../compiler/program.js';
import { MisuseError } from '../../runtime/errors.js';
import { paint } from '../../runtime/report/colour.js';
import type { TrainOptions } from '../../runtime/train/loop.js';
import { readRun } from '../../runtime/train/run-directory.js';
import { distrustText, nothingKept, TrainingTale, trainingEnd } from '../../runtime/report/training.js';
import { command } from '../command.js';
import { cacheFlags, countOf, engineFlags, parseCache, parseMemory, programFlags, quoted, readingOf, specArgument, dataFlags } from '../flags.js';
import { toolVersion } from '../host.js';
import { needProgram } from '../program.js';
import { barOf } from '../progress.js';
import { isRun } from '../trained.js';

export const train = command({
  name: 'train',
  arguments: '<spec>',
  summary: 'train a spec on a data set',
  about: 'Every epoch and every minute the run is saved in --out; Ctrl-C saves and stops, --resume goes on to the numbers of an uninterrupted run.\nThe folder holds run.json, spec.tps, metrics.jsonl, and checkpoints `last` and `best`.',
  flags: {
    spec: specArgument,
    block: { type: 'string', describe: 'name of the train block (default: the last one)' },
    data: { type: 'string', demandOption: true, describe: 'the data folder' },
    out: { type: 'string', demandOption: true, describe: 'the run directory' },
    epochs: { type: 'number', describe: 'epochs, instead of the spec\'s; part of the run\'s identity' },
    'max-steps': { type: 'number', describe: 'stop after this step; changes no number' },
    seed: { type: 'number', default: 0, describe: 'of initial values, data order and dropout' },
    weights: { type: 'string', describe: 'start from a run or a .safetensors file; `random`: let frozen parts stay random' },
    'add-task': { type: 'string', describe: 'add this task of the spec to the run that --from names: all that the run has is frozen' },
    from: { type: 'string', describe: 'with --add-task: the run, trained on the spec\'s other tasks' },
    'memory-limit': { type: 'string', describe: 'keep the process within 6GB, say: what there is no room for is computed again, and with room a step is faster; part of the run\'s identity' },
    frozen: { type: 'string', choices: ['fp32', 'int8'], describe: 'int8: the forward of frozen linear layers as int8 products, gradients in floats; part of the run\'s identity (default: fp32)' },
    tensorboard: { type: 'boolean', default: false, describe: 'write events for TensorBoard into --out, too: scalars, and masks at each validation' },
    resume: { type: 'boolean', default: false, describe: 'go on with the run in --out' },
    ...programFlags,
    ...engineFlags,
    ...dataFlags,
    cache: { ...cacheFlags.cache, describe: `${cacheFlags.cache.describe} (default: ram)` },
  },
  examples: [
    ['tpsc train net.tps --data lesions/ --out runs/a', 'the last train block of the spec'],
    ['tpsc train net.tps --block main --weights runs/pretrain --data lesions/ --out runs/b', 'from another run\'s weights'],
    ['tpsc train net.tps --data lesions/ --out runs/fold0 --split-rule fold:0/5', 'the first of five folds by group'],
    ['tpsc train net.tps --add-task NB --from runs/a --data lesions/ --out runs/b', 'a task more, with its row in the spec; the others stay as they are'],
    ['tpsc train net.tps#A2 --data lesions/ --out runs/c --epochs 5 --seed 1', 'a variant, shortly'],
    ['tpsc train net.tps --data lesions/ --out runs/e --memory-limit 6GB', 'what there is no room for is computed again'],
    ['tpsc train net.tps --data lesions/ --out runs/f --frozen int8', 'the frozen encoder in int8: a little less exact'],
    ['tpsc train net.tps --data lesions/ --out runs/d --cache disk:features:20GB', 'what a frozen encoder makes of an image is there for later runs, too'],
  ],
  run: async (args, io) => {
    const epochs = countOf('epochs', args.epochs);
    const maxSteps = countOf('max-steps', args['max-steps'], 0);
    const seed = countOf('seed', args.seed, 0) ?? 0;
    const memoryLimit = parseMemory(args['memory-limit']);
    if (args.frozen === 'int8' && args['add-task'] !== undefined) throw new MisuseError('--frozen int8 does not go with --add-task', 'leave it out: the other tasks\' predictions must stay as they are');
    const setting = parseCache(args.cache ?? 'ram');
    const asked = { ...args, ...(epochs === undefined ? {} : { epochs }) };
    const [{ openData, openEngine, versionsOf, machineText }, { train: trainProgram }, { grow }, { startLoader }, { growthAsked, openGrowth, joinedReading }, { renderGrowth, renderOld }, { openFeatures }] = await Promise.all([
      import('../session.js'), import('../../runtime/train/loop.js'), import('../../runtime/train/grow.js'), import('../../runtime/data/index.js'),
      import('../growth.js'), import('../../runtime/report/growth.js'),
      import('../../runtime/features/cache.js'),
    ]);
    const added = growthAsked(args);
    const opened = added === undefined ? undefined : openGrowth(asked, added.task, added.from, io);
    const program = opened?.growth.program ?? needProgram(asked, io, false);
    const before = args.resume && isRun(args.out) ? readRun(args.out).identity : undefined;
    const engine = await openEngine(args, io, before?.threads);
    const reading = joinedReading(opened?.reading ?? {}, readingOf(args));
    const dataset = await openData(opened?.alone ?? program, args.data, io, reading, before?.data);
    const p = paint(io.colour);
    io.err(`${p.bold(programName(program))} ${program.hash.slice(0, 12)} on ${engine.name} ${engine.version} (${engine.device}, ${engine.threads} threads), seed ${seed}\n`);
    if (engine.note !== undefined) io.err(`${engine.note}\n`);
    if (opened !== undefined) io.err(renderGrowth(opened.growth));

    const features = openFeatures(setting, toolVersion);
    const tale = new TrainingTale(io.colour);
    const bar = barOf(io, '{bar} {value}/{total}  {note}');
    const stop = new AbortController();
    const unlisten = io.onInterrupt(() => {
      bar.line('stopping after this step; once more Ctrl-C ends at once');
      stop.abort();
    });
    const words = ['tpsc', 'train', ...commandWords(args)];
    const cache = startLoader();
    try {
      const options: Omit<TrainOptions, 'program'> = {
        engine, dataset, cache, out: args.out, seed, reading, resume: args.resume, signal: stop.signal,
        command: words.map(quoted).join(' '), versions: versionsOf(engine), machine: machineText(),
        ...(maxSteps === undefined ? {} : { maxSteps }), ...(memoryLimit === undefined ? {} : { memoryLimit }), ...(features === undefined ? {} : { features }), ...(args.frozen === undefined ? {} : { frozen: args.frozen === 'int8' ? 'int8' : 'fp32' } as const), ...(args.tensorboard ? { tensorboard: args.out } : {}),
        onEvent: (e) => {
          switch (e.kind) {
            case 'start':
              if (args.cache !== undefined && features !== undefined && e.frozen === undefined) bar.line(`--cache: ${nothingKept(engine)}`);
              return bar.line(tale.start(e));
            case 'step': {
              const note = tale.step(e);
              bar.update(e.step, e.steps, note);
              if (io.bar === undefined && tale.endsEpoch(e)) bar.line(`${e.step}/${e.steps}  ${note}`);
              return undefined;
            }
            case 'validation': return bar.line(tale.validation(e));
            case 'checkpoint': return undefined;
          }
        },
      };
      const grown = opened === undefined ? undefined : await grow({ ...options, growth: opened.growth, trained: opened.trained });
      const summary = grown ?? await trainProgram({ ...options, program, ...(args.weights === undefined ? {} : { weights: args.weights }) });
      bar.stop();
      if (features?.distrusted === true) io.err(`${distrustText(features.shelves.place)}\n`);
      const again = words.includes('--resume') ? words : [...words, '--resume'];
      io.out(`${trainingEnd(summary, program.training?.validate.keep ?? 'dice', again.map(quoted).join(' '), io.colour)}\n`);
      io.out(renderOld(grown?.old ?? [], args.from ?? '', io.colour));
      return grown?.old.some((t) => t.largest !== 0) === true ? 1 : 0;
    } finally {
      bar.stop();
      await cache.close();
      unlisten();
    }
  },
});

/** The arguments as words again: what a person would type to run the same command. `--max-steps` is left out: a resumed run goes to its end. */
function commandWords(args: Readonly<Record<string, unknown>>): readonly string[] {
  const defaults: Readonly<Record<string, unknown>> = { engine: 'ort', device: 'cpu', seed: 0, resume: false, tensorboard: false };
  const flags = Object.entries(args).filter(([name, value]) =>
    !['_', '$0', 'spec', 'max-steps', 'debug'].includes(name) && value !== undefined && value !== defaults[name]);
  return [String(args['spec']), ...flags.flatMap(([name, value]) =>
    (value === true ? [`--${name}`] : (Array.isArray(value) ? value : [value]).flatMap((v) => [`--${name}`, String(v)])))];
}
