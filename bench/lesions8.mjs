// The table of docs/results.md: tpseg-nano, its variants and UNet on real lesions under one budget of wall time, beside both trivial answers.
// node bench/lesions8.mjs DATA --out DIR [--minutes 15] [--tasks BT,ADC,…] [--seed 0] [--rows main,unet] [--pretrain EPOCHS]
// A row's epochs are chosen by a short probe so that its schedule ends within the budget, and it is stopped there if it does not.
// Rows run two at a time with one thread each, so that none has a machine to itself. Needs `npm run build`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { each, readJson as read, root, tpsc } from './command.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  out: { type: 'string', default: 'runs/lesions8' }, minutes: { type: 'string', default: '15' }, seed: { type: 'string', default: '0' },
  tasks: { type: 'string', default: 'BT,ADC,TN,CP,LI,BL,SL' }, rows: { type: 'string' }, pretrain: { type: 'string', default: '36' },
} });
const [data] = positionals;
if (data === undefined) throw new Error('name the data folder');
const minutes = Number(values.minutes), out = values.out;
mkdirSync(out, { recursive: true });

const nano = join(root, 'models/tpseg-nano.tps');
const ROWS = [
  { name: 'main', label: 'tpseg-nano', spec: nano, block: 'main', weights: true },
  { name: 'no_adapters', label: 'without adapters', spec: `${nano}#no_adapters`, weights: true },
  { name: 'no_prototypes', label: 'without prototypes', spec: `${nano}#no_prototypes`, weights: true },
  { name: 'unet', label: 'UNet', spec: join(root, 'models/unet.tps') },
].filter((r) => values.rows === undefined || values.rows.split(',').includes(r.name));

const common = ['--data', data, '--seed', values.seed, '--tasks', values.tasks, '--threads', '1'];

const pretrain = join(out, 'pretrain');
if (ROWS.some((r) => r.weights === true) && !existsSync(join(pretrain, 'summary.json'))) await tpsc(['train', nano, '--block', 'pretrain', '--out', pretrain, '--epochs', values.pretrain, ...common]);

async function row(r) {
  const run = join(out, r.name);
  const how = [r.spec, ...(r.block === undefined ? [] : ['--block', r.block]), ...(r.weights === true ? ['--weights', pretrain] : []), ...common];
  if (!existsSync(join(run, 'summary.json'))) {
    // a short probe says how many epochs the budget holds: the schedule then ends where the budget does
    const probe = join(out, `${r.name}-probe`);
    await tpsc(['train', ...how, '--out', probe, '--max-steps', r.name === 'unet' ? '6' : '40']);
    const { seconds, steps: done } = timing(probe);
    const stepsPerEpoch = Math.floor(trainImages() / 8);
    const epochs = Math.max(1, Math.floor((0.95 * minutes * 60 * done) / seconds / stepsPerEpoch));
    await tpsc(['train', ...how, '--out', run, '--epochs', String(epochs)], minutes * 60);
  }
  const checkpoint = existsSync(join(run, 'checkpoints/best.json')) ? 'best' : 'last';
  const scores = JSON.parse(await tpsc(['eval', run, '--data', data, '--checkpoint', checkpoint, '--format', 'json']));
  return { ...r, checkpoint, scores, ...timing(run) };
}
function timing(run) {
  const { seconds, steps, epochs, imagesSeen } = read(join(run, 'summary.json'));
  return { seconds, steps, epochs, images: imagesSeen, hash: read(join(run, 'run.json')).hash };
}
/** Training images of the kept tasks, by the manifest's split. */
function trainImages() {
  const folders = new Map([...readFileSync(nano, 'utf8').matchAll(/^\s*(\w+) ".*folder: "(\w+)"/gm)].map(([, code, folder]) => [folder, code]));
  const [header, ...lines] = readFileSync(join(data, 'manifest.csv'), 'utf8').trim().split(/\r?\n/);
  const split = header.split(',').indexOf('split');
  return lines.filter((l) => values.tasks.split(',').includes(folders.get(l.split(',')[0])) && l.split(',').at(split - header.split(',').length) === 'train').length;
}

const results = [];
await each(ROWS, 2, async (r) => { results.push(await row(r)); });
results.sort((a, b) => ROWS.findIndex((r) => r.name === a.name) - ROWS.findIndex((r) => r.name === b.name));

const any = join(out, ROWS[0].name);
for (const baseline of ['mean-mask', 'foreground']) {
  results.push({ label: baseline, scores: JSON.parse(await tpsc(['eval', any, '--data', data, '--baseline', baseline, '--format', 'json'])) });
}
const codes = Object.keys(results[0].scores.perTask);
const cell = (s) => `${(100 * s.dice).toFixed(1)} / ${(100 * s.miou).toFixed(1)}`;
const table = [
  `| Dice / mIoU, % | ${codes.join(' | ')} | mean | images seen | minutes |`, `|---|${'---|'.repeat(codes.length + 3)}`,
  ...results.map((r) => `| ${r.label} | ${codes.map((c) => cell(r.scores.perTask[c])).join(' | ')} | ${cell(r.scores.average)} | ${r.images ?? ''} | ${r.seconds === undefined ? '' : (r.seconds / 60).toFixed(1)} |`),
].join('\n');
writeFileSync(join(out, 'table.md'), `${table}\n`);
writeFileSync(join(out, 'table.json'), `${JSON.stringify(results, null, 1)}\n`);
console.log(table);
