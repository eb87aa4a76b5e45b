// Scores of a run as `eval` left them in it. Reads only.
import { existsSync, readFileSync } from 'node:fs';
import type { Split } from '../data/index.js';
import { scoresOf, type Scores } from '../metrics/index.js';
import { evaluationStem, parseCounts } from '../train/evaluation-files.js';
import type { TrainedRun } from '../train/trained-run.js';

/** The scores of this checkpoint on a split, computed again from the counts; undefined where `eval` has not run, or ran before later training, or (where `data` is given) on other data. */
export function keptScores(trained: TrainedRun, split: Split, data?: string): Scores | undefined {
  const stem = evaluationStem(trained.root, { split, of: trained.checkpoint });
  if (!existsSync(`${stem}.json`) || !existsSync(`${stem}.csv`)) return undefined;
  const report = readReport(`${stem}.json`);
  if (report?.step !== trained.progress.step || (data !== undefined && report.data !== data)) return undefined;
  const counts = parseCounts(readFileSync(`${stem}.csv`, 'utf8'));
  return counts === undefined || counts.length === 0 ? undefined : scoresOf(counts);
}

function readReport(path: string): { readonly step?: unknown; readonly data?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
