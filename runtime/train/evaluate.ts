// `eval`: a trained run on a split. Scores per task and on average, and each image's confusion counts in a file beside them.
import { relative } from 'node:path';
import { taskCodes, type Program } from '../../compiler/program.js';
import type { Dataset, ImageCache, Split } from '../data/index.js';
import type { Engine } from '../engines/engine.js';
import { MisuseError, UserError } from '../errors.js';
import type { FeatureCache } from '../features/cache.js';
import type { MiouDefinition, Scores } from '../metrics/index.js';
import { writeJsonAtomically, writeTextAtomically } from '../state/atomic.js';
import { countsCsv, evaluationStem } from './evaluation-files.js';
import { makeEvaluator } from './evaluator.js';
import { openTrainedRun, type CheckpointName } from './trained-run.js';

export interface EvaluateRunOptions {
  /** The run directory. */
  readonly run: string;
  /** The program that it was trained from. */
  readonly program: Program;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly cache: ImageCache;
  /** Keeps the features of the frozen part; changes no number. */
  readonly features?: FeatureCache;
  readonly split: Split;
  /** `best` or `last`; where absent, the best if there is one. */
  readonly checkpoint?: string;
  /** Evaluates the images of a task (by code) as another task: what a wrong task id costs. */
  readonly bindAs?: Readonly<Record<string, string>>;
  readonly miou?: MiouDefinition;
  /** Scores at each image's own size, not the network's. */
  readonly original?: boolean;
}

/** What `eval` answers; `eval/NAME.json` in the run holds the same. */
export interface EvaluationReport extends Scores {
  readonly checkpoint: CheckpointName;
  readonly epoch: number;
  readonly step: number;
  readonly split: Split;
  /** Fingerprint of the data set. */
  readonly data: string;
  readonly loss: number;
  /** At each image's own size; absent: at the network's. */
  readonly at?: 'original';
  readonly bindAs?: Readonly<Record<string, string>>;
  /** The counts, relative to the run: CSV of task, image, tp, fp, fn, tn. */
  readonly counts: string;
}

/** Evaluates and writes `eval/SPLIT-CHECKPOINT[-original][-as-…].{json,csv}` into the run. Throws UserError where run, program, split or images do not fit. */
export async function evaluateRun(options: EvaluateRunOptions): Promise<EvaluationReport> {
  const { run, program, engine, dataset, cache, split, bindAs, miou, original = false } = options, { training } = program;
  if (training === undefined) throw new UserError(`${program.file} has no train block, so nothing says how images are read`, 'Name one with --block.');
  checkBinding(program, bindAs);
  if (!dataset.items.some((i) => i.split === split)) throw new UserError(`${dataset.root} has no image in the split ${split}`, 'Choose another --split, or mend manifest.csv.');
  const trained = openTrainedRun(run, program, options.checkpoint);
  const evaluator = await makeEvaluator(program, training, engine, options.features);
  try {
    const evaluation = await evaluator.run({ tensors: trained.tensors, schedules: trained.schedules, dataset, split, cache, bindAs, miou, original });
    if (evaluation === undefined) throw new Error('an evaluation that nobody stops ends');
    const stem = evaluationStem(run, { split, of: trained.checkpoint, original, ...(bindAs === undefined ? {} : { bindAs }) }), file = `${stem}.csv`;
    const { epoch, step } = trained.progress;
    const report: EvaluationReport = {
      ...evaluation.scores, checkpoint: trained.checkpoint, epoch, step, split, data: dataset.fingerprint, loss: evaluation.loss,
      ...(original ? { at: 'original' } : {}), ...(bindAs === undefined ? {} : { bindAs }), counts: relative(run, file),
    };
    writeTextAtomically(file, countsCsv(evaluation.counts));
    writeJsonAtomically(`${stem}.json`, report);
    return report;
  } finally {
    await evaluator.dispose();
  }
}

function checkBinding(program: Program, bindAs: EvaluateRunOptions['bindAs']): void {
  const codes = taskCodes(program);
  for (const code of Object.entries(bindAs ?? {}).flat()) {
    if (!codes.includes(code)) throw new MisuseError(`${program.name} has no task ${code}`, `one of: ${codes.join(', ') || 'none, the model reads no task'}`);
  }
}
