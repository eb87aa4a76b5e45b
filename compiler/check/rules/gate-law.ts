// A gate lies in [0, 1] and does not fall over its nodes: shown by signs and monotony through the ops that build it.
// An abstract interpretation over (range, course along the first axis); what an op does not keep is not known.
import type { GraphBuilder } from '../../ir/builder.js';
import { equalDim } from '../../ir/dim.js';
import type { Node, NodeId } from '../../ir/graph.js';
import { isNdArray } from '../../ir/ndarray.js';
import type { Schedule } from '../../program.js';

/** `flat`: one value along the axis (size 1 or a scalar). */
type Course = 'flat' | 'rising' | 'falling' | 'open';
interface Fact { readonly low: number; readonly high: number; readonly course: Course; /** its sum along the axis is at most this */ readonly total?: number }

const ANY: Fact = { low: -Infinity, high: Infinity, course: 'open' };
const flip = (c: Course): Course => (c === 'rising' ? 'falling' : c === 'falling' ? 'rising' : c);
const both = (a: Course, b: Course): Course => (a === 'flat' ? b : b === 'flat' || a === b ? a : 'open');
const isFlat = (n: Node): boolean => n.type.shape.length === 0 || n.type.shape[0] === 1;

type Rule = (x: readonly Fact[], node: Node, inputs: readonly Node[]) => Fact;

/** Whether an op works along the nodes: `axis` is the first. */
const alongNodes = (n: Node): boolean => Number(n.attrs['axis']) === 0 || Number(n.attrs['axis']) === -n.type.shape.length;
/** Whether a reshape keeps the nodes on the first axis. */
const keepsNodes = (n: Node, from: Node | undefined): boolean =>
  from !== undefined && from.type.shape.length > 0 && equalDim(from.type.shape[0] ?? -1, n.type.shape[0] ?? -2);
const through = (f: (v: number) => number, low: number, high: number): Rule => ([x = ANY]) =>
  ({ low: Math.max(low, f(x.low)), high: Math.min(high, f(x.high)), course: x.course });
const keep: Rule = ([x = ANY]) => x;
const product = (x: Fact, y: Fact): Fact => {
  const corners = [x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high].map((v) => (Number.isNaN(v) ? 0 : v));
  const low = Math.min(...corners);
  const high = Math.max(...corners);
  if (y.course === 'flat' && y.low >= 0) return { low, high, course: x.course };
  if (y.course === 'flat' && y.high <= 0) return { low, high, course: flip(x.course) };
  if (x.course === 'flat' && x.low >= 0) return { low, high, course: y.course };
  if (x.course === 'flat' && x.high <= 0) return { low, high, course: flip(y.course) };
  return { low, high, course: x.low >= 0 && y.low >= 0 ? both(x.course, y.course) : 'open' };
};
const inverse = (y: Fact): Fact => (y.low > 0 ? { low: 1 / y.high, high: 1 / y.low, course: flip(y.course) } : { ...ANY, course: y.course === 'flat' ? 'flat' : 'open' });
const sum = (x: Fact, y: Fact): Fact => ({ low: x.low + y.low, high: x.high + y.high, course: both(x.course, y.course) });
const negative = (x: Fact): Fact => ({ low: -x.high, high: -x.low, course: flip(x.course) });

/** A comparison is 0 or 1, and turns once where its sides' difference rises or falls. */
const step = (x: Fact, y: Fact): Fact => ({ low: 0, high: 1, course: both(x.course, flip(y.course)) });

