// Phantoms of grey modalities: OCT, MRI, CT. Each draws one picture and its lesion.
import type { Stream } from '../../random.js';
import { between, blob, clamp, cover, disc, field, fractal, grain, greyPicture, inside, mix, noise, smoothstep, union, type Field, type Picture } from './canvas.js';
import type { Style } from './style.js';

const at = (f: Field, i: number): number => f[i] as number;

/** Retina in OCT: a bright layered band between dark vitreous and dark choroid. Lesion: dark fluid within the band. Distractors: both dark sides, vessel shadows. */
export function oct(stream: Stream, style: Style, size: number): Picture {
  const top = between(stream, 0.14, 0.3), thick = between(stream, 0.46, 0.54), tilt = between(stream, -0.12, 0.12), bow = between(stream, -0.12, 0.12);
  const wave = noise(size, 4, 1, stream), speckle = grain(size, stream), layers = Array.from({ length: 9 }, () => between(stream, 0.45, 0.85));
  const surface = (x: number, y: number, i: number): number => top + tilt * (x - 0.5) + bow * (2 * x - 1) ** 2 + 0.04 * at(wave, i);
  const cx = between(stream, 0.26, 0.74), depth = between(stream, 0.42, 0.58);
  const cy = top + tilt * (cx - 0.5) + bow * (2 * cx - 1) ** 2 + 0.02 + depth * thick;
  const pocket = blob(stream, { x: cx, y: cy, rx: between(stream, 0.19, 0.25), ry: between(stream, 0.12, 0.16), wobble: 0.2 });
  const side = cx > 0.5 ? -1 : 1;
  const second = blob(stream, { x: cx + side * between(stream, 0.36, 0.42), y: cy + between(stream, -0.04, 0.04), rx: between(stream, 0.08, 0.11), ry: between(stream, 0.07, 0.1), wobble: 0.15 });
  const shadows = Array.from({ length: 3 }, () => ({ x: stream.next(), width: between(stream, 0.01, 0.025) }));
  const grey = field(size, (x, y, i) => {
    const d = (y - surface(x, y, i)) / thick, layer = layers[Math.floor(clamp(d, 0, 0.999) * layers.length)] as number;
    let v = 0.1;
    if (d > 0) v = mix(v, layer, smoothstep(0, 0.04, d));
    if (d > 0.88) v = mix(0.95, 0.34 * Math.exp(-(d - 0.96) * 3), smoothstep(0.96, 1.04, d));
    v = mix(v, 0.12, Math.max(cover(pocket(x, y), 0.07), cover(second(x, y), 0.1)));
    for (const s of shadows) if (d > 0.1) v *= 1 - 0.6 * Math.exp(-(((x - s.x) / s.width) ** 2));
    return (v * style.gain + style.offset) * (1 + 0.22 * at(speckle, i)) + 0.02 * at(speckle, i);
  });
  return greyPicture(grey, union(inside(size, pocket), inside(size, second)));
}

/** A head in MRI: skull ring, brain with white matter and dark ventricles. Lesion: a tumour with an enhancing rim and a dark core. Distractors: bright skull, dark ventricles. */
export function mri(stream: Stream, style: Style, size: number): Picture {
  const head = blob(stream, { x: 0.5 + between(stream, -0.03, 0.03), y: 0.5, rx: between(stream, 0.4, 0.45), ry: between(stream, 0.44, 0.48), wobble: 0.05 });
  const angle = between(stream, 0, 2 * Math.PI), away = between(stream, 0.08, 0.2);
  const cx = 0.5 + away * Math.cos(angle), cy = 0.5 + away * Math.sin(angle);
  const radius = between(stream, 0.16, 0.23);
  const tumour = blob(stream, { x: cx, y: cy, rx: radius * between(stream, 0.85, 1.1), ry: radius, angle, wobble: 0.25 });
  const core = between(stream, 0.5, 0.68), rimLevel = between(stream, 0.8, 0.95), coreLevel = between(stream, 0.2, 0.34);
  const ventricles = [-1, 1].map((s) => blob(stream, { x: 0.5 + s * 0.07 - 0.5 * (cx - 0.5), y: 0.5 - 0.6 * (cy - 0.5), rx: 0.035, ry: between(stream, 0.1, 0.14), angle: s * 0.25, wobble: 0.1 }));
  const matter = fractal(size, 5, 3, stream), texture = fractal(size, 14, 2, stream), bias = noise(size, 2, 2, stream), speckle = grain(size, stream);
  const grey = field(size, (x, y, i) => {
    const r = head(x, y);
    if (r > 1.02) return 0.03 + 0.015 * Math.abs(at(speckle, i));
    let v = mix(0.42, 0.66, smoothstep(0.42, 0.58, at(matter, i)));
    for (const ventricle of ventricles) v = mix(v, 0.16, cover(ventricle(x, y), 0.15));
    const t = tumour(x, y), rim = rimLevel * mix(0.85, 1.1, at(texture, i)), deep = coreLevel * mix(0.8, 1.4, at(texture, i));
    v = mix(v, mix(rim, deep, cover(t / core, 0.16)), cover(t, 0.06));
    if (r > 0.86) v = mix(v, 0.1, smoothstep(0.86, 0.88, r));
    if (r > 0.92) v = mix(0.1, 0.9, smoothstep(0.92, 0.94, r));
    return (v * style.gain + style.offset) * mix(0.8, 1.15, at(bias, i)) + 0.025 * at(speckle, i);
  });
  return greyPicture(grey, inside(size, tumour));
}

