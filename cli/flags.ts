// Flags that several commands share, and how their values are read. One place each.
import { MisuseError } from '../runtime/errors.js';
import type { SplitRule } from '../runtime/data/index.js';
import { miouDefinitions, type MiouDefinition } from '../runtime/metrics/scores.js';
import type { CacheSetting } from '../runtime/features/cache.js';
import type { Reading } from '../runtime/train/run-directory.js';
import type { Flags } from './command.js';

export const specArgument = { type: 'string', demandOption: true, describe: 'a .tps file, or FILE#VARIANT' } as const;

export const specFlag = { type: 'string', describe: 'a .tps file, or FILE#VARIANT' } as const;

export const entryFlag = { type: 'string', describe: 'key of the state dict in a .pt that holds several' } as const;

export const formatFlag = { type: 'string', choices: ['text', 'json'], default: 'text', describe: 'json: standard output holds the JSON alone' } as const;

/** What chooses a program out of a file. */
export const programFlags = {
  tasks: { type: 'string', describe: 'codes of the tasks to keep: WA,SL' },
  set: { type: 'string', describe: 'a setting\'s value: --set size=256; may be repeated' },
} as const satisfies Flags;

export const engineFlags = {
  engine: { type: 'string', choices: ['ort', 'tfjs'], default: 'ort', describe: 'what runs the graph: ONNX Runtime or TensorFlow.js' },
  device: { type: 'string', choices: ['cpu', 'cuda'], default: 'cpu', describe: 'cuda needs ONNX Runtime\'s CUDA files (npm run install:cuda), or for tfjs the package @tensorflow/tfjs-node-gpu' },
  threads: { type: 'number', describe: 'threads of the engine (default: one a processor, at a low priority, so that the machine stays usable)' },
} as const satisfies Flags;

/** How a data folder is read, where its manifest does not say. */
export const dataFlags = {
  'split-rule': { type: 'string', describe: 'split groups by ratio:0.2 or fold:0/5 (and :SEED), in place of the manifest\'s splits' },
  accept: { type: 'string', describe: 'codes of data errors to go on in spite of: DATA008,DATA014' },
} as const satisfies Flags;

/** How `dataFlags` say that data are read. Throws MisuseError. */
export function readingOf(args: { readonly 'split-rule'?: string; readonly accept?: string }): Reading {
  const split = parseSplitRule(args['split-rule']);
  return { ...(args.accept === undefined ? {} : { accept: args.accept.split(',') }), ...(split === undefined ? {} : { split }) };
}

/** Where features of frozen parts are kept. What stands where it is absent is the command's. */
export const cacheFlags = {
  cache: { type: 'string', describe: 'keep what the frozen part makes of an image, in place of computing it in every epoch: ram[:4GB], disk:DIR[:50GB] or off; changes no number' },
} as const satisfies Flags;

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 };

/** `6GB` as a number; NaN where it is none. */
function bytesOf(text: string): number {
  const [, size = '', unit = ''] = /^([\d.]+)([MGT]i?B)$/i.exec(text) ?? [];
  return Math.floor(Number(size) * (UNITS[unit.toUpperCase()] ?? NaN));
}

/** Throws MisuseError. */
export function parseMemory(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = bytesOf(text);
  if (bytes > 0) return bytes;
  throw new MisuseError(`--memory-limit ${text} is no size`, 'write 6GB (MB, GB, TB; MiB, GiB, TiB)');
}

/** `off`, `ram`, `ram:4GB`, `disk:DIR`, `disk:DIR:50GB`. Throws MisuseError. */
export function parseCache(text: string): CacheSetting {
  const [, head = '', size] = /^(.*?)(?::([\d.]+[MGT]i?B))?$/i.exec(text) ?? [];
  const bytes = bytesOf(size ?? ''), bound = size === undefined ? {} : { bytes };
  if (size === undefined || bytes > 0) {
    if (head === 'off' && size === undefined) return { kind: 'off' };
    if (head === 'ram') return { kind: 'ram', ...bound };
    if (/^disk:./.test(head)) return { kind: 'disk', folder: head.slice('disk:'.length), ...bound };
  }
  throw new MisuseError(`--cache ${text} is no place for features`, 'write ram, ram:4GB, disk:DIR, disk:DIR:50GB (MB, GB, TB; MiB, GiB, TiB), or off');
}