const RULES: Readonly<Record<string, Rule>> = {
  neg: ([x = ANY]) => negative(x),
  add: ([x = ANY, y = ANY]) => sum(x, y),
  sub: ([x = ANY, y = ANY]) => sum(x, negative(y)),
  mul: ([x = ANY, y = ANY]) => product(x, y),
  div: ([x = ANY, y = ANY]) => product(x, inverse(y)),
  reciprocal: ([x = ANY]) => inverse(x),
  exp: through(Math.exp, 0, Infinity),
  softplus: through((v) => (v > 30 ? v : Math.log1p(Math.exp(v))), 0, Infinity),
  sigmoid: through((v) => 1 / (1 + Math.exp(-v)), 0, 1),
  tanh: through(Math.tanh, -1, 1),
  relu: through((v) => Math.max(0, v), 0, Infinity),
  log: ([x = ANY]) => (x.low > 0 ? { low: Math.log(x.low), high: Math.log(x.high), course: x.course } : ANY),
  sqrt: ([x = ANY]) => (x.low >= 0 ? { low: Math.sqrt(x.low), high: Math.sqrt(x.high), course: x.course } : ANY),
  abs: ([x = ANY]) => ({ low: 0, high: Math.max(Math.abs(x.low), Math.abs(x.high)), course: x.course === 'flat' ? 'flat' : x.low >= 0 ? x.course : 'open' }),
  maximum: ([x = ANY, y = ANY]) => ({ low: Math.max(x.low, y.low), high: Math.max(x.high, y.high), course: both(x.course, y.course) }),
  minimum: ([x = ANY, y = ANY]) => ({ low: Math.min(x.low, y.low), high: Math.min(x.high, y.high), course: both(x.course, y.course) }),
  greater: ([x = ANY, y = ANY]) => step(x, y),
  greater_equal: ([x = ANY, y = ANY]) => step(x, y),
  less: ([x = ANY, y = ANY]) => step(y, x),
  less_equal: ([x = ANY, y = ANY]) => step(y, x),
  cast: keep,
  softmax: (_, n) => ({ low: 0, high: 1, course: 'open', ...(n.type.shape.length === 1 ? { total: 1 } : {}) }),
  cumsum: ([x = ANY], n) => (!alongNodes(n) ? ANY : { low: x.low >= 0 ? 0 : -Infinity, high: x.low >= 0 ? x.total ?? Infinity : Infinity, course: x.low >= 0 ? 'rising' : x.high <= 0 ? 'falling' : 'open' }),
  sum: ([x = ANY], n) => ({ low: x.low >= 0 ? 0 : -Infinity, high: x.high <= 0 ? 0 : x.low >= 0 ? x.total ?? Infinity : Infinity, course: isFlat(n) ? 'flat' : 'open' }),
  mean: ([x = ANY], n) => ({ low: x.low, high: x.high, course: isFlat(n) ? 'flat' : 'open' }),
  max: ([x = ANY], n) => ({ low: x.low, high: x.high, course: isFlat(n) ? 'flat' : 'open' }),
  min: ([x = ANY], n) => ({ low: x.low, high: x.high, course: isFlat(n) ? 'flat' : 'open' }),
  slice: ([x = ANY], n) => ({ low: x.low, high: x.high, course: isFlat(n) ? 'flat' : n.attrs['step'] === undefined || Number(n.attrs['step']) > 0 ? x.course : flip(x.course) }),
  flip: ([x = ANY], n) => ({ ...x, course: n.type.shape.length === 1 ? flip(x.course) : 'open' }),
  reshape: ([x = ANY], n, [from]) => ({ low: x.low, high: x.high, course: isFlat(n) || from?.type.shape.every((d) => d === 1) === true ? 'flat' : keepsNodes(n, from) ? x.course : 'open' }),
  expand: ([x = ANY]) => x,
  identity: keep,
  detach: keep,
};

/** What is not shown (`in [0, 1]`, `rising`), or undefined where both are. */
export function checkGateLaw(builder: GraphBuilder, gate: NodeId, schedules: ReadonlyMap<string, Schedule>): string | undefined {
  const known = new Map<NodeId, Fact>();
  const factOf = (id: NodeId): Fact => {
    const old = known.get(id);
    if (old !== undefined) return old;
    const fact = derive(builder.node(id));
    known.set(id, fact);
    return fact;
  };
  const derive = (node: Node): Fact => {
    if (node.op === 'schedule') {
      const s = schedules.get(String(node.attrs['name']));
      // a warm-up begins at 0, which no division survives
      return s === undefined || s.warmup !== undefined ? { ...ANY, course: 'flat' } : { low: Math.min(s.from, s.to), high: Math.max(s.from, s.to), course: 'flat' };
    }
    const { value } = node.attrs;
    if (node.op === 'constant' && isNdArray(value)) {
      const v = [...value.data];
      const rises = v.every((x, i) => i === 0 || x >= (v[i - 1] ?? x));
      const falls = v.every((x, i) => i === 0 || x <= (v[i - 1] ?? x));
      const course: Course = isFlat(node) || (rises && falls) ? 'flat' : value.shape.length !== 1 ? 'open' : rises ? 'rising' : falls ? 'falling' : 'open';
      return { low: Math.min(...v), high: Math.max(...v), course };
    }
    const rule = RULES[node.op];
    if (rule === undefined) return { ...ANY, course: isFlat(node) ? 'flat' : 'open' };
    return rule(node.inputs.map(factOf), node, node.inputs.map((id) => builder.node(id)));
  };
  const { low, high, course } = factOf(gate);
  if (low < 0 || high > 1) return 'in [0, 1]';
  return course === 'rising' || course === 'flat' ? undefined : 'rising over its nodes';
}
