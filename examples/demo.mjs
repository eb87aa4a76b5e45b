// `npm run demo`: the whole way of a network, by the commands that a user would type: data, check, training in two blocks, evaluation,
// prediction, export. Ends with exit code 1 where the network is not as good as the README says.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const OUT = 'demo-out';
const SPEC = 'models/tpseg-nano.tps';
const DATA = join(OUT, 'phantom');
const PRETRAIN = join(OUT, 'pretrain');
const RUN = join(OUT, 'main');
const ONNX = join(OUT, 'tpseg-nano.onnx');
const PREDICTIONS = join(OUT, 'predictions');
/** Two tasks that share their pictures: only the task id says what is to be segmented. */
const SWAPPED = 'TN=BL,BL=TN';
const LEAST = { dice: 0.8, lostByWrongTask: 0.3 };

const began = Date.now();
const minutes = () => `${((Date.now() - began) / 60000).toFixed(1)} min`;

/** Runs a command as a user would, shows it, and ends the demo where it fails. */
function tpsc(args, { quiet = false } = {}) {
  console.log(`\n$ tpsc ${args.join(' ')}`);
  const result = spawnSync(process.execPath, ['dist/cli/main.js', ...args], { stdio: ['ignore', quiet ? 'pipe' : 'inherit', 'inherit'], encoding: 'utf8' });
  if (result.status !== 0) {
    console.error(`\nthe demo stops: tpsc ${args[0]} ended with exit code ${result.status ?? result.signal}`);
    process.exit(1);
  }
  return result.stdout;
}
const scores = (...flags) => JSON.parse(tpsc(['eval', RUN, '--data', DATA, '--format', 'json', ...flags], { quiet: true }));

for (const path of [PRETRAIN, RUN, PREDICTIONS, ONNX]) rmSync(path, { recursive: true, force: true });

tpsc(['data', 'phantom', '--out', DATA, '--seed', '1', '--size', '128']);
tpsc(['data', 'check', DATA]);
tpsc(['check', SPEC]);
tpsc(['inspect', SPEC, '--depth', '1']);
tpsc(['train', SPEC, '--block', 'pretrain', '--data', DATA, '--out', PRETRAIN]);
tpsc(['train', SPEC, '--block', 'main', '--weights', PRETRAIN, '--data', DATA, '--out', RUN]);
tpsc(['eval', RUN, '--data', DATA]);

const model = scores();
const trivial = { 'mean-mask': scores('--baseline', 'mean-mask'), foreground: scores('--baseline', 'foreground') };
const swapped = scores('--bind-as', SWAPPED);

const tasks = Object.keys(model.perTask);
const images = tasks.map((task) => {
  const [first] = readFileSync(join(DATA, 'manifest.csv'), 'utf8').split('\n').slice(1).map((line) => line.split(','))
    .filter(([folder, , , , split]) => split === 'val' && taskOf(folder) === task);
  return join(DATA, first[1]);
});
/** The task of a folder, as the spec says it. */
function taskOf(folder) {
  return new RegExp(`^\\s*(\\w+) ".*folder: "${folder}"`, 'm').exec(readFileSync(SPEC, 'utf8'))?.[1];
}
tasks.forEach((task, i) => tpsc(['predict', RUN, '--task', task, '--input', images[i], '--out', join(PREDICTIONS, task)]));
tpsc(['compile', RUN, '--target', 'onnx', '--out', ONNX, '--verify', ...images]);

const failures = [];
console.log(`\nAverage validation Dice over ${tasks.length} tasks: ${model.average.dice.toFixed(3)} (at least ${LEAST.dice.toFixed(2)})`);
if (!(model.average.dice >= LEAST.dice)) failures.push(`the average Dice is ${model.average.dice.toFixed(3)}`);
for (const [name, answer] of Object.entries(trivial)) {
  for (const task of tasks) {
    if (!(model.perTask[task].dice > answer.perTask[task].dice)) failures.push(`${name} is as good on ${task}: ${answer.perTask[task].dice.toFixed(3)}, the network ${model.perTask[task].dice.toFixed(3)}`);
  }
}
for (const task of SWAPPED.split(',').map((pair) => pair.split('=')[0])) {
  const [right, wrong] = [model.perTask[task].dice, swapped.perTask[task].dice];
  console.log(`${task} under the wrong task id: Dice ${right.toFixed(3)} -> ${wrong.toFixed(3)}`);
  if (!(right - wrong >= LEAST.lostByWrongTask)) failures.push(`the wrong task id costs ${task} only ${(right - wrong).toFixed(3)}`);
}

console.log(`
${DATA}          the pictures
${RUN}             the run: spec.tps, metrics.jsonl, checkpoints/, eval/
${PREDICTIONS}      ${tasks.map((task) => `${task}/${readdirSync(join(PREDICTIONS, task)).find((name) => name.endsWith('_overlay.png'))}`)[0]}, …
${ONNX}  the network for any ONNX runtime
${minutes()}`);
if (failures.length > 0) {
  console.error(`\nNot as good as it should be:\n${failures.map((f) => `  ${f}`).join('\n')}`);
  process.exit(1);
}
