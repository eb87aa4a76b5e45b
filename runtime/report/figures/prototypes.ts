// Figures of prototypes: matrices of cosines between the tasks' foregrounds, and separation against scores. Drawing only.
import type { Mark, Spec } from 'vega';
import type { PrototypeAnalysis, SeparationAnalysis } from '../../analyze/prototypes.js';
import type { Correlation } from '../../analyze/statistics.js';
import { miouText, type Scores } from '../../metrics/index.js';
import { CHART_STYLE, COLOURS, cycled, drawChart, sized, type Figure } from './figure.js';
import { placeLabels } from './labels.js';

export interface FigureSource {
  /** Of which run and checkpoint, for the subtitle. */
  readonly caption: string;
  /** The same for the JSON. */
  readonly source: Readonly<Record<string, unknown>>;
}

const CELL = 38;

/** `similarity`: one matrix a declaration of prototypes, tasks in the order of the spec. */
export async function similarityFigure({ tasks, banks }: PrototypeAnalysis, { caption, source }: FigureSource): Promise<Figure> {
  const side = tasks.length * CELL;
  const values = banks.flatMap(({ name, cosines }) => tasks.flatMap((row, i) => tasks.map((column, j) => {
    const value = cosines[i]?.[j] ?? Number.NaN, known = Number.isFinite(value);
    return { bank: name, row, column, value: known ? value : null, text: known ? signed(value) : '\u2013' };
  })));
  const matrix: Mark = {
    type: 'group',
    from: { facet: { name: 'cells', data: 'all', groupby: 'bank' } },
    title: { text: { signal: 'parent.bank' }, offset: 6 },
    ...sized(side, side),
    axes: [
      { orient: 'bottom', scale: 'x', domain: false, ticks: false, labelPadding: 5 },
      { orient: 'left', scale: 'y', domain: false, ticks: false, labelPadding: 5 },
    ],
    marks: [
      { type: 'rect', from: { data: 'cells' }, encode: { enter: {
        x: { scale: 'x', field: 'column' }, y: { scale: 'y', field: 'row' }, width: { scale: 'x', band: 1 }, height: { scale: 'y', band: 1 },
        fill: [{ test: 'datum.value === null', value: '#dddddd' }, { scale: 'colour', field: 'value' }], stroke: { value: '#ffffff' },
      } } },
      { type: 'text', from: { data: 'cells' }, encode: { enter: {
        x: { scale: 'x', field: 'column', band: 0.5 }, y: { scale: 'y', field: 'row', band: 0.5 }, align: { value: 'center' }, baseline: { value: 'middle' },
        text: { field: 'text' }, fontSize: { value: 10.5 }, fill: [{ test: 'datum.value !== null && abs(datum.value) > 0.65', value: '#ffffff' }, { value: '#000000' }],
      } } },
    ],
  };
  const spec: Spec = {
    ...CHART_STYLE,
    title: { text: 'Cosine similarity of foreground prototypes', subtitle: caption, anchor: 'start' },
    layout: { columns: Math.min(3, banks.length), padding: { row: 68, column: 58 }, bounds: 'flush', align: 'each' },
    data: [{ name: 'all', values }],
    scales: [
      { name: 'x', type: 'band', domain: [...tasks], range: [0, side] },
      { name: 'y', type: 'band', domain: [...tasks], range: [0, side] },
      { name: 'colour', type: 'linear', domain: [-1, 0, 1], range: ['#2166ac', '#f7f7f7', '#b35806'], interpolate: 'lab' },
    ],
    legends: [{ fill: 'colour', title: 'cosine', type: 'gradient', gradientLength: Math.max(120, Math.min(side, 260)), values: [-1, -0.5, 0, 0.5, 1], orient: 'right', offset: 16 }],
    marks: [matrix],
  };
  return { name: 'similarity', svg: await drawChart(spec), data: { ...source, tasks, prototypes: banks.map(({ name, cosines }) => ({ name, cosines })) } };
}

const HEIGHT = 250;
const WIDTH = 270;

