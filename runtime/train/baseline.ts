// The trivial answers on a run's split and resolution, scored as the run is and kept beside its own evaluations.
import type { Program } from '../../compiler/program.js';
import { cutAt, pipelineOf, type Dataset, type ImageCache, type Split } from '../data/index.js';
import { UserError } from '../errors.js';
import { baselineCounts, scoresOf, type Baseline, type MiouDefinition, type Scores } from '../metrics/index.js';
import { writeJsonAtomically, writeTextAtomically } from '../state/atomic.js';
import { countsCsv, evaluationStem } from './evaluation-files.js';
import { imageInput } from './image-input.js';

export interface BaselineRequest {
  readonly run: string;
  readonly program: Program;
  readonly dataset: Dataset;
  readonly split: Split;
  readonly cache: ImageCache;
  readonly baseline: Baseline;
  readonly miou?: MiouDefinition;
  /** At each image's own size. */
  readonly original?: boolean;
}

/** Scores a trivial answer and writes `eval/SPLIT-BASELINE[-original].{json,csv}` into the run. Throws UserError where the split or the training images are missing. */
export async function writeBaseline({ run, program, dataset, split, cache, baseline, miou, original = false }: BaselineRequest): Promise<Scores> {
  if (!dataset.items.some((i) => i.split === split)) throw new UserError(`${dataset.root} has no image in the split ${split}`, 'Choose another --split, or mend manifest.csv.');
  const { height, width } = imageInput(program), size = cutAt(pipelineOf(program.training?.augment ?? []).size ?? { height, width });
  const counts = await baselineCounts(dataset, baseline, { split, size, cache, original });
  const scores = scoresOf(counts, miou);
  const file = evaluationStem(run, { split, of: baseline, original });
  writeTextAtomically(`${file}.csv`, countsCsv(counts));
  writeJsonAtomically(`${file}.json`, { ...scores, baseline, split, data: dataset.fingerprint });
  return scores;
}
