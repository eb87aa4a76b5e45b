// Ours beside PyTorch in one interleaved run: `npm run bench:peer -- --python PATH [--cases nano,tiny] [--only step,infer.nano,export.peer] [--rounds 2] [--steps 3]
// [--modes eager,channels_last,compile] [--compile-limit 300] [--threads 2] [--save | --out FILE] [--format json]`. `--save` keeps the figures in bench/results for docs/performance.md.
// A round runs each side once, each in a process of its own, on equal weights and an equal batch; outputs are compared before anything is timed. A ratio is
// ours / peer of the medians, the peer being the best of eager, channels-last and torch.compile; a way that takes twice as long as the best after its first step
// is left there, and one that is a third behind after a round;
// so is torch.compile where a process of it is not done after so many seconds, and the row says so. Needs a Python with torch, sam2, onnxscript and onnxruntime; exit 3 without one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES, CHECKED, coldCheck, both, lastLine, note, script, spread, subjectFlags, timedProcess, type Baked, type Case, type Said, type Times } from './child.js';
import { keep, origin } from './results.js';
import { apart, median } from './subject.js';

const { values } = parseArgs({ options: {
  python: { type: 'string', default: 'python3' }, cases: { type: 'string' }, only: { type: 'string' }, rounds: { type: 'string', default: '2' }, steps: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' }, modes: { type: 'string', default: 'eager,channels_last,compile' }, 'compile-limit': { type: 'string', default: '300' }, format: { type: 'string', default: 'text' }, out: { type: 'string' }, save: { type: 'boolean', default: false },
} });
const rounds = Number(values.rounds), here = dirname(fileURLToPath(import.meta.url));
const peerVersions = (): string => execFileSync(values.python, ['-c', 'import importlib.metadata as m, json, torch, sam2, onnxscript, onnxruntime; print(json.dumps({p: m.version(p) for p in ("torch", "sam2", "onnxscript", "onnxruntime")}))'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
let versions: Record<string, string>;
try {
  versions = JSON.parse(peerVersions()) as Record<string, string>;
} catch {
  note(`${values.python} lacks torch, sam2, onnxscript or onnxruntime: python3 -m venv peer && peer/bin/pip install torch torchvision sam2 onnxscript onnxruntime, then --python peer/bin/python`);
  process.exit(3);
}

/** `infer.baked` and the like are of tpseg-tiny; of another network they carry its name. */
const keyOf = (part: string, name: string): string => (name === 'tiny' ? part : `${part}.${name}`);
const only = values.only?.split(',');
const wanted = (key: string): boolean => only === undefined || only.some((o) => key === o || key.startsWith(`${o}.`));
const cases = CASES.filter((c) => values.cases === undefined || values.cases.split(',').includes(c.name));

const folder = mkdtempSync(join(tmpdir(), 'peer-'));
const environment = { ...process.env, OMP_NUM_THREADS: values.threads, PYTHONDONTWRITEBYTECODE: '1', TORCHINDUCTOR_CACHE_DIR: join(folder, 'compiled'), PYTHONWARNINGS: 'ignore' };
interface PeerSaid extends Times { readonly losses?: readonly number[]; readonly logits?: readonly number[]; readonly peakBytes: number }
const ours = (c: Case, ...more: readonly string[]): Said => script('step.ts', [...subjectFlags(c, values), ...more]);
const peer = (c: Case, weights: string, more: readonly string[], limit?: number): PeerSaid =>
  lastLine(values.python, [join(here, 'peer/run.py'), weights, '--network', c.network, '--steps', values.steps, '--threads', values.threads, ...more], environment, limit);

interface Row {
  readonly key: string;
  readonly ours: Times;
  readonly peers: Readonly<Record<string, Times>>;
  /** Largest difference of the results, of the largest value. */
  readonly apart?: number;
  /** Peaks of the processes. */
  readonly memory?: { readonly ours: number; readonly peer: number };
  /** Of the files. */
  readonly bytes?: Readonly<Record<string, number>>;
  /** Ways of the peer that gave no times, and why. */
  readonly left?: Readonly<Record<string, string>>;
}
const rows: Row[] = [], ratios: Record<string, number> = {}, ratiosByProcessor: Record<string, number> = {};
const best = (row: Row, what: keyof Times): number => Math.min(...Object.values(row.peers).map((p) => median(p[what])));
function add(row: Row): void {
  rows.push(row);
  ratios[row.key] = median(row.ours.steps) / best(row, 'steps');
  ratiosByProcessor[row.key] = median(row.ours.processor) / best(row, 'processor');
  note(`${row.key}: ${ratios[row.key]?.toFixed(2)}, by processor time ${ratiosByProcessor[row.key]?.toFixed(2)}; ours ${spread(row.ours.steps)}, ${Object.entries(row.peers).map(([m, t]) => `${m} ${spread(t.steps)}`).join(', ')}`);
}
const equal = (key: string, difference: number): void => { if (!(difference <= 1e-2)) throw new Error(`${key}: the two give different results, ${difference} apart: nothing is timed`); };

/** Of each network and work, the peer's ways that may still be the best: what is far behind at batch 1 is not tried at batch 4. */
const modesLeft = new Map<string, readonly string[]>();
/** A way is left where it takes the processors so many times as long as the best: after its first step, and after a round. */
const HOPELESS = 2, BEHIND = 1.3;

/** A step or an inference in turns. */
function turns(key: string, c: Case, work: 'step' | 'infer', weights: string): void {
  const peers: Record<string, Times> = {}, kind = `${c.network}.${work}`, took = (mode: string): number => median(peers[mode]?.processor ?? []);
  let modes = modesLeft.get(kind) ?? values.modes.split(',').filter((m) => m === 'eager' || !c.heavy), mine: Times | undefined, difference = 0, memory = 0, peerMemory = Infinity;
  const left: Record<string, string> = {};
  const attempt = (mode: string, run: () => PeerSaid): PeerSaid | undefined => {
    try { return run(); } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') throw error;
      left[mode] = `not done within ${values['compile-limit']} s`;
      note(`${key}, ${mode}: ${left[mode]}`);
      return undefined;
    }
  };
  for (let round = 0; round < rounds; round++) {
    const a = ours(c, '--work', work);
    mine = both(mine, a);
    memory = Math.max(memory, a.peakBytes);
    for (const mode of modes) {
      const limit = HOPELESS * Math.min(...Object.keys(peers).filter((m) => m !== mode).map(took));
      const b = attempt(mode, () => peer(c, weights, ['--work', work, '--mode', mode, ...(Number.isFinite(limit) ? ['--at-most', String(limit)] : [])], mode === 'compile' ? Number(values['compile-limit']) : undefined));
      if (b === undefined) continue;
      peers[mode] = both(peers[mode], b);
      const [here, there] = work === 'step' ? [a.losses, b.losses] : [a.logits, b.logits];
      difference = Math.max(difference, apart((here ?? []).slice(0, there?.length), there ?? []));
      equal(`${key} ${mode}`, difference);
      peerMemory = Math.min(peerMemory, b.peakBytes);
    }
    const least = Math.min(...Object.keys(peers).map(took));
    modes = modes.filter((m) => took(m) <= BEHIND * least);
    modesLeft.set(kind, modes);
  }
  if (mine === undefined) return;
  add({ key, ours: mine, peers, apart: difference, memory: { ours: memory, peer: peerMemory }, ...(Object.keys(left).length > 0 ? { left } : {}) });
  if (work === 'step') ratios[`memory.${c.name}`] = memory / peerMemory;
}

/** Our file with its task baked in, beside ours with the task open and beside that of torch.onnx. */
function files(c: Case, weights: string): void {
  const [bakedKey, exportKey] = [keyOf('infer.baked', c.name), keyOf('export.peer', c.name)], out = join(folder, c.name);
  if (!wanted(bakedKey) && !wanted(exportKey)) return;
  mkdirSync(out);
  const { open, baked, othersBytes, apart: difference } = script<Baked>('baked.ts', [...subjectFlags(c, values), '--weights', weights, '--out', out]);
  if (baked !== undefined && wanted(bakedKey)) {
    equal(bakedKey, difference);
    add({ key: bakedKey, ours: baked, peers: { open }, apart: difference, bytes: { baked: baked.bytes, open: open.bytes, 'tensors of the other tasks': othersBytes } });
  }
  if (wanted(exportKey)) {
    const theirs = join(out, 'torch.onnx'), mine = join(out, `${baked === undefined ? 'open' : 'baked'}.onnx`);
    peer(c, weights, ['--work', 'export', '--out', theirs]);
    const said = lastLine<{ readonly ours: Times; readonly peer: Times; readonly apart: number }>(values.python, [join(here, 'peer/files.py'), mine, theirs, weights, '--steps', String(Number(values.steps) * rounds), '--threads', values.threads], environment);
    equal(exportKey, said.apart);
    add({ key: exportKey, ours: said.ours, peers: { 'torch.onnx': said.peer }, apart: said.apart, bytes: { ours: baked?.bytes ?? open.bytes, 'torch.onnx': statSync(theirs).size } });
  }
  rmSync(out, { recursive: true });
}

/** What fails is told, and the rest is measured all the same. */
let failed = false;
function told(work: () => void): void {
  try { work(); } catch (error) {
    failed = true;
    note(error instanceof Error ? error.message : String(error));
  }
}

try {
  const about = origin(versions);
  for (const c of cases) {
    const keys = [`step.${c.name}`, ...(c.infer ? [`infer.${c.name}`, keyOf('infer.baked', c.name), keyOf('export.peer', c.name)] : [])];
    if (!keys.some(wanted)) continue;
    const weights = join(folder, `${c.name}.safetensors`);
    ours(c, '--save', weights);
    if (wanted(`step.${c.name}`)) told(() => { turns(`step.${c.name}`, c, 'step', weights); });
    if (c.infer && wanted(`infer.${c.name}`)) told(() => { turns(`infer.${c.name}`, c, 'infer', weights); });
    if (c.infer) told(() => { files(c, weights); });
    rmSync(weights);
  }
  if (only === undefined ? values.cases === undefined : wanted('check.cold')) {
    // the peer has no check: what comes before the first error of shapes could show is importing torch and sam2 and making the same network
    const making = Array.from({ length: rounds + 1 }, () => timedProcess([values.python, join(here, 'peer/run.py'), '--network', 'large', '--work', 'build', '--threads', values.threads], environment)).slice(1);
    add({ key: 'check.cold', ours: coldCheck(rounds), peers: { 'import and build': { steps: making.map((t) => t.wall), processor: making.map((t) => t.processor) } } });
    note(`check.cold: \`tpsc check ${CHECKED}\` (all its variants) beside Python that imports torch and sam2 and builds the one network, both as processes`);
  }
  const result = { ...about, threads: Number(values.threads), rounds, steps: Number(values.steps), ratios, ratiosByProcessor, rows };
  if (values.save || values.out !== undefined) note(`kept in ${keep('peer', result, values.out)}`);
  if (values.format === 'json') console.log(JSON.stringify(result, null, 1));
  else for (const [key, ratio] of Object.entries(ratios)) {
    const row = rows.find((r) => r.key === key), processor = ratiosByProcessor[key];
    console.log(`${key.padEnd(18)} ${ratio.toFixed(2)}${processor === undefined ? '' : ` (processor ${processor.toFixed(2)})`}${row?.apart === undefined ? '' : `, results ${row.apart.toExponential(1)} apart`}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