/** `separation`: 1 - cos(foreground, background) of each task, and its mean over the declarations against Dice and mIoU. */
export async function separationFigure(analysis: SeparationAnalysis, scores: Scores, { caption, source }: FigureSource): Promise<Figure> {
  const { tasks, banks, points, correlation } = analysis;
  const names = banks.map((b) => b.name), barWidth = Math.max(240, tasks.length * (12 * banks.length + 14));
  const top = [0.5, 1, 1.5].find((limit) => banks.every((b) => b.separation.every((s) => !(s > limit)))) ?? 2;
  const bars = banks.flatMap((b) => tasks.map((task, i) => ({ bank: b.name, task, separation: finite(b.separation[i]) })));
  const spec: Spec = {
    ...CHART_STYLE,
    title: { text: 'Separation of foreground and background prototypes', subtitle: caption, anchor: 'start' },
    layout: { columns: 3, padding: { row: 0, column: 76 }, bounds: 'flush', align: 'none' },
    data: [{ name: 'bars', values: bars }],
    scales: [{ name: 'colour', type: 'ordinal', domain: names, range: [...cycled(COLOURS, names.length)] }],
    legends: [{ fill: 'colour', title: 'prototypes', orient: 'bottom', direction: 'horizontal', symbolType: 'square' }],
    marks: [
      {
        type: 'group', title: { text: 'by task', subtitle: '0: the same direction, 1: at right angles, 2: opposite', frame: 'group' },
        ...sized(barWidth, HEIGHT),
        scales: [
          { name: 'x', type: 'band', domain: [...tasks], range: [0, barWidth], paddingInner: 0.25, paddingOuter: 0.15 },
          { name: 'y', type: 'linear', domain: [0, top], range: [HEIGHT, 0] },
        ],
        axes: [
          { orient: 'left', scale: 'y', title: '1 \u2212 cos(foreground, background)', grid: true, tickCount: 8 },
          { orient: 'bottom', scale: 'x', ticks: false, labelPadding: 5 },
        ],
        marks: [{
          type: 'group', from: { facet: { data: 'bars', name: 'own', groupby: 'task' } },
          encode: { enter: { x: { scale: 'x', field: 'task' } } },
          signals: [{ name: 'width', update: 'bandwidth(\'x\')' }],
          scales: [{ name: 'place', type: 'band', domain: names, range: 'width', padding: 0.08 }],
          marks: [{ type: 'rect', from: { data: 'own' }, encode: { enter: {
            x: { scale: 'place', field: 'bank' }, width: { scale: 'place', band: 1 }, fill: { scale: 'colour', field: 'bank' },
            y: { scale: 'y', field: 'separation' }, y2: { scale: 'y', value: 0 },
          } } }],
        }],
      },
      scatter('dice', 'Dice, %', points.map((p) => ({ task: p.task, x: p.separation, y: 100 * p.dice })), correlation.dice, banks),
      scatter('miou', 'mIoU, %', points.map((p) => ({ task: p.task, x: p.separation, y: 100 * p.miou })), correlation.miou, banks),
    ],
  };
  return {
    name: 'separation', svg: await drawChart(spec),
    data: { ...source, miouDefinition: scores.miouDefinition, miouMeaning: miouText(scores.miouDefinition), tasks, prototypes: banks, points, correlation },
  };
}

const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null);
const signed = (x: number): string => x.toFixed(2).replace(/^-(?=0\.00$)/, '').replace('-', '\u2212');

/** Items in lines of at most `width` characters. */
const linesOf = (items: readonly string[], width: number): string[] => items.reduce<string[]>((lines, item) => {
  const last = lines.at(-1);
  return last === undefined || last.length + item.length + 2 > width ? [...lines, item] : [...lines.slice(0, -1), `${last}, ${item}`];
}, []);

interface Dot { readonly task: string; readonly x: number; readonly y: number }

/** `fit` is of scores in [0, 1]; the axis is in percent. */
function scatter(key: 'dice' | 'miou', label: string, dots: readonly Dot[], fit: Correlation | undefined, banks: SeparationAnalysis['banks']): Mark {
  const range = (values: readonly number[], least: number): [number, number] => {
    if (values.length === 0) return [0, 1];
    const [low, high] = [Math.min(...values), Math.max(...values)], room = Math.max(0.12 * (high - low), least);
    return [low - room, high + room];
  };
  const xs = range(dots.map((d) => d.x), 0.02), ys = range(dots.map((d) => d.y), 1);
  const line = fit === undefined ? [] : xs.map((x) => ({ x, y: 100 * (fit.intercept + fit.slope * x) }));
  const each = linesOf(banks.length < 2 ? [] : banks.flatMap(({ name, correlation }) => (correlation[key] === undefined ? [] : `${name} ${signed(correlation[key].r)}`)), 46);
  const title = fit === undefined ? `n = ${dots.length}: too few or too equal for r` : `r = ${signed(fit.r)}, n = ${fit.n}`;
  const pixel = (value: number, [low, high]: readonly [number, number], length: number): number => ((value - low) / (high - low)) * length;
  const labels = placeLabels(dots.map((d) => ({ x: pixel(d.x, xs, WIDTH), y: HEIGHT - pixel(d.y, ys, HEIGHT), text: d.task })), WIDTH, HEIGHT);
  return {
    type: 'group', title: { text: title, subtitle: each.length === 0 ? '' : ['r of each:', ...each], frame: 'group' },
    ...sized(WIDTH, HEIGHT),
    data: [{ name: 'dots', values: [...dots] }, { name: 'line', values: line }, { name: 'labels', values: [...labels] }],
    scales: [
      { name: 'x', type: 'linear', domain: xs, range: [0, WIDTH], zero: false },
      { name: 'y', type: 'linear', domain: ys, range: [HEIGHT, 0], zero: false },
    ],
    axes: [
      { orient: 'left', scale: 'y', title: label, grid: true, tickCount: 6 },
      { orient: 'bottom', scale: 'x', title: banks.length < 2 ? 'separation' : 'separation, mean over the declarations', grid: true, tickCount: 6 },
    ],
    marks: [
      { type: 'line', from: { data: 'line' }, clip: true, encode: { enter: { x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'y' }, stroke: { value: '#555555' }, strokeDash: { value: [5, 4] }, strokeWidth: { value: 1.5 } } } },
      { type: 'symbol', from: { data: 'dots' }, encode: { enter: {
        x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'y' }, size: { value: 60 }, fill: { value: COLOURS[0] ?? '#000' }, stroke: { value: '#ffffff' },
      } } },
      { type: 'text', from: { data: 'labels' }, encode: { enter: { x: { field: 'x' }, y: { field: 'y' }, align: { field: 'align' }, baseline: { value: 'middle' }, text: { field: 'text' }, fontSize: { value: 11 } } } },
    ],
  };
}
