// Faults that would be silent: parameters that no loss reaches, states and gates that nothing reads, truth in what the model returns.
import type { Range } from '../../../grammar/ast.js';
import type { Module } from '../../resolve/modules.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { NodeId } from '../../ir/graph.js';
import type { TensorEntry } from '../context.js';
import type { Elaboration } from '../model.js';

/** All nodes that these read, themselves included. */
export function reach(builder: GraphBuilder, roots: readonly NodeId[]): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const open = roots.filter((id) => builder.nodes.has(id));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...builder.node(id).inputs);
  }
  return seen;
}

export function checkReach(module: Module, infer: Elaboration, train: Elaboration): void {
  const { ctx } = train;
  const readInTraining = reach(ctx.builder, train.roots);
  const readInInference = reach(infer.ctx.builder, infer.roots);
  if (train.config !== undefined || train.lossRoots.length > 0) {
    const trained = reach(ctx.builder, train.lossRoots);
    const byPlace = new Map<number, TensorEntry[]>();
    for (const entry of ctx.tensors.values()) {
      if (entry.info.kind !== 'param' || entry.info.frozen || trained.has(entry.id)) continue;
      byPlace.set(entry.range.start.offset, [...(byPlace.get(entry.range.start.offset) ?? []), entry]);
    }
    for (const entries of byPlace.values()) {
      const [first] = entries;
      if (first === undefined) continue;
      const what = entries.length === 1 ? `\`${first.info.path}\`` : `${entries.length} parameters, the first \`${first.info.path}\``;
      ctx.report('TPS7001', first.range, module, { what });
    }
  }
  for (const [path, entry] of ctx.tensors) {
    if (entry.info.kind !== 'state') continue;
    const other = infer.ctx.tensors.get(path);
    if (readInTraining.has(entry.id) || (other !== undefined && readInInference.has(other.id))) continue;
    if (ctx.doubtfulNames.includes(entry.name)) continue;
    ctx.report('TPS7002', entry.range, module, { role: entry.role, name: entry.name });
  }
  for (const gate of ctx.gates) {
    if (!readInTraining.has(gate.id) && !ctx.doubtfulNames.includes(gate.name)) ctx.report('TPS7003', gate.range, module, { name: gate.name });
  }
}

/** No result of the model may depend on the ground truth. */
export function checkTruth(module: Module, infer: Elaboration, place: Range): void {
  if (infer.truth !== undefined && reach(infer.ctx.builder, infer.outputs.map((o) => o.id)).has(infer.truth)) infer.ctx.report('TPS4007', place, module, {});
}
