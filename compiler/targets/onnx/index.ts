// Graph to ONNX file: walks the graph once and lets each op's row write itself. No file is written here; bytes are returned.
import type { Bindings } from '../../bindings.js';
import { GraphBuilder } from '../../ir/builder.js';
import { isLeaf, leafName, nodeOf, type Graph, type Node, type NodeId, type Output } from '../../ir/graph.js';
import { opOf } from '../../ops/index.js';
import { Emitter } from './emitter.js';
import { placeExternally, type ExternalData, type ExternalOptions } from './external.js';
import { Leaves, type GraphInput } from './leaves.js';
import { OPSETS } from './opset.js';
import { onlyRead, writeInt8Product, type Int8Product } from './quantise.js';
import { cutLogits, type CutLogits, type ShapedPictures } from './pictures.js';
import { encodeModel, externalProto, tensorProto, valueInfo, type FileType } from './proto.js';

export type { ExternalData, ExternalTensor } from './external.js';
export type { GraphInput } from './leaves.js';
export type { FileType } from './proto.js';
export { int8Products, onlyRead, type Int8Product } from './quantise.js';

export interface OnnxOptions extends Bindings {
  /** Of ai.onnx; one of `OPSETS`. */
  readonly opset?: number;
  /** Name of the graph in the file. */
  readonly name?: string;
  /** Ours. */
  readonly producerVersion: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Leaves the shapes of inputs and outputs unsaid: for an engine that checks them itself. A file for others should say them. */
  readonly hideShapes?: boolean;
  /** Absent: all tensors are in the bytes. */
  readonly external?: ExternalOptions;
  /** Parameters of rank 2 and more are kept in half precision and cast to floats where they are read. The values must be finite as halves. */
  readonly halfWeights?: boolean;
  /** Products that are written in int8 (`int8Products`). */
  readonly int8?: ReadonlyMap<NodeId, Int8Product>;
  /** The file takes pictures in place of one of the graph's inputs. */
  readonly pictures?: ShapedPictures;
  /** The file cuts one of its outputs into masks. */
  readonly masks?: CutLogits;
}

/** `value` is the name in the file; it differs from `name` where an input has that name already (parameters before and after a step). */
export interface OnnxOutput { readonly name: string; readonly value: string; readonly type: FileType }

export interface OnnxModel {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  /** In the order of the file. */
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly OnnxOutput[];
  readonly opset: number;
  /** Paths of the matrices that are kept in int8. */
  readonly int8: readonly string[];
  /** Tensors that are not in the bytes. */
  readonly external?: ExternalData;
}

/** Inputs are called as `leafName` says, outputs as in the graph; symbolic dimensions by their symbol. */
export function toOnnx(graph: Graph, options: OnnxOptions): OnnxModel {
  const { opset = OPSETS.usual, hideShapes = false } = options;
  const emitter = new Emitter(graph, opset);
  const leaves = new Leaves(emitter, options);
  const { int8 = new Map<NodeId, Int8Product>() } = options;
  const skipped = onlyRead(graph, int8);
  leaves.bind(graph, skipped);
  const values = new Map<number, string>();
  const outputs = reserveOutputs(graph, emitter);
  for (const node of fileOrder(graph)) {
    emitter.path = node.path;
    if (skipped.has(node.id)) continue;
    const inputs = node.inputs.map((i) => values.get(i) ?? (skipped.has(i) ? '' : missing(i))), product = int8.get(node.id);
    values.set(node.id, isLeaf(node.op) ? leaves.valueOf(node)
      : product === undefined ? opOf(node.op).onnx(emitter, node, inputs) : writeInt8Product(emitter, node, inputs[0] ?? '', product));
  }
  const masks = maskOutputs(graph, options, emitter, values);
  for (const { id, value } of outputs) emitter.write('Identity', [values.get(id) ?? missing(id)], value);
  absorbIdentities(emitter, [...outputs, ...masks].map((o) => o.value), new Set(leaves.inputs.map((i) => i.name)));
  const described: readonly OnnxOutput[] = [...outputs.map(({ name, value, id }) => ({ name, value, type: nodeOf(graph, id).type })), ...masks];
  // An older form may have taken up a constant into an attribute.
  const read = new Set(emitter.nodes.flatMap((n) => n.input ?? [])), tensors = emitter.initializers.filter((t) => read.has(t.name));
  const external = options.external === undefined ? undefined : placeExternally(tensors, options.external);
  const offsets = new Map(external?.tensors.map((t) => [t.name, t.offset]));
  const bytes = encodeModel({
    opset,
    producerVersion: options.producerVersion,
    metadata: options.metadata ?? {},
    graph: {
      name: options.name ?? 'graph',
      node: emitter.nodes,
      initializer: tensors.map((tensor) => {
        const offset = offsets.get(tensor.name);
        return external === undefined || offset === undefined ? tensorProto(tensor) : externalProto(tensor, external.location, offset);
      }),
      input: leaves.inputs.map((i) => valueInfo(i.name, i.type, hideShapes)),
      output: described.map((o) => valueInfo(o.value, o.type, hideShapes)),
    },
  });
  return { bytes, nodes: emitter.nodes.length, inputs: leaves.inputs, outputs: described, opset, int8: [...new Set([...int8.values()].map((p) => p.path))], ...(external === undefined ? {} : { external }) };
}

