// Figures hold what they should show, in files of the right kind. That they are good to look at, only people see.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { GateAnalysis } from '../../runtime/analyze/gates.js';
import { analyseSeparation, type PrototypeAnalysis } from '../../runtime/analyze/prototypes.js';
import { drawChart, writeFigure } from '../../runtime/report/figures/figure.js';
import { gatesFigure } from '../../runtime/report/figures/gates.js';
import { placeLabels } from '../../runtime/report/figures/labels.js';
import { panelsFigure } from '../../runtime/report/figures/panels.js';
import { separationFigure, similarityFigure } from '../../runtime/report/figures/prototypes.js';
import { pair, picture, temporaryFolder } from '../data/fixtures.js';

const TASKS = ['WA', 'BT', 'ADC', 'TN', 'CP', 'LI', 'BL', 'SL'];
const source = { caption: 'Net, run a, checkpoint best (epoch 3)', source: { run: 'runs/a' } };
const analysis: PrototypeAnalysis = {
  tasks: TASKS,
  banks: ['d2.proto', 'd1.proto'].map((name, b) => ({
    name, cosines: TASKS.map((_, i) => TASKS.map((_, j) => (i === j ? 1 : i + j === 1 ? Number.NaN : (i + j - 3) / 20 - 0.3 * b))), separation: TASKS.map((_, i) => 0.2 * i + 0.1 * b),
  })),
};
const scores = { perTask: Object.fromEntries(TASKS.map((t, i) => [t, { dice: 0.5 + 0.05 * i, miou: 0.6 + 0.01 * i * i, images: 3 }])), average: { dice: 0, miou: 0 }, miouDefinition: 'dataset-both' } as const;

/** What an SVG says, in its order. */
const words = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((m) => m[1]!);
const count = (list: readonly string[], word: string): number => list.filter((w) => w === word).length;

describe('similarity', () => {
  it('has a matrix a declaration, tasks along both sides in order, a number in each cell, a scale', async () => {
    const { svg, data } = await similarityFigure(analysis, source);
    const said = words(svg);
    for (const word of ['Cosine similarity of foreground prototypes', source.caption, 'd2.proto', 'd1.proto', 'cosine', '−1.0']) expect(said).toContain(word);
    const axis = said.filter((w) => TASKS.includes(w));
    expect(axis).toHaveLength(4 * TASKS.length);
    expect(axis.slice(0, 8)).toEqual(TASKS);
    expect(count(said, '1.00')).toBe(16);
    expect(count(said, '–')).toBe(4);
    expect(said).toContain('−0.20');
    expect(JSON.parse(JSON.stringify(data))).toMatchObject({ run: 'runs/a', tasks: TASKS, prototypes: [{ name: 'd2.proto', cosines: expect.arrayContaining([expect.arrayContaining([1, null, -0.05])]) }, {}] });
  });
});

describe('separation', () => {
  it('has bars by task and two scatters that say r and n', async () => {
    const separation = analyseSeparation(analysis, scores)!;
    const { svg, data } = await separationFigure(separation, scores, source), said = words(svg);
    expect(said).toContain('r = 1.00, n = 8');
    expect(said).toContain(`r = ${separation.correlation.miou!.r.toFixed(2)}, n = 8`);
    for (const word of ['1 − cos(foreground, background)', 'Dice, %', 'mIoU, %', 'separation, mean over the declarations']) expect(said).toContain(word);
    for (const task of TASKS) expect(count(said, task)).toBe(3);
    expect(data).toMatchObject({ points: expect.arrayContaining([expect.objectContaining({ task: 'SL', dice: expect.closeTo(0.85, 9) })]), correlation: { dice: { n: 8 } } });
  });
  it('says why there is no r where tasks are too few', async () => {
    const few = { ...scores, perTask: { WA: scores.perTask['WA']!, BT: scores.perTask['BT']! } };
    expect(words((await separationFigure(analyseSeparation(analysis, few)!, few, source)).svg)).toContain('n = 2: too few or too equal for r');
  });
});

