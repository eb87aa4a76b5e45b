// Ours alone, on any machine: `npm run bench -- [--only step,infer,baked,check,scaling] [--axes blocks,tasks,side,batch,parameters] [--cases nano,tiny,unet] [--large]
// [--steps 3] [--threads 2] [--save | --out FILE] [--format json]`. Steps and inference with their memory, files with a task open and baked in, `tpsc check` from
// start to end, and how costs grow. `--save` keeps the figures in bench/results for docs/performance.md. A case is a process of its own (bench/step.ts).
import { parseArgs } from 'node:util';
import { renderTable } from '../runtime/report/table.js';
import { CASES, CHECKED, coldCheck, note, script, subjectFlags, type Baked, type Case, type Said, type Times } from './child.js';
import { keep, origin, type Origin } from './results.js';
import { axes, measureScaling, type Scaling } from './scaling.js';
import { median } from './subject.js';

const { values } = parseArgs({ options: {
  only: { type: 'string', default: 'step,infer,baked,check,scaling' }, axes: { type: 'string', default: axes.join(',') }, cases: { type: 'string' }, large: { type: 'boolean', default: false },
  steps: { type: 'string', default: '3' }, threads: { type: 'string', default: '2' }, save: { type: 'boolean', default: false }, out: { type: 'string' }, format: { type: 'string', default: 'text' },
} });
const list = (text: string): readonly string[] => text.split(','), only = new Set(list(values.only));
const unknown = [...[...only].filter((o) => !['step', 'infer', 'baked', 'check', 'scaling'].includes(o)), ...list(values.axes).filter((a) => !axes.includes(a)), ...list(values.cases ?? 'nano').filter((c) => !CASES.some((k) => k.name === c))];
if (unknown.length > 0) {
  note(`there is no ${unknown.join(', ')}; parts: step, infer, baked, check, scaling; axes: ${axes.join(', ')}; cases: ${CASES.map((c) => c.name).join(', ')}`);
  process.exit(2);
}
const cases = CASES.filter((c) => (values.cases === undefined ? !c.heavy || values.large : list(values.cases).includes(c.name)));

/** One line of the table: medians. `peakBytes` is of a whole process. */
export interface OursRow { readonly key: string; readonly wall: number; readonly processor: number; readonly peakBytes?: number; readonly compile?: number; readonly bytes?: number; readonly detail?: string }
export interface Ours extends Origin { readonly threads: number; readonly rows: readonly OursRow[]; readonly scaling: readonly Scaling[] }

const rows: OursRow[] = [];
function add(key: string, times: Times, more: Omit<OursRow, 'key' | 'wall' | 'processor'> = {}): void {
  rows.push({ key, wall: median(times.steps), processor: median(times.processor), ...more });
  note(`${key}: ${median(times.steps).toFixed(3)} s, of processors ${median(times.processor).toFixed(3)} s`);
}
function measure(c: Case): void {
  for (const work of c.infer ? ['step', 'infer'] : ['step']) {
    if (!only.has(work)) continue;
    const said = script<Said>('step.ts', [...subjectFlags(c, values), '--work', work]);
    add(`${work}.${c.name}`, said, { peakBytes: said.peakBytes, compile: said.compile });
  }
  if (!only.has('baked') || !c.infer) return;
  const { open, baked, othersBytes } = script<Baked>('baked.ts', subjectFlags(c, values));
  if (baked === undefined) return;
  add(`open.${c.name}`, open, { bytes: open.bytes });
  add(`baked.${c.name}`, baked, { bytes: baked.bytes, detail: `tensors of the other tasks: ${(othersBytes / 2 ** 20).toFixed(1)} MiB` });
}

const about = origin();
cases.forEach(measure);
if (only.has('check')) add('check.cold', coldCheck(Number(values.steps)), { detail: CHECKED });
const scaling = only.has('scaling') ? measureScaling(list(values.axes), values.steps) : [];
const result: Ours = { ...about, threads: Number(values.threads), rows, scaling };
if (values.save || values.out !== undefined) note(`kept in ${keep('ours', result, values.out)}`);
if (values.format === 'json') console.log(JSON.stringify(result, null, 1));
else {
  const MiB = (bytes?: number): string => (bytes === undefined ? '' : (bytes / 2 ** 20).toFixed(0)), right = { align: 'right' } as const;
  if (rows.length > 0) process.stdout.write(renderTable([{ title: '' }, { title: 's', ...right }, { title: 's of processors', ...right }, { title: 'peak MiB', ...right }, { title: 'compiling, s', ...right }, { title: 'file MiB', ...right }, { title: '' }],
    rows.map((r) => [r.key, r.wall.toFixed(3), r.processor.toFixed(3), MiB(r.peakBytes), r.compile?.toFixed(1) ?? '', r.bytes === undefined ? '' : (r.bytes / 2 ** 20).toFixed(1), r.detail ?? ''])));
  if (scaling.length > 0) process.stdout.write(`\nGrowth: the power of each size\n${renderTable([{ title: 'size' }, ...['macs', 'parameters', 'nodes', 'step', 'memory', 'compile'].map((title) => ({ title, ...right })), { title: 'faster than what there is to do' }],
    scaling.map(({ axis, growth: g, faster }) => [axis, ...[g.macs, g.parameters, g.nodes, g.step, g.memory, g.compile].map((p) => p.toFixed(2)), faster.join(', ')]))}`);
}