/**
 * What the last output needs stands first: ONNX Runtime begins its work with what the last nodes of a file need, so its order is the graph's.
 * (Leaves are written before.)
 */
function fileOrder(graph: Graph): Iterable<Node> {
  const place = new Map([...graph.nodes.keys()].map((id, i) => [id, i])), last = [...graph.outputs].sort((x, y) => (place.get(y.id) ?? 0) - (place.get(x.id) ?? 0));
  return new GraphBuilder(graph).finish(last).nodes.values();
}

/** The file of a graph whose tensors all stay inputs: what engines and parity tests run. */
export const onnxBytes = (graph: Graph, opset?: number): Uint8Array => toOnnx(graph, { producerVersion: '0', ...(opset === undefined ? {} : { opset }) }).bytes;

function missing(id: number): never { throw new Error(`node ${id} is used before it is made`); }

function reserveOutputs(graph: Graph, emitter: Emitter): readonly (Output & { readonly value: string })[] {
  const leafNames = new Set([...graph.nodes.values()].filter((n) => isLeaf(n.op) && n.op !== 'constant').map(leafName));
  return graph.outputs.map(({ name, id }) => {
    const value = leafNames.has(name) || emitter.isTaken(name) ? `next:${name}` : name;
    return { name, id, value: emitter.reserve(value) };
  });
}

/** What `masks` adds to the outputs, written under their names. */
function maskOutputs(graph: Graph, { masks, pictures }: OnnxOptions, emitter: Emitter, values: ReadonlyMap<number, string>): readonly OnnxOutput[] {
  if (masks === undefined) return [];
  const output = graph.outputs.find((o) => o.name === masks.logits);
  if (output === undefined) throw new Error(`the graph has no output ${masks.logits}`);
  return cutLogits(emitter, { name: values.get(output.id) ?? missing(output.id), type: nodeOf(graph, output.id).type }, masks, pictures?.input)
    .map(({ name, from, type }) => {
      emitter.write('Identity', [from], emitter.reserve(name));
      return { name, value: name, type };
    });
}

/** An output that is an op's own value needs no Identity: the op's value takes the output's name. */
function absorbIdentities(emitter: Emitter, outputs: readonly string[], inputs: ReadonlySet<string>): void {
  const names = new Set(outputs);
  const made = new Set(emitter.nodes.flatMap((n) => n.output ?? []));
  const renamed = new Map<string, string>();
  for (const node of emitter.nodes) {
    const [from] = node.input ?? [];
    const [to] = node.output ?? [];
    if (node.opType !== 'Identity' || from === undefined || to === undefined || !names.has(to)) continue;
    if (made.has(from) && !inputs.has(from) && !names.has(from) && !renamed.has(from)) renamed.set(from, to);
  }
  const nameOf = (v: string): string => renamed.get(v) ?? v;
  const kept = emitter.nodes.filter((n) => !(n.opType === 'Identity' && renamed.get(n.input?.[0] ?? '') === n.output?.[0]));
  emitter.nodes.splice(0, emitter.nodes.length, ...kept.map((n) => ({ ...n, input: n.input?.map(nameOf), output: n.output?.map(nameOf) })));
}
