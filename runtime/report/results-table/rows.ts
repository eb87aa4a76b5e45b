// Which runs are one row of a table: as a study says, or by their networks where run directories are given. Groups only; nothing is scored here.
import { UserError } from '../../errors.js';
import type { RunRecord } from '../../train/run-directory.js';
import { runName, scoredRun, type Choice, type Places, type RunPlace, type ScoredRun } from './runs.js';

export interface RowRuns {
  readonly name: string;
  readonly label: string;
  /** The study's own. */
  readonly baseline: boolean;
  /** Index of its study in `Places.studies`; absent where run directories were given. */
  readonly study?: number;
  /** Networks that are trained for each seed: one, or one a task. */
  readonly networks: number;
  readonly runs: readonly ScoredRun[];
}
export interface Rows {
  readonly rows: readonly RowRuns[];
  /** Runs that have no scores, and why. */
  readonly missing: readonly string[];
}

/** Rows of all studies, then those of the runs. Throws UserError where two runs are the same training. */
export function rowsOf(places: Places, choice: Choice): Rows {
  const missing: string[] = [];
  const scored = (what: string, place: RunPlace, steps?: number): readonly ScoredRun[] => {
    const run = scoredRun(place, choice, steps);
    if (typeof run !== 'string') return [run];
    missing.push(`${what}: ${run}`);
    return [];
  };
  const ofStudies = places.studies.flatMap(({ file, runs, absent }, study): RowRuns[] => {
    const found = file.rows.map((row): RowRuns => ({
      name: row.name, label: row.label, baseline: row.baseline, study, networks: row.repeat ? Math.max(1, file.tasks.length) : 1,
      runs: runs.filter((r) => r.row === row.name).flatMap(({ place }) => scored(`${row.name}, seed ${place.record.identity.seed}`, place, file.budget.steps)),
    }));
    missing.push(...absent);
    return found;
  });
  const ofRuns = networksOf(places.runs).flatMap((group): RowRuns[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { variant, variantLabel, block } = first.record;
    const sets = new Set(group.map((p) => p.record.tasks.join()));
    return [{ name: variant ?? block, label: variantLabel ?? '', baseline: false, networks: sets.size, runs: group.flatMap((place) => scored(place.folder, place)) }];
  });
  const rows = distinct([...ofStudies, ...ofRuns]);
  rows.forEach(requireOnce);
  return { rows, missing };
}

/** Run directories of one network, or of one variant's networks of disjoint tasks. */
function networksOf(runs: readonly RunPlace[]): readonly (readonly RunPlace[])[] {
  const groups = (of: (r: RunRecord) => string, among: readonly RunPlace[]): readonly (readonly RunPlace[])[] => {
    const found = new Map<string, RunPlace[]>();
    for (const place of among) { const key = of(place.record), group = found.get(key); if (group === undefined) found.set(key, [place]); else group.push(place); }
    return [...found.values()];
  };
  return groups((r) => JSON.stringify([r.name, r.block, r.variant ?? '']), runs).flatMap((alike) => {
    const networks = groups((r) => r.identity.program, alike);
    const sets = networks.map((group) => group[0]?.record.tasks ?? []), all = sets.flat();
    const disjoint = sets.every((s) => s.length > 0) && new Set(all).size === all.length;
    return disjoint ? [alike] : networks;
  });
}

/** Rows of one name are told apart by their networks. */
const distinct = (rows: readonly RowRuns[]): readonly RowRuns[] => rows.map((row) =>
  (rows.some((other) => other !== row && other.name === row.name) ? { ...row, name: `${row.name} (${row.runs[0]?.record.identity.program.slice(0, 8) ?? 'no runs'})` } : row));

function requireOnce(row: RowRuns): void {
  row.runs.forEach((run, i) => {
    const same = row.runs.slice(0, i).find((other) => other.seed === run.seed && other.folder !== run.folder && other.counts.some((c) => run.counts.some((d) => d.task === c.task)));
    if (same !== undefined) throw new UserError(`${runName(same)} and ${runName(run)} are both of row ${row.name}, seed ${run.seed}`, 'A seed counts once: give one of them, or train with another --seed.');
  });
}
