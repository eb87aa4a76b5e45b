// Drawing for phantoms: smooth noise, blobs, soft covers on a square of values. Coordinates run from 0 to 1, x right, y down. No modality here.
import type { Stream } from '../../random.js';

/** size * size values, row by row. */
export type Field = Float32Array;
/** How far a point lies out: below 1 inside, 1 on the border. */
export type Shape = (x: number, y: number) => number;

export interface Picture {
  /** Interleaved, 0 to 1 (written clipped). */
  readonly rgb: Float32Array;
  /** 0 or 1. */
  readonly mask: Field;
}

export const clamp = (v: number, low = 0, high = 1): number => (v < low ? low : v > high ? high : v);
export const smoothstep = (from: number, to: number, v: number): number => { const t = clamp((v - from) / (to - from)); return t * t * (3 - 2 * t); };
export const mix = (a: number, b: number, t: number): number => a + (b - a) * t;
export const between = (stream: Stream, low: number, high: number): number => low + (high - low) * stream.next();

/** A field from a function of the pixel's centre. */
export function field(size: number, f: (x: number, y: number, i: number) => number): Field {
  const out = new Float32Array(size * size);
  for (let y = 0, i = 0; y < size; y++) for (let x = 0; x < size; x++, i++) out[i] = f((x + 0.5) / size, (y + 0.5) / size, i);
  return out;
}

/** Smooth noise in [0, 1]: random values on a lattice of `cellsX` x `cellsY` cells, blended with smoothstep. */
export function noise(size: number, cellsX: number, cellsY: number, stream: Stream): Field {
  const columns = cellsX + 1, lattice = Float32Array.from({ length: columns * (cellsY + 1) }, () => stream.next());
  return field(size, (x, y) => {
    const gx = x * cellsX, gy = y * cellsY, ix = Math.min(cellsX - 1, Math.floor(gx)), iy = Math.min(cellsY - 1, Math.floor(gy));
    const tx = smoothstep(0, 1, gx - ix), ty = smoothstep(0, 1, gy - iy), at = iy * columns + ix;
    const top = mix(lattice[at] as number, lattice[at + 1] as number, tx);
    const bottom = mix(lattice[at + columns] as number, lattice[at + columns + 1] as number, tx);
    return mix(top, bottom, ty);
  });
}

/** Octaves of noise, each twice as fine and half as strong, in [0, 1]. */
export function fractal(size: number, cells: number, octaves: number, stream: Stream): Field {
  const out = new Float32Array(size * size);
  let total = 0;
  for (let o = 0, weight = 1; o < octaves; o++, weight /= 2) {
    const layer = noise(size, cells * 2 ** o, cells * 2 ** o, stream);
    for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) + weight * (layer[i] as number);
    total += weight;
  }
  return out.map((v) => v / total);
}

/** Independent standard normal values. */
export const grain = (size: number, stream: Stream): Field => Float32Array.from({ length: size * size }, () => stream.normal());

export interface BlobOptions { readonly x: number; readonly y: number; readonly rx: number; readonly ry: number; readonly angle?: number; readonly wobble?: number }

const ANGLES = 256;

/** An ellipse whose radius wobbles by a few harmonics of the angle: a smooth closed outline. */
export function blob(stream: Stream, { x, y, rx, ry, angle = 0, wobble = 0 }: BlobOptions): Shape {
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const waves = [2, 3, 4, 5].map((n) => ({ n, strength: (wobble * (stream.next() - 0.5) * 3) / n, phase: 2 * Math.PI * stream.next() }));
  // The outline is asked for at every pixel: its radius is tabled by angle.
  const radius = Float32Array.from({ length: ANGLES + 1 }, (_, k) => waves.reduce((r, w) => r + w.strength * Math.cos((w.n * 2 * Math.PI * k) / ANGLES + w.phase), 1));
  return (px, py) => {
    const dx = px - x, dy = py - y, u = (dx * cos + dy * sin) / rx, v = (dy * cos - dx * sin) / ry;
    const turn = (Math.atan2(v, u) / (2 * Math.PI) + 1) * ANGLES, k = Math.floor(turn);
    return Math.sqrt(u * u + v * v) / mix(radius[k % ANGLES] as number, radius[(k % ANGLES) + 1] as number, turn - k);
  };
}

/** 1 well inside the shape, 0 well outside, with a border `soft` wide (in the shape's own measure). */
export const cover = (r: number, soft: number): number => 1 - smoothstep(1 - soft, 1 + soft, r);

/** The mask of a shape. */
export const inside = (size: number, shape: Shape): Field => field(size, (x, y) => (shape(x, y) < 1 ? 1 : 0));
export const union = (a: Field, b: Field): Field => a.map((v, i) => Math.max(v, b[i] as number));

/** Draws with `paint` over the pixels of a disc; `t` runs from 0 at its middle to 1 at its border. */
export function disc(size: number, x: number, y: number, radius: number, paint: (i: number, t: number) => void): void {
  const cx = x * size - 0.5, cy = y * size - 0.5, r = radius * size;
  for (let py = Math.max(0, Math.ceil(cy - r)); py <= Math.min(size - 1, cy + r); py++) {
    for (let px = Math.max(0, Math.ceil(cx - r)); px <= Math.min(size - 1, cx + r); px++) {
      const t = Math.hypot(px - cx, py - cy) / r;
      if (t <= 1) paint(py * size + px, t);
    }
  }
}

/** A grey field as a picture. */
export function greyPicture(grey: Field, mask: Field): Picture {
  const rgb = new Float32Array(grey.length * 3);
  grey.forEach((v, i) => rgb.fill(v, i * 3, i * 3 + 3));
  return { rgb, mask };
}
