// Reads manifest.csv: text -> rows. Whether the files exist and where they belong is survey.ts's matter.
import { records } from './csv.js';
import type { DataProblem } from './types.js';
import { dataProblem } from './problems.js';

export const MANIFEST = 'manifest.csv';

export interface ManifestRow {
  /** Line in the file, from 1. */
  readonly line: number;
  readonly task: string;
  readonly file: string;
  readonly mask: string;
  /** Undefined: no such column, or empty. */
  readonly group?: string;
  /** Undefined: no such column. */
  readonly split?: string;
}

export interface Manifest { readonly rows: readonly ManifestRow[]; readonly hasSplit: boolean; readonly problems: readonly DataProblem[] }

/** Columns task, file, mask are needed; group and split are read where present; others are ignored. */
export function parseManifest(text: string): Manifest {
  const problems: DataProblem[] = [], rows: ManifestRow[] = [];
  const all = [...records(text)];
  const header = all[0]?.fields ?? [];
  const column = (name: string): number => header.indexOf(name);
  const missing = ['task', 'file', 'mask'].filter((name) => column(name) < 0);
  if (missing.length > 0) {
    problems.push(dataProblem('DATA009', MANIFEST, { where: ', line 1', why: `no column ${missing.join(', ')}` }));
    return { rows, hasSplit: false, problems };
  }
  for (const { line, fields } of all.slice(1)) {
    const value = (name: string): string | undefined => { const at = column(name); return at < 0 ? undefined : fields[at] ?? ''; };
    const task = value('task'), file = value('file'), mask = value('mask');
    if (!task || !file || !mask) {
      problems.push(dataProblem('DATA009', MANIFEST, { where: `, line ${line}`, why: 'task, file and mask may not be empty' }));
      continue;
    }
    rows.push({ line, task, file: slashes(file), mask: slashes(mask), group: value('group') || undefined, split: value('split') });
  }
  return { rows, hasSplit: column('split') >= 0, problems };
}

const slashes = (path: string): string => path.replaceAll('\\', '/').replace(/^\.\//, '');
