// Figures of a training's log: losses, scores, schedules over the steps; of a study, a curve a row; and the Dice of every image. Drawing only.
import type { Axis, Mark, Scale, Spec } from 'vega';
import { dice, type ImageCounts } from '../../metrics/index.js';
import { mean, median } from '../../statistics/moments.js';
import { stepsOf, validationsOf, type LogLine } from '../../train/log.js';
import { CHART_STYLE, COLOURS, cycled, DASHES, drawChart } from './figure.js';

export interface Point { readonly x: number; readonly y: number }
export interface Curve {
  readonly name: string;
  readonly points: readonly Point[];
  /** Behind the others, without an entry of its own colour: single steps beside their means. */
  readonly faint?: boolean;
  /** Lowest and highest at each place. */
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly curves: readonly Curve[];
  /** `zero`: from 0. `range`: from the lowest. `positive`: as `range`, and by the logarithm where numbers are far apart. */
  readonly axis: 'zero' | 'range' | 'positive';
  /** A circle, told in the subtitle. */
  readonly marked?: Point & { readonly text: string };
}

/** Of the whole drawing. */
const WIDTH = 560, HEIGHT = 330;
/** More points than a curve has pixels say nothing. */
const MOST_POINTS = 400;
/** A loss that falls by more than this is drawn by its logarithm. */
const LOGARITHMIC = 30;

/** Means of equal runs of points, at most `MOST_POINTS`; `each` is how many one stands for. */
export function thinned(points: readonly Point[]): { readonly points: readonly Point[]; readonly each: number } {
  const each = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  return { each, points: each === 1 ? points : Array.from({ length: Math.ceil(points.length / each) }, (_, k) => {
    const part = points.slice(k * each, (k + 1) * each);
    return { x: part.at(-1)?.x ?? 0, y: mean(part.map((p) => p.y)) };
  }) };
}

/** Pixels of the longest name that a legend shows whole; of a letter, about; of what stands before a name. */
const LABEL = 300, LETTER = 6.6, SYMBOL = 42;
/** As many names beside each other as the drawing has room for. */
const legendColumns = (names: readonly string[]): number =>
  Math.max(1, Math.min(4, names.length, Math.floor((WIDTH - 60) / (SYMBOL + Math.min(LABEL, LETTER * Math.max(...names.map((n) => n.length)))))));

/** An SVG. Curves have a colour and a dash of their own, so that a grey print tells them apart. */
export async function drawCurves({ title, x, y, curves, axis: kind, marked }: Chart): Promise<string> {
  const finite = curves.map((c) => ({ ...c, points: c.points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y)) }));
  const ys = finite.flatMap((c) => [...c.points.map((p) => p.y), ...(c.band ?? []).flatMap((b) => [b.low, b.high])]);
  const logarithmic = kind === 'positive' && ys.length > 0 && Math.min(...ys) > 0 && Math.max(...ys) / Math.min(...ys) > LOGARITHMIC;
  const constant = ys.length > 0 && Math.min(...ys) === Math.max(...ys);
  const loud = finite.filter((c) => c.faint !== true).map((c) => c.name), names = finite.map((c) => c.name);
  const colourOf = (name: string): string => (loud.includes(name) ? COLOURS[loud.indexOf(name) % COLOURS.length] ?? '#000' : '#9aa7b3');
  const dashOf = (name: string): readonly number[] => (loud.includes(name) ? DASHES[(loud.indexOf(name) % 3)] ?? [1, 0] : [1, 0]);
  const single = (c: Curve): boolean => c.points.length === 1;
  const axis: Partial<Axis> = { grid: true, tickCount: 6 };
  const xs = finite.flatMap((c) => c.points.map((p) => p.x));
  const yScale: Scale = logarithmic
    ? { name: 'y', type: 'log', domain: [Math.min(...ys), Math.max(...ys)], range: 'height', nice: true }
    : { name: 'y', type: 'linear', domain: ys.length === 0 ? [0, 1] : [kind === 'zero' || constant ? 0 : Math.min(...ys), Math.max(...ys)], range: 'height', nice: true, zero: kind === 'zero' };
  const spec: Spec = {
    ...CHART_STYLE, width: WIDTH, height: HEIGHT, autosize: { type: 'fit', contains: 'padding' },
    title: { text: title, anchor: 'start', frame: 'group', ...(marked === undefined ? {} : { subtitle: `circle: ${marked.text}` }) },
    data: finite.flatMap((c, i) => [{ name: `c${i}`, values: [...c.points] }, ...(c.band === undefined ? [] : [{ name: `b${i}`, values: [...c.band] }])]),
    scales: [
      { name: 'x', type: 'linear', domain: xs.length === 0 ? [0, 1] : [0, Math.max(1, ...xs)], range: 'width' },
      yScale,
      { name: 'colour', type: 'ordinal', domain: names, range: names.map(colourOf) },
      { name: 'dash', type: 'ordinal', domain: names, range: names.map((n) => [...dashOf(n)]) },
    ],
    axes: [{ orient: 'bottom', scale: 'x', title: x, format: '~s', ...axis }, { orient: 'left', scale: 'y', title: y, ...axis, ...(logarithmic ? { format: '~g' } : {}) }],
    legends: names.length < 2 ? [] : [{ stroke: 'colour', strokeDash: 'dash', orient: 'bottom', direction: 'horizontal', columns: legendColumns(names), symbolType: 'stroke', symbolSize: 400, symbolStrokeWidth: 2.5, labelLimit: LABEL }],
    marks: [
      ...finite.flatMap((c, i): Mark[] => (c.band === undefined ? [] : [{ type: 'area', from: { data: `b${i}` }, encode: { enter: {
        x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'low' }, y2: { scale: 'y', field: 'high' }, fill: { value: colourOf(c.name) }, fillOpacity: { value: 0.15 },
      } } }])),
      ...finite.map((c, i): Mark => (single(c)
        ? { type: 'symbol', from: { data: `c${i}` }, encode: { enter: { x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'y' }, fill: { value: colourOf(c.name) }, size: { value: 40 } } } }
        : { type: 'line', from: { data: `c${i}` }, encode: { enter: {
          x: { scale: 'x', field: 'x' }, y: { scale: 'y', field: 'y' }, stroke: { value: colourOf(c.name) }, strokeDash: { value: [...dashOf(c.name)] }, strokeWidth: { value: c.faint === true ? 1 : 2 },
        } } })),
      ...(marked === undefined ? [] : [{ type: 'symbol' as const, encode: { enter: { x: { scale: 'x', value: marked.x }, y: { scale: 'y', value: marked.y }, size: { value: 90 }, fill: { value: 'transparent' }, stroke: { value: '#000000' }, strokeWidth: { value: 1.5 } } } }]),
    ],
  };
  return drawChart(spec);
}

