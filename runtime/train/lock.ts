// One trainer a run directory: a lock file that names its process. A lock whose process is gone is taken over. On this machine a process can be looked for;
// one of another machine (a shared folder) shows that it lives by touching its lock, and counts as gone after ten minutes without.
import { constants, copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.js';

/** `job`: that of Slurm which the process belongs to; `restarts`: how often Slurm had put it back into its queue by then. */
interface Owner { readonly pid: number; readonly host: string; readonly started: string; readonly job?: string; readonly restarts?: number }

export interface Lock {
  release(): void;
  /** To be called before a write. Throws LostLock where the lock is somebody else's by now. */
  check(): void;
}

/** This process was silent for so long that another one took its run over. What it has not saved, the other one does again. */
export class LostLock extends UserError {
  constructor(run: string, other: Pick<Owner, 'pid' | 'host'> | undefined) {
    super(`${run} was taken over by ${other === undefined ? 'another process' : `process ${other.pid} on ${other.host}`}, because this one gave no sign of life for ten minutes, or Slurm started its job anew`, 'Nothing is lost: the other one goes on from the last checkpoint.');
  }
}

/** Milliseconds between two touches of a lock. */
const BEAT = 20_000;
/** Milliseconds for which a holder believes what it saw. */
const LOOK = 1000;
/** Milliseconds without a touch after which a process of another machine is gone. Far above what a file server holds back (a minute) and clocks differ by. */
const SILENCE = 600_000;

const held = new Set<string>();

/** When a process began, where the system says so (Linux): tells a process from a later one with its number. One that ended and is still listed (Z) has none. */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return fields?.[0] === 'Z' ? 'ended' : fields?.[19] ?? '';
  } catch { return ''; }
}

function thisProcess(): Owner {
  const { SLURM_JOB_ID: job, SLURM_RESTART_COUNT: restarts } = process.env;
  return { pid: process.pid, host: hostname(), started: startOf(process.pid), ...(job === undefined ? {} : { job, restarts: Number(restarts ?? 0) }) };
}

/** Whether the owner of the lock at `path` is still at it. */
function alive(other: Owner, path: string): boolean {
  const me = thisProcess();
  if (other.host !== me.host) {
    // Slurm starts a job again only where its earlier life has ended
    if (other.job !== undefined && other.job === me.job && (other.restarts ?? 0) < (me.restarts ?? 0)) return false;
    return Date.now() - touched(path) <= SILENCE;
  }
  if (other.pid === me.pid) return held.has(path);
  try { process.kill(other.pid, 0); } catch (error) { return (error as NodeJS.ErrnoException).code === 'EPERM'; }
  return startOf(other.pid) === other.started;
}

/** Milliseconds since 1970; now, where the lock is just going. */
function touched(path: string): number {
  try { return statSync(path).mtimeMs; } catch { return Date.now(); }
}

function textOf(path: string): string | undefined {
  try { return readFileSync(path, 'utf8'); } catch { return undefined; }
}

function parsed(text: string | undefined): Owner | undefined {
  try { return text === undefined ? undefined : JSON.parse(text) as Owner; } catch { return undefined; }
}

/** Who holds `run/lock`: a process that lives. undefined: nobody, or a process that is gone. */
export function lockHolder(run: string): { readonly pid: number; readonly host: string } | undefined {
  const path = join(run, 'lock'), other = parsed(textOf(path));
  return other !== undefined && alive(other, path) ? other : undefined;
}

/**
 * Waits until the holder of `run/lock` has shown that it lives (gives true), or the lock is free (false): at most ten minutes. At once where it is of this
 * machine. An aborted `signal` ends the waiting: true.
 */
export async function holderLives(run: string, signal: AbortSignal, pollMs = 5000): Promise<boolean> {
  const path = join(run, 'lock'), before = touched(path);
  for (let holder = lockHolder(run); holder !== undefined; holder = lockHolder(run)) {
    if (holder.host === hostname() || touched(path) > before || signal.aborted) return true;
    await new Promise((done) => { setTimeout(done, pollMs); });
  }
  return false;
}

/** Takes `run/lock`. Throws UserError where another living process holds it. */
export function lockRun(run: string): Lock {
  const owner = thisProcess(), text = JSON.stringify(owner), path = join(run, 'lock'), mine = join(run, `.lock.${owner.host}.${owner.pid}`);
  writeFileSync(mine, text);
  try {
    for (let tries = 0; !linked(mine, path); tries++) {
      const found = textOf(path), other = parsed(found);
      if (other !== undefined && alive(other, path)) {
        throw new UserError(`${run} is being trained by process ${other.pid} on ${other.host}`,
          `Wait for it, or give another --out.${other.host === owner.host ? '' : ` If that machine is gone, the lock is free ten minutes after its last sign of life; or remove ${path} now.`}`);
      }
      if (tries > 10) throw new UserError(`${path} cannot be taken over`, 'Remove it if no training writes this run.');
      dislodge(path, found, owner);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  held.add(path);
  return holding(run, path, text);
}

/** Touches the lock as long as it is ours. One that is gone for a moment, or cannot be read, is not somebody else's. */
function holding(run: string, path: string, text: string): Lock {
  let [seen, other]: [number, string | undefined] = [Date.now(), undefined];
  const isOurs = (): boolean => {
    const found = textOf(path);
    if (found !== undefined && found !== text) other = found;
    seen = Date.now();
    return found === text;
  };
  const timer = setInterval(() => {
    if (!isOurs()) return;
    try { utimesSync(path, seen / 1000, seen / 1000); } catch { /* it is just going: the next beat tells */ }
  }, BEAT);
  timer.unref();
  return {
    check: () => {
      if (Date.now() - seen > LOOK) isOurs();
      if (other !== undefined) throw new LostLock(run, parsed(other));
    },
    release: () => {
      clearInterval(timer);
      if (held.delete(path) && textOf(path) === text) rmSync(path, { force: true });
    },
  };
}

/** A link is made whole or not at all, so a lock file is never seen half written. File systems without links get a copy that never overwrites. */
function linked(from: string, to: string): boolean {
  const refused = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EEXIST';
  try { linkSync(from, to); return true; } catch (error) {
    if (refused(error)) return false;
  }
  try { copyFileSync(from, to, constants.COPYFILE_EXCL); return true; } catch (error) {
    if (refused(error)) return false;
    throw error;
  }
}

/** Moves a dead owner's lock away; if in the meantime it became somebody else's, gives it back. */
function dislodge(path: string, dead: string | undefined, { host, pid }: Owner): void {
  const away = `${path}.${host}.${pid}.old`;
  try { renameSync(path, away); } catch { return; }
  if (textOf(away) !== dead && !existsSync(path)) linked(away, path);
  rmSync(away, { force: true });
}
