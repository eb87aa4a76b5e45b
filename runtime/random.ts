// The project's one source of random numbers: independent streams named by (seed, key), the same on every machine.
// No use of Math.random anywhere; what is drawn for which purpose is the caller's matter (it chooses the key).
import { createHash } from 'node:crypto';

export interface Stream {
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * The stream of (seed, key): xoshiro128** (Blackman and Vigna 2018) whose 128 bits of state are the beginning of SHA-256(`seed/key`).
 * Equal arguments give equal numbers; different keys give unrelated ones, so variants that share a key share what is drawn under it.
 */
export function streamOf(seed: number, key: string): Stream {
  const digest = createHash('sha256').update(`${seed}/${key}`).digest();
  let a = digest.readInt32LE(0), b = digest.readInt32LE(4), c = digest.readInt32LE(8), d = digest.readInt32LE(12) | 1;
  const word = (): number => {
    const out = Math.imul(rotl(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a; d ^= b; b ^= c; a ^= d; c ^= t; d = rotl(d, 11);
    return out >>> 0;
  };
  const next = (): number => ((word() >>> 5) * 67108864 + (word() >>> 6)) / 9007199254740992;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) { const z = spare; spare = undefined; return z; }
    const radius = Math.sqrt(-2 * Math.log(1 - next())), angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { next, normal, int: (n) => Math.floor(next() * n) };
}

/** A new list in random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], stream: Stream): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = stream.int(i + 1);
    const held = out[i] as T;
    out[i] = out[j] as T;
    out[j] = held;
  }
  return out;
}
