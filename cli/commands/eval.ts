// tpsc eval: scores of a run on a split, beside the trivial answers.
import { programName } from '../../compiler/program.js';
import { MisuseError, UserError } from '../../runtime/errors.js';
import { DEFAULT_MIOU, type Scores } from '../../runtime/metrics/scores.js';
import { renderScores, scoresJson, type ScoredAnswer } from '../../runtime/report/scores.js';
import { command } from '../command.js';
import { engineFlags, formatFlag, miouOf, scoreFlags } from '../flags.js';

/** `SL=CP,CP=SL`: images of SL under the task id of CP, and the other way round. */
function parseBinding(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(text.split(',').map((pair) => {
    const [own, other, ...more] = pair.split('=').map((code) => code.trim());
    if (own === undefined || other === undefined || own === '' || other === '' || more.length > 0) throw new MisuseError(`--bind-as ${text} is no list of A=B`, 'write --bind-as SL=CP,CP=SL');
    return [own, other];
  }));
}

const jsonOf = (scores: Scores): string => `${JSON.stringify(scoresJson(scores), null, 2)}\n`;

export const evaluate = command({
  name: 'eval',
  arguments: '<run>',
  summary: 'Dice and mIoU of a run per task, beside the trivial answers',
  about: 'Confusion counts of every image are written into the run: eval/SPLIT-CHECKPOINT.csv.\nThe trivial answers: the mean training mask of a task (cut where it scores best on the training masks), and all-foreground.',
  flags: {
    run: { type: 'string', demandOption: true, describe: 'the directory of a run' },
    data: { type: 'string', demandOption: true, describe: 'the data folder' },
    split: { type: 'string', choices: ['train', 'val', 'test'], default: 'val', describe: 'the part of the data' },
    checkpoint: { type: 'string', choices: ['last', 'best'], describe: 'default: best where there is one' },
    baseline: { type: 'string', choices: ['mean-mask', 'foreground'], describe: 'score a trivial answer instead of the run' },
    'bind-as': { type: 'string', describe: 'score the images of a task under another\'s id: TN=BL,BL=TN' },
    miou: { ...scoreFlags.miou, default: DEFAULT_MIOU },
    at: { ...scoreFlags.at, default: 'network' },
    ...engineFlags,
    format: formatFlag,
  },
  examples: [
    ['tpsc eval runs/a --data lesions/', 'the validation split, beside both trivial answers'],
    ['tpsc eval runs/a --data lesions/ --split test --format json', 'scores for a tool'],
    ['tpsc eval runs/a --data lesions/ --baseline mean-mask --format json', 'what the mean mask scores'],
    ['tpsc eval runs/a --data lesions/ --at original', 'masks compared at each image\'s own size'],
    ['tpsc eval runs/a --data lesions/ --bind-as TN=BL,BL=TN', 'what the wrong task id costs'],
  ],
  run: async (args, io) => {
    const bindAs = parseBinding(args['bind-as']);
    const [{ openData, openEngine }, { openRunProgram }, { evaluateRun }, { writeBaseline }, { startLoader }, { BASELINES }] = await Promise.all([
      import('../session.js'), import('../trained.js'), import('../../runtime/train/evaluate.js'), import('../../runtime/train/baseline.js'),
      import('../../runtime/data/index.js'), import('../../runtime/metrics/index.js'),
    ]);
    const { program, record } = openRunProgram(args.run);
    const dataset = await openData(program, args.data, io, record.reading, record.identity.data);
    const miou = miouOf(args.miou) ?? DEFAULT_MIOU;
    const split = args.split === 'train' || args.split === 'test' ? args.split : 'val';
    const original = args.at === 'original';
    const json = args.format === 'json';
    const cache = startLoader();
    try {
      const baselineScores = (name: (typeof BASELINES)[number]): Promise<Scores> => writeBaseline({ run: args.run, program, dataset, split, cache, baseline: name, miou, original });

      const baseline = BASELINES.find((b) => b === args.baseline);
      if (baseline !== undefined) {
        const scores = await baselineScores(baseline);
        io.out(json ? jsonOf(scores) : renderScores([{ name: baseline, scores }], io.colour));
        return 0;
      }
      const engine = await openEngine(args, io);
      const report = await evaluateRun({
        run: args.run, program, engine, dataset, cache, split, miou, original,
        ...(args.checkpoint === undefined ? {} : { checkpoint: args.checkpoint }), ...(bindAs === undefined ? {} : { bindAs }),
      });
      if (json) {
        io.out(jsonOf(report));
        return 0;
      }
      const answers: ScoredAnswer[] = [{ name: programName(program), scores: report }];
      for (const b of BASELINES) {
        try {
          answers.push({ name: b, scores: await baselineScores(b) });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          io.err(`${b} is left out: ${error.message}\n`);
        }
      }
      io.out(`${args.run}, checkpoint ${report.checkpoint} (epoch ${report.epoch}), split ${split}${original ? ', at each image\'s own size' : ''}\n\n${renderScores(answers, io.colour)}counts: ${args.run}/${report.counts}\n`);
      return 0;
    } finally {
      await cache.close();
    }
  },
});
