// Cost of a training step against blocks, tasks, image side, batch and parameters: networks like the nano one, each in a process of its own on one thread.
// A part of `npm run bench`. Where costs grow faster than what there is to do, its rows say so.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, script, subjectFlags, type Said } from './child.js';
import { growth, within } from './growth.js';
import { NANO, scaledSpec, type Sizes } from './scaled-spec.js';
import { median } from './subject.js';

interface Setting { readonly sizes: Sizes; readonly side: number; readonly batch: number }
const BASE: Setting = { sizes: NANO, side: 128, batch: 1 };
/** What is varied, and by which values. `at` is one setting of it. */
const AXES: Readonly<Record<string, { readonly values: readonly number[]; readonly at: (n: number) => Setting }>> = {
  blocks: { values: [6, 12, 24, 48], at: (blocks) => ({ ...BASE, side: 64, sizes: { ...NANO, blocks } }) },
  tasks: { values: [2, 8, 32, 128], at: (tasks) => ({ ...BASE, side: 64, sizes: { ...NANO, tasks } }) },
  side: { values: [64, 128, 256, 512], at: (side) => ({ ...BASE, side }) },
  batch: { values: [1, 4, 16, 32], at: (batch) => ({ ...BASE, batch }) },
  parameters: { values: [1, 2, 4, 8], at: (widths) => ({ ...BASE, side: 64, sizes: { ...NANO, widths } }) },
};
export const axes = Object.keys(AXES);

/** One measured network; `size` is along the axis. */
export interface Measured { readonly size: number; readonly macs: number; readonly parameters: number; readonly nodes: number; readonly step: number; readonly memory: number; readonly compile: number }
export interface Scaling {
  readonly axis: string;
  readonly points: readonly Measured[];
  /** Exponents of the last three points. */
  readonly growth: Readonly<Record<'macs' | 'parameters' | 'nodes' | 'step' | 'memory' | 'compile', number>>;
  /** Costs that grow faster than what there is to do: step and memory than multiply-adds and parameters, compiling than multiply-adds and the graph. */
  readonly faster: readonly string[];
}

/** `points` along an axis, with their exponents. */
export function scalingOf(axis: string, points: readonly Measured[]): Scaling {
  const size = axis === 'parameters' ? (p: Measured): number => p.parameters : (p: Measured): number => p.size;
  const along = (of: (p: Measured) => number): number => growth(points.map((p) => ({ x: size(p), y: of(p) })));
  const g = { macs: along((p) => p.macs), parameters: along((p) => p.parameters), nodes: along((p) => p.nodes), step: along((p) => p.step), memory: along((p) => p.memory), compile: along((p) => p.compile) };
  const faster = [...(['step', 'memory'] as const).filter((k) => !within(g[k], [g.macs, g.parameters])), ...(within(g.compile, [g.nodes, g.macs]) ? [] : ['compile'])];
  return { axis, points, growth: g, faster };
}

/** Measures the named axes. */
export function measureScaling(names: readonly string[], steps: string): readonly Scaling[] {
  const folder = mkdtempSync(join(tmpdir(), 'tpsc-scaling-'));
  try {
    return names.map((axis) => {
      const { values, at } = AXES[axis] ?? { values: [], at: () => BASE };
      const points = values.map((size): Measured => {
        const { sizes, side, batch } = at(size), file = join(folder, `${axis}-${size}.tps`);
        writeFileSync(file, scaledSpec(sizes));
        const said = script<Said>('step.ts', subjectFlags({ spec: file, batch, set: [`size=${side}`] }, { steps, threads: '1' }));
        const point = { size, macs: said.macs, parameters: said.parameters, nodes: said.nodes, step: median(said.processor), memory: said.peakBytes - said.startBytes, compile: said.compile };
        note(`scaling, ${axis} ${size}: ${JSON.stringify(point)}`);
        return point;
      });
      return scalingOf(axis, points);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
