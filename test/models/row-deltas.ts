// What every row of Tables 3 and 4 adds to the full network and takes away, by the formulas of its parts: parameters for T tasks. Nothing is compiled here.

// ---------------------------------------------------------------- the parts, sections 1 to 4

const STAGES = [{ width: 144, depth: 2 }, { width: 288, depth: 6 }, { width: 576, depth: 36 }, { width: 1152, depth: 4 }];
/** Input and output width of each block: the first block of a stage widens. */
const BLOCKS = STAGES.flatMap(({ width, depth }, s) => Array.from({ length: depth }, (_, k) => ({ from: k === 0 ? STAGES[Math.max(0, s - 1)]!.width : width, to: width })));
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
export const WIDTHS = sum(BLOCKS.map((b) => b.from));

/** Two bias-free 1 x 1 convolutions by way of 64 channels, before every block. */
export const route = sum(BLOCKS.map((b) => 2 * 64 * b.from));
/** One affine group norm before every block. */
export const norms = 2 * WIDTHS;
/** A scale, and a logit of the gate, for every block and task. */
const scales = (T: number): number => BLOCKS.length * T;
const gates = scales;
export const adapters = (T: number): number => (1 + T) * route + norms + scales(T) + gates(T);

const norm = (c: number): number => 2 * c;
/** Convolution without bias and a norm with scale and shift. */
const unit = (i: number, o: number, kernel = 1): number => kernel * i * o + norm(o);
/** Four branches (1 x 1, then crosses of 3, 5 and 7), their join, a shortcut. */
const receptive = (i: number, o: number): number =>
  unit(i, o) + sum([3, 5, 7].map((k) => unit(i, o) + unit(o, o, k) + unit(o, o, k) + unit(o, o, 9))) + unit(4 * o, o, 9) + unit(i, o);
const FIELDS = [[144, 64], [288, 128], [576, 256], [1152, 512]] as const;
export const fields = sum(FIELDS.map(([i, o]) => receptive(i, o)));
const linear = (i: number, o: number): number => i * o + o;

/** Depthwise 3 x 3 with bias, norm, and one row of c weights and a bias for each task. */
const head = (c: number, T: number): number => 9 * c + c + norm(c) + T * linear(c, 1);
/** c/2 channels of the finer map, c of the coarser, joined to c. */
const entries = (l: number, h: number, c: number): number => unit(l, c / 2) + unit(h, c) + unit(1.5 * c, c);
/** c -> 2c -> M depthwise kernels of 3 x 3, and a choice among them. */
const experts = (c: number, M: number): number => linear(c, 2 * c) + linear(2 * c, M * c * 9) + linear(c, M);
/** PGTD, less what nothing reads: 4.2 without the initialiser, the router of a single scale and its weight. */
export function pgtd(l: number, h: number, c: number, T: number, M = 6): number {
  const scaleEncoder = 9 * 4 * c + c + norm(c) + linear(c, c);
  const attention = 4 * linear(c, c), summary = linear(3 * c, c), scalars = 3;
  return entries(l, h, c) + scaleEncoder + attention + summary + experts(c, M) + scalars + head(c, T);
}
export const D1 = [64, 128, 128] as const, D2 = [128, 256, 128] as const, D3 = [256, 512, 256] as const;
export const decoders = (T: number): number => pgtd(...D1, T) + pgtd(...D2, T) + pgtd(...D3, T);
/** Two 3 x 3 units on the concatenated maps, and the same head. */
const uShaped = (l: number, h: number, c: number, T: number): number => unit(l + h, c, 9) + unit(c, c, 9) + head(c, T);
/** A PGTD whose prototypes are switched off. */
export const plainFuse = (l: number, h: number, c: number, T: number): number => entries(l, h, c) + head(c, T);
/** SAM2-UNet's decoder: fields of width 64, three steps of two 3 x 3 units, three heads of one channel. */
const sam2Decoder = sum(FIELDS.map(([i]) => receptive(i, 64))) + 3 * (unit(128, 64, 9) + unit(64, 64, 9)) + 3 * linear(64, 1);


// ---------------------------------------------------------------- the rows

const lowRank = sum(BLOCKS.map((b) => 32 * (b.from + 3 * b.to)));
const moreExperts = (M: number): number => sum([128, 128, 256].map((c) => experts(c, M) - experts(c, 6)));
type Delta = (T: number) => number;
export const DELTAS: readonly (readonly [row: string, delta: Delta])[] = [
  ['A1', (T) => sam2Decoder - adapters(T) - fields - decoders(T)],
  ['A2', (T) => -adapters(T)],
  ['A3', (T) => uShaped(...D1, T) + uShaped(...D2, T) + uShaped(...D3, T) - decoders(T)],
  ['A3_unet', (T) => sam2Decoder - fields - decoders(T)],
  ['B1', (T) => lowRank - adapters(T)],
  // one route, its norm and nothing of a task's own
  ['B2', (T) => -(T * route + gates(T) + scales(T) - BLOCKS.length)],
  ['B3', (T) => -(T * route + gates(T))],
  ['B4', (T) => -(route + gates(T))],
  ['C1', () => 0], ['C2', () => 0],
  ['C3', () => moreExperts(8)], ['C4', () => moreExperts(4)], ['C5', () => moreExperts(8)],
  ['no_pgtd1', (T) => plainFuse(...D1, T) - pgtd(...D1, T)],
  ['no_pgtd2', (T) => plainFuse(...D2, T) - pgtd(...D2, T)],
  ['no_pgtd3', (T) => plainFuse(...D3, T) - pgtd(...D3, T)],
  // the stage left out: its field goes too, and the next one takes what it would have taken
  ['skip_pgtd1', (T) => -receptive(144, 64) - pgtd(...D1, T)],
  ['skip_pgtd2', (T) => -receptive(288, 128) - pgtd(...D2, T) + pgtd(64, 256, 128, T) - pgtd(...D1, T)],
  ['skip_pgtd3', (T) => -receptive(576, 256) - pgtd(...D3, T) + pgtd(128, 512, 128, T) - pgtd(...D2, T)],
];
