// Scores of a run as `eval` left them in it. Reads only.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { records } from '../data/manifest.js';
import type { Split } from '../data/index.js';
import { scoresOf, type ImageCounts, type Scores } from '../metrics/index.js';
import { runPaths } from '../train/run-directory.js';
import type { TrainedRun } from '../train/trained-run.js';

const COLUMNS = 'task,image,tp,fp,fn,tn';

/** The scores of this checkpoint on a split, computed again from the counts; undefined where `eval` has not run, or ran before later training, or (where `data` is given) on other data. */
export function keptScores(trained: TrainedRun, split: Split, data?: string): Scores | undefined {
  const stem = join(runPaths(trained.root).evaluations, `${split}-${trained.checkpoint}`);
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

/** What `countsCsv` writes; undefined where the text is not that. */
export function parseCounts(text: string): ImageCounts[] | undefined {
  const [header, ...rows] = [...records(text)];
  if (header?.fields.join(',') !== COLUMNS) return undefined;
  const counts = rows.map(({ fields: [task = '', image = '', ...numbers] }) => {
    const [tp = Number.NaN, fp = Number.NaN, fn = Number.NaN, tn = Number.NaN] = numbers.map(Number);
    return { task, image, tp, fp, fn, tn };
  });
  return counts.every((c) => [c.tp, c.fp, c.fn, c.tn].every(Number.isSafeInteger)) ? counts : undefined;
}
