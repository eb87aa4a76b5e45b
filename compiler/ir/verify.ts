// The verifier of the graph: a table of laws. It runs between passes in tests, and says which law which node breaks.
import { opOf, isOp } from '../ops/index.js';
import { isStatic } from './dim.js';
import { sameShape } from './builder.js';
import { formatType, isLeaf, type Graph, type LeafOp, type Node, type TensorType } from './graph.js';
import { isNdArray, sizeOf } from './ndarray.js';

/** What a law can see: the node, the types of its inputs (only nodes before it count as there). */
interface View { readonly node: Node; readonly before: ReadonlyMap<number, Node> }
/** Gives what is wrong, or undefined. */
type Law = (view: View) => string | undefined;

const typesOf = ({ node, before }: View): readonly TensorType[] => node.inputs.flatMap((i) => before.get(i)?.type ?? []);

const LEAF_ATTRS: Readonly<Record<LeafOp, readonly string[]>> = {
  input: ['name'], param: ['path'], state: ['path'], every_task: ['path'], schedule: ['name'], drop: ['path', 'rate'], constant: ['value'],
};

/** In order: a node that breaks one is not asked for the next. */
const LAWS: Readonly<Record<string, Law>> = {
  'every op is in the table': ({ node }) => (isLeaf(node.op) || isOp(node.op) ? undefined : `no op ${node.op}`),
  'a node stands under its own id': ({ node, before }) => (before.has(node.id) ? `${node.id} stands twice` : undefined),
  'a node comes after its inputs': ({ node, before }) => {
    const late = node.inputs.find((i) => !before.has(i));
    return late === undefined ? undefined : `reads ${late}`;
  },
  'a leaf has no inputs and its attributes': ({ node }) => {
    if (!isLeaf(node.op)) return undefined;
    if (node.inputs.length > 0) return 'has inputs';
    const absent = LEAF_ATTRS[node.op].find((name) => node.attrs[name] === undefined);
    return absent === undefined ? undefined : `no ${absent}`;
  },
  'a constant has as many values as its shape': ({ node }) => {
    if (node.op !== 'constant') return undefined;
    const { value } = node.attrs;
    if (!isNdArray(value)) return 'no value';
    if (!node.type.shape.every(isStatic) || !sameShape(node.type.shape, value.shape)) return `${formatType(node.type)} holds [${value.shape.join(', ')}]`;
    return sizeOf(value.shape) === value.data.length ? undefined : `${value.data.length} values`;
  },
  'an op has the inputs of its row': ({ node }) => {
    if (isLeaf(node.op)) return undefined;
    const names = opOf(node.op).inputs;
    const required = names.filter((n) => !n.endsWith('?') && !n.endsWith('*')).length;
    const most = names.some((n) => n.endsWith('*')) ? Infinity : names.length;
    return node.inputs.length >= required && node.inputs.length <= most ? undefined : `${node.inputs.length} inputs`;
  },
  'an op has the attributes of its row': ({ node }) => {
    if (isLeaf(node.op)) return undefined;
    const specs = opOf(node.op).attrs;
    const unknown = Object.keys(node.attrs).find((name) => specs[name] === undefined);
    if (unknown !== undefined) return `unknown ${unknown}`;
    const absent = Object.entries(specs).find(([name, spec]) => spec.default !== undefined && node.attrs[name] === undefined);
    return absent === undefined ? undefined : `no ${absent[0]}`;
  },
  'a type is what the table infers': (view) => {
    const { node } = view;
    if (isLeaf(node.op)) return undefined;
    const inferred = opOf(node.op).infer(typesOf(view), node.attrs);
    const same = inferred.dtype === node.type.dtype && sameShape(inferred.shape, node.type.shape);
    return same ? undefined : `says ${formatType(node.type)}, the table ${formatType(inferred)}`;
  },
};

/** Everything that is wrong with a graph, one line each; empty for a sound one. */
export function verifyGraph(graph: Graph): readonly string[] {
  const faults: string[] = [];
  const before = new Map<number, Node>();
  for (const [key, node] of graph.nodes) {
    if (key !== node.id) faults.push(`node ${node.id} stands under ${key}`);
    for (const [law, holds] of Object.entries(LAWS)) {
      const wrong = attempt(() => holds({ node, before }));
      if (wrong === undefined) continue;
      faults.push(`node ${node.id} (${node.op}${node.path === '' ? '' : ` in ${node.path}`}): ${law}: ${wrong}`);
      break;
    }
    before.set(node.id, node);
  }
  const names = new Set<string>();
  for (const { name, id } of graph.outputs) {
    if (!graph.nodes.has(id)) faults.push(`output ${name} is node ${id}, which is not there`);
    if (names.has(name)) faults.push(`two outputs are called ${name}`);
    names.add(name);
  }
  return faults;
}

/** Throws where a pass has left an unsound graph: a fault of ours. Gives the graph, so that it can wrap a pass. */
export function sound(graph: Graph): Graph {
  const faults = verifyGraph(graph);
  if (faults.length > 0) throw new Error(`unsound graph:\n${faults.join('\n')}`);
  return graph;
}

function attempt(law: () => string | undefined): string | undefined {
  try {
    return law();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
