// `tpsc inspect` for people: a tree of modules with sums, totals, memory. Counts come from `counts.ts`.
import type { Inspection, MemoryEstimate, ModuleCount } from './counts.js';
import { bytes, grouped, short } from './numbers.js';
import { renderTable } from './table.js';

interface Branch { readonly name: string; readonly path: string; readonly children: Map<string, Branch>; parameters: number; macs: number; output: string | null }

const branch = (name: string, path: string): Branch => ({ name, path, children: new Map(), parameters: 0, macs: 0, output: null });

/** The modules as a tree, each branch with the sums of all inside it. */
function treeOf(name: string, modules: readonly ModuleCount[]): Branch {
  const root = branch(name, '');
  for (const module of modules) {
    let here = root;
    const add = (): void => {
      here.parameters += module.parameters;
      here.macs += module.macs;
    };
    add();
    for (const part of module.path === '' ? [] : module.path.split('.')) {
      let next = here.children.get(part);
      if (next === undefined) here.children.set(part, next = branch(part, here.path === '' ? part : `${here.path}.${part}`));
      here = next;
      add();
    }
    here.output = module.output;
  }
  return root;
}

/** An output's type: its own, or that of the last module inside it that says one. */
const outputOf = (b: Branch): string => b.output ?? [...b.children.values()].map(outputOf).filter((o) => o !== '').at(-1) ?? '';

function rowsOf(b: Branch, depth: number, prefix: string, mark: string): readonly (readonly string[])[] {
  const row = [`${prefix}${mark}${b.name}`, grouped(b.parameters), b.macs === 0 ? '' : short(b.macs), outputOf(b)];
  if (depth === 0) return [row];
  // What only moves values is no row of its own: it would drown the layers.
  const children = [...b.children.values()].filter((child) => child.parameters > 0 || child.macs > 0);
  const inner = mark === '' ? prefix : prefix + (mark.startsWith('└') ? '   ' : '│  ');
  return [row, ...children.flatMap((child, i) => rowsOf(child, depth - 1, inner, i === children.length - 1 ? '└─ ' : '├─ '))];
}

/** The text of an inspection; modules `depth` levels deep. */
export function renderInspection(inspection: Inspection, memory: MemoryEstimate, depth: number): string {
  const { parameters: p, macs, tasks } = inspection;
  const name = `${inspection.name}${inspection.variant === null ? '' : `#${inspection.variant}`}`;
  const rows = rowsOf(treeOf(name, inspection.modules), depth, '', '');
  const table = renderTable([{ title: 'module' }, { title: 'parameters', align: 'right' }, { title: 'MACs', align: 'right' }, { title: 'output' }], rows);
  const lines = [
    `parameters  ${grouped(p.total)}: ${grouped(p.trainable)} trainable, ${grouped(p.frozen)} frozen${p.buffers > 0 ? `; and ${grouped(p.buffers)} in state` : ''}${tasks.length > 0 ? `, for ${tasks.length} tasks` : ''}`,
    `MACs        ${short(macs.total)} an image: ${short(macs.convLinear)} in convolutions and products with weights, ${short(macs.attention)} between activations`,
    `memory      about ${bytes(memory.weights)} of weights, ${bytes(memory.inference)} of activations for one image${memory.training === undefined ? '' : `, ${bytes(memory.training)} for a training step`}`,
    ...(tasks.length > 0 ? [`tasks       ${tasks.join(' ')}`] : []),
    `hash        ${inspection.hash}`,
  ];
  return `${table}\n${lines.join('\n')}\n`;
}
