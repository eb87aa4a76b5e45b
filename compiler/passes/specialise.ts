// A graph for one task: what follows from the task, the schedules and small tensors is computed, and terms of a sum that such a value makes
// vanish go, with all that only they read. Large tensors stay leaves. Runs before the other passes, on products and sums as the spec says them.
import { boundValue, type Bindings } from '../bindings.js';
import { evaluateConstant } from '../evaluate.js';
import type { GraphBuilder } from '../ir/builder.js';
import { isStatic } from '../ir/dim.js';
import { leafName, type Graph, type Node, type NodeId } from '../ir/graph.js';
import { sizeOf, type NdArray } from '../ir/ndarray.js';
import { constantOf, inputOf, rewrite, type Rule } from './rewrite.js';

/** A term that is gone. */
export interface DroppedRoute {
  /** The module whose tensors only this term read, `{task}` in its path; where it read none, the module that made the term. */
  readonly route: string;
  /** Largest factor that it had, over the weight of what it was added to. */
  readonly weight: number;
  /** Paths of the parameters and states that only this term read. */
  readonly tensors: readonly string[];
}

export interface Specialised {
  readonly graph: Graph;
  readonly dropped: readonly DroppedRoute[];
  /** Paths of the tensors, and names of the other leaves, whose values went into constants of the graph. */
  readonly folded: ReadonlySet<string>;
}

/** Elements of a tensor that may be computed with here; a table of which one row is read may be larger. */
const SMALL = 1 << 16;
const TABLE = 1 << 20;
/** Elements up to which a folded value may be larger than what it was made of. */
const GROWTH_LIMIT = 4096;

/**
 * The same values with the bindings' task, schedules and small tensors computed in. A term of a sum is dropped where a factor of it that came
 * from the bindings makes its weight 0, or less than `dropBelow` times the weight of what it is added to; 0 drops nothing.
 * Numbers that the spec itself writes (a mean's 1/n) drop nothing.
 */
export function specialise(graph: Graph, bindings: Bindings, dropBelow: number): Specialised {
  const values = new Values(bindings);
  const drops: { readonly term: NodeId; readonly weight: number }[] = [];
  let builder: GraphBuilder | undefined;
  const fold: Rule = (b, node) => {
    builder = b;
    return values.fold(b, node);
  };
  const drop: Rule = (b, node) => {
    if (dropBelow === 0 || (node.op !== 'add' && node.op !== 'sub') || node.type.dtype !== 'f32') return undefined;
    const [x, y] = [inputOf(b, node, 0), inputOf(b, node, 1)];
    const ways = [{ term: x, kept: y }, { term: y, kept: x }].map(({ term, kept }) => ({ term, kept, weight: values.knows(term) ? Infinity : relative(values.weight(b, term).most, values.weight(b, kept).least) }));
    const [best] = ways.sort((a, c) => a.weight - c.weight);
    if (best === undefined || !(best.weight < dropBelow)) return undefined;
    drops.push({ term: best.term.id, weight: best.weight });
    return b.expand(node.op === 'sub' && best.kept === y ? b.neg(y.id) : best.kept.id, node.type.shape);
  };
  const { graph: rest } = rewrite(graph, [fold, drop]);
  return { graph: rest, dropped: drops.map(({ term, weight }) => ({ weight, ...lost(builder, rest, term) })), folded: values.foldedIn(rest) };
}

const relative = (term: number, beside: number): number => (term === 0 ? 0 : beside === 0 ? Infinity : term / beside);

/** Bounds on what a value is multiplied by, as far as it can be seen: a value of unknown making counts as 1. */
interface Weight { readonly most: number; readonly least: number }
const UNKNOWN: Weight = { most: 1, least: 1 };

/** Ops that pass a factor of their first input on. */
const LINEAR: ReadonlySet<string> = new Set(['neg', 'identity', 'detach', 'reshape', 'expand', 'transpose', 'slice', 'flip', 'mean']);

/** What is known of the values of the graph in the making. */
class Values {
  /** Leaves from which a constant was computed. */
  private readonly origins = new Map<NodeId, ReadonlySet<string>>();
  private readonly weights = new Map<NodeId, Weight>();
  private readonly leaves = new Map<string, NdArray | undefined>();

  constructor(private readonly bindings: Bindings) {}

  private value(node: Node, limit = SMALL): NdArray | undefined {
    const constant = constantOf(node);
    if (constant !== undefined || node.inputs.length > 0 || node.op === 'constant') return constant;
    const key = `${limit} ${leafName(node)}`;
    if (!this.leaves.has(key)) this.leaves.set(key, boundValue(node, this.bindings, limit));
    return this.leaves.get(key);
  }

  knows(node: Node): boolean { return this.value(node) !== undefined; }

