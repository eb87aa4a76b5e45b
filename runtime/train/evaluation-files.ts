// The two files that an evaluation leaves in a run: eval/NAME.json, what was scored how, and eval/NAME.csv, the counts of each image. Their names, and the CSV.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvField, records } from '../data/csv.js';
import { UserError } from '../errors.js';
import type { ImageCounts } from '../metrics/index.js';
import { runPaths } from './run-directory.js';

export interface EvaluationName {
  readonly split: string;
  /** A checkpoint, or a trivial answer. */
  readonly of: string;
  /** At each image's own size. */
  readonly original?: boolean;
  readonly bindAs?: Readonly<Record<string, string>>;
}

/** Path without its ending: `RUN/eval/SPLIT-OF[-original][-A-as-B]`. */
export const evaluationStem = (run: string, { split, of, original = false, bindAs = {} }: EvaluationName): string =>
  join(runPaths(run).evaluations, [split, of, ...(original ? ['original'] : []), ...Object.entries(bindAs).map(([own, other]) => `${own}-as-${other}`)].join('-'));

const COLUMNS = 'task,image,tp,fp,fn,tn';

/** `task,image,tp,fp,fn,tn`, one line an image. */
export const countsCsv = (counts: readonly ImageCounts[]): string =>
  [COLUMNS, ...counts.map((c) => [csvField(c.task), csvField(c.image), c.tp, c.fp, c.fn, c.tn].join(','))].map((line) => `${line}\n`).join('');

/** The counts, or the number of the first line that holds none; 1 is the header. */
function countsOrLine(text: string): readonly ImageCounts[] | number {
  const [header, ...lines] = [...records(text)], counts: ImageCounts[] = [];
  if (header?.fields.join(',') !== COLUMNS) return 1;
  for (const { line, fields: [task = '', image = '', ...numbers] } of lines) {
    const [tp = NaN, fp = NaN, fn = NaN, tn = NaN] = numbers.map(Number);
    if (numbers.length !== 4 || ![tp, fp, fn, tn].every((n) => Number.isSafeInteger(n) && n >= 0)) return line;
    counts.push({ task, image, tp, fp, fn, tn });
  }
  return counts;
}

/** What `countsCsv` writes; undefined where the text is not that. */
export function parseCounts(text: string): readonly ImageCounts[] | undefined {
  const found = countsOrLine(text);
  return typeof found === 'number' ? undefined : found;
}

/** The counts of a file. Throws UserError where it holds none. */
export function readCounts(path: string): readonly ImageCounts[] {
  const found = countsOrLine(readFileSync(path, 'utf8'));
  if (found === 1 || (typeof found !== 'number' && found.length === 0)) throw new UserError(`${path} holds no confusion counts`, 'Evaluate the run again: `tpsc eval` writes the file.');
  if (typeof found === 'number') throw new UserError(`${path}, line ${found}: no counts of an image`, 'Evaluate the run again.');
  return found;
}
