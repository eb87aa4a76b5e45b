// kill -9 of the runner of a study and of its workers at random moments: started again until it is done, a study leaves what an undisturbed one leaves, bit
// for bit. `npx tsx test/ablate/kill.ts` takes 4 rows and 3 seeds of the nano network at 64 x 64, 30 steps a run, and kills ten times; the suite a few times and less.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../cli/host.js';
import { readRunEntries, studyPaths } from '../../runtime/ablate/layout.js';
import { streamOf } from '../../runtime/random.js';
import { hasCheckpoint, loadCheckpoint } from '../../runtime/state/checkpoint.js';
import { programWords } from '../cli/program.js';
import { NANO_PHANTOM, nanoStudy } from './specs.js';

const SELF = fileURLToPath(import.meta.url);

export interface KillStudy {
  /** A study `killed` in it. */
  readonly spec: string;
  /** Arguments of `tpsc data phantom`. */
  readonly phantom: readonly string[];
  readonly flags: readonly string[];
  readonly kills: number;
  readonly seed: number;
}

/** `tpsc …` in a process of its own. */
export function tpscProcess(argv: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<{ readonly code: number | null; readonly said: string }> } {
  const [node = '', ...program] = programWords();
  const child = spawn(node, [...program, ...argv], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => { said += text.toString(); });
  return { child, ended: new Promise((done) => { child.once('close', (code) => done({ code, said })); }) };
}

/** All numbers that a study leaves, as text in which equal means equal bit for bit. Times are not in it. */
export function remains(out: string): string {
  return JSON.stringify(readRunEntries(out).map(({ row, tasks, seed, run }) => {
    const folder = studyPaths(out).folder(run), checkpoints = join(folder, 'checkpoints');
    const saved = ['last', 'best'].filter((name) => hasCheckpoint(checkpoints, name)).map((name) => loadCheckpoint(checkpoints, name));
    const scores = readdirSync(join(folder, 'eval')).sort().map((name) => [name, readFileSync(join(folder, 'eval', name), 'utf8')]);
    return [row, tasks, seed, run, readFileSync(join(folder, 'metrics.jsonl'), 'utf8'), scores,
      saved.map(({ record, state }) => [record, [...state.tensors, ...state.moments].map(([name, t]) => [name, Buffer.from(t.data.buffer).toString('base64')])])];
  }));
}

/** Processes that hold a run. */
const workers = (out: string): readonly number[] => {
  try {
    return readdirSync(join(out, 'locks')).flatMap((run) => {
      try { return [(JSON.parse(readFileSync(join(out, 'locks', run, 'lock'), 'utf8')) as { readonly pid: number }).pid]; } catch { return []; }
    });
  } catch { return []; }
};

/** The table of a study but for the times, as `tpsc table` prints it. */
export async function tableOf(out: string): Promise<string> {
  const { code, said } = await tpscProcess(['table', out, '--no-time', '--format', 'json']).ended;
  if (code !== 0) throw new Error(`the table ended with ${code}: ${said}`);
  return said.replaceAll(out, 'OUT');
}

export interface KillReport { readonly killed: readonly string[]; readonly starts: number; readonly equal: boolean; readonly sameTable: boolean; readonly lastWords: string }

export async function killAndFinish({ spec, phantom, flags, kills, seed }: KillStudy): Promise<KillReport> {
  const root = mkdtempSync(join(tmpdir(), 'kill-study-')), file = join(root, 'killed.tps'), data = join(root, 'data'), out = join(root, 'out'), draws = streamOf(seed, 'kills');
  const argv = (folder: string): readonly string[] => ['ablate', file, '--study', 'killed', '--data', data, '--out', folder, ...flags];
  try {
    writeFileSync(file, spec);
    await tpscProcess(['data', 'phantom', '--out', data, ...phantom]).ended;
    const began = performance.now(), whole = await tpscProcess(argv(join(root, 'whole'))).ended, ms = performance.now() - began;
    if (whole.code !== 0) throw new Error(`the undisturbed study ended with ${whole.code}: ${whole.said}`);
    const killed: string[] = [];
    let last = '';
    for (let starts = 1; starts <= 5 * kills + 5; starts++) {
      const { child, ended } = tpscProcess(argv(out));
      let alive = true;
      void ended.then(() => { alive = false; });
      while (killed.length < kills && alive) {
        await Promise.race([ended, new Promise((done) => { setTimeout(done, draws.next() * ms / kills * 1.5); })]);
        const holders = workers(out), target = draws.next() < 0.5 ? undefined : holders[draws.int(Math.max(1, holders.length))];
        if (!alive) break;
        if (target === undefined) child.kill('SIGKILL');
        else try { process.kill(target, 'SIGKILL'); } catch { continue; }
        killed.push(target === undefined ? 'runner' : 'worker');
        if (target === undefined) break;
      }
      const { code, said } = await ended;
      last = said;
      // done before it was killed often enough: the rest of the kills find nothing to kill
      if (code === 0) return { killed, starts, equal: remains(out) === remains(join(root, 'whole')), sameTable: await tableOf(out) === await tableOf(join(root, 'whole')), lastWords: said };
    }
    return { killed, starts: Infinity, equal: false, sameTable: false, lastWords: last };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (process.argv[1] === SELF) {
  const report = await killAndFinish({
    spec: nanoStudy('killed', ['A1', 'A2', 'A3', 'A4'], 3, 30),
    phantom: NANO_PHANTOM, flags: ['--jobs', '2', '--weights', 'random'], kills: 10, seed: Number(process.argv[2] ?? 1),
  });
  console.log(JSON.stringify({ ...report, lastWords: undefined }));
  console.log(report.lastWords);
  process.exitCode = report.equal && report.sameTable && report.killed.length === 10 ? 0 : 1;
}
