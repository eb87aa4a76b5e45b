// What names a program: all that can change a number, and nothing else. The hash is of this text; a diff compares the same parts.
import { printGraph } from './ir/print.js';
import type { Init, Program, TensorInfo, TrainConfig } from './program.js';

export type Identified = Pick<Program, 'infer' | 'train' | 'tensors' | 'schedules' | 'training' | 'tasks'>;

export const identityText = (p: Identified): string => [
  printGraph(p.infer, { canonical: true }), p.train === undefined ? '' : printGraph(p.train, { canonical: true }),
  JSON.stringify(p.tensors.map(tensorIdentity)), JSON.stringify(p.schedules), JSON.stringify(configIdentity(p.training)), JSON.stringify(p.tasks?.rows.map((r) => r.code) ?? []),
].join('\n');

/** What of a training block can change a number: not what it is called. */
export const configIdentity = (config: TrainConfig | undefined): object | null => (config === undefined ? null : { ...config, name: undefined, label: undefined });

/** What of a tensor can change a number: not what a report calls it, nor which declaration of weights its encoder names. */
export const tensorIdentity = (t: TensorInfo): object => ({ ...t, weights: undefined, role: undefined, init: initIdentity(t.init) });
export function initIdentity(init: Init): object {
  if (init.kind === 'graph') return { kind: 'graph', graph: printGraph(init.graph, { canonical: true }), params: init.params.map(tensorIdentity) };
  return init.kind === 'values' ? { kind: 'values', shape: init.value.shape, data: [...init.value.data] } : init;
}
