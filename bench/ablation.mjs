// The second table of docs/results.md: blocks A and B of Table 3 at nano size on real lesions, from one pretraining, every row the same number of
// epochs, several seeds.
// node bench/ablation.mjs DATA --out DIR [--pretrain RUN] [--rows A1,…] [--seeds 3] [--epochs 12] [--tasks BT,ADC,…] [--jobs 2]
// A run that is done is not run again. Seeds pair: rows share the order of data. Needs `npm run build`.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { each, readJson, root, tpsc } from './command.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  out: { type: 'string', default: 'runs/ablation' }, pretrain: { type: 'string' }, rows: { type: 'string', default: 'A1,A2,A3,A4,B1,B2,B3,B4' },
  seeds: { type: 'string', default: '3' }, epochs: { type: 'string', default: '12' }, tasks: { type: 'string', default: 'BT,ADC,TN,CP,LI,BL,SL' }, jobs: { type: 'string', default: '2' },
} });
const [data] = positionals;
if (data === undefined) throw new Error('name the data folder');
const { out } = values, spec = join(root, 'models/tpseg-nano.tps'), rows = values.rows.split(','), seeds = [...Array(Number(values.seeds)).keys()];
mkdirSync(out, { recursive: true });
const common = ['--data', data, '--tasks', values.tasks, '--threads', '1'];

const pretrain = values.pretrain ?? join(out, 'pretrain');
if (!existsSync(join(pretrain, 'summary.json'))) await tpsc(['train', spec, '--block', 'pretrain', '--out', pretrain, '--epochs', '36', '--seed', '0', ...common]);

const directory = (row, seed) => join(out, `${row}-${seed}`);
// seed by seed, so that whatever is done when it is stopped is a whole table
await each(seeds.flatMap((seed) => rows.map((row) => [row, seed])), Number(values.jobs), async ([row, seed]) => {
  const run = directory(row, seed);
  if (!existsSync(join(run, 'summary.json'))) {
    await tpsc(['train', `${spec}#${row}`, '--weights', pretrain, '--out', run, '--epochs', values.epochs, '--seed', String(seed), ...common, ...(existsSync(run) ? ['--resume'] : [])]);
  }
  if (!existsSync(join(run, 'scores.json'))) {
    writeFileSync(join(run, 'scores.json'), await tpsc(['eval', run, '--data', data, '--checkpoint', 'last', '--threads', '1', '--format', 'json']));
  }
});

/** Mean and sample deviation. */
function moments(xs) {
  const mean = xs.reduce((a, b) => a + b, 0) / xs.length;
  return { mean, deviation: Math.sqrt(xs.reduce((a, x) => a + (x - mean) ** 2, 0) / (xs.length - 1)) };
}
const percent = (xs) => { const { mean, deviation } = moments(xs); return `${(100 * mean).toFixed(1)} ± ${(100 * deviation).toFixed(1)}`; };
const results = rows.map((row) => ({ row, runs: seeds.map((seed) => ({ seed, scores: readJson(join(directory(row, seed), 'scores.json')), summary: readJson(join(directory(row, seed), 'summary.json')) })) }));
const codes = Object.keys(results[0].runs[0].scores.perTask);
const table = [
  `| Dice, % | ${codes.join(' | ')} | mean Dice | mean mIoU | minutes |`, `|---|${'---|'.repeat(codes.length + 3)}`,
  ...results.map(({ row, runs }) => `| ${[
    row, ...codes.map((c) => percent(runs.map((r) => r.scores.perTask[c].dice))), percent(runs.map((r) => r.scores.average.dice)), percent(runs.map((r) => r.scores.average.miou)),
    moments(runs.map((r) => r.summary.seconds / 60)).mean.toFixed(1),
  ].join(' | ')} |`),
].join('\n');
writeFileSync(join(out, 'table.md'), `${table}\n`);
writeFileSync(join(out, 'table.json'), `${JSON.stringify(results, null, 1)}\n`);
console.log(table);
