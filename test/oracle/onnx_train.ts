// examples/train_onnxruntime.py beside `tpsc train`: the same weights and the same batches must give the same losses.
//   npx tsx test/oracle/onnx_train.ts SPEC DATA --python PATH [--block NAME] [--weights W] [--tasks BT,…] [--steps 8]
// Trains with the command, writes the batches of its data order as .npy, runs the example on them and compares its losses and tensors with those of the run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRunProgram } from '../../cli/trained.js';
import { run } from '../../cli/run.js';
import { taskCodes } from '../../compiler/program.js';
import { makeCache, scanDataset, taskFolders, foldersIn, trainBatches } from '../../runtime/data/index.js';
import { readSafetensors } from '../../runtime/state/safetensors.js';
import { imageInput } from '../../runtime/train/image-input.js';

const { values, positionals: [spec, data] } = parseArgs({ allowPositionals: true, options: {
  python: { type: 'string', default: 'python3' }, block: { type: 'string' }, weights: { type: 'string', default: 'random' }, tasks: { type: 'string' }, steps: { type: 'string', default: '8' },
} });
if (spec === undefined || data === undefined) throw new Error('give a spec and a data folder');
const steps = Number(values.steps), folder = mkdtempSync(join(tmpdir(), 'tpsc-onnx-train-'));
const at = (name: string): string => join(folder, name);
const chosen = [...(values.block === undefined ? [] : ['--block', values.block]), ...(values.tasks === undefined ? [] : ['--tasks', values.tasks])];
async function tpsc(...argv: string[]): Promise<void> { if (await run(argv) !== 0) throw new Error(`tpsc ${argv.join(' ')} failed`); }

const npy = (descr: string, shape: readonly number[], data: Float32Array | BigInt64Array): Uint8Array => {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((d) => `${d},`).join('')}), }`;
  const header = `${text}${' '.repeat((64 - ((10 + text.length + 1) % 64)) % 64)}\n`, length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header, 'latin1'), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]);
};

try {
  await tpsc('compile', spec, '--target', 'onnx-train', '--weights', values.weights, '--out', at('steps'), ...chosen);
  await tpsc('train', spec, '--data', data, '--weights', at('steps/tensors.safetensors'), '--max-steps', values.steps, '--threads', '1', '--out', at('run'), ...chosen);
  const { program } = openRunProgram(at('run')), { training } = program;
  if (training === undefined) throw new Error('a run has a train block');
  const { height, width } = imageInput(program), codes = taskCodes(program);
  const dataset = await scanDataset(data, program.tasks === undefined ? await foldersIn(data) : await taskFolders(data, program.tasks.rows));
  const batches = trainBatches(dataset, 'train', {
    batch: training.batch, sampler: training.sampler.kind, augment: training.augment, size: { height, width }, oneTaskPerBatch: training.oneTaskPerBatch,
    dropLast: training.dropLast, seed: 0, cache: makeCache({ bytes: 0 }), ...(codes.length > 0 ? { codes } : {}),
  });
  mkdirSync(at('batches'));
  let k = 0;
  for (let epoch = 0; k < steps; epoch++) for await (const batch of batches.epoch(epoch)) {
    if (k >= steps) break;
    const stem = join(at('batches'), String(k++).padStart(6, '0'));
    for (const name of ['image', 'truth'] as const) writeFileSync(`${stem}.${name}.npy`, npy('<f4', batch[name].shape, batch[name].data as Float32Array));
    if (program.readsTask) writeFileSync(`${stem}.tasks.npy`, npy('<i8', [batch.tasks.length], BigInt64Array.from(batch.tasks, BigInt)));
  }
  const printed = execFileSync(values.python, ['examples/train_onnxruntime.py', at('steps'), '--batches', at('batches'), '--steps', values.steps,
    '--steps-per-epoch', String(batches.stepsPerEpoch), '--threads', '1', '--save', at('theirs.safetensors')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  interface Step { readonly step: number; readonly loss: number; readonly lr: number }
  const lines = (text: string): Step[] => text.trim().split('\n').map((l) => JSON.parse(l) as Step & { readonly kind?: string }).filter((l) => l.kind === undefined || l.kind === 'step');
  const ours = lines(readFileSync(join(at('run'), 'metrics.jsonl'), 'utf8')), theirs = lines(printed);
  let worst = ours.length === theirs.length && ours.length === steps ? 0 : Infinity;
  for (const [i, a] of ours.entries()) {
    const b = theirs[i], off = Math.abs(a.loss - (b?.loss ?? NaN)) / Math.abs(a.loss);
    worst = Math.max(worst, Number.isNaN(off) ? Infinity : off);
    process.stdout.write(`step ${a.step}: tpsc ${a.loss.toFixed(6)}, Python ${b?.loss.toFixed(6) ?? 'nothing'}; learning rates ${a.lr === b?.lr ? 'equal' : 'differ'}\n`);
  }
  const last = readFileSync(join(at('run/checkpoints'), 'last.json'), 'utf8'), file = /"tensors":\s*"([^"]+)"/.exec(last)?.[1] ?? 'last.safetensors';
  const [mine, python] = [readSafetensors(join(at('run/checkpoints'), file)).tensors, readSafetensors(at('theirs.safetensors')).tensors];
  let apart = 0, scale = 0;
  for (const [name, { data: right }] of python) for (const [i, v] of (right as Float32Array).entries()) {
    const own = (mine.get(name)?.data as Float32Array | undefined)?.[i] ?? NaN;
    apart += (own - v) ** 2;
    scale += v ** 2;
  }
  process.stdout.write(`largest relative difference of a loss ${worst.toExponential(1)}; tensors after ${steps} steps ||a - b|| / ||b|| = ${Math.sqrt(apart / scale).toExponential(1)}\n`);
  process.exitCode = worst < 1e-3 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
