// Modules of A that B has under another path: same block, (nearly) the same tensors. Paths first: what both have under one path has not moved.
import type { Program } from '../program.js';

/** The path of B under which a path of A goes on. */
export interface Moves { readonly roots: ReadonlyMap<string, string>; readonly path: (a: string) => string }

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));
export const isInside = (path: string, module: string): boolean => module === '' || path === module || path.startsWith(`${module}.`);

/** Names and shapes of what stands under each instance, from there on. */
function contents(program: Program): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>((program.instances ?? []).map(({ path }) => [path, new Set<string>()]));
  for (const t of program.tensors) {
    for (let path = parentOf(t.path); path !== ''; path = parentOf(path)) {
      found.get(path)?.add(`${t.kind} ${t.path.slice(path.length)} ${t.shape.join('x')}${t.perTask ? ' per task' : ''}`);
    }
  }
  return found;
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const x of a) if (b.has(x)) shared++;
  return shared / (a.size + b.size - shared);
}

/** One weight is like many others: a module of few tensors has moved only near where it was: inside the same module, or under its own name. */
const FEW = 3;
const isNear = (a: string, b: string): boolean => a.split('.')[0] === b.split('.')[0] && (parentOf(a) === parentOf(b) || a.split('.').at(-1) === b.split('.').at(-1));

/** At least this much of the tensors of two modules is the same where one is the other, moved. */
const LEAST = 0.6;

export function findMoves(a: Program, b: Program): Moves {
  const [inA, inB] = [contents(a), contents(b)];
  const blocks = (p: Program): ReadonlyMap<string, string> => new Map((p.instances ?? []).map((i) => [i.path, i.block]));
  const [blockA, blockB] = [blocks(a), blocks(b)];
  const shallowFirst = (paths: Iterable<string>): string[] => [...paths].map((path, i) => ({ path, i, depth: path.split('.').length })).sort((x, y) => x.depth - y.depth || x.i - y.i).map((x) => x.path);
  const gone = shallowFirst(inA.keys()).filter((p) => !inB.has(p) && (inA.get(p)?.size ?? 0) > 0);
  const fresh = shallowFirst(inB.keys()).filter((p) => !inA.has(p) && (inB.get(p)?.size ?? 0) > 0);
  const byBlock = new Map<string, string[]>();
  for (const p of fresh) byBlock.set(blockB.get(p) ?? '', [...byBlock.get(blockB.get(p) ?? '') ?? [], p]);
  const roots = new Map<string, string>();
  const taken = new Set<string>();
  const isTaken = (path: string): boolean => { for (let p = path; p !== ''; p = parentOf(p)) if (taken.has(p)) return true; return false; };
  const isMoved = (path: string): boolean => { for (let p = path; p !== ''; p = parentOf(p)) if (roots.has(p)) return true; return false; };
  for (const path of gone) {
    if (isMoved(path)) continue;
    const own = inA.get(path) ?? new Set<string>();
    let best: { readonly path: string; readonly score: number } | undefined;
    for (const other of byBlock.get(blockA.get(path) ?? '') ?? []) {
      if (isTaken(other) || (own.size < FEW && !isNear(path, other))) continue;
      // a sibling of the same parent is likelier than one far away
      const score = likeness(own, inB.get(other) ?? new Set()) + (parentOf(path) === parentOf(other) ? 0.001 : 0);
      if (score >= LEAST && score > (best?.score ?? 0)) best = { path: other, score };
    }
    if (best === undefined) continue;
    roots.set(path, best.path);
    taken.add(best.path);
  }
  const known = new Map<string, string>();
  const move = (path: string): string => {
    const old = known.get(path);
    if (old !== undefined) return old;
    let to = path;
    for (let p = path; p !== ''; p = parentOf(p)) {
      const root = roots.get(p);
      if (root === undefined) continue;
      to = root + path.slice(p.length);
      break;
    }
    known.set(path, to);
    return to;
  };
  return { roots, path: move };
}
