// A sheet of predictions: a row an image, columns for the image, its truth and each run, as one SVG that holds the pictures. Drawing only.
import { join } from 'node:path';
import sharp from 'sharp';
import type { PanelCell } from '../../analyze/panels.js';
import { decodePair } from '../../data/decode.js';
import type { DataItem, Size } from '../../data/types.js';
import { escapeMarkup } from '../markup.js';
import { lay, maskAt, outline, type Colour } from '../overlay.js';
import { FONT, type Figure } from './figure.js';
import type { FigureSource } from './prototypes.js';

export interface PanelColumn {
  /** Above the column; `note` under it, smaller: where it comes from. */
  readonly head: string;
  readonly note: string;
  /** One an item; undefined: the run does not know the item's task. */
  readonly cells: readonly (PanelCell | undefined)[];
}

export interface PanelSheet {
  readonly root: string;
  readonly items: readonly DataItem[];
  /** Names of the tasks by code. */
  readonly labels: Readonly<Record<string, string>>;
  readonly columns: readonly PanelColumn[];
}

// Orange and blue stay apart under every common form of colour blindness, on grey and on red tissue.
export const PREDICTION: Colour = [255, 150, 0];
export const TRUTH: Colour = [0, 160, 255];
export const TINT = 0.3;

/** Pixels of the drawing; pictures have twice as many. */
const SIDE = 150, GAP = 8, GUTTER = 118, MARGIN = 16, CAPTION = 17, DENSITY = 2;

