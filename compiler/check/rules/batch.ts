// Statistics over the batch: a network that reads the task runs a mixed batch as one group a task, so they would be another's.
import type { Range } from '../../../grammar/ast.js';
import type { Module } from '../../resolve/modules.js';
import type { Node } from '../../ir/graph.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { Elaboration } from '../model.js';
import { reach } from './reach.js';

const REDUCTIONS: ReadonlySet<string> = new Set(['sum', 'mean', 'max', 'min', 'normalize', 'softmax', 'cumsum']);

/** Whether a node mixes values of several images: it reduces over, or contracts, an axis whose size depends on the batch. */
function mixesBatch(builder: GraphBuilder, node: Node): boolean {
  const [x] = node.inputs;
  if (node.op === 'matmul' && x !== undefined) return typeof builder.type(x).shape.at(node.attrs['transpose_a'] === true ? -2 : -1) === 'object';
  if (!REDUCTIONS.has(node.op) || x === undefined) return false;
  const { shape } = builder.type(x);
  const { axes, axis } = node.attrs;
  const along = Array.isArray(axes) ? axes as readonly number[] : typeof axis === 'number' ? [axis] : [];
  return along.some((a) => typeof shape[a < 0 ? a + shape.length : a] === 'object');
}

/** Reads of the task: the leaf `t`, or a tensor of the task at hand. */
export const readsTask = (node: Node): boolean =>
  (node.op === 'input' && node.attrs['name'] === 't') || ((node.op === 'param' || node.op === 'state') && String(node.attrs['path']).includes('{task}'));

export function checkBatch(module: Module, train: Elaboration, trainRange: Range): void {
  const { ctx, config } = train;
  if (config === undefined || train.loss === undefined) return;
  const forward = [...reach(ctx.builder, [train.loss])].map((id) => ctx.builder.node(id));
  const mixing = forward.find((n) => mixesBatch(ctx.builder, n));
  const shared = ctx.updates.find((u) => !u.path.includes('{task}'));
  const place = mixing !== undefined ? ctx.places.get(mixing.path) ?? mixing.range : shared === undefined ? undefined : ctx.tensors.get(shared.path)?.range;
  if (place === undefined) return;
  if (forward.some(readsTask) && !config.oneTaskPerBatch) ctx.report('TPS4012', place, module, { sampler: config.sampler.kind });
  else if (mixing !== undefined && !config.dropLast) ctx.report('TPS7008', trainRange, module, {});
}
