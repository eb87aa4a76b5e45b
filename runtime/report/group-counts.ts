// Parts of a network by paths, each counted in every way that a study can ask for. Counts only; what was published is not here.
import { elements } from '../../compiler/elements.js';
import { areStepsAtOrBelow } from '../../compiler/paths.js';
import type { Program } from '../../compiler/program.js';
import { taskCodes } from '../../compiler/program.js';
import type { CountName } from '../../compiler/study.js';
import { nodeCosts } from './counts.js';

export type Counts = Readonly<Record<CountName, number>>;

interface Item { readonly path: readonly string[]; readonly parameters: number; readonly trainable: number; readonly buffers: number; readonly macs: number; readonly weightMacs: number }

/** Counts the parts of one program; reads its graph once. */
export class GroupCounter {
  private readonly items: readonly Item[];
  constructor(program: Program) {
    const tasks = taskCodes(program);
    const none = { parameters: 0, trainable: 0, buffers: 0, macs: 0, weightMacs: 0 };
    const tensors = program.tensors.map((t): Item => {
      const n = elements(t, tasks);
      return { ...none, path: t.path.split('.'), ...(t.kind === 'state' ? { buffers: n } : { parameters: n, trainable: t.frozen ? 0 : n }) };
    });
    const nodes = nodeCosts(program.declared).filter(({ macs }) => macs > 0)
      .map(({ node, macs, betweenActivations }): Item => ({ ...none, path: node.path.split('.'), macs, weightMacs: betweenActivations ? 0 : macs }));
    this.items = [...tensors, ...nodes];
  }

  count(paths: readonly string[], without: readonly string[] = []): Counts {
    const items = this.items.filter(({ path }) => paths.some((p) => areStepsAtOrBelow(p, path)) && !without.some((p) => areStepsAtOrBelow(p, path)));
    const sum = (of: (i: Item) => number): number => items.reduce((total, i) => total + of(i), 0);
    const [macs, weightMacs] = [sum((i) => i.macs), sum((i) => i.weightMacs)];
    return {
      parameters: sum((i) => i.parameters), trainable: sum((i) => i.trainable), buffers: sum((i) => i.buffers),
      macs, weight_macs: weightMacs, flops: 2 * macs, weight_flops: 2 * weightMacs,
    };
  }

  /** Whether a path names anything that counts; if not, the names that stand where it goes wrong. */
  missing(pattern: string): { readonly step: string; readonly names: readonly string[] } | undefined {
    if (this.items.some(({ path }) => areStepsAtOrBelow(pattern, path))) return undefined;
    const steps = pattern.split('.');
    const good = steps.findIndex((_, k) => !this.items.some(({ path }) => areStepsAtOrBelow(steps.slice(0, k + 1).join('.'), path)));
    const before = steps.slice(0, good).join('.');
    const inside = this.items.filter(({ path }) => path.length > good && (good === 0 || areStepsAtOrBelow(before, path)));
    return { step: steps[good] ?? '', names: [...new Set(inside.map(({ path }) => path[good] ?? ''))] };
  }
}
