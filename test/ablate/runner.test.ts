// The runner without processes: workers are functions that leave on the disk what a run leaves.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRunEntries, studyPaths } from '../../runtime/ablate/layout.js';
import { runAll, type RunnerEvent, type Worker, type WorkerEnd } from '../../runtime/ablate/runner.js';
import { recordFailure, type Goal, type RunPlace } from '../../runtime/ablate/scan.js';
import { lockRun } from '../../runtime/train/lock.js';
import { temporaryFolder } from '../temporary.js';

const goal: Goal = { metric: { dice: 'image', miou: 'dataset-both', threshold: 0.5, checkpoint: 'last', at: 'network' }, budget: { steps: 30 } };
const place = (run: string, row = run): RunPlace => ({ row, run, tasks: ['SL'], seed: 0, steps: 30 });
const folder = (): string => temporaryFolder('runner');

/** What a finished run leaves. */
function finish(root: string, run: string): void {
  const out = studyPaths(root).folder(run);
  mkdirSync(join(out, 'eval'), { recursive: true });
  writeFileSync(join(out, 'summary.json'), JSON.stringify({ stopped: 'max-steps', steps: 30 }));
  writeFileSync(join(out, 'metrics.jsonl'), '{"kind":"step","step":29,"epoch":1}\n{"kind":"step","step":30,"epoch":1}\n{"kind":"st');
  writeFileSync(join(out, 'eval', 'val-last.csv'), '');
  writeFileSync(join(out, 'eval', 'val-last.json'), '{}');
}

const worker = (act: () => WorkerEnd, ms = 5): Worker => ({ stop: () => undefined, ended: new Promise((done) => { setTimeout(() => done(act()), ms); }) });
const never = new AbortController().signal;

/** Runs `runs`; gives their states and what was told. */
async function go(root: string, runs: readonly RunPlace[], start: (run: RunPlace) => Worker, more: { readonly jobs?: number; readonly signal?: AbortSignal; readonly onEvent?: (e: RunnerEvent<RunPlace>) => void } = {}): Promise<{ states: readonly string[]; told: readonly string[] }> {
  const told: string[] = [];
  const entries = await runAll({
    root, goal, all: runs, runs, jobs: 1, signal: never, pollMs: 10, start, ...more,
    onEvent: (e) => { told.push(e.kind === 'waiting' ? e.kind : `${e.kind} ${e.run.run}${e.kind === 'end' && !e.ours ? ' elsewhere' : ''}`); more.onEvent?.(e); },
  });
  expect(readRunEntries(root)).toEqual(entries);
  return { states: entries.map((e) => e.state), told };
}

describe('the runner', () => {
  it('goes on past a run that fails, and tries it again at the next start', async () => {
    const root = folder(), runs = [place('a'), place('b')];
    const failing = await go(root, runs, ({ run }) => worker(() => {
      if (run === 'a') { recordFailure(root, run, 'the training diverged'); return 'failed'; }
      finish(root, run);
      return 'done';
    }));
    expect(failing).toEqual({ states: ['failed', 'done'], told: ['start a', 'end a', 'start b', 'end b'] });
    expect(readRunEntries(root)[0]).toMatchObject({ reason: 'the training diverged' });
    expect(readRunEntries(root)[1]).toMatchObject({ step: 30, steps: 30 });
    expect(await go(root, runs, ({ run }) => worker(() => { finish(root, run); return 'done'; }))).toEqual({ states: ['done', 'done'], told: ['start a', 'end a'] });
  });
  it('starts a worker again that the system ended, and gives up after three', async () => {
    const root = folder();
    let starts = 0;
    const { states, told } = await go(root, [place('a')], ({ run }) => worker(() => { starts++; if (starts < 3) return 'died'; finish(root, run); return 'done'; }));
    expect([states, told]).toEqual([['done'], ['start a', 'again a', 'start a', 'again a', 'start a', 'end a']]);
    expect((await go(root, [place('b')], () => worker(() => 'died'))).states).toEqual(['failed']);
    expect(readRunEntries(root)[0]?.reason).toMatch(/ended 3 times by the system.*b\.log/);
  });
  it('leaves to another runner what it holds, and takes it over where it did not finish it', async () => {
    const root = folder(), locks = ['a', 'b'].map((run) => { mkdirSync(studyPaths(root).lock(run), { recursive: true }); return lockRun(studyPaths(root).lock(run)); });
    const started: string[] = [];
    const { states, told } = await go(root, [place('a'), place('b'), place('c')], ({ run }) => worker(() => { started.push(run); finish(root, run); return 'done'; }), {
      onEvent: (e) => {
        if (e.kind !== 'waiting') return;
        expect(readRunEntries(root).map((r) => r.state)).toEqual(['running', 'running', 'done']);
        finish(root, 'a');
        for (const lock of locks) lock.release();
      },
    });
    expect([states, started]).toEqual([['done', 'done', 'done'], ['c', 'b']]);
    expect(told).toEqual(['start c', 'end c', 'waiting', 'end a elsewhere', 'start b', 'end b']);
  });
  it('does a run once that several rows share, and never more at a time than it may', async () => {
    const root = folder();
    let [now, most] = [0, 0];
    const { states, told } = await go(root, [place('a', 'A4'), place('b'), place('a', 'C6'), place('c')], ({ run }) => {
      most = Math.max(most, ++now);
      return worker(() => { now--; finish(root, run); return 'done'; });
    }, { jobs: 2 });
    expect([states, most, told.filter((t) => t === 'start a').length]).toEqual([['done', 'done', 'done', 'done'], 2, 1]);
  });
  it('asks its workers to stop, and starts no more', async () => {
    const root = folder(), stop = new AbortController();
    const { states, told } = await go(root, [place('a'), place('b')], () => {
      let end: (e: WorkerEnd) => void = () => undefined;
      setTimeout(() => stop.abort(), 5);
      return { stop: () => end('stopped'), ended: new Promise((done) => { end = done; }) };
    }, { signal: stop.signal });
    expect([states, told]).toEqual([['waiting', 'waiting'], ['start a']]);
  });
});
