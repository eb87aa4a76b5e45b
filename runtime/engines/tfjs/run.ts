// Runs a tfjs program on whatever backend TensorFlow.js has: one kernel after the other, each tensor disposed after its last reader.
import { evaluateDim, type Dim } from '../../../compiler/ir/dim.js';
import type { TensorType } from '../../../compiler/ir/graph.js';
import type { TfjsAttribute } from '../../../compiler/ops/op.js';
import { tfjsDType } from '../../../compiler/ops/shared/tfjs.js';
import type { TfjsCall, TfjsProgram } from '../../../compiler/targets/tfjs/program.js';
import type { Tensor, TensorData } from '../engine.js';
import type { DeviceTensor, Tfjs } from './backend.js';

type Sizes = Readonly<Record<string, number>>;
/** A call with its sizes as numbers. */
interface Bound { readonly call: TfjsCall; readonly attributes: Readonly<Record<string, unknown>> }

/** Milliseconds after which timers, signals and file reads get their turn between two kernels. */
const TURN = 40;

export class Runner {
  private readonly constants = new Map<number, DeviceTensor>();
  /** For the sizes of the last run, which are those of most runs. */
  private bound: { readonly key: string; readonly calls: readonly Bound[] } | undefined;

  constructor(readonly tf: Tfjs, readonly program: TfjsProgram) {}

  /** `inputs` by slot stay the caller's; the results are the caller's to dispose. */
  async run(inputs: ReadonlyMap<number, DeviceTensor>, sizes: Sizes, onPeak?: (bytes: number) => void): Promise<readonly DeviceTensor[]> {
    const { tf, program } = this;
    const slots = new Map<number, DeviceTensor>([...this.uploadedConstants(), ...inputs]);
    const made = new Set<number>();
    const read = (slot: number): DeviceTensor => {
      const tensor = slots.get(slot);
      if (tensor === undefined) throw new Error(`tfjs program: slot ${slot} is read and not there`);
      return tensor;
    };
    const drop = (slot: number): void => {
      slots.get(slot)?.dispose();
      slots.delete(slot);
      made.delete(slot);
    };
    let turn = performance.now();
    try {
      for (const { call, attributes } of this.callsFor(sizes)) {
        const given = Array.isArray(call.inputs) ? call.inputs.map(read) : Object.fromEntries(Object.entries(call.inputs).map(([name, slot]) => [name, read(slot)]));
        slots.set(call.output, tf.runKernel(call.kernel, given, attributes));
        made.add(call.output);
        onPeak?.(tf.bytes());
        call.frees.forEach(drop);
        if (performance.now() - turn < TURN) continue;
        await new Promise<void>((resolve) => { setImmediate(resolve); });
        turn = performance.now();
      }
    } catch (error) {
      [...made].forEach(drop);
      throw error;
    }
    return program.outputs.map(({ slot }) => read(slot));
  }

  private uploadedConstants(): ReadonlyMap<number, DeviceTensor> {
    if (this.constants.size === 0) for (const { slot, dtype, value } of this.program.constants) {
      this.constants.set(slot, this.tf.make(tfjsData(value.data, dtype), value.shape, tfjsDType(dtype)));
    }
    return this.constants;
  }

  private callsFor(sizes: Sizes): readonly Bound[] {
    const key = JSON.stringify(sizes);
    if (this.bound?.key !== key) {
      this.bound = { key, calls: this.program.calls.map((call) => ({ call, attributes: Object.fromEntries(Object.entries(call.attributes).map(([name, value]) => [name, numbersOf(value, sizes)])) })) };
    }
    return this.bound.calls;
  }

  dispose(): void {
    for (const tensor of this.constants.values()) tensor.dispose();
    this.constants.clear();
  }
}

function numbersOf(value: TfjsAttribute, sizes: Sizes): unknown {
  if (!Array.isArray(value)) return value;
  return (value as readonly (Dim | readonly number[])[]).map((d) => (Array.isArray(d) ? d : evaluateDim(d as Dim, sizes)));
}

/** f32 as it is; integers as int32, which holds every index; bool as bytes. */
export function tfjsData(data: TensorData | Float64Array, dtype: TensorType['dtype']): Float32Array | Int32Array | Uint8Array {
  switch (dtype) {
    case 'f32': return data instanceof Float32Array ? data : Float32Array.from(data as Float64Array);
    case 'i64': return Int32Array.from(data as ArrayLike<number | bigint>, Number);
    case 'bool': return data instanceof Uint8Array ? data : Uint8Array.from(data as Float64Array);
    default: return dtype satisfies never;
  }
}

export function fromTfjs(data: Float32Array | Int32Array | Uint8Array, dtype: Tensor['dtype']): TensorData {
  switch (dtype) {
    case 'f32': return data as Float32Array;
    case 'i64': return BigInt64Array.from(data as ArrayLike<number>, BigInt);
    case 'bool': return Uint8Array.from(data);
    default: return dtype satisfies never;
  }
}
