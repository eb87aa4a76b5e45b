// What the ONNX column of the op table writes to: nodes, shared constants, shapes computed from the inputs. It knows no op of ours.
import type { Dim } from '../../ir/dim.js';
import { formatDim, isStatic, type Polynomial } from '../../ir/dim.js';
import { nodeOf, type DType, type Graph, type NodeId, type TensorType } from '../../ir/graph.js';
import { ndarray, scalar, type NdArray } from '../../ir/ndarray.js';
import type { OnnxAttribute, OnnxContext } from '../../ops/op.js';
import { asOpset, type Written } from './older.js';
import { OPSETS } from './opset.js';
import { attributeProto, initializer, type ElementType, type Initializer, type Onnx } from './proto.js';

/** Where the size of a symbol can be read: an axis of a value that is there from the start. */
export interface SymbolSource { readonly value: string; readonly axis: number }

export class Emitter implements OnnxContext {
  readonly nodes: Onnx.INodeProto[] = [];
  readonly initializers: Initializer[] = [];
  /** Path of the instance whose op is being written: names begin with it. */
  path = '';
  /** Filled by the leaves, before any op is written. */
  readonly symbols = new Map<string, SymbolSource>();
  private readonly taken = new Set<string>();
  private readonly counters = new Map<string, number>();
  private readonly constants = new Map<string, { readonly value: NdArray; readonly name: string }[]>();
  private readonly elements = new Map<string, readonly number[]>();
  private readonly written = new Map<string, string[]>();
  private readonly sizes = new Map<string, string>();

  constructor(private readonly graph: Graph, private readonly opset: number = OPSETS.usual) {}

  /** Keeps a name for one value of the caller's. Throws if it is taken. */
  reserve(name: string): string {
    if (this.taken.has(name)) throw new Error(`two ONNX values would be called ${name}`);
    this.taken.add(name);
    return name;
  }

  isTaken(name: string): boolean { return this.taken.has(name); }

  /** `enc.blocks.3.attn/matmul`, then `…/matmul_2`. */
  private fresh(word: string): string {
    const stem = this.path === '' ? word : `${this.path}/${word}`;
    for (;;) {
      const count = (this.counters.get(stem) ?? 0) + 1;
      this.counters.set(stem, count);
      const name = count === 1 ? stem : `${stem}_${count}`;
      if (!this.taken.has(name)) return this.reserve(name);
    }
  }

  emit(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): string {
    return this.emitMany(opType, inputs, attributes, 1)[0] ?? '';
  }

  /**
   * Nodes that say the same are one: rows are written apart and often need the same transpose, slice or statistic.
   * One that gives more outputs than asked before (a mean beside the normal form) only gets these added.
   */
  emitMany(...[opType, inputs, attributes, outputs]: Parameters<OnnxContext['emitMany']>): readonly string[] {
    return this.node(asOpset(this.opset, this, { opType, inputs, attributes }), outputs);
  }

  private node({ opType, inputs, attributes }: Written, outputs: number): readonly string[] {
    const key = `${opType}(${inputs.join()})${JSON.stringify(attributes)}`;
    const old = this.written.get(key);
    const names = old ?? [this.fresh(opType.toLowerCase())];
    if (old === undefined) {
      this.written.set(key, names);
      this.nodes.push(nodeProto(opType, inputs, attributes, names));
    }
    while (names.length < outputs) names.push(this.fresh(opType.toLowerCase()));
    return names.slice(0, outputs);
  }

  /** As `emit`, under a name that the caller has reserved. */
  write(opType: string, inputs: readonly string[], output: string): void { this.nodes.push(nodeProto(opType, inputs, {}, [output])); }

  /** `parts` in order are the tensor's elements; they are read when the file is written. */
  initializer(name: string, shape: readonly number[], dtype: ElementType, parts: Initializer['parts']): string {
    this.initializers.push(initializer(name, shape, dtype, parts));
    return name;
  }

  constant(value: NdArray, dtype: DType): string {
    const key = `${dtype}[${value.shape.join()}]${digest(value.data)}`;
    const alike = this.constants.get(key) ?? [];
    const same = alike.find((c) => equalData(c.value.data, value.data));
    if (same !== undefined) return same.name;
    const path = this.path;
    this.path = '';
    const name = this.fresh('constant');
    this.path = path;
    this.initializer(name, value.shape, dtype, [() => value.data]);
    this.constants.set(key, [...alike, { value, name }]);
    if (dtype === 'i64') this.elements.set(name, [...value.data]);
    return name;
  }
  elementsOf(name: string): readonly number[] {
    const elements = this.elements.get(name);
    if (elements === undefined) throw new Error(`${name} is no constant of integers`);
    return elements;
  }
  ints(values: readonly number[]): string { return this.constant(ndarray([values.length], values), 'i64'); }
  float(value: number): string { return this.constant(scalar(value), 'f32'); }

  shape(dims: readonly Dim[]): string {
    if (dims.every(isStatic)) return this.ints(dims);
    return this.shared(`[${dims.map(formatDim).join()}]`, () => {
      const parts: string[] = [];
      let run: number[] = [];
      const flush = (): void => {
        if (run.length > 0) parts.push(this.ints(run));
        run = [];
      };
      for (const d of dims) {
        if (isStatic(d)) run.push(d);
        else {
          flush();
          parts.push(this.size(d));
        }
      }
      flush();
      const [only, ...more] = parts;
      return only !== undefined && more.length === 0 ? only : this.emit('Concat', parts, { axis: 0 });
    });
  }

  /** A symbolic dimension as int64[1]. */
  private size(d: Polynomial): string {
    return this.shared(formatDim(d), () => d.terms.map((t) => {
      const factors = t.symbols.map((s) => this.symbolSize(s));
      if (t.coefficient !== 1 || factors.length === 0) factors.push(this.ints([t.coefficient]));
      return factors.reduce((a, b) => this.emit('Mul', [a, b]));
    }).reduce((a, b) => this.emit('Add', [a, b])));
  }

  private symbolSize(symbol: string): string {
    return this.shared(symbol, () => {
      const source = this.symbols.get(symbol);
      if (source === undefined) throw new Error(`no input of the graph carries the dimension ${symbol}`);
      return this.emit('Shape', [source.value], { start: source.axis, end: source.axis + 1 });
    });
  }

  private shared(key: string, make: () => string): string {
    const old = this.sizes.get(key);
    if (old !== undefined) return old;
    const path = this.path;
    this.path = 'shape';
    const made = make();
    this.path = path;
    this.sizes.set(key, made);
    return made;
  }

  typeOf(id: NodeId): TensorType { return nodeOf(this.graph, id).type; }
}

/** Named by its first output. The list of outputs is kept, not copied: it may still grow. */
const nodeProto = (opType: string, inputs: readonly string[], attributes: Readonly<Record<string, OnnxAttribute>>, output: string[]): Onnx.INodeProto =>
  ({ opType, name: output[0], input: [...inputs], output, attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)) });

/** FNV-1a over the bit patterns; equality is checked apart. */
function digest(data: Float64Array): string {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  let hash = 0x811c9dc5;
  for (const w of words) hash = Math.imul(hash ^ w, 0x01000193);
  return (hash >>> 0).toString(16);
}

const equalData = (a: Float64Array, b: Float64Array): boolean => a.length === b.length && a.every((v, i) => Object.is(v, b[i]));
