// kill -9 at random moments of a training of 30 steps that saves after each: the checkpoint is always readable, and the resumed run is the
// uninterrupted one, bit for bit. `npx tsx test/train/kill.ts` kills twenty times; the suite a few.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCache, startLoader, type ImageCache } from '../../runtime/data/index.js';
import { createEngine } from '../../runtime/engines/index.js';
import { streamOf } from '../../runtime/random.js';
import { hasCheckpoint, loadCheckpoint } from '../../runtime/state/checkpoint.js';
import { train, type RunSummary } from '../../runtime/train/loop.js';
import { tinyData, tinyProgram, tinyScan } from './tiny.js';

const STEPS = 30, SELF = fileURLToPath(import.meta.url);

const go = async (data: string, out: string, cache: ImageCache, onStep: () => void = () => undefined): Promise<RunSummary> => train({
  program: tinyProgram({ training: { epochs: 8 } }), engine: await createEngine('ort', { threads: 1 }), dataset: await tinyScan(data), cache, out,
  seed: 7, maxSteps: STEPS, resume: true, checkpointEvery: { steps: 1 }, onEvent: (e) => { if (e.kind === 'start' || e.kind === 'step') onStep(); },
}).finally(() => cache.close());

/** Everything that a run leaves, as text in which equal means equal bit for bit. */
function remains(out: string): string {
  const names = ['last', 'best'].filter((name) => hasCheckpoint(join(out, 'checkpoints'), name));
  const saved = names.map((name) => loadCheckpoint(join(out, 'checkpoints'), name));
  return JSON.stringify([saved.map(({ record, state }) => [record, [...state.tensors, ...state.moments].map(([name, t]) => [name, Buffer.from(t.data.buffer).toString('hex')])]), readFileSync(join(out, 'metrics.jsonl'), 'utf8')]);
}

/** Trains in a process of its own and kills it `delay` ms after its first sign of life; gives how long it lived, or undefined where it was done before. */
function trainAndKill(data: string, out: string, delay: number): Promise<{ killed: boolean; ms: number }> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ['--import', 'tsx', SELF, 'child', data, out], { stdio: ['ignore', 'pipe', 'inherit'] });
    let began: number | undefined;
    child.stdout.once('data', () => { began = performance.now(); setTimeout(() => child.kill('SIGKILL'), delay); });
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      if (signal === null && code !== 0) fail(new Error(`the training ended with ${code}`));
      else done({ killed: signal === 'SIGKILL', ms: performance.now() - (began ?? 0) });
    });
  });
}

export interface KillReport { readonly kills: number; readonly atSteps: readonly number[]; readonly unequal: readonly string[] }

/** Kills `times` trainings, each at a moment drawn from (seed, number) over the time that a whole one takes, and resumes each to its end. */
export async function killAndResume(times: number, seed: number): Promise<KillReport> {
  const root = mkdtempSync(join(tmpdir(), 'kill-')), data = join(root, 'data');
  try {
    await tinyData(data);
    const { ms } = await trainAndKill(data, join(root, 'whole'), 60_000);
    const whole = remains(join(root, 'whole')), atSteps: number[] = [], unequal: string[] = [];
    for (let k = 0; atSteps.length < times; k++) {
      const out = join(root, `killed-${k}`), delay = streamOf(seed, String(k)).next() * ms;
      if (!(await trainAndKill(data, out, delay)).killed) continue;
      // Reads the checkpoint that the kill left, if there is one yet; throws where it is damaged.
      atSteps.push(hasCheckpoint(join(out, 'checkpoints'), 'last') ? loadCheckpoint(join(out, 'checkpoints'), 'last').record.progress.step : 0);
      // what was killed had its images from another thread; here they come from this one
      await go(data, out, makeCache());
      if (remains(out) !== whole) unequal.push(`killed after ${delay.toFixed(1)} ms, at step ${atSteps.at(-1)}`);
    }
    return { kills: atSteps.length, atSteps, unequal };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[1] === SELF) {
  const [mode, data = '', out = ''] = process.argv.slice(2);
  if (mode === 'child') await go(data, out, startLoader(), () => process.stdout.write('.'));
  else {
    const report = await killAndResume(20, 1);
    console.log(JSON.stringify(report));
    process.exitCode = report.unequal.length === 0 ? 0 : 1;
  }
}