export interface DrawnChart { readonly name: string; readonly svg: string; /** What it shows, for who cannot see it. */ readonly alt: string }

const drawn = async (name: string, chart: Chart, alt: string): Promise<DrawnChart> => ({ name, svg: await drawCurves(chart), alt });
const range = (values: readonly number[], text: (v: number) => string): string => (values.length === 0 ? 'none' : `${text(values[0] ?? NaN)} at first, ${text(values.at(-1) ?? NaN)} at last`);
const percent = (v: number): string => `${(100 * v).toFixed(1)} %`;

/** `loss`, `scores`, `tasks`, `lr` and a chart a schedule: those that the log has anything for. `best`: the validation that a checkpoint keeps. */
export async function trainingCharts(log: readonly LogLine[], best?: { readonly epoch: number }): Promise<readonly DrawnChart[]> {
  const steps = stepsOf(log), validations = validationsOf(log), charts: Promise<DrawnChart>[] = [];
  if (steps.length === 0) return [];
  const single = thinned(steps.map((l) => ({ x: l.step, y: l.loss })));
  const at = (of: (v: typeof validations[number]) => number): readonly Point[] => validations.map((v) => ({ x: v.step, y: of(v) }));
  const chosen = validations.find((v) => v.epoch === best?.epoch);
  charts.push(drawn('loss', {
    title: 'Loss', x: 'step', y: 'loss', axis: 'positive', curves: [
      { name: single.each === 1 ? 'each step' : `means of ${single.each} steps`, points: single.points, faint: validations.length > 0 },
      ...(validations.length === 0 ? [] : [{ name: 'training, epoch mean', points: at((v) => v.trainLoss) }, { name: 'validation', points: at((v) => v.loss) }]),
    ],
  }, `Loss over the steps: of training ${range(steps.map((l) => l.loss), (v) => v.toPrecision(3))}${validations.length === 0 ? '' : `; of validation ${range(validations.map((v) => v.loss), (v) => v.toPrecision(3))}`}.`));
  if (validations.length > 0) {
    charts.push(drawn('scores', {
      title: 'Validation, mean over the tasks', x: 'step', y: 'percent', axis: 'zero', curves: [{ name: 'Dice', points: at((v) => 100 * v.dice) }, { name: 'mIoU', points: at((v) => 100 * v.miou) }],
      ...(chosen === undefined ? {} : { marked: { x: chosen.step, y: 100 * chosen.dice, text: `the best, epoch ${chosen.epoch}` } }),
    }, `Dice and mIoU of the validation images over the steps: Dice ${range(validations.map((v) => v.dice), percent)}; mIoU ${range(validations.map((v) => v.miou), percent)}.`));
    const tasks = [...new Set(validations.flatMap((v) => Object.keys(v.perTask)))];
    if (tasks.length > 1) {
      charts.push(drawn('tasks', { title: 'Validation Dice of each task', x: 'step', y: 'Dice, percent', axis: 'zero', curves: tasks.map((task) => ({ name: task, points: at((v) => 100 * (v.perTask[task]?.dice ?? NaN)) })) },
        `Validation Dice of each task, last: ${tasks.map((t) => `${t} ${percent(validations.at(-1)?.perTask[t]?.dice ?? NaN)}`).join(', ')}.`));
    }
  }
  charts.push(drawn('lr', { title: 'Learning rate', x: 'step', y: 'lr', axis: 'positive', curves: [{ name: 'lr', points: thinned(steps.map((l) => ({ x: l.step, y: l.lr }))).points }] }, `Learning rate over the steps: ${range(steps.map((l) => l.lr), (v) => v.toExponential(1))}.`));
  const norms = steps.flatMap((l) => (l.gradNorm === undefined ? [] : [{ x: l.step, y: l.gradNorm }]));
  if (norms.length > 0) charts.push(drawn('gradient', { title: 'Norm of the gradient, before clipping', x: 'step', y: 'norm', axis: 'positive', curves: [{ name: 'norm', points: thinned(norms).points }] }, `Norm of the gradient over the steps: ${range(norms.map((p) => p.y), (v) => v.toPrecision(3))}.`));
  for (const name of new Set(validations.flatMap((v) => Object.keys(v.schedules)))) {
    if (name !== 'lr') charts.push(drawn(`schedule-${name}`, { title: name, x: 'step', y: 'value', axis: 'range', curves: [{ name, points: at((v) => v.schedules[name] ?? NaN) }] }, `Schedule ${name}: ${range(validations.map((v) => v.schedules[name] ?? NaN), (v) => v.toPrecision(3))}.`));
  }
  return Promise.all(charts);
}

