// docs/performance.md from bench/performance.md and what is in bench/results: `npm run docs` writes it. Tables only: prose is the template's, `{{name}}` where a table goes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../cli/host.js';
import type { Times } from './child.js';
import type { Kept } from './keep.js';
import type { OursRow } from './ours.js';
import { newest, type Origin } from './results.js';
import { median } from './subject.js';

/** What is asked of a ratio, ours / theirs, at most. */
const ASKED: Readonly<Record<string, number>> = {
  'step.nano': 1, 'step.tiny': 0.8, 'step.large': 0.8, 'infer.nano': 1, 'infer.tiny': 1, 'infer.unet': 1, 'infer.baked': 1, 'export.peer': 0.95, 'memory.tiny': 0.7, 'memory.large': 0.7,
};
const PEER_ROWS = [
  'step.nano', 'step.tiny', 'step.tiny4', 'step.unet', 'step.large', 'memory.nano', 'memory.tiny', 'memory.tiny4', 'memory.unet', 'memory.large',
  'infer.nano', 'infer.tiny', 'infer.unet', 'infer.baked.nano', 'infer.baked', 'export.peer.nano', 'export.peer', 'export.peer.unet', 'check.cold',
];

interface PeerRow { readonly key: string; readonly ours: Times; readonly peers: Readonly<Record<string, Times>>; readonly apart?: number; readonly memory?: { readonly ours: number; readonly peer: number }; readonly bytes?: Readonly<Record<string, number>>; readonly left?: Readonly<Record<string, string>> }
interface Peer extends Origin { readonly threads: number; readonly ratios: Readonly<Record<string, number>>; readonly ratiosByProcessor: Readonly<Record<string, number>>; readonly rows: readonly PeerRow[] }
type Growths = Readonly<Record<'macs' | 'parameters' | 'nodes' | 'step' | 'memory' | 'compile', number | null>>;
interface Scaling { readonly axis: string; readonly points: readonly Readonly<Record<'size' | 'macs' | 'parameters' | 'nodes' | 'step' | 'memory' | 'compile', number>>[]; readonly growth: Growths; readonly faster: readonly string[] }
interface Ours extends Origin { readonly threads: number; readonly rows: readonly OursRow[]; readonly scaling: readonly Scaling[] }