/** How masks are scored. What stands where one is absent is the command's. */
export const scoreFlags = {
  miou: { type: 'string', choices: miouDefinitions, describe: 'definition of mIoU' },
  at: { type: 'string', choices: ['network', 'original'], describe: 'the size at which masks are compared: the network\'s, or each image\'s own' },
} as const satisfies Flags;
export const miouOf = (name: string | undefined): MiouDefinition | undefined => miouDefinitions.find((d) => d === name);

/** `ratio:0.2`, `fold:0/5`, each with `:SEED`. Throws MisuseError. */
export function parseSplitRule(text: string | undefined): SplitRule | undefined {
  if (text === undefined) return undefined;
  const [, kind, value, seed = '0'] = /^(ratio|fold):([^:]+)(?::(\d+))?$/.exec(text) ?? [];
  const [fold, folds] = (value ?? '').split('/').map(Number);
  if (kind === 'ratio' && fold !== undefined && fold > 0 && fold < 1) return { kind: 'ratio', val: fold, seed: Number(seed) };
  if (kind === 'fold' && fold !== undefined && folds !== undefined && Number.isInteger(fold) && Number.isInteger(folds) && folds >= 2 && fold >= 0 && fold < folds) return { kind: 'folds', fold, folds, seed: Number(seed) };
  throw new MisuseError(`--split-rule ${text} is no rule`, 'write ratio:0.2 (a fifth of the groups validates) or fold:0/5 (folds are numbered from 0), with a seed after a further `:`');
}

/** A word of a command line as a shell takes it. */
export const quoted = (word: string): string => (/^[\w./:=,@%+#-]+$/.test(word) && !word.startsWith('#') ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** `SPEC[#VARIANT]` */
export interface SpecRef { readonly file: string; readonly variant?: string }

/** The part after the last `#` is the variant's name. Throws MisuseError where one side is empty. */
export function parseSpecRef(text: string): SpecRef {
  const at = text.lastIndexOf('#');
  if (at < 0) return { file: text };
  const [file, variant] = [text.slice(0, at), text.slice(at + 1)];
  if (file === '' || variant === '') throw new MisuseError(`\`${text}\` names no ${file === '' ? 'file' : 'variant'}`, 'write FILE or FILE#VARIANT');
  return { file, variant };
}

/** `--set k=v`, once or several times. */
export function parseSet(value: string | readonly string[] | undefined): Readonly<Record<string, string>> {
  const set: Record<string, string> = {};
  for (const text of value === undefined ? [] : typeof value === 'string' ? [value] : value) {
    const at = text.indexOf('=');
    if (at <= 0 || at === text.length - 1) throw new MisuseError(`--set ${text} is no name=value`, 'write --set size=256');
    const name = text.slice(0, at).trim();
    if (name in set) throw new MisuseError(`--set gives ${name} twice`);
    set[name] = text.slice(at + 1).trim();
  }
  return set;
}

/** `WA,SL` -> codes; undefined where the flag is absent. */
export function parseTasks(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const codes = value.split(',').map((code) => code.trim());
  if (codes.some((code) => code === '')) throw new MisuseError(`--tasks ${value} has an empty code`, 'write --tasks WA,SL');
  const twice = codes.find((code, i) => codes.indexOf(code) !== i);
  if (twice !== undefined) throw new MisuseError(`--tasks names ${twice} twice`);
  return codes;
}

/** A flag that counts something. Throws MisuseError outside `least` to `most` or between integers. */
export function countOf(name: string, value: number | undefined, least = 1, most = Infinity): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new MisuseError(`--${name} needs a whole number ${most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`}, not ${value}`);
  }
  return value;
}
