// One folder, one study: what of it may grow (rows, seeds), and what must not change once there are runs, because a table would compare unlike things.
import { makeFolder, writeJsonAtomically } from '../state/atomic.js';
import { UserError } from '../errors.js';
import { lockRun, type Lock } from '../train/lock.js';
import { shortHash } from '../train/run-directory.js';
import { findStudyFile, studyPaths, type StudyFile } from './layout.js';

const list = (items: readonly string[]): string => items.join(', ') || 'none';
const record = (o: object): string => Object.entries(o).map(([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`).join(', ') || 'none';

/** What all runs of a study share, in words. */
const FIXED: readonly (readonly [what: string, of: (s: StudyFile) => string])[] = [
  ['study', (s) => s.study], ['train block', (s) => s.block], ['tasks', (s) => list(s.tasks)], ['data', (s) => shortHash(s.data)], ['way the data are read', (s) => record(s.reading)],
  ['budget', (s) => record(s.budget)], ['metric', (s) => record(s.metric)], ['engine', (s) => s.engine], ['threads of a run', (s) => String(s.threads)],
  ['starting weights', (s) => shortHash(s.weights.identity)],
];

/** Throws UserError naming all that differs, where runs of both could not stand in one table. */
export function requireAgreement(root: string, before: StudyFile, now: StudyFile): void {
  const changes = FIXED.flatMap(([what, of]) => (of(before) === of(now) ? [] : [`the ${what} (was ${of(before)}, is ${of(now)})`]));
  if (changes.length > 0) throw new UserError(`${root} holds runs that cannot be compared with these. Different: ${changes.join('; ')}`, 'Go on as it was begun, or give another --out.');
}

/** Names of rows whose network is another one than before: their runs are made anew, under other names. */
export const changedRows = (before: StudyFile | undefined, now: StudyFile): readonly string[] =>
  now.rows.filter((row) => before?.rows.some((b) => b.name === row.name && b.program !== row.program)).map((row) => row.name);

const wait = (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms); });

/** Two runners that start together write study.json one after the other. */
async function locked(root: string): Promise<Lock> {
  for (let tries = 0; ; tries++) {
    try { return lockRun(root); } catch (error) {
      if (tries >= 40 || !(error instanceof UserError)) throw error;
      await wait(50);
    }
  }
}

/** Writes study.json if it agrees with what is there; gives what was there. Throws UserError as `requireAgreement`. */
export async function settleStudy(root: string, now: StudyFile): Promise<StudyFile | undefined> {
  makeFolder(root);
  const lock = await locked(root);
  try {
    const before = findStudyFile(root);
    if (before !== undefined) requireAgreement(root, before, now);
    if (JSON.stringify(before) !== JSON.stringify(now)) writeJsonAtomically(studyPaths(root).study, now);
    return before;
  } finally {
    lock.release();
  }
}
