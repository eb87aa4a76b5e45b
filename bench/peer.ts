// Ours beside PyTorch in one interleaved run: `npm run bench:peer -- --python PATH [--cases nano,tiny] [--rounds 3] [--steps 3] [--threads 2] [--format json]`.
// A round runs each side once, each in a process of its own, on equal weights and an equal batch; outputs are compared before anything is timed. A ratio is
// ours / peer of the medians, the peer being the best of eager, channels-last and torch.compile. Needs a Python with torch, sam2 and onnx; exit 3 without one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './subject.js';

const HERE = dirname(fileURLToPath(import.meta.url)), ROOT = join(HERE, '..');
const { values } = parseArgs({ options: {
  python: { type: 'string', default: 'python3' }, cases: { type: 'string' }, rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' }, modes: { type: 'string', default: 'eager,channels_last,compile' }, format: { type: 'string', default: 'text' }, out: { type: 'string' },
} });

interface Case { readonly name: string; readonly network: string; readonly spec: string; readonly batch: number; readonly set: readonly string[]; readonly infer: boolean; /** torch.compile takes longer than all the rest. */ readonly heavy: boolean }
const CASES: readonly Case[] = [
  { name: 'nano', network: 'nano', spec: 'models/tpseg-nano.tps', batch: 8, set: [], infer: true, heavy: false },
  { name: 'tiny', network: 'tiny', spec: 'models/tpseg-tiny.tps', batch: 1, set: [], infer: true, heavy: false },
  { name: 'tiny4', network: 'tiny', spec: 'models/tpseg-tiny.tps', batch: 4, set: [], infer: false, heavy: false },
  { name: 'unet', network: 'unet', spec: 'models/unet.tps', batch: 4, set: ['size=256'], infer: true, heavy: false },
  { name: 'large', network: 'large', spec: 'models/tpseg.tps', batch: 1, set: [], infer: false, heavy: true },
].filter((c) => values.cases === undefined || values.cases.split(',').includes(c.name));

interface Said { readonly steps: readonly number[]; readonly losses?: readonly number[]; readonly logits?: readonly number[]; readonly peakBytes: number; readonly torch?: string }
const last = (text: string): Said => JSON.parse(text.trim().split('\n').at(-1) ?? '') as Said;
const note = (text: string): void => { process.stderr.write(`${text}\n`); };

const ours = (c: Case, work: string, ...more: readonly string[]): Said => last(execFileSync(process.execPath,
  ['--import', 'tsx', join(HERE, 'step.ts'), join(ROOT, c.spec), '--work', work, '--batch', String(c.batch), '--steps', values.steps, '--threads', values.threads, ...c.set.flatMap((s) => ['--set', s]), ...more],
  { encoding: 'utf8', cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 }));
const peer = (c: Case, work: string, mode: string, weights: string): Said => last(execFileSync(values.python,
  [join(HERE, 'peer/run.py'), weights, '--network', c.network, '--work', work, '--mode', mode, '--steps', values.steps, '--threads', values.threads],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26, env: { ...process.env, OMP_NUM_THREADS: values.threads, PYTHONDONTWRITEBYTECODE: '1' } }));

try {
  execFileSync(values.python, ['-c', 'import torch, sam2'], { stdio: 'ignore' });
} catch {
  note(`${values.python} has no torch or no sam2: python3 -m venv peer && peer/bin/pip install torch torchvision sam2 onnx, then --python peer/bin/python`);
  process.exit(3);
}

/** Largest difference over the largest value of the peer's. */
function apart(a: readonly number[] = [], b: readonly number[] = []): number {
  if (a.length === 0 || a.length !== b.length) return Infinity;
  return Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? NaN)))) / Math.max(...b.map(Math.abs));
}

interface Row { readonly work: string; readonly name: string; readonly apart: number; readonly ours: readonly number[]; readonly peers: Readonly<Record<string, readonly number[]>>; readonly best: string; readonly memory: readonly [ours: number, peer: number] }
const rows: Row[] = [], ratios: Record<string, number> = {}, folder = mkdtempSync(join(tmpdir(), 'peer-'));
let torch = '';
try {
  for (const c of CASES) {
    const weights = join(folder, `${c.name}.safetensors`);
    ours(c, 'step', '--save', weights);
    for (const work of c.infer ? ['step', 'infer'] : ['step']) {
      const modes = values.modes.split(',').filter((m) => m !== 'compile' || !c.heavy), mine: number[] = [], theirs: Record<string, number[]> = {};
      let [difference, memory, peerMemory] = [0, 0, Infinity];
      for (let round = 0; round < Number(values.rounds); round++) {
        const a = ours(c, work);
        mine.push(...a.steps);
        memory = Math.max(memory, a.peakBytes);
        for (const mode of modes) {
          const b = peer(c, work, mode, weights);
          torch = b.torch ?? torch;
          (theirs[mode] ??= []).push(...b.steps);
          difference = Math.max(difference, work === 'step' ? apart(a.losses, b.losses) : apart(a.logits, b.logits));
          if (difference > 1e-2) throw new Error(`${c.name}: the two give different results, ${difference} apart: nothing is timed`);
          peerMemory = Math.min(peerMemory, b.peakBytes);
        }
        note(`${work}.${c.name} round ${round + 1}: ours ${median(mine).toFixed(3)} s, ${Object.entries(theirs).map(([m, xs]) => `${m} ${median(xs).toFixed(3)} s`).join(', ')}`);
      }
      const best = Object.entries(theirs).sort(([, x], [, y]) => median(x) - median(y))[0]?.[0] ?? '';
      rows.push({ work, name: c.name, apart: difference, ours: mine, peers: theirs, best, memory: [memory, peerMemory] });
      ratios[`${work}.${c.name}`] = median(mine) / median(theirs[best] ?? []);
      if (work === 'step') ratios[`memory.${c.name}`] = memory / peerMemory;
    }
    note(`${c.name}: ${(statSync(weights).size / 1e6).toFixed(0)} MB of weights carried over`);
    rmSync(weights);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const result = {
  date: new Date().toISOString().slice(0, 10), machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, memory: totalmem() }, versions: { node: process.version, torch }, threads: Number(values.threads), ratios, rows,
};
if (values.out !== undefined) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
}
if (values.format === 'json') console.log(JSON.stringify(result, null, 1));
else for (const r of rows) {
  const key = `${r.work}.${r.name}`, spread = (xs: readonly number[]): string => `${median(xs).toFixed(3)} s (${Math.min(...xs).toFixed(3)} to ${Math.max(...xs).toFixed(3)})`;
  console.log(`${key}: ${(ratios[key] ?? NaN).toFixed(2)} x ${r.best}; ours ${spread(r.ours)}, ${Object.entries(r.peers).map(([m, xs]) => `${m} ${spread(xs)}`).join(', ')}; results ${r.apart.toExponential(1)} apart; memory ${(r.memory[0] / 2 ** 30).toFixed(2)} of ${(r.memory[1] / 2 ** 30).toFixed(2)} GiB`);
}
