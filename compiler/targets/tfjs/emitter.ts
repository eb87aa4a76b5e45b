// What the tfjs column of the op table writes to: calls of kernels and constants, equal ones once. It knows no op of ours.
import { formatDim, type Dim } from '../../ir/dim.js';
import type { DType, TensorType } from '../../ir/graph.js';
import type { NdArray } from '../../ir/ndarray.js';
import type { TfjsAttribute, TfjsContext, TfjsInputs, TfjsValue } from '../../ops/op.js';
import type { Slot, TfjsCall } from './program.js';

export class Emitter implements TfjsContext {
  readonly calls: Omit<TfjsCall, 'frees'>[] = [];
  readonly constants = new Map<Slot, { readonly dtype: DType; readonly value: NdArray }>();
  private readonly written = new Map<string, TfjsValue>();
  private readonly alike = new Map<string, TfjsValue[]>();
  private readonly made = new Set<Slot>();
  private next = 0;

  /** A tensor that comes from outside. */
  input({ dtype, shape }: TensorType): TfjsValue {
    return { slot: this.next++, dtype, shape, order: shape.map((_, i) => i) };
  }

  call(kernel: string, inputs: TfjsInputs, attributes: Readonly<Record<string, TfjsAttribute>>, shape: readonly Dim[], dtype: DType = 'f32'): TfjsValue {
    const slots = isList(inputs) ? inputs.map((x) => x.slot) : Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, x.slot]));
    const key = `${kernel}${JSON.stringify([slots, attributes, shape.map(formatDim)])}`;
    const old = this.written.get(key);
    if (old !== undefined) return old;
    const value = this.input({ dtype, shape });
    this.calls.push({ kernel, inputs: slots, attributes, output: value.slot, type: { dtype, shape } });
    this.made.add(value.slot);
    this.written.set(key, value);
    return value;
  }

  /** A tensor of its own with the values of another, which shares its memory. */
  copy(x: TfjsValue): TfjsValue {
    const value = this.input(x);
    this.made.add(value.slot);
    this.calls.push({ kernel: 'Identity', inputs: { x: x.slot }, attributes: {}, output: value.slot, type: x });
    return value;
  }

  constant(value: NdArray, dtype: DType): TfjsValue {
    const key = `${dtype}[${value.shape.join()}]${String(value.data[0])}${String(value.data.at(-1))}`;
    const alike = this.alike.get(key) ?? [];
    const same = alike.find((c) => equalData(this.constants.get(c.slot)?.value.data, value.data));
    if (same !== undefined) return same;
    const made = this.input({ dtype, shape: value.shape });
    this.constants.set(made.slot, { dtype, value });
    this.alike.set(key, [...alike, made]);
    return made;
  }

  given(x: TfjsValue): boolean { return !this.made.has(x.slot); }

  known(x: TfjsValue): NdArray | undefined { return this.constants.get(x.slot)?.value; }
}

const isList = (inputs: TfjsInputs): inputs is readonly TfjsValue[] => Array.isArray(inputs);
const equalData = (a: Float64Array | undefined, b: Float64Array): boolean => a !== undefined && a.length === b.length && a.every((v, i) => Object.is(v, b[i]));