describe('gates', () => {
  const gate: GateAnalysis = {
    name: 'split', over: 'enc.blocks', nodes: Array.from({ length: 48 }, (_, b) => `enc.blocks.${b}`), blocks: Array.from({ length: 48 }, (_, b) => b),
    tasks: TASKS.map((task, i) => ({ task, values: Array.from({ length: 48 }, (_, b) => 1 / (1 + Math.exp((5 + 5 * i - b) / 2))), split: i === 7 ? null : 5 + 5 * i })),
  };
  it('have a line a task, told apart by colour and dash, b* of each, and `never`', async () => {
    const { svg, data } = await gatesFigure([gate], source), said = words(svg);
    const lines = [...svg.matchAll(/"line mark container"><path d="[^"]*" stroke="([^"]*)" stroke-width="2" stroke-dasharray="([^"]*)"/g)].map((m) => `${m[1]} ${m[2]}`);
    expect(lines).toHaveLength(8);
    expect(new Set(lines).size).toBe(8);
    for (const word of ['split over enc.blocks', 'gate g', 'block', 'split b*', 'never', '35']) expect(said).toContain(word);
    for (const task of TASKS) expect(count(said, task)).toBe(2);
    expect(data).toMatchObject({ run: 'runs/a', gates: [gate] });
  });
});

describe('labels of points', () => {
  it('stay inside and off each other', () => {
    const points = [{ x: 3, y: 50 }, { x: 97, y: 50 }, { x: 50, y: 50 }, { x: 55, y: 52 }, { x: 52, y: 44 }].map((p, i) => ({ ...p, text: `T${i}` }));
    const placed = placeLabels(points, 100, 100);
    const boxes = placed.map(({ x, y, align }) => ({ left: align === 'left' ? x : align === 'right' ? x - 15 : x - 7, y })).map((b) => ({ left: b.left, right: b.left + 15, top: b.y - 5, bottom: b.y + 5 }));
    for (const [i, a] of boxes.entries()) {
      expect(a.left >= 0 && a.right <= 100).toBe(true);
      for (const b of boxes.slice(i + 1)) expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
    }
  });
});

describe('panels', () => {
  it('lay prediction and truth over the image, Dice under each; a run without the task has an empty place', async () => {
    const root = await temporaryFolder();
    await pair(root, 'skin', 'one', { width: 40, height: 20 });
    await picture(root, 'skin/images/one.png', 40, 20, () => 100);
    const item = { task: 'SL', stem: 'one', image: 'skin/images/one.png', mask: 'skin/masks/one.png', group: 'one', split: 'val' } as const;
    const cell = { prediction: { logits: Float32Array.from({ length: 64 }, (_, i) => (i % 8 < 2 ? 5 : -5)), height: 8, width: 8, threshold: 0.5 }, dice: 2 / 3 };
    const { svg, data } = await panelsFigure({
      root, items: [item], labels: { SL: 'Skin <lesion>' },
      columns: [{ head: 'w/o Task-Specific Route', note: 'runs/b3', cells: [cell] }, { head: 'Other', note: 'runs/other', cells: [undefined] }],
    }, source);
    const said = words(svg);
    for (const word of ['SL', 'Skin &lt;lesion&gt;', 'image', 'truth', 'w/o Task-Specific', 'Route', 'runs/b3', 'Other', 'Dice 0.667', 'not of SL', 'one']) expect(said).toContain(word);
    const tiles = [...svg.matchAll(/href="data:image\/png;base64,([^"]*)"/g)].map((m) => Buffer.from(m[1]!, 'base64'));
    expect(tiles).toHaveLength(3);
    const at = async (k: number, x: number): Promise<number[]> => {
      const { data: rgb, info } = await sharp(tiles[k]).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([300, 150]);
      return [...rgb.subarray((75 * 300 + x) * 3, (75 * 300 + x) * 3 + 3)];
    };
    expect(await at(0, 40)).toEqual([100, 100, 100]);
    const [r, , b] = await at(1, 40);
    expect(b! - r!).toBeGreaterThan(40);
    const [red, , blue] = await at(2, 40);
    expect(red! - blue!).toBeGreaterThan(40);
    expect(await at(2, 120)).toEqual([100, 100, 100]);
    expect(data).toMatchObject({ columns: [{ name: 'w/o Task-Specific Route', run: 'runs/b3' }, { name: 'Other' }], images: [{ task: 'SL', image: item.image, dice: [2 / 3, null] }] });
  });
});

describe('files', () => {
  it('PNG on white at twice the size of the SVG, JSON with null for what is no number', async () => {
    const folder = join(await temporaryFolder(), 'new'), svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect x="5" y="5" width="10" height="10" fill="#f00"/></svg>';
    const files = await writeFigure(folder, { name: 'f', svg, data: { x: [1, Number.NaN] } });
    expect(readFileSync(files.svg, 'utf8')).toBe(svg);
    expect(JSON.parse(readFileSync(files.json, 'utf8'))).toEqual({ x: [1, null] });
    const { data, info } = await sharp(files.png).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([60, 40, 3]);
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
    expect(existsSync(join(folder, 'f.svg'))).toBe(true);
  });
  it('a mistake in a chart is thrown, not drawn around', async () => {
    await expect(drawChart({ signals: [{ name: 'x', update: 'missing.field.deeper' }], marks: [{ type: 'text', encode: { enter: { text: { signal: 'datum.a.b.c' } } } }] })).rejects.toThrow();
  });
});
