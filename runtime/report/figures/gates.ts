// Figures of gates: every task's weights along the nodes, and where each splits. Drawing only.
import type { Mark, Scale, Spec } from 'vega';
import type { GateAnalysis } from '../../analyze/gates.js';
import { CHART_STYLE, COLOURS, cycled, DASHES, drawChart, SHAPES, sized, type Figure } from './figure.js';
import type { FigureSource } from './prototypes.js';

const HEIGHT = 260;
const ROW = 17;
const ALL = 'all tasks';

/** `gates`: for each gate its curves, b* marked, and under them b* of each task on the same axis. */
export async function gatesFigure(gates: readonly GateAnalysis[], { caption, source }: FigureSource): Promise<Figure> {
  const tasks = [...new Set(gates.flatMap((g) => g.tasks.map((t) => t.task ?? ALL)))];
  const longest = Math.max(...gates.map((g) => g.blocks.length)), width = Math.min(760, Math.max(360, longest * 16));
  const spec: Spec = {
    ...CHART_STYLE,
    title: { text: 'Gates along the blocks, by task', subtitle: caption, anchor: 'start' },
    layout: { columns: 1, padding: { row: gates.length === 1 ? 58 : 104, column: 0 }, bounds: 'flush', align: 'each' },
    scales: [
      { name: 'colour', type: 'ordinal', domain: tasks, range: [...cycled(COLOURS, tasks.length)] },
      { name: 'dash', type: 'ordinal', domain: tasks, range: cycled(DASHES, tasks.length).map((d) => [...d]) },
      { name: 'shape', type: 'ordinal', domain: tasks, range: [...cycled(SHAPES, tasks.length)] },
    ],
    legends: [{ stroke: 'colour', strokeDash: 'dash', title: 'task', orient: 'right', offset: 16, symbolType: 'stroke', symbolSize: 700, symbolStrokeWidth: 2.5 }],
    marks: gates.flatMap((gate) => charts(gate, tasks, width)),
  };
  return { name: 'gates', svg: await drawChart(spec), data: { ...source, gates } };
}

function charts({ name, over, blocks, tasks: rows }: GateAnalysis, tasks: readonly string[], width: number): readonly Mark[] {
  const curves = rows.flatMap(({ task = ALL, values }) => values.map((g, i) => ({ task, block: blocks[i] ?? i, g })));
  const splits = rows.flatMap(({ task = ALL, values, split }) => (split === null ? [] : [{ task, block: split, g: values[blocks.indexOf(split)] ?? 0.5, text: String(split) }]));
  const closed = rows.flatMap(({ task = ALL, split }) => (split === null ? [{ task, text: 'never' }] : []));
  const own = tasks.filter((t) => rows.some((r) => (r.task ?? ALL) === t)), strip = own.length * ROW;
  const [first = 0, last = 0] = [blocks[0], blocks.at(-1)], room = Math.max(0.25, 0.015 * (last - first));
  const x: Scale = { name: 'x', type: 'linear', domain: [first - room, last + room], range: [0, width], zero: false, nice: false };
  const ticks = ticksOf(blocks), at = (field: string): { scale: string; field: string } => ({ scale: 'x', field });
  const marker = { shape: { scale: 'shape', field: 'task' }, fill: { scale: 'colour', field: 'task' }, stroke: { value: '#ffffff' }, strokeWidth: { value: 1 } };
  return [
    {
      type: 'group', title: { text: `${name} over ${over}`, subtitle: 'marked: b*, the first block with g \u2265 0.5' },
      ...sized(width, HEIGHT),
      data: [{ name: 'curves', values: curves }, { name: 'splits', values: splits }],
      scales: [x, { name: 'y', type: 'linear', domain: [Math.min(0, ...curves.map((c) => c.g)), Math.max(1, ...curves.map((c) => c.g))], range: [HEIGHT, 0] }],
      axes: [
        { orient: 'left', scale: 'y', title: 'gate g', grid: true, tickCount: 5 },
        { orient: 'bottom', scale: 'x', title: 'block', values: ticks, format: 'd' },
      ],
      marks: [
        { type: 'rule', encode: { enter: { x: { value: 0 }, x2: { value: width }, y: { scale: 'y', value: 0.5 }, stroke: { value: '#888888' } } } },
        { type: 'group', from: { facet: { data: 'curves', name: 'own', groupby: 'task' } }, marks: [{ type: 'line', from: { data: 'own' }, encode: { enter: {
          x: at('block'), y: { scale: 'y', field: 'g' }, stroke: { scale: 'colour', field: 'task' }, strokeDash: { scale: 'dash', field: 'task' }, strokeWidth: { value: 2 },
        } } }] },
        { type: 'symbol', from: { data: 'splits' }, encode: { enter: { x: at('block'), y: { scale: 'y', field: 'g' }, size: { value: 90 }, ...marker } } },
      ],
    },
    {
      type: 'group',
      ...sized(width, strip),
      data: [{ name: 'splits', values: splits }, { name: 'closed', values: closed }],
      scales: [x, { name: 'row', type: 'band', domain: own, range: [0, strip] }],
      axes: [
        { orient: 'left', scale: 'row', ticks: false, domain: false, labelPadding: 6, grid: true, bandPosition: 0.5 },
        { orient: 'bottom', scale: 'x', title: 'split b*', values: ticks, format: 'd', grid: true },
      ],
      marks: [
        { type: 'symbol', from: { data: 'splits' }, encode: { enter: { x: at('block'), y: { scale: 'row', field: 'task', band: 0.5 }, size: { value: 80 }, ...marker } } },
        { type: 'text', from: { data: 'splits' }, encode: { enter: { x: { ...at('block'), offset: 9 }, y: { scale: 'row', field: 'task', band: 0.5 }, text: { field: 'text' }, fontSize: { value: 10 }, baseline: { value: 'middle' } } } },
        { type: 'text', from: { data: 'closed' }, encode: { enter: { x: { value: 6 }, y: { scale: 'row', field: 'task', band: 0.5 }, text: { field: 'text' }, fontSize: { value: 10 }, baseline: { value: 'middle' }, fill: { value: '#666666' } } } },
      ],
    },
  ];
}

/** At most 16 of the blocks, evenly. */
function ticksOf(blocks: readonly number[]): number[] {
  const step = [1, 2, 4, 5, 8, 10, 16, 20, 50].find((s) => blocks.length / s <= 16) ?? 100;
  return blocks.filter((_, i) => i % step === 0);
}