const NOT_MEASURED = 'not measured';
const markdown = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`| ${titles.join(' | ')} |`, `|${titles.map(() => '---|').join('')}`, ...rows.map((r) => `| ${r.join(' | ')} |`)].join('\n');
const seconds = (s: number): string => (s < 1 ? `${(s * 1000).toFixed(s < 0.1 ? 1 : 0)} ms` : `${s.toFixed(2)} s`);
const GiB = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`, MiB = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const spread = (xs: readonly number[]): string => `${seconds(median(xs))} (${seconds(Math.min(...xs))} to ${seconds(Math.max(...xs))})`;
const number = (x: unknown, digits = 2): string => (typeof x === 'number' ? x.toFixed(digits) : NOT_MEASURED);
const at = (value: unknown, ...path: readonly string[]): unknown => path.reduce<unknown>((v, key) => (typeof v === 'object' && v !== null ? (v as Readonly<Record<string, unknown>>)[key] : undefined), value);

/** Where and when; a busy machine is told. */
function measuredOn({ date, machine, versions }: Origin, more = ''): string {
  const busy = machine.load > machine.cores ? ` **Other work ran on it** (load ${machine.load.toFixed(0)}): times by the clock are noise, trust processor time.` : ` Load before: ${machine.load.toFixed(1)}.`;
  return `Measured ${date} on ${machine.cores} x ${machine.cpu}, ${GiB(machine.memory)}, ${machine.system}; ${Object.entries(versions).map(([n, v]) => `${n} ${v}`).join(', ')}${more}.${busy}`;
}

/** Met or missed, with what was asked. */
function asked(key: string, ratio: number | undefined): string {
  const most = ASKED[key];
  return most === undefined ? '' : `<= ${most}${ratio === undefined ? '' : ratio <= most ? ', met' : ', **missed**'}`;
}

function peerTable(peer: Peer | undefined): string {
  const rows = PEER_ROWS.map((key): readonly string[] => {
    const ratio = peer?.ratios[key], wanted = asked(key, ratio);
    if (peer === undefined || ratio === undefined) return [key, NOT_MEASURED, '', wanted, '', '', ''];
    const row = peer.rows.find((r) => r.key === key), memory = key.startsWith('memory.') ? peer.rows.find((r) => r.key === key.replace('memory', 'step'))?.memory : undefined;
    if (memory !== undefined) return [key, number(ratio), '', wanted, GiB(memory.ours), GiB(memory.peer), ''];
    const theirs = Object.entries(row?.peers ?? {}).sort(([, a], [, b]) => median(a.steps) - median(b.steps)).map(([name, t]) => `${name} ${spread(t.steps)}`).concat(Object.entries(row?.left ?? {}).map(([name, why]) => `${name} ${why}`)).join('; ');
    return [key, number(ratio), number(peer.ratiosByProcessor[key]), wanted, row === undefined ? '' : spread(row.ours.steps), theirs, row?.apart?.toExponential(1) ?? ''];
  });
  return [...(peer === undefined ? [] : [measuredOn(peer, `; ${peer.threads} threads`), '']), markdown(['figure', 'ours / theirs', 'by processor time', 'asked', 'ours', 'theirs, the best first', 'results apart'], rows)].join('\n');
}

function filesTable(peer: Peer | undefined): string {
  const rows = (peer?.rows ?? []).flatMap(({ key, bytes }) => (bytes === undefined ? [] : [[key, ...Object.entries(bytes).map(([name, n]) => `${name}: ${MiB(n)}`).concat('', '').slice(0, 3)]]));
  return markdown(['figure', 'sizes', '', ''], rows.length > 0 ? rows : [['infer.baked, export.peer', NOT_MEASURED, '', '']]);
}

function oursTable(ours: Ours | undefined): string {
  if (ours === undefined || ours.rows.length === 0) return markdown(['', 'time'], [['`npm run bench`', NOT_MEASURED]]);
  const rows = ours.rows.map((r) => [r.key, seconds(r.wall), seconds(r.processor), r.peakBytes === undefined ? '' : GiB(r.peakBytes), r.compile === undefined ? '' : seconds(r.compile), r.bytes === undefined ? '' : MiB(r.bytes)]);
  return `${measuredOn(ours, `; ${ours.threads} threads`)}\n\n${markdown(['figure', 'time', 'of processors', 'peak memory', 'compiling, of processors', 'file'], rows)}`;
}

function scalingTable(ours: Ours | undefined): string {
  const all = ours?.scaling ?? [], titles = ['against', 'multiply-adds', 'parameters', 'nodes', 'step', 'memory', 'compiling', 'faster than what there is to do'];
  if (ours === undefined || all.length === 0) return markdown(titles, [['blocks, tasks, side, batch, parameters', NOT_MEASURED, '', '', '', '', '', '']]);
  const growths = all.map(({ axis, growth: g, faster }) => [axis, ...[g.macs, g.parameters, g.nodes, g.step, g.memory, g.compile].map((p) => number(p)), faster.length > 0 ? `**${faster.join(', ')}**` : 'nothing']);
  const points = all.flatMap(({ axis, points: p }) => p.map((m) => [`${axis} ${m.size}`, `${(m.macs / 1e9).toFixed(2)} G`, `${(m.parameters / 1e6).toFixed(2)} M`, String(m.nodes), seconds(m.step), MiB(m.memory), seconds(m.compile)]));
  return `${measuredOn(ours, '; one thread')}\n\n${markdown(titles, growths)}\n\n${markdown(['network', 'multiply-adds', 'parameters', 'nodes', 'step, of processors', 'memory above the start', 'compiling, of processors'], points)}`;
}

/** One row for each run that bench/keep.ts kept. */
function keptTable(kept: Kept | undefined, titles: readonly string[], script: string, cells: (said: Readonly<Record<string, unknown>>) => readonly string[]): string {
  if (kept === undefined) return markdown(['run', ...titles], [[`\`npx tsx bench/${script}.ts\``, NOT_MEASURED, ...titles.slice(1).map(() => '')]]);
  return `${measuredOn(kept)}\n\n${markdown(['run', ...titles], kept.runs.map((r) => [`\`${r.command}\``, ...cells(r.said as Readonly<Record<string, unknown>>)]))}`;
}

const prefixCache = (kept: Kept | undefined): string => keptTable(kept, ['computed / kept', 'by processor time', 'multiply-adds allow', 'of what they allow', 'numbers', 'MiB an image'], 'prefix-cache', (s) => {
  const [cpu, allowed] = [at(s, 'cpu', 'ratio'), at(s, 'allowed')];
  return [number(at(s, 'wall', 'ratio')), number(cpu), number(allowed), typeof cpu === 'number' && typeof allowed === 'number' ? number(cpu / allowed) : '', s['identical'] === true ? 'identical' : '**differ**', number(s['mibPerImage'], 1)];
});
const manyImages = (kept: Kept | undefined): string => keptTable(kept, ['images', 'steps', 'MB before', 'first step', 'middle', 'end', 'most', 'MB more per 1,000 steps', 'MB of all pixels'], 'many-images', (s) =>
  [String(s['images']), String(s['steps']), ...['before', 'start', 'middle', 'end', 'most'].map((k) => number(at(s, 'rssMB', k), 0)), number(s['slopeMBPer1000Steps']), number(s['allPixelsMB'], 0)]);
const tfjs = (kept: Kept | undefined): string => keptTable(kept, ['backend', 'a step', 'tensors, first and last step', 'bytes, first and last step', 'most bytes', 'where a step goes'], 'tfjs', (s) => [
  String(s['backend']), typeof s['median'] === 'number' ? seconds(s['median']) : '', `${String(at(s, 'first', 'tensors'))}, ${String(at(s, 'last', 'tensors'))}`, `${String(at(s, 'first', 'bytes'))}, ${String(at(s, 'last', 'bytes'))}`, String(s['peakBytes']),
  Object.entries(s['kernels'] as Readonly<Record<string, unknown>> | undefined ?? {}).slice(0, 5).map(([name, k]) => `${name} ${String(at(k, 'milliseconds'))} ms`).join(', '),
]);
const engine = (kept: Kept | undefined): string => keptTable(kept, ['milliseconds of processors', 'peak MB'], 'engine', (s) => [
  Object.entries(s).filter(([, v]) => typeof v === 'object').filter(([k]) => k !== 'peakMB').map(([what, ways]) => `${what}: ${Object.entries(ways as object).map(([way, t]) => `${way} ${String(at(t, 'processorMs'))}`).join(', ')}`).join('<br>'),
  Object.entries(s['peakMB'] as object | undefined ?? {}).map(([way, mb]) => `${way} ${String(mb)}`).join(', '),
]);

/** The page of these results, newest of each kind. */
export function performancePage(results: ReadonlyMap<string, unknown> = newest(), template = readFileSync(join(packageRoot, 'bench/performance.md'), 'utf8')): string {
  const kept = (kind: string): Kept | undefined => results.get(kind) as Kept | undefined, peer = results.get('peer') as Peer | undefined, ours = results.get('ours') as Ours | undefined;
  const tables: Readonly<Record<string, () => string>> = {
    peer: () => peerTable(peer), files: () => filesTable(peer), ours: () => oursTable(ours), scaling: () => scalingTable(ours),
    'prefix-cache': () => prefixCache(kept('prefix-cache')), 'many-images': () => manyImages(kept('many-images')), tfjs: () => tfjs(kept('tfjs')), engine: () => engine(kept('engine')),
  };
  return template.replace(/\{\{([\w-]+)\}\}/g, (_, name: string) => {
    const table = tables[name];
    if (table === undefined) throw new Error(`bench/performance.md asks for a table ${name}; there are ${Object.keys(tables).join(', ')}`);
    return table();
  });
}