/** Of a study: mean validation Dice of each row over its seeds, and the range of the seeds. */
export function rowsChart(rows: readonly { readonly name: string; readonly logs: readonly (readonly LogLine[])[] }[]): Promise<DrawnChart> {
  const curves = rows.flatMap(({ name, logs }): Curve[] => {
    const at = new Map<number, number[]>();
    for (const log of logs) for (const v of validationsOf(log)) at.set(v.step, [...(at.get(v.step) ?? []), 100 * v.dice]);
    const places = [...at].sort(([a], [b]) => a - b);
    return places.length === 0 ? [] : [{
      name, points: places.map(([x, values]) => ({ x, y: mean(values) })), ...(logs.length < 2 ? {} : { band: places.map(([x, values]) => ({ x, low: Math.min(...values), high: Math.max(...values) })) }),
    }];
  });
  return drawn('rows', { title: 'Validation Dice of each row', x: 'step', y: 'Dice, percent', axis: 'range', curves },
    `Validation Dice of each row over the steps, last: ${curves.map((c) => `${c.name} ${(c.points.at(-1)?.y ?? NaN).toFixed(1)} %`).join(', ')}.`);
}

const STRIP = 34;

/** `images`: Dice of every image, a line a task; a bar at the median. */
export async function imagesChart(counts: readonly ImageCounts[], tasks: readonly string[]): Promise<DrawnChart> {
  const own = tasks.filter((t) => counts.some((c) => c.task === t));
  // a place in the line by rank, so that equal scores do not hide one another and the same counts give the same picture
  const values = own.flatMap((task) => counts.filter((c) => c.task === task).map((c, i) => ({ task, dice: 100 * dice(c), place: ((i * 0.618) % 1) - 0.5 })));
  const medians = own.map((task) => ({ task, dice: median(values.filter((v) => v.task === task).map((v) => v.dice)) }));
  const spec: Spec = {
    ...CHART_STYLE, width: 1.5 * WIDTH, height: own.length * STRIP + 90, autosize: { type: 'fit', contains: 'padding' },
    title: { text: 'Dice of every image', subtitle: 'bar: median', anchor: 'start', frame: 'group' },
    data: [{ name: 'values', values }, { name: 'medians', values: medians }],
    scales: [
      { name: 'x', type: 'linear', domain: [0, 100], range: 'width' }, { name: 'y', type: 'band', domain: own, range: 'height' },
      { name: 'colour', type: 'ordinal', domain: own, range: [...cycled(COLOURS, own.length)] },
    ],
    axes: [{ orient: 'bottom', scale: 'x', title: 'Dice, percent', grid: true, tickCount: 10 }, { orient: 'left', scale: 'y', ticks: false, domain: false, labelPadding: 8 }],
    marks: [
      { type: 'symbol', from: { data: 'values' }, encode: { enter: {
        x: { scale: 'x', field: 'dice' }, y: { scale: 'y', field: 'task', band: 0.5, offset: { field: 'place', mult: 0.6 * STRIP } },
        size: { value: 32 }, fill: { scale: 'colour', field: 'task' }, fillOpacity: { value: 0.55 },
      } } },
      { type: 'rect', from: { data: 'medians' }, encode: { enter: { x: { scale: 'x', field: 'dice', offset: -1 }, width: { value: 2.5 }, y: { scale: 'y', field: 'task', band: 0.12 }, height: { scale: 'y', band: 0.76 }, fill: { value: '#000000' } } } },
    ],
  };
  return { name: 'images', svg: await drawChart(spec), alt: `Dice of every image by task; medians: ${medians.map((m) => `${m.task} ${m.dice.toFixed(1)} %`).join(', ')}.` };
}