/** `panels`: each picture keeps its proportions inside a square; masks are drawn from the resized logits. */
export async function panelsFigure({ root, items, labels, columns }: PanelSheet, { caption, source }: FigureSource): Promise<Figure> {
  const heads = columns.map((c) => wrapped(c.head, 20, 3)), lines = Math.max(1, ...heads.map((h) => h.length));
  const x = (column: number): number => MARGIN + GUTTER + column * (SIDE + GAP);
  const top = MARGIN + 44, first = top + lines * 15 + 18, parts: string[] = [];
  const centre = (column: number): number => x(column) + SIDE / 2;
  parts.push(text(MARGIN, MARGIN + 12, 'Predictions', { size: 15, bold: true }), text(MARGIN, MARGIN + 29, caption, { size: 11, fill: '#444' }));
  for (const [k, head] of ['image', 'truth'].entries()) parts.push(text(centre(k), first - 18, head, { size: 12, bold: true, anchor: 'middle' }));
  for (const [k, { note }] of columns.entries()) {
    const head = heads[k] ?? [];
    head.forEach((line, i) => parts.push(text(centre(k + 2), first - 18 - 15 * (head.length - 1 - i), line, { size: 12, bold: true, anchor: 'middle' })));
    parts.push(text(centre(k + 2), first - 5, shortened(note, 26), { size: 10, fill: '#555', anchor: 'middle' }));
  }
  let y = first;
  for (const [row, item] of items.entries()) {
    const { tiles, size } = await tilesOf(root, item, columns.map((c) => c.cells[row]));
    const [width, height] = [size.width / DENSITY, size.height / DENSITY];
    if (items[row - 1]?.task !== item.task) {
      parts.push(text(MARGIN, y + 14, item.task, { size: 14, bold: true }));
      wrapped(labels[item.task] ?? '', 17, 2).forEach((line, i) => parts.push(text(MARGIN, y + 29 + 12 * i, line, { size: 10, fill: '#333' })));
    }
    parts.push(text(MARGIN, y + height - 3, shortened(item.stem, 18), { size: 9, fill: '#666' }));
    tiles.forEach((tile, k) => {
      const left = x(k) + (SIDE - width) / 2, dice = columns[k - 2]?.cells[row]?.dice;
      if (tile !== undefined) parts.push(`<image x="${left}" y="${y}" width="${width}" height="${height}" href="data:image/png;base64,${tile.toString('base64')}"/>`);
      else parts.push(`<rect x="${left + 0.5}" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" fill="#f4f4f4" stroke="#bbb" stroke-dasharray="4 3"/>`, text(centre(k), y + height / 2 + 4, `not of ${item.task}`, { size: 11, fill: '#777', anchor: 'middle' }));
      if (dice !== undefined) parts.push(text(centre(k), y + height + 12, `Dice ${dice.toFixed(3)}`, { size: 11, anchor: 'middle' }));
    });
    y += height + CAPTION + GAP;
  }
  y += 6;
  parts.push(swatch(x(0), y, PREDICTION), text(x(0) + 18, y + 10, 'prediction', { size: 11 }), swatch(x(0) + 100, y, TRUTH), text(x(0) + 118, y + 10, 'truth (in the columns of the runs: its outline)', { size: 11 }));
  const [width, height] = [x(columns.length + 2) - GAP + MARGIN, y + 14 + MARGIN];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`;
  return {
    name: 'panels', svg, data: {
      ...source, columns: columns.map(({ head, note }) => ({ name: head, run: note })),
      images: items.map(({ task, image, mask }, row) => ({ task, image, mask, dice: columns.map((c) => c.cells[row]?.dice ?? null) })),
    },
  };
}

/** PNGs of image, truth and each cell, at one size. */
async function tilesOf(root: string, item: DataItem, cells: readonly (PanelCell | undefined)[]): Promise<{ readonly tiles: readonly (Buffer | undefined)[]; readonly size: Size }> {
  const file = join(root, item.image), { width: w = 1, height: h = 1 } = await sharp(file).metadata(), scale = (SIDE * DENSITY) / Math.max(w, h);
  const size = { width: Math.max(DENSITY, Math.round(w * scale)), height: Math.max(DENSITY, Math.round(h * scale)) };
  const { image, mask: truth } = await decodePair(file, join(root, item.mask), size);
  const drawn = (mask: Uint8Array, colour: Colour, under?: Uint8Array): Promise<Buffer> => {
    const rgb = image.slice();
    lay(rgb, mask, colour, TINT);
    if (under !== undefined) lay(rgb, outline(under, size, DENSITY), TRUTH, 1);
    lay(rgb, outline(mask, size, DENSITY), colour, 1);
    return png(rgb, size);
  };
  const tiles = await Promise.all([png(image, size), drawn(truth, TRUTH), ...cells.map(async (c) => (c === undefined ? undefined : drawn(maskAt(c.prediction, size), PREDICTION, truth)))]);
  return { tiles, size };
}

const png = (rgb: Uint8Array, { height, width }: Size): Promise<Buffer> => sharp(rgb, { raw: { height, width, channels: 3 } }).png().toBuffer();


interface TextStyle { readonly size: number; readonly bold?: boolean; readonly fill?: string; readonly anchor?: 'start' | 'middle' }
const text = (x: number, y: number, content: string, { size, bold = false, fill = '#000', anchor = 'start' }: TextStyle): string =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}"${bold ? ' font-weight="bold"' : ''}${anchor === 'start' ? '' : ' text-anchor="middle"'}>${escapeMarkup(content)}</text>`;

const swatch = (x: number, y: number, colour: Colour): string => `<rect x="${x}" y="${y}" width="12" height="12" fill="rgb(${colour.join(',')})"/>`;

/** The end says more than the middle: paths end in names, names in numbers. */
const shortened = (s: string, most: number): string => (s.length <= most ? s : `\u2026${s.slice(s.length - most + 1)}`);

/** Words in at most `most` lines of about `width` characters. */
function wrapped(s: string, width: number, most: number): readonly string[] {
  const lines: string[] = [];
  for (const word of s.split(/\s+/).filter((w) => w !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && (last.length + 1 + word.length <= width || lines.length === most)) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => (line.length > width + 4 ? `${line.slice(0, width + 3)}\u2026` : line));
}
