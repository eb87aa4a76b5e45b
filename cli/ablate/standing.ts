// How a study stands, by its folder and by Slurm's queue: told once, or followed until nothing more is under way. Starts no run.
import { setTimeout } from 'node:timers/promises';
import { readRunEntries, readStudyFile, writeRunEntries, type RunEntry, type StudyFile } from '../../runtime/ablate/layout.js';
import { scanRuns } from '../../runtime/ablate/scan.js';
import { isLive, queueOf, readSubmissions, settleEnded, type Queue } from '../../runtime/ablate/slurm.js';
import { UserError } from '../../runtime/errors.js';
import { duration, plural } from '../../runtime/report/numbers.js';
import { distinctRuns, renderStanding, runName } from '../../runtime/report/ablation.js';
import { quoted } from '../flags.js';
import { showPath, type Io } from '../io.js';
import { removeFeatures } from './features.js';

interface Standing { readonly study: StudyFile; readonly entries: readonly RunEntry[]; readonly queue?: Queue }

/** Throws UserError where `root` is no study, or Slurm has its jobs and does not answer. */
function standingOf(root: string): Standing {
  const study = readStudyFile(root), entries = scanRuns(root, readRunEntries(root), study), queue = queueOf(root, entries);
  return { study, entries, ...(queue === undefined ? {} : { queue }) };
}

const isOpen = ({ queue }: Pick<Standing, 'queue'>, { run, state }: RunEntry): boolean => state === 'running' || (state === 'waiting' && isLive(queue?.get(run)));
const jsonOf = (root: string, { study, entries, queue }: Standing): string =>
  `${JSON.stringify({ study: study.study, out: root, runs: entries, ...(queue === undefined ? {} : { queue: [...queue.values()] }) }, null, 2)}\n`;

/** Gives the exit code. Where Slurm does not answer, the folder speaks alone. */
export function status(root: string, io: Io, json: boolean): number {
  let standing: Standing;
  try { standing = standingOf(root); } catch (error) {
    const study = readStudyFile(root);
    if (!(error instanceof UserError)) throw error;
    io.err(`${error.message}; what follows is what the folder says\n`);
    standing = { study, entries: scanRuns(root, readRunEntries(root), study) };
  }
  io.out(json ? jsonOf(root, standing) : renderStanding(root, standing.study, standing.entries, io.colour, standing.queue));
  return 0;
}

/** Milliseconds between two looks at the folder, and between two questions to Slurm, which serves others too. */
interface Pace { readonly look: number; readonly ask: number }
const USUAL: Pace = { look: 2000, ask: 20_000 };

/** Until no run is under way or in the queue. Throws UserError where Slurm does not answer at first; later it is asked again. */
async function follow(root: string, io: Io, signal: AbortSignal, { look, ask }: Pace): Promise<void> {
  const { study, ...now } = standingOf(root);
  let { entries, queue } = now, asked = Date.now();
  const told = new Set(entries.filter((e) => ['done', 'failed'].includes(e.state)).map((e) => e.run)), all = new Set(entries.map((e) => e.run)).size;
  while (!signal.aborted && entries.some((e) => isOpen({ ...(queue === undefined ? {} : { queue }) }, e))) {
    await setTimeout(look, undefined, { signal }).catch(() => undefined);
    entries = scanRuns(root, entries, study);
    if (Date.now() - asked > ask) {
      asked = Date.now();
      try {
        queue = queueOf(root, entries);
        // at once: Slurm forgets how a task ended
        entries = settleEnded(root, entries, queue, study);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        io.err(`${error.message}; it is asked again\n`);
      }
    }
    for (const e of entries) {
      if (told.has(e.run) || (e.state !== 'done' && e.state !== 'failed')) continue;
      told.add(e.run);
      io.err(`[${told.size}/${all}] ${e.state}: ${runName(e)}${e.state === 'failed' ? `: ${e.reason ?? ''}` : e.seconds === undefined ? '' : `, ${duration(e.seconds)}`}\n`);
    }
  }
}

/** Makes runs.json anew from the folders and from how tasks ended; gives the exit code: 0 where all runs are done. With `wait`, once nothing is under way. */
export async function collect(root: string, wait: boolean, io: Io, json: boolean, pace = USUAL): Promise<number> {
  const stop = new AbortController(), unlisten = io.onInterrupt(() => stop.abort());
  try {
    if (wait) await follow(root, io, stop.signal, pace);
  } finally {
    unlisten();
  }
  const { study, entries: before, queue } = standingOf(root);
  const entries = settleEnded(root, before, queue, study), last = readSubmissions(root).at(-1), now: Standing = { study, entries, ...(queue === undefined ? {} : { queue }) };
  writeRunEntries(root, entries);
  if (entries.every((e) => e.state === 'done')) removeFeatures(root);
  if (json) io.out(jsonOf(root, now));
  else {
    const open = entries.filter((e) => isOpen(now, e)), left = entries.filter((e) => e.state !== 'done' && !isOpen(now, e));
    io.out(`${renderStanding(root, study, entries, io.colour, queue)}\n${[
      ...(open.length === 0 ? [] : [`${plural(distinctRuns(open).length, 'run')} under way or in the queue: tpsc ablate --collect ${quoted(showPath(root))} --wait`]),
      ...(left.length === 0 ? [] : [`not done, and in no queue: ${distinctRuns(left).map(runName).join('; ')}${last === undefined ? '' : `\nthe same command submits what is left:\n  ${last.command}`}`]),
      ...(entries.some((e) => e.state === 'done') ? [`the table: tpsc table ${quoted(showPath(root))}`] : []),
    ].join('\n')}\n`);
  }
  return stop.signal.aborted ? 130 : entries.every((e) => e.state === 'done') ? 0 : 1;
}
