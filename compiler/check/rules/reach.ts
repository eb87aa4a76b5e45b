// Faults that would be silent: parameters that no loss reaches, states and gates that nothing reads.
import type { Module } from '../../resolve/modules.js';
import type { GraphBuilder } from '../../ir/builder.js';
import type { NodeId } from '../../ir/graph.js';
import { isOp, opOf } from '../../ops/index.js';
import type { TensorEntry } from '../context.js';
import type { Elaboration } from '../model.js';

/** All nodes that these read, themselves included; only through ops that pass `through`. */
export function reach(builder: GraphBuilder, roots: readonly NodeId[], through: (op: string) => boolean = () => true): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const open = roots.filter((id) => builder.nodes.has(id));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const node = builder.node(id);
    if (through(node.op)) open.push(...node.inputs);
  }
  return seen;
}

/** A gradient goes through an op that has a column for it. */
const passesGradient = (op: string): boolean => !isOp(op) || opOf(op).gradient !== undefined;

export function checkReach(module: Module, infer: Elaboration, train: Elaboration): void {
  const { ctx } = train;
  const readInTraining = reach(ctx.builder, train.roots);
  const readInInference = reach(infer.ctx.builder, infer.roots);
  const readWhole = new Set([...readInTraining].flatMap((id) => { const node = ctx.builder.node(id); return node.op === 'every_task' ? [node.attrs['path']] : []; }));
  if (train.config !== undefined || train.lossRoots.length > 0) {
    const trained = reach(ctx.builder, train.lossRoots, passesGradient);
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
    if (readInTraining.has(entry.id) || readWhole.has(path) || (other !== undefined && readInInference.has(other.id))) continue;
    if (ctx.doubtfulNames.includes(entry.name)) continue;
    ctx.report('TPS7002', entry.range, module, { role: entry.role, name: entry.name });
  }
  for (const gate of ctx.gates) {
    if (!readInTraining.has(gate.id) && !ctx.doubtfulNames.includes(gate.name)) ctx.report('TPS7003', gate.range, module, { name: gate.name });
  }
}
