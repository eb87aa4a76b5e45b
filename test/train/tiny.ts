// A model small enough to train in milliseconds, made by hand: a shared 1x1 convolution, dropout, a head per task, a prototype per task
// with an EMA, a temperature. And pictures to train it on.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { GraphBuilder } from '../../compiler/ir/builder.js';
import { symbol } from '../../compiler/ir/dim.js';
import type { Graph, NodeId } from '../../compiler/ir/graph.js';
import { ndarray } from '../../compiler/ir/ndarray.js';
import type { Init, OptimizerConfig, Program, Schedule, TensorInfo, TrainConfig } from '../../compiler/program.js';
import { scanDataset, type Dataset } from '../../runtime/data/index.js';
import { streamOf } from '../../runtime/random.js';

export const SIZE = 8, CHANNELS = 4, TASKS = ['AA', 'BB', 'CC'];
const B = symbol('B');

export const constantSchedule = (name: string, from: number): Schedule => ({ name, kind: 'constant', from, to: from, over: 'epochs' });
export const adam = (lr: Schedule): OptimizerConfig => ({ kind: 'adam', lr, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, momentum: 0 });

export const tinyTraining: TrainConfig = {
  name: 'main', epochs: 3, batch: 4, optimizer: adam({ name: 'lr', kind: 'cosine', from: 0.05, to: 0.001, over: 'steps', warmup: 2 }), clip: 1,
  sampler: { kind: 'inverse_frequency' }, oneTaskPerBatch: false, dropLast: false,
  augment: [{ kind: 'resize', height: SIZE, width: SIZE }, { kind: 'flip', horizontal: 0.5, vertical: 0.5 }, { kind: 'normalize', mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] }],
  validate: { every: 1, keep: 'dice' }, threshold: 0.5,
};

export interface TinyOptions {
  /** The head and the prototype belong to a task. Without, the graph does not read it. */
  readonly perTask?: boolean;
  /** The convolution's weight is frozen. */
  readonly frozen?: boolean;
  readonly rate?: number;
  readonly training?: Partial<TrainConfig>;
}

const info = (path: string, shape: readonly number[], init: Init, more: Partial<TensorInfo> = {}): TensorInfo =>
  ({ path, kind: 'param', shape, perTask: false, frozen: false, init, ...more });

export function tinyProgram({ perTask = true, frozen = false, rate = 0.25, training = {} }: TinyOptions = {}): Program {
  const own = perTask ? '.{task}' : '';
  const tensors: readonly TensorInfo[] = [
    info('stem.weight', [CHANNELS, 3, 1, 1], { kind: 'normal', mean: 0, std: 0.5 }, { frozen }),
    info('stem.bias', [CHANNELS], { kind: 'constant', value: 0.1 }),
    info(`head${own}.weight`, [1, CHANNELS, 1, 1], { kind: 'uniform', low: -0.5, high: 0.5 }, { perTask }),
    info(`proto${own}`, [1, CHANNELS, 1, 1], protoInit(perTask), { kind: 'state', perTask }),
  ];
  const training_ = { ...tinyTraining, ...training };
  const evaluate = forward(own, 0, true), hash = createHash('sha256').update(JSON.stringify([perTask, frozen, rate, training_])).digest('hex');
  return {
    name: 'Tiny', file: 'tiny.tps', settings: {}, tensors, readsTask: perTask, hash, resolved: 'edition 1\n', training: training_,
    tasks: { name: 'kinds', rows: TASKS.map((code) => ({ code, label: code, record: { folder: code.toLowerCase() } })) },
    inputs: [{ name: 'image', type: { dtype: 'f32', shape: [B, 3, SIZE, SIZE] } }],
    schedules: [{ name: 'temperature', kind: 'linear', from: 1, to: 0.5, over: 'epochs' }],
    infer: forward(own, 0, false), evaluate, train: forward(own, rate, true), declared: evaluate,
  };
}

