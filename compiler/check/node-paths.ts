// Paths of nodes, `enc.blocks[* as b].attn`: which instances they name.
import type { Expr, Path } from '../../grammar/ast.js';
import { pathText } from '../resolve/variants.js';
import { join, type Context, type Frame } from './context.js';
import { childIndexes, evaluate, lookup } from './expressions.js';
import { suggestion } from './suggest.js';
import { describe, isPoison } from './values.js';

export interface Place { readonly path: string; readonly indexes: readonly number[]; readonly bound: ReadonlyMap<string, number> }

/** The instances that a path names; undefined: none (reported). */
export function placesOf(ctx: Context, frame: Frame, path: Path): readonly Place[] | undefined {
  const root = lookup(ctx, frame, path.root.text, path.root.range);
  if (isPoison(root)) return undefined;
  // an instance whose result is a plain tensor is known by its name
  const named = join(frame.path, path.root.text);
  const called = [...ctx.calls.keys()].some((k) => k === named || k.startsWith(`${named}.`));
  const rootPath = root.kind === 'record' || root.kind === 'closure' ? root.path : called ? named : undefined;
  const text = pathText(path);
  if (rootPath === undefined) {
    ctx.report('TPS4002', path.root.range, frame.module, { path: text, detail: `\`${path.root.text}\` is ${describe(root)}, no instance`, help: 'a path begins at an encoder, a decoder or a layer' });
    return undefined;
  }
  let places: Place[] = [{ path: rootPath, indexes: [], bound: new Map() }];
  for (const step of path.steps) {
    const next: Place[] = [];
    for (const place of places) {
      if (step.kind === 'member') {
        next.push({ ...place, path: join(place.path, step.name.text) });
        continue;
      }
      const children = childIndexes(ctx, place.path);
      const wanted = step.kind === 'every' ? children : indexesOf(ctx, frame, step.index);
      if (wanted === undefined) return undefined;
      for (const i of wanted) {
        if (step.kind === 'index' && !children.includes(i)) {
          ctx.report('TPS3015', step.range, frame.module, { index: i, what: `\`${place.path}\``, count: children.length });
          return undefined;
        }
        const bound = step.as === undefined ? place.bound : new Map([...place.bound, [step.as.text, i]]);
        next.push({ path: join(place.path, String(i)), indexes: [...place.indexes, i], bound });
      }
    }
    const alive = next.filter((p) => [...ctx.calls.keys()].some((k) => k === p.path || k.startsWith(`${p.path}.`)));
    if (alive.length === 0) {
      const prefix = places[0]?.path ?? rootPath;
      const names = new Set([...ctx.calls.keys()].filter((k) => k.startsWith(`${prefix}.`)).map((k) => k.slice(prefix.length + 1).split('.')[0] ?? ''));
      const last = step.kind === 'member' ? step.name.text : '*';
      ctx.report('TPS4002', step.range, frame.module, { path: text, detail: `\`${prefix}\` has no ${step.kind === 'member' ? `\`${last}\`` : 'numbered nodes'}`, help: suggestion(last, names) });
      return undefined;
    }
    places = alive;
  }
  return places;
}
/** The numbers that `[…]` in a path says; undefined: reported. */
function indexesOf(ctx: Context, frame: Frame, e: Expr): readonly number[] | undefined {
  const v = evaluate(ctx, frame, e);
  const numbers = (v.kind === 'list' ? v.items : [v]).flatMap((i) => (i.kind === 'number' && i.integer ? [i.value] : []));
  if (numbers.length === (v.kind === 'list' ? v.items.length : 1)) return numbers;
  if (!isPoison(v)) ctx.report('TPS3013', e.range, frame.module, { where: 'an index of a path', expected: 'a whole number or a range', actual: describe(v) });
  return undefined;
}
