// The passes that every compiled function goes through, and their order.
import type { Graph } from '../ir/graph.js';
import { algebra } from './algebra.js';
import { broadcast } from './broadcast.js';
import { dead } from './dead.js';
import { factors } from './factors.js';
import { fold } from './fold.js';
import { movement } from './movement.js';
import { places } from './places.js';
import { rows } from './rows.js';
import { rewrite, type Rule } from './rewrite.js';
import { share } from './share.js';
import { nestSums } from './sums.js';

const RULES = { rows, fold, movement, algebra, broadcast, places, factors } as const satisfies Readonly<Record<string, Rule>>;

/** Names of the passes, each of which can be left out: results then differ by rounding at most. Dead code always goes. */
export type Pass = keyof typeof RULES | 'share' | 'sums' | 'rematerialise' | 'schedule';
export const PASSES: ReadonlySet<Pass> = new Set<Pass>([...(Object.keys(RULES) as (keyof typeof RULES)[]), 'share', 'sums', 'rematerialise', 'schedule']);

/** Sweeps after which the rules must have come to rest; each makes the graph smaller or moves an expand towards the outputs. */
const SWEEPS = 32;

/** The same values by fewer and cheaper ops. `detach` goes too, so gradients are taken before. */
export function optimise(graph: Graph, passes: ReadonlySet<Pass> = PASSES): Graph {
  const rules = Object.entries(RULES).flatMap(([name, rule]) => (passes.has(name as Pass) ? [rule] : []));
  const merged = (g: Graph): Graph => (passes.has('share') ? share(g) : g);
  let current = dead(graph);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const { graph: rewritten, changed } = rewrite(merged(current), rules);
    current = rewritten;
    if (!changed) break;
  }
  return merged(passes.has('sums') ? nestSums(current) : current);
}

/** What pays before gradients are taken: they are then those of the cheaper forward. */
export const prepare = (graph: Graph, passes: ReadonlySet<Pass> = PASSES): Graph => {
  const whole = share(graph);
  return passes.has('rows') ? share(rewrite(whole, [rows]).graph) : whole;
};
