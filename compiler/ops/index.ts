// The closed list of ops. Only a list: what an op is stands in its own file.
import type { OpDef } from './op.js';

export const ops: readonly OpDef[] = [];

const byName: ReadonlyMap<string, OpDef> = new Map(ops.map((op) => [op.name, op]));

export const isOp = (name: string): boolean => byName.has(name);
export function opOf(name: string): OpDef {
  const op = byName.get(name);
  if (op === undefined) throw new Error(`no op is called ${name}`);
  return op;
}
