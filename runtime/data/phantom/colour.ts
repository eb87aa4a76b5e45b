// Phantoms of colour modalities: histology, endoscopy, dermoscopy. Each draws one picture and its lesion.
import type { Stream } from '../../random.js';
import { between, blob, cover, disc, field, fractal, grain, inside, mix, noise, smoothstep, type Field, type Picture } from './canvas.js';
import type { Style } from './style.js';

type Colour = readonly [number, number, number];
const at = (f: Field, i: number): number => f[i] as number;

/** A picture from a function of the pixel that gives its colour. */
function paint(size: number, colour: (x: number, y: number, i: number) => Colour): Float32Array {
  const rgb = new Float32Array(size * size * 3);
  field(size, (x, y, i) => { rgb.set(colour(x, y, i), i * 3); return 0; });
  return rgb;
}
const blend = (a: Colour, b: Colour, t: number): Colour => [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)];
const times = (c: Colour, f: number): Colour => [c[0] * f, c[1] * f, c[2] * f];

/** Lays `colour` over a disc of the picture, fading to its border. */
function dab(rgb: Float32Array, size: number, x: number, y: number, radius: number, colour: Colour, strength: number): void {
  disc(size, x, y, radius, (i, t) => rgb.set(blend([rgb[i * 3] as number, rgb[i * 3 + 1] as number, rgb[i * 3 + 2] as number], colour, strength * (1 - t ** 4)), i * 3));
}

/** Tissue stained with H&E: pink stroma with sparse nuclei. Lesion: a field of crowded, large purple nuclei around pale lumina. Distractors: a bleed as dark as the lesion, clusters of small dark lymphocytes, pale tears. */
export function histology(stream: Stream, style: Style, size: number): Picture {
  const region = blob(stream, { x: between(stream, 0.32, 0.68), y: between(stream, 0.32, 0.68), rx: between(stream, 0.29, 0.37), ry: between(stream, 0.24, 0.32), angle: between(stream, 0, 3), wobble: 0.3 });
  const fibres = fractal(size, 7, 4, stream), speckle = grain(size, stream), wash = mix(0.62, 1.06, style.tone);
  const slope = { x: between(stream, -0.5, 0.5), y: between(stream, -0.5, 0.5) };
  const bleed = blob(stream, { x: between(stream, 0.05, 0.95), y: stream.next() < 0.5 ? between(stream, 0, 0.15) : between(stream, 0.85, 1), rx: between(stream, 0.3, 0.45), ry: between(stream, 0.14, 0.22), wobble: 0.3 });
  const stroma: Colour = [0.86, 0.58, 0.72], gland: Colour = [0.72, 0.48, 0.74], pale: Colour = [0.93, 0.89, 0.92], blood: Colour = [0.62, 0.2, 0.3];
  const rgb = paint(size, (x, y, i) => {
    const ground = blend(blend(stroma, pale, smoothstep(0.58, 0.72, at(fibres, i))), blood, 0.9 * cover(bleed(x, y), 0.1));
    const light = wash * (1 + slope.x * (x - 0.5) + slope.y * (y - 0.5)) + 0.1 * (at(fibres, i) - 0.5) + 0.03 * at(speckle, i);
    return times(blend(ground, gland, 0.6 * cover(region(x, y), 0.05)), light);
  });
  const lumina = Array.from({ length: 14 }, () => ({ x: stream.next(), y: stream.next(), r: between(stream, 0.025, 0.045) })).filter((l) => region(l.x, l.y) < 0.8);
  for (const l of lumina) dab(rgb, size, l.x, l.y, l.r, times(pale, wash), 1);
  // Large nuclei on a jittered grid: crowded inside the region, one in nine outside.
  const step = 0.042;
  for (let gy = 0; gy < 1; gy += step) {
    for (let gx = 0; gx < 1; gx += step) {
      const x = gx + step * stream.next(), y = gy + step * stream.next(), ill = region(x, y) < 1, keep = stream.next(), r = between(stream, 0.012, 0.02);
      if (lumina.some((l) => Math.hypot(x - l.x, y - l.y) < l.r)) continue;
      if (ill || keep < 0.11) dab(rgb, size, x, y, ill ? r : 0.012, times([0.36, 0.22, 0.5], wash), 0.9);
    }
  }
  for (let k = 0; k < 3; k++) {
    const cx = stream.next(), cy = stream.next();
    for (let n = 0; n < 45; n++) {
      const x = cx + 0.055 * stream.normal(), y = cy + 0.055 * stream.normal();
      if (region(x, y) > 1.12) dab(rgb, size, x, y, 0.009, times([0.24, 0.2, 0.46], wash), 0.95);
    }
  }
  return { rgb, mask: inside(size, region) };
}

