// A figure as files: SVG, PNG at twice its size on white, JSON of all its numbers. What is drawn is the callers'.
import { join } from 'node:path';
import sharp from 'sharp';
import type { GroupMark, LoggerInterface, Spec } from 'vega';
import { makeFolder, writeAll, writeAtomically, writeJsonAtomically, writeTextAtomically } from '../../state/atomic.js';

export interface Figure {
  /** Stem of the files. */
  readonly name: string;
  readonly svg: string;
  /** Every number that is drawn, for other tools. NaN becomes null. */
  readonly data: unknown;
}

export interface FigureFiles { readonly svg: string; readonly png: string; readonly json: string }

/** Colours that the common forms of colour blindness leave apart (after Okabe and Ito), dark enough for lines on white. */
export const COLOURS: readonly string[] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#8C6D31'];
export const DASHES: readonly (readonly number[])[] = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]];
export const SHAPES: readonly string[] = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right', 'triangle-left'];
/** `count` entries of a list, over and over. */
export const cycled = <T>(list: readonly T[], count: number): readonly T[] => Array.from({ length: count }, (_, i) => list[i % list.length] as T);

export const FONT = 'DejaVu Sans, Helvetica, Arial, sans-serif';
/** What all charts share. */
export const CHART_STYLE = {
  $schema: 'https://vega.github.io/schema/vega/v6.json',
  background: 'white',
  padding: 14,
  config: {
    axis: { labelFont: FONT, titleFont: FONT, labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#e4e4e4', domainColor: '#666', tickColor: '#666' },
    legend: { labelFont: FONT, titleFont: FONT, labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal' },
    title: { font: FONT, subtitleFont: FONT, fontSize: 13, subtitleFontSize: 11, subtitleColor: '#444', offset: 10 },
    text: { font: FONT },
  },
} as const satisfies Partial<Spec>;

/** Vega draws on after a mistake; a figure with a part missing is none. */
const STRICT: LoggerInterface = {
  level: ((level?: number) => (level === undefined ? 1 : STRICT)) as LoggerInterface['level'],
  error: (...words) => { throw words[0] instanceof Error ? words[0] : new Error(words.join(' ')); },
  warn: () => STRICT, info: () => STRICT, debug: () => STRICT,
};

/** The size of a chart in a row of several: axes and titles go by the signals, the layout by the marks. */
export const sized = (width: number, height: number): Pick<GroupMark, 'signals' | 'encode'> => ({
  signals: [{ name: 'width', value: width }, { name: 'height', value: height }],
  encode: { enter: { width: { value: width }, height: { value: height } } },
});

/** The SVG of a Vega specification. Vega is loaded here alone, and only when something is drawn. */
export async function drawChart(spec: Spec): Promise<string> {
  const { parse, View } = await import('vega');
  const view = new View(parse(spec), { renderer: 'none', logger: STRICT });
  try {
    return renumbered(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Vega counts clips and gradients over the whole process: from 0 in each drawing, so that the same data give the same file. */
function renumbered(svg: string): string {
  const names = new Map([...svg.matchAll(/ id="((?:clip|gradient_)\d+)"/g)].map(([, name = ''], i) => [name, `def${i}`]));
  return svg.replace(/( id="|url\(#)((?:clip|gradient_)\d+)(?=["')])/g, (all, before: string, name: string) => { const own = names.get(name); return own === undefined ? all : `${before}${own}`; });
}

/** Writes NAME.svg, NAME.png and NAME.json into a folder, each whole or not at all. Throws UserError where they cannot be written. */
export async function writeFigure(folder: string, { name, svg, data }: Figure): Promise<FigureFiles> {
  makeFolder(folder);
  const files = { svg: join(folder, `${name}.svg`), png: join(folder, `${name}.png`), json: join(folder, `${name}.json`) };
  const png = await sharp(Buffer.from(svg), { density: 144, unlimited: true }).flatten({ background: '#ffffff' }).png().toBuffer();
  writeTextAtomically(files.svg, svg);
  writeAtomically(files.png, (fd) => { writeAll(fd, png); });
  writeJsonAtomically(files.json, data);
  return files;
}
