// Paths told together: `enc.blocks.0.attn` to `enc.blocks.47.attn` as `enc.blocks[0..47].attn`, `d1`, `d2`, `d3` as `d{1..3}`.

type Part =
  | { readonly kind: 'name'; readonly text: string }
  /** A step that is a number. */
  | { readonly kind: 'index'; readonly numbers: readonly number[] }
  /** A name that ends in a number. */
  | { readonly kind: 'stem'; readonly stem: string; readonly numbers: readonly number[] };

interface Entry { readonly parts: readonly Part[]; readonly key: string; readonly members: readonly number[] }

export interface PathGroup { readonly path: string; /** places in the list that was given */ readonly members: readonly number[] }

function partOf(step: string): Part {
  if (/^\d+$/.test(step)) return { kind: 'index', numbers: [Number(step)] };
  const [, stem, number] = /^(.*[A-Za-z])(\d+)$/.exec(step) ?? [];
  return stem !== undefined && number !== undefined && String(Number(number)) === number ? { kind: 'stem', stem, numbers: [Number(number)] } : { kind: 'name', text: step };
}

/** `0..2, 5` */
function rangesOf(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const n of [...new Set(numbers)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === n - 1) last[1] = n;
    else runs.push([n, n]);
  }
  return runs.flatMap(([from, to]) => (to === from ? [`${from}`] : to === from + 1 ? [`${from}`, `${to}`] : [`${from}..${to}`])).join(', ');
}

function partText(p: Part): string {
  switch (p.kind) {
    case 'name': return p.text;
    case 'index': return `[${rangesOf(p.numbers)}]`;
    case 'stem': return p.numbers.length === 1 ? p.stem + String(p.numbers[0]) : `${p.stem}{${rangesOf(p.numbers).replaceAll(' ', '')}}`;
    default: return p satisfies never;
  }
}

const pathOf = (parts: readonly Part[]): string => parts.reduce((path, p) => path + (path === '' || p.kind === 'index' ? '' : '.') + partText(p), '');

/** Puts together entries that differ at step `at` alone. */
function merged(entries: readonly Entry[], at: number): readonly Entry[] {
  const found = new Map<string, Entry>();
  for (const [i, e] of entries.entries()) {
    const part = e.parts[at];
    if (part === undefined || part.kind === 'name') {
      found.set(`${i}`, e);
      continue;
    }
    const open = part.kind === 'index' ? '[]' : `${part.stem}{}`;
    const key = JSON.stringify([e.key, e.parts.map((p, k) => (k === at ? open : partText(p)))]);
    const old = found.get(key);
    const numbers = [...(old?.parts[at] as typeof part | undefined)?.numbers ?? [], ...part.numbers];
    found.set(key, old === undefined ? e : { ...old, parts: old.parts.map((p, k) => (k === at ? { ...part, numbers } : p)), members: [...old.members, ...e.members] });
  }
  return [...found.values()];
}

/** Groups of equal `key` whose paths differ in numbers alone, in order of their first members. */
export function groupPaths(items: readonly { readonly path: string; readonly key: string }[]): readonly PathGroup[] {
  let entries: readonly Entry[] = items.map(({ path, key }, i) => ({ parts: path === '' ? [] : path.split('.').map(partOf), key, members: [i] }));
  const longest = Math.max(0, ...entries.map((e) => e.parts.length));
  for (const kind of ['index', 'stem'] as const) {
    for (let at = longest - 1; at >= 0; at--) {
      const [open, rest] = [entries.filter((e) => e.parts[at]?.kind === kind), entries.filter((e) => e.parts[at]?.kind !== kind)];
      entries = [...merged(open, at), ...rest];
    }
  }
  return [...entries].sort((a, b) => (a.members[0] ?? 0) - (b.members[0] ?? 0)).map((e) => ({ path: pathOf(e.parts), members: e.members }));
}

/** All of them as few texts as possible. */
export const pathsText = (paths: readonly string[]): readonly string[] => groupPaths([...new Set(paths)].map((path) => ({ path, key: '' }))).map((g) => g.path);