/** Colon in endoscopy: red mucosa with folds and vessels under a moving lamp. Lesion: a polyp, redder than its surroundings, smooth and round, with a shadowed rim. Distractors: the lamp's fall-off, specular highlights everywhere. */
export function endoscopy(stream: Stream, style: Style, size: number): Picture {
  const lamp = { x: between(stream, 0.2, 0.8), y: between(stream, 0.2, 0.8), reach: between(stream, 0.4, 0.62) };
  const angle = between(stream, 0, 2 * Math.PI), radius = between(stream, 0.17, 0.27);
  const polyp = blob(stream, { x: between(stream, 0.3, 0.7), y: between(stream, 0.3, 0.7), rx: radius, ry: radius * between(stream, 0.75, 1), angle, wobble: 0.12 });
  const folds = noise(size, 2, 9, stream), vessels = fractal(size, 9, 3, stream), speckle = grain(size, stream);
  const mucosa: Colour = [0.84, 0.52 + 0.06 * style.tone, 0.42], growth: Colour = [0.88, 0.36, 0.37];
  const rgb = paint(size, (x, y, i) => {
    const p = polyp(x, y), on = cover(p, 0.05);
    let light = 0.3 + 0.85 * Math.exp(-((x - lamp.x) ** 2 + (y - lamp.y) ** 2) / (2 * lamp.reach ** 2));
    light *= mix(0.72 + 0.5 * at(folds, i), 1.12 - 0.25 * p * p, on) * (1 - 0.45 * Math.exp(-(((p - 1.05) / 0.08) ** 2)));
    const vein = (1 - on) * Math.exp(-(((at(vessels, i) - 0.5) / 0.012) ** 2));
    const corner = 1 - smoothstep(0.98, 1.06, Math.hypot(x - 0.5, y - 0.5) / 0.56);
    return times(blend(blend(mucosa, growth, on), [0.6, 0.2, 0.2], 0.5 * vein), corner * (light * style.gain + 0.02 * at(speckle, i)));
  });
  for (let k = 0; k < 9; k++) dab(rgb, size, between(stream, 0.15, 0.85), between(stream, 0.15, 0.85), between(stream, 0.008, 0.022), [1, 1, 0.97], 0.95);
  return { rgb, mask: inside(size, polyp) };
}

/** Skin in dermoscopy, from pale to dark. Lesion: darker and browner than the skin around it, with a pigment network. Distractors: hairs, the scope's dark corners, a pen mark. */
export function dermoscopy(stream: Stream, style: Style, size: number): Picture {
  const radius = between(stream, 0.2, 0.3);
  const lesion = blob(stream, { x: between(stream, 0.34, 0.66), y: between(stream, 0.34, 0.66), rx: radius, ry: radius * between(stream, 0.7, 1), angle: between(stream, 0, 3), wobble: 0.3 });
  const skin = blend([0.97, 0.8, 0.72], [0.4, 0.26, 0.2], style.tone);
  const depth = between(stream, 0.4, 0.62), net = noise(size, 26, 26, stream), blotch = fractal(size, 5, 3, stream), speckle = grain(size, stream);
  const slope = { x: between(stream, -0.8, 0.8), y: between(stream, -0.8, 0.8) };
  const rgb = paint(size, (x, y, i) => {
    const on = cover(lesion(x, y), 0.12), pigment = depth * mix(0.85, 1.2, at(blotch, i)) * (at(net, i) > 0.5 ? 1 : 0.75);
    const brown: Colour = [skin[0] * (1 - 0.85 * pigment), skin[1] * (1 - 1.05 * pigment), skin[2] * (1 - 1.15 * pigment)];
    const light = 1 + slope.x * (x - 0.5) + slope.y * (y - 0.5) + 0.1 * (at(blotch, i) - 0.5) + 0.025 * at(speckle, i);
    const corner = 1 - 0.95 * smoothstep(0.9, 1, Math.hypot(x - 0.5, y - 0.5) / 0.58);
    return times(blend(skin, brown, on), light * corner);
  });
  for (let k = 0; k < 7; k++) {
    let x = stream.next(), y = stream.next(), heading = between(stream, 0, 2 * Math.PI);
    const bend = between(stream, -0.02, 0.02), length = 60 + stream.int(90);
    for (let n = 0; n < length; n++, heading += bend) {
      x += 0.006 * Math.cos(heading); y += 0.006 * Math.sin(heading);
      dab(rgb, size, x, y, 0.007, [0.1, 0.07, 0.06], 0.8);
    }
  }
  const mark = { x: stream.next(), y: stream.next() < 0.5 ? 0.1 : 0.9 };
  for (let n = 0; n < 30; n++) dab(rgb, size, mark.x + 0.006 * n, mark.y + 0.01 * Math.sin(n / 4), 0.025, [0.25, 0.25, 0.55], 0.5);
  return { rgb, mask: inside(size, lesion) };
}