/** A prototype begins as 0.1 · table[t] with a table that is drawn and dropped. */
function protoInit(perTask: boolean): Init {
  const b = new GraphBuilder();
  const table = b.leaf('param', { path: 'proto.table' }, { dtype: 'f32', shape: [TASKS.length, CHANNELS] });
  const t = perTask ? b.leaf('input', { name: 't' }, { dtype: 'i64', shape: [] }) : b.constant(ndarray([], [0]), 'i64');
  const row = b.add('gather', [table, t], { axis: 0 });
  return { kind: 'graph', graph: b.finish([{ name: 'value', id: b.scale(b.reshape(row, [1, CHANNELS, 1, 1]), 0.1) }]), params: [info('proto.table', [TASKS.length, CHANNELS], { kind: 'normal', mean: 0, std: 1 })] };
}

function forward(own: string, rate: number, withLoss: boolean): Graph {
  const b = new GraphBuilder();
  const param = (path: string, shape: readonly number[], op = 'param'): NodeId => b.leaf(op, { path }, { dtype: 'f32', shape });
  const image = b.leaf('input', { name: 'image' }, { dtype: 'f32', shape: [B, 3, SIZE, SIZE] });
  const proto = param(`proto${own}`, [1, CHANNELS, 1, 1], 'state');
  const f = b.add('tanh', [b.add('conv2d', [image, param('stem.weight', [CHANNELS, 3, 1, 1]), param('stem.bias', [CHANNELS])])]);
  const dropped = rate === 0 ? f : b.mul(f, b.leaf('drop', { path: 'drop', rate }, { dtype: 'f32', shape: [B, CHANNELS, SIZE, SIZE] }));
  const x = b.add('conv2d', [b.addition(dropped, proto), param(`head${own}.weight`, [1, CHANNELS, 1, 1])]);
  const logits = b.div(x, b.leaf('schedule', { name: 'temperature' }, { dtype: 'f32', shape: [] }));
  if (!withLoss) return b.finish([{ name: 'logits', id: logits }]);
  const truth = b.leaf('input', { name: 'truth' }, { dtype: 'f32', shape: [B, 1, SIZE, SIZE] });
  const loss = b.reshape(b.mean(b.sub(b.add('softplus', [logits]), b.mul(logits, truth)), [1, 2, 3]), [B]);
  const ema = b.addition(b.scale(proto, 0.9), b.scale(b.mean(f, [0, 2, 3]), 0.1));
  return b.finish([{ name: 'logits', id: logits }, { name: 'loss', id: loss }, ...(rate === 0 ? [] : [{ name: `state:proto${own}`, id: ema }])]);
}

/** Eight pictures a task (2 of them for validation): a bright square on noise; each task has its colour. */
export async function tinyData(root: string): Promise<Dataset> {
  const rows = ['task,file,mask,group,split'], area = SIZE * SIZE;
  for (const [task, code] of TASKS.entries()) {
    const folder = code.toLowerCase();
    for (const kind of ['images', 'masks']) mkdirSync(join(root, folder, kind), { recursive: true });
    for (let k = 0; k < 8 - task; k++) {
      const stream = streamOf(k, code), image = new Uint8Array(area * 3), mask = new Uint8Array(area), left = stream.int(4), top = stream.int(4);
      for (let i = 0; i < area; i++) {
        const inside = i % SIZE >= left && i % SIZE < left + 4 && Math.floor(i / SIZE) >= top && Math.floor(i / SIZE) < top + 4;
        mask[i] = inside ? 255 : 0;
        for (let c = 0; c < 3; c++) image[i * 3 + c] = stream.int(80) + (inside && c === task ? 150 : 0);
      }
      await sharp(image, { raw: { width: SIZE, height: SIZE, channels: 3 } }).png().toFile(join(root, folder, 'images', `p${k}.png`));
      await sharp(mask, { raw: { width: SIZE, height: SIZE, channels: 1 } }).toColourspace('b-w').png().toFile(join(root, folder, 'masks', `p${k}.png`));
      rows.push(`${folder},${folder}/images/p${k}.png,${folder}/masks/p${k}.png,${code}${k},${k < 6 - task ? 'train' : 'val'}`);
    }
  }
  writeFileSync(join(root, 'manifest.csv'), `${rows.join('\n')}\n`);
  return tinyScan(root);
}

export const tinyScan = (root: string): Promise<Dataset> => scanDataset(root, TASKS.map((code) => ({ code, folder: code.toLowerCase() })));