/** A chest in CT: bright body, dark lungs with vessels, bright bones. Lesion: ground-glass haze within the lungs. Distractors: tissue that is brighter, vessels as bright. */
export function ct(stream: Stream, style: Style, size: number): Picture {
  const body = blob(stream, { x: 0.5, y: 0.52, rx: between(stream, 0.46, 0.49), ry: between(stream, 0.42, 0.46), wobble: 0.04 });
  const lungs = [-1, 1].map((s) => blob(stream, { x: 0.5 + s * between(stream, 0.215, 0.235), y: 0.5, rx: between(stream, 0.175, 0.195), ry: between(stream, 0.3, 0.34), angle: s * -0.12, wobble: 0.1 }));
  const heart = blob(stream, { x: 0.52, y: 0.56, rx: 0.12, ry: 0.15, wobble: 0.1 });
  const side = stream.next() < 0.5 ? -1 : 1;
  const patches = [
    blob(stream, { x: 0.5 + side * between(stream, 0.22, 0.3), y: between(stream, 0.32, 0.68), rx: between(stream, 0.13, 0.17), ry: between(stream, 0.15, 0.22), angle: between(stream, -0.5, 0.5), wobble: 0.3 }),
    blob(stream, { x: 0.5 - side * between(stream, 0.22, 0.3), y: between(stream, 0.32, 0.68), rx: between(stream, 0.09, 0.13), ry: between(stream, 0.1, 0.16), angle: between(stream, -0.5, 0.5), wobble: 0.3 }),
  ];
  const haze = between(stream, 0.36, 0.46), texture = fractal(size, 12, 3, stream), flesh = fractal(size, 8, 2, stream), speckle = grain(size, stream);
  const inLung = (x: number, y: number): number => Math.max(...lungs.map((lung) => cover(lung(x, y), 0.04))) * (1 - cover(heart(x, y), 0.06));
  const vessels = new Float32Array(size * size);
  for (let k = 0; k < 70; k++) disc(size, stream.next(), stream.next(), between(stream, 0.006, 0.016), (i, t) => { vessels[i] = Math.max(at(vessels, i), 1 - t * t); });
  const bones = Array.from({ length: 10 }, (_, k) => ({ x: 0.5 + 0.455 * Math.cos((k / 10) * 2 * Math.PI + 0.3), y: 0.52 + 0.41 * Math.sin((k / 10) * 2 * Math.PI + 0.3) }));
  const mask = new Float32Array(size * size);
  const grey = field(size, (x, y, i) => {
    if (body(x, y) > 1) return 0.03 + 0.02 * Math.abs(at(speckle, i));
    let v = mix(0.55, 0.72, at(flesh, i));
    for (const b of bones) v = mix(v, 0.97, Math.exp(-(((x - b.x) ** 2 + (y - b.y) ** 2) / 0.0009)));
    if ((x - 0.5) ** 2 + (y - 0.86) ** 2 < 0.0035) v = 0.95;
    const lung = inLung(x, y), ill = Math.max(...patches.map((p) => cover(p(x, y), 0.08)));
    const air = mix(mix(0.1, haze * mix(0.8, 1.25, at(texture, i)), ill), 0.62, at(vessels, i) * 0.8);
    if (lung > 0.5 && patches.some((p) => p(x, y) < 1)) mask[i] = 1;
    return (mix(v, air, lung) * style.gain + style.offset) + 0.03 * at(speckle, i);
  });
  return greyPicture(grey, mask);
}
