// Ultrasound with two structures in every picture: one distribution for two tasks, which differ only in what they segment.
import type { Stream } from '../../random.js';
import { between, blob, cover, field, fractal, grain, greyPicture, inside, mix, noise, smoothstep, type Field, type Picture } from './canvas.js';
import type { Style } from './style.js';

const at = (f: Field, i: number): number => f[i] as number;

/**
 * A speckled scan with a nodule (round, dark, even, with a bright rim) and a mass (lying, mottled, ragged, with a dark shadow below).
 * They never overlap, and either may be left, right, above or below; `target` says which is the lesion and draws nothing.
 */
export function ultrasound(target: 'nodule' | 'mass'): (stream: Stream, style: Style, size: number) => Picture {
  return (stream, style, size) => {
    const beside = stream.next() < 0.5, flip = stream.next() < 0.5 ? -1 : 1, across = between(stream, 0.23, 0.26), along = between(stream, -0.14, 0.14);
    const [nx, ny] = beside ? [0.5 - flip * across, 0.5 + along] : [0.5 + along, 0.5 - flip * across];
    const [mx, my] = beside ? [0.5 + flip * across, 0.48 - along] : [0.5 - along, 0.5 + flip * across];
    const radius = between(stream, 0.155, 0.2);
    const nodule = blob(stream, { x: nx, y: ny, rx: radius, ry: radius * between(stream, 0.85, 1), angle: between(stream, 0, 3), wobble: 0.08 });
    const width = beside ? between(stream, 0.19, 0.22) : between(stream, 0.24, 0.3);
    const mass = blob(stream, { x: mx, y: my, rx: width, ry: between(stream, 0.12, 0.145), angle: between(stream, -0.15, 0.15), wobble: 0.3 });
    const mottle = fractal(size, 14, 2, stream), tissue = fractal(size, 6, 3, stream), fascia = noise(size, 2, 14, stream), speckle = grain(size, stream), fine = noise(size, 48, 64, stream);
    const dark = between(stream, 0.14, 0.22);
    const grey = field(size, (x, y, i) => {
      let v = mix(0.3, 0.55, at(tissue, i)) + 0.25 * Math.max(0, at(fascia, i) - 0.65);
      if (y < 0.06) v = 0.75;
      const below = Math.min(1, Math.max(0, (y - my - 0.08) / 0.05)) * Math.exp(-(((x - mx) / (0.6 * width)) ** 4));
      v *= 1 - 0.7 * below;
      const n = nodule(x, y), m = mass(x, y);
      v = mix(v, dark, cover(n, 0.05));
      v = mix(v, 0.9, Math.exp(-(((n - 1) / 0.09) ** 2)));
      v = mix(v, mix(0.16, 0.76, smoothstep(0.48, 0.56, at(mottle, i))), cover(m, 0.08));
      return (v * style.gain + style.offset) * mix(0.75, 1.25, at(fine, i)) * (1 + 0.2 * at(speckle, i));
    });
    return greyPicture(grey, inside(size, target === 'nodule' ? nodule : mass));
  };
}
