// Locks of a shared folder: who is asked whether its holder lives, and what a holder does that was taken for dead. Processes of this machine: `loop.test.ts`, `test/ablate/kill.ts`.
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { holderLives, lockHolder, lockRun, LostLock } from '../../runtime/train/lock.js';
import { temporaryFolder } from '../temporary.js';

const elsewhere = { pid: process.pid, host: 'node7', started: '1' };
/** A run that `owner` holds and touched `seconds` ago. */
function heldBy(owner: object, seconds = 0): string {
  const run = temporaryFolder('lock'), then = Date.now() / 1000 - seconds;
  writeFileSync(join(run, 'lock'), JSON.stringify(owner));
  utimesSync(join(run, 'lock'), then, then);
  return run;
}
const ownerOf = (run: string): unknown => JSON.parse(readFileSync(join(run, 'lock'), 'utf8'));
const signal = new AbortController().signal;

afterEach(() => { vi.useRealTimers(); vi.unstubAllEnvs(); });

describe('a lock of another machine', () => {
  it('is respected while it is touched, and free after ten minutes without', () => {
    expect(() => lockRun(heldBy(elsewhere, 500))).toThrow(`is being trained by process ${process.pid} on node7`);
    const run = heldBy(elsewhere, 700);
    expect(lockHolder(run)).toBeUndefined();
    const lock = lockRun(run);
    expect(ownerOf(run)).toMatchObject({ pid: process.pid, host: hostname() });
    lock.release();
    expect(existsSync(join(run, 'lock'))).toBe(false);
  });
  it('is free at once where Slurm has started the same job anew, here', () => {
    vi.stubEnv('SLURM_JOB_ID', '17');
    vi.stubEnv('SLURM_RESTART_COUNT', '2');
    const run = heldBy({ ...elsewhere, job: '17', restarts: 1 });
    lockRun(run);
    expect(ownerOf(run)).toMatchObject({ job: '17', restarts: 2 });
    // another process of one and the same life of a job, and another job
    for (const other of [{ job: '17', restarts: 2 }, { job: '16', restarts: 0 }]) expect(() => lockRun(heldBy({ ...elsewhere, ...other }))).toThrow('on node7');
  });
  it('is waited for until its holder shows that it lives, or is gone', async () => {
    const living = heldBy(elsewhere, 60), gone = heldBy(elsewhere, 60);
    const asked = [holderLives(living, signal, 5), holderLives(gone, signal, 5)];
    setTimeout(() => {
      const now = Date.now() / 1000;
      utimesSync(join(living, 'lock'), now, now);
      // in place of ten minutes that go by
      utimesSync(join(gone, 'lock'), now - 650, now - 650);
    }, 30);
    expect(await asked[0]).toBe(true);
    expect(await asked[1]).toBe(false);
    expect(await holderLives(heldBy(elsewhere), AbortSignal.abort(), 5)).toBe(true);
  });
});

describe('a holder', () => {
  it('touches its lock three times a minute', () => {
    vi.useFakeTimers({ now: Date.now() });
    const run = temporaryFolder('lock'), lock = lockRun(run), before = Date.now();
    vi.advanceTimersByTime(61_000);
    expect(statSync(join(run, 'lock')).mtimeMs - before).toBeCloseTo(60_000, -2);
    lock.check();
    lock.release();
    expect(vi.getTimerCount()).toBe(0);
  });
  it('that was taken for dead writes no more, and leaves the lock to the other one', () => {
    vi.useFakeTimers({ now: Date.now() });
    const run = temporaryFolder('lock'), lock = lockRun(run);
    writeFileSync(join(run, 'lock'), JSON.stringify(elsewhere));
    // stopped, as by a machine that sleeps: no timer ran, the clock did
    vi.setSystemTime(Date.now() + 700_000);
    expect(() => lock.check()).toThrow(LostLock);
    expect(() => lock.check()).toThrow(/was taken over by process \d+ on node7/);
    lock.release();
    expect(ownerOf(run)).toEqual(elsewhere);
  });
});