  /** Empty for a number that the spec says. */
  private originsOf(node: Node): ReadonlySet<string> {
    return node.op === 'constant' ? this.origins.get(node.id) ?? new Set() : new Set([TENSORS.has(node.op) ? String(node.attrs.path) : leafName(node)]);
  }

  fold(b: GraphBuilder, node: Node): NodeId | undefined {
    if (node.inputs.length === 0 || !node.type.shape.every(isStatic)) return undefined;
    const inputs = node.inputs.map((id) => b.node(id));
    const values = inputs.flatMap((input, i) => this.value(input, node.op === 'gather' && i === 0 ? TABLE : SMALL) ?? []);
    if (values.length < inputs.length || sizeOf(node.type.shape) > Math.max(GROWTH_LIMIT, ...values.map((v) => v.data.length))) return undefined;
    const value = evaluateConstant(node, values);
    if (value === undefined) return undefined;
    const id = b.constant(value, node.type.dtype);
    this.origins.set(id, new Set(inputs.flatMap((input) => [...this.originsOf(input)])));
    return id;
  }

  weight(b: GraphBuilder, node: Node): Weight {
    const old = this.weights.get(node.id);
    if (old !== undefined) return old;
    const made = this.weigh(b, node);
    this.weights.set(node.id, made);
    return made;
  }

  private weigh(b: GraphBuilder, node: Node): Weight {
    const value = this.value(node);
    if (value !== undefined) {
      const size = largest(value);
      return { most: size, least: size };
    }
    if (LINEAR.has(node.op)) return this.weight(b, inputOf(b, node, 0));
    switch (node.op) {
      case 'mul': {
        const [x, y] = [inputOf(b, node, 0), inputOf(b, node, 1)];
        if (this.factorKnown(b, x)) return times(this.weight(b, y), this.factor(b, x));
        // A factor of unknown making may undo the other: a norm does.
        return this.factorKnown(b, y) ? times(this.weight(b, x), this.factor(b, y)) : UNKNOWN;
      }
      case 'add':
      case 'sub': {
        const [x, y] = [this.weight(b, inputOf(b, node, 0)), this.weight(b, inputOf(b, node, 1))];
        return { most: x.most + y.most, least: Math.max(x.least, y.least) };
      }
      default: return UNKNOWN;
    }
  }

  /** The known value that an expand to a symbolic or large size repeats. */
  private repeated(b: GraphBuilder, node: Node): Node { return (node.op === 'expand' || node.op === 'reshape') && !this.knows(node) ? this.repeated(b, inputOf(b, node, 0)) : node; }
  private factorKnown(b: GraphBuilder, node: Node): boolean { return this.knows(this.repeated(b, node)); }

  /** What the spec's own numbers say of a scale is not what was learned: they make no term smaller, and nothing beside it larger. */
  private factor(b: GraphBuilder, node: Node): Weight {
    const source = this.repeated(b, node), weight = this.weight(b, source);
    return this.originsOf(source).size > 0 ? weight : { most: Math.max(1, weight.most), least: Math.min(1, weight.least) };
  }

  foldedIn(graph: Graph): ReadonlySet<string> {
    return new Set([...graph.nodes.keys()].flatMap((id) => [...this.origins.get(id) ?? []]));
  }
}

const times = (a: Weight, b: Weight): Weight => ({ most: a.most * b.most, least: a.least * b.least });
const largest = ({ data }: NdArray): number => data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

const TENSORS: ReadonlySet<string> = new Set(['param', 'state', 'every_task']);

/** What only a dropped term read. */
function lost(b: GraphBuilder | undefined, rest: Graph, term: NodeId): { readonly route: string; readonly tensors: readonly string[] } {
  if (b === undefined) throw new Error('a term was dropped from a graph without nodes');
  const alive = new Set([...rest.nodes.values()].filter((n) => TENSORS.has(n.op)).map(leafName));
  const gone = new Set<string>(), seen = new Set<NodeId>(), open = [term];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id) || rest.nodes.has(id)) continue;
    seen.add(id);
    const node = b.node(id);
    if (TENSORS.has(node.op) && !alive.has(leafName(node))) gone.add(String(node.attrs.path));
    open.push(...node.inputs);
  }
  return { route: commonModule([...gone]) ?? b.node(term).path, tensors: [...gone] };
}

/** The innermost module that holds all these tensors; undefined where there are none. */
function commonModule(paths: readonly string[]): string | undefined {
  const [first, ...others] = paths.map((path) => path.split('.').slice(0, -1));
  if (first === undefined) return undefined;
  const end = first.findIndex((name, i) => others.some((other) => other[i] !== name));
  return first.slice(0, end < 0 ? first.length : end).join('.');
}
