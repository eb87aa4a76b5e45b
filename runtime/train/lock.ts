// One trainer a run directory: a lock file that names its process. A lock whose process is gone is taken over.
import { constants, copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.js';

interface Owner { readonly pid: number; readonly host: string; readonly started: string }

export interface Lock { release(): void }

const held = new Set<string>();

/** When a process began, where the system says so (Linux): tells a process from a later one with its number. One that ended and is still listed (Z) has none. */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return fields?.[0] === 'Z' ? 'ended' : fields?.[19] ?? '';
  } catch { return ''; }
}

function alive({ pid, started }: Owner, path: string): boolean {
  if (pid === process.pid) return held.has(path);
  try { process.kill(pid, 0); } catch (error) { return (error as NodeJS.ErrnoException).code === 'EPERM'; }
  return startOf(pid) === started;
}

function ownerOf(path: string): Owner | undefined {
  try { return JSON.parse(readFileSync(path, 'utf8')) as Owner; } catch { return undefined; }
}

/** Who holds `run/lock`: a living process, or one of another machine, which cannot be asked. undefined: nobody, or a process that is gone. */
export function lockHolder(run: string): { readonly pid: number; readonly host: string } | undefined {
  const path = join(run, 'lock'), other = ownerOf(path);
  return other !== undefined && (other.host !== hostname() || alive(other, path)) ? other : undefined;
}

/** Takes `run/lock`. Throws UserError where another living process (or one of another machine) holds it. */
export function lockRun(run: string): Lock {
  const path = join(run, 'lock'), mine = join(run, `.lock.${process.pid}`);
  const owner: Owner = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  writeFileSync(mine, JSON.stringify(owner));
  try {
    for (let tries = 0; !linked(mine, path); tries++) {
      const other = ownerOf(path);
      if (other !== undefined && (other.host !== owner.host || alive(other, path))) {
        throw new UserError(`${run} is being trained by process ${other.pid} on ${other.host}`, `Wait for it, or give another --out. If that machine is gone, remove ${path}.`);
      }
      if (tries > 10) throw new UserError(`${path} cannot be taken over`, 'Remove it if no training writes this run.');
      dislodge(path, other);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  held.add(path);
  return { release: (): void => { if (held.delete(path)) rmSync(path, { force: true }); } };
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
function dislodge(path: string, dead: Owner | undefined): void {
  const away = `${path}.${process.pid}.old`;
  try { renameSync(path, away); } catch { return; }
  const moved = ownerOf(away);
  if (moved !== undefined && moved.pid !== dead?.pid && !existsSync(path)) linked(away, path);
  rmSync(away, { force: true });
}
