// What `npm run bench` and `npm run bench:peer` share: the networks, and measured processes. Each measurement is a process of its own, so that its peak memory is its own.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../cli/host.js';
import { median } from './subject.js';

export interface Case {
  readonly name: string;
  readonly spec: string;
  readonly batch: number;
  readonly set: readonly string[];
  /** The network's name in bench/peer/run.py. */
  readonly network: string;
  /** Timed at inference too, and exported. */
  readonly infer: boolean;
  /** torch.compile takes longer than all the rest, and channels-last minutes: eager alone. */
  readonly heavy: boolean;
}
export const CASES: readonly Case[] = [
  { name: 'nano', network: 'nano', spec: 'models/tpseg-nano.tps', batch: 8, set: [], infer: true, heavy: false },
  { name: 'tiny', network: 'tiny', spec: 'models/tpseg-tiny.tps', batch: 1, set: [], infer: true, heavy: false },
  { name: 'tiny4', network: 'tiny', spec: 'models/tpseg-tiny.tps', batch: 4, set: [], infer: false, heavy: false },
  { name: 'unet', network: 'unet', spec: 'models/unet.tps', batch: 4, set: ['size=256'], infer: true, heavy: false },
  { name: 'large', network: 'large', spec: 'models/tpseg.tps', batch: 1, set: [], infer: false, heavy: true },
];

/** Seconds of each run, on the clock and of all processors: the second stand on a machine that is not quiet. */
export interface Times { readonly steps: readonly number[]; readonly processor: readonly number[] }
export const both = (a: Times | undefined, b: Times): Times => ({ steps: [...(a?.steps ?? []), ...b.steps], processor: [...(a?.processor ?? []), ...b.processor] });

/** What bench/step.ts prints, as far as it is read. */
export interface Said extends Times {
  readonly losses?: readonly number[];
  readonly logits?: readonly number[];
  readonly peakBytes: number;
  /** Resident before anything was compiled. */
  readonly startBytes: number;
  /** Processor seconds from the spec's text to what runs. */
  readonly compile: number;
  /** Of the whole batch: forward, or forward and backward. */
  readonly macs: number;
  readonly nodes: number;
  readonly parameters: number;
}

const here = dirname(fileURLToPath(import.meta.url));
/** The JSON in the last line that a program prints; its errors go to the terminal. After `limit` seconds it is ended, and ETIMEDOUT thrown. */
export function lastLine<T>(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, limit?: number): T {
  const { error, status, stdout } = spawnSync(program, args, { encoding: 'utf8', cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26, env, ...(limit === undefined ? {} : { timeout: 1000 * limit }) });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as T;
}
/** The same of a script of this folder. */
export const script = <T>(name: string, args: readonly string[]): T => lastLine<T>(process.execPath, ['--import', 'tsx', join(here, name), ...args]);

/** The flags of bench/step.ts and bench/baked.ts that say which network on what. */
export const subjectFlags = (c: Pick<Case, 'spec' | 'batch' | 'set'>, o: { readonly steps: string; readonly threads: string }): readonly string[] =>
  [c.spec, '--batch', String(c.batch), '--steps', o.steps, '--threads', o.threads, ...c.set.flatMap((s) => ['--set', s])];

/** What bench/baked.ts prints. */
export interface Baked {
  readonly open: Times & { readonly bytes: number };
  /** Absent where the network reads no task. */
  readonly baked?: Times & { readonly bytes: number };
  /** Of the tensors of the tasks that the baked file is not for. */
  readonly othersBytes: number;
  readonly apart: number;
}

/** A program from start to end, with all that it starts. Throws its errors where it fails. */
export function timedProcess(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): { readonly wall: number; readonly processor: number } {
  const began = performance.now();
  // bash's `times`: a line of its own, then one of all the processes that it has waited for, as 1m2.345s
  const { status, stdout, stderr } = spawnSync('bash', ['-c', '"$@" > /dev/null && times', 'bash', ...argv], { cwd: packageRoot, encoding: 'utf8', env });
  const wall = (performance.now() - began) / 1000, [, children = ''] = stdout.trim().split('\n');
  if (status !== 0) throw new Error(stderr);
  return { wall, processor: [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0) };
}

/** `tpsc check` of the whole file by the built program, once to warm the disk and then `rounds` times. */
export function coldCheck(rounds: number): Times {
  const once = (): ReturnType<typeof timedProcess> => timedProcess([process.execPath, join(packageRoot, 'dist/cli/main.js'), 'check', CHECKED]);
  once();
  const all = Array.from({ length: rounds }, once);
  return { steps: all.map((t) => t.wall), processor: all.map((t) => t.processor) };
}
export const CHECKED = 'models/tpseg.tps';

export const note = (text: string): void => { process.stderr.write(`${text}\n`); };
export const spread = (xs: readonly number[]): string => `${median(xs).toFixed(3)} s (${Math.min(...xs).toFixed(3)} to ${Math.max(...xs).toFixed(3)})`;
