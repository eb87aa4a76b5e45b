// The passes that every compiled function goes through, and their order.
import type { Graph } from '../ir/graph.js';
import { algebra } from './algebra.js';
import { broadcast } from './broadcast.js';
import { dead } from './dead.js';
import { factors } from './factors.js';
import { fold } from './fold.js';
import { movement } from './movement.js';
import { places } from './places.js';
import { rewrite, type Rule } from './rewrite.js';
import { share } from './share.js';
import { nestSums } from './sums.js';

const RULES: readonly Rule[] = [fold, movement, algebra, broadcast, places, factors];

/** Sweeps after which the rules must have come to rest; each makes the graph smaller or moves an expand towards the outputs. */
const SWEEPS = 32;

/** The same values by fewer and cheaper ops. `detach` goes too, so gradients are taken before. */
export function optimise(graph: Graph): Graph {
  let current = dead(graph);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const { graph: rewritten, changed } = rewrite(share(current), RULES);
    current = rewritten;
    if (!changed) break;
  }
  return share(nestSums(current));
}
